import Porter
import PorterHTTP

/// The calls of one credential in one hour.
///
/// - SeeAlso: <https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api>
struct RateLimit: Sendable {
    /// Calls an hour.
    static let mostCalls = 5000
    static let window = 3600

    var used = 0
    var resetsAt: Instant
}

extension World {
    /// Counts a call, and says how many are left; the playground counts and never refuses for it.
    ///
    /// - Parameter isFree: whether to look only.
    func rateLimitFields(_ request: Request, isFree: Bool = false) -> [String: String] {
        let key = request.fields["Authorization"].map { $0.contains("ghs_") ? $0 : "app" } ?? "nobody"
        let now = clock.now()
        let limit = with { state -> RateLimit in
            var limit = state.rateLimits[key] ?? RateLimit(resetsAt: now.adding(seconds: RateLimit.window))
            if limit.resetsAt <= now { limit = RateLimit(resetsAt: now.adding(seconds: RateLimit.window)) }
            if !isFree { limit.used = min(limit.used + 1, RateLimit.mostCalls - 1) }
            state.rateLimits[key] = limit
            return limit
        }
        return [
            "X-RateLimit-Limit": String(RateLimit.mostCalls), "X-RateLimit-Used": String(limit.used),
            "X-RateLimit-Remaining": String(RateLimit.mostCalls - limit.used),
            "X-RateLimit-Reset": String(limit.resetsAt.seconds), "X-RateLimit-Resource": "core",
        ]
    }
}
