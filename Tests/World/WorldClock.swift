package import Porter
import Synchronization

/// A clock that only the test moves.
package final class WorldClock: Sendable {
    private struct Time {
        var now: Instant
        var uptime: Int64 = 1_000_000
        /// Milliseconds by which it is wrong.
        var error: Int64 = 0
    }

    private let time: Mutex<Time>

    package init(_ start: Instant = Instant(seconds: 1_800_000_000)) {
        time = Mutex(Time(now: start))
    }

    /// The current moment.
    package var now: Instant { time.withLock { $0.now } }

    /// What everybody else's clock shows, which is right.
    package var real: Instant { time.withLock { $0.now.adding(milliseconds: -$0.error) } }

    /// Moves it forwards by letting time pass, back by setting it back.
    package func set(_ moment: Instant) {
        time.withLock {
            $0.uptime += max(0, moment - $0.now)
            $0.error += min(0, moment - $0.now)
            $0.now = moment
        }
    }

    /// Sets it, and no time passes.
    package func jump(to moment: Instant) {
        time.withLock {
            $0.error += moment - $0.now
            $0.now = moment
        }
    }

    /// Starts the host anew, which takes so many seconds.
    package func restart(after seconds: Int) {
        time.withLock {
            $0.uptime = 20_000
            $0.now = $0.now.adding(seconds: seconds)
        }
    }

    /// The face that the rules see.
    package var face: Clock {
        Clock(now: { self.now }, uptime: { self.time.withLock { $0.uptime } })
    }
}
