package import Porter
package import PorterStore
import Synchronization

/// A clock that only the test moves.
package final class WorldClock: Sendable {
    private let time: Mutex<Instant>
    private let turned = Mutex(Int64(0))

    package init(_ start: Instant = Instant(seconds: 1_800_000_000)) {
        time = Mutex(start)
    }

    /// The current moment.
    package var now: Instant { time.withLock { $0 } }

    /// Moves it, forwards or back.
    package func set(_ moment: Instant) {
        time.withLock { $0 = moment }
    }

    /// Sets the clock and lets no time pass: it is wrong from now on.
    package func turn(seconds: Int) {
        turned.withLock { $0 += Int64(seconds) * 1000 }
        set(now.adding(seconds: seconds))
    }

    /// The clock beside the time that has really passed.
    package var reading: ClockReading {
        ClockReading(boot: "world", wall: now, uptime: now.milliseconds - turned.withLock { $0 })
    }

    /// The face that the rules see.
    package var face: Clock { Clock { self.now } }
}
