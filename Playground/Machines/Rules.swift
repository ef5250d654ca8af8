import Glibc
import PlaygroundFace
import PorterProcess

/// What is fixed about the face while it runs.
struct Rules: Sendable {
    /// Seconds that a delay may be set to at most.
    static let mostSeconds = 600.0

    var app: String
    /// Where machines are put when the caller names no region.
    var region = "iad"
    /// Live machines that there is room for.
    var capacity = Int.max
    /// Seconds for which a new machine is shown as `created`.
    var boot = 0.0
    /// Seconds for which a destroyed machine is shown as `destroying`.
    var settle = 0.0
    var isRateLimited = false

    /// Rules without delays and limits.
    init(app: String) {
        self.app = app
    }

    init(_ options: Options) throws(UsageError) {
        app = try options.needed("app")
        let delay = options.has("hollow") ? 0.0 : 1
        region = options["region"] ?? region
        capacity = try options.number("capacity", within: 0...1_000_000) ?? capacity
        boot = try options.number("boot", within: 0...Self.mostSeconds) ?? delay
        settle = try options.number("settle", within: 0...Self.mostSeconds) ?? delay
        isRateLimited = options.has("rate-limit")
    }
}

/// Time as the face sees it.
struct Clock: Sendable {
    /// Seconds since 1970.
    var now: @Sendable () -> Double
    /// Waits so many seconds.
    var pause: @Sendable (Double) -> Void

    /// The system's.
    static let live = Clock(
        now: {
            var time = timespec()
            clock_gettime(CLOCK_REALTIME, &time)
            return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
        }, pause: { Thread.pause($0) })
}

extension Thread {
    /// Holds the calling thread for so many seconds.
    static func pause(_ seconds: Double) {
        usleep(UInt32(max(0, seconds) * 1_000_000))
    }
}

/// Fly's limit on calls: a bucket for each action and subject.
///
/// - SeeAlso: <https://fly.io/docs/machines/api/working-with-machines-api/#rate-limits>
struct RateLimit {
    /// Calls a second, and at once.
    static let ordinary = (rate: 1.0, burst: 3.0)
    /// The same for `GET` of a machine.
    static let reading = (rate: 5.0, burst: 10.0)

    private var buckets: [String: (level: Double, at: Double)] = [:]

    /// Takes one call; false when there were too many.
    mutating func take(_ key: String, isReading: Bool, now: Double) -> Bool {
        let (rate, burst) = isReading ? Self.reading : Self.ordinary
        let bucket = buckets[key] ?? (burst, now)
        let level = min(burst, bucket.level + (now - bucket.at) * rate)
        buckets[key] = (level < 1 ? level : level - 1, now)
        return level >= 1
    }
}
