package import Porter
import Synchronization

/// A clock that only the test moves.
package final class WorldClock: Sendable {
    private let time: Mutex<Instant>

    package init(_ start: Instant = Instant(seconds: 1_800_000_000)) {
        time = Mutex(start)
    }

    /// The current moment.
    package var now: Instant { time.withLock { $0 } }

    /// Moves it, forwards or back.
    package func set(_ moment: Instant) {
        time.withLock { $0 = moment }
    }

    /// The face that the rules see.
    package var face: Clock { Clock { self.now } }
}
