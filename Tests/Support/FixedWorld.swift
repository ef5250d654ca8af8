package import Porter
import Synchronization

/// A clock that stands still until a test moves it.
package final class FixedClock: Sendable {
    private let moment: Mutex<Instant>

    /// When tests begin unless they say otherwise: 2026-11-24T12:00:00.000Z.
    package static let start = Instant(milliseconds: 1_795_521_600_000)

    /// A clock that shows the moment.
    package init(at moment: Instant = FixedClock.start) {
        self.moment = Mutex(moment)
    }

    /// What it shows.
    package var now: Instant { moment.withLock { $0 } }

    /// Moves it on (or back, if negative).
    package func advance(seconds: Int) {
        moment.withLock { $0 = $0.adding(seconds: seconds) }
    }

    /// Moves it on by milliseconds.
    package func advance(milliseconds: Int64) {
        moment.withLock { $0 = $0.adding(milliseconds: milliseconds) }
    }

    /// The effect that reads it.
    package var clock: Clock { Clock { self.now } }
}

extension Clock {
    /// A clock that always shows the moment.
    package static func fixed(at moment: Instant = FixedClock.start) -> Clock {
        Clock { moment }
    }
}

extension Entropy {
    /// Bytes that are the same in each run, and other ones at each call.
    package static func seeded(_ seed: UInt64 = 1) -> Entropy {
        let generator = Mutex(SeededGenerator(seed: seed))
        return Entropy { count in
            generator.withLock { generator in
                (0..<count).map { _ in UInt8(truncatingIfNeeded: generator.next() >> 32) }
            }
        }
    }
}

/// Chance that can be repeated: SplitMix64.
///
/// - SeeAlso: <https://prng.di.unimi.it/splitmix64.c>
package struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// The sequence of the seed.
    package init(seed: UInt64) {
        state = seed
    }

    /// The next 64 bits.
    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// A journal that keeps what it is told.
package final class JournalRecorder: Sendable {
    /// One record.
    package struct Record: Hashable, Sendable {
        package let level: Journal.Level
        package let message: String
        package let facts: [String: String]
    }

    private let kept = Mutex<[Record]>([])

    /// A journal with nothing in it.
    package init() {}

    /// All records so far, oldest first.
    package var records: [Record] { kept.withLock { $0 } }

    /// The effect that writes to it.
    package var journal: Journal {
        Journal { level, message, facts in
            self.kept.withLock { $0.append(Record(level: level, message: message, facts: facts)) }
        }
    }
}
