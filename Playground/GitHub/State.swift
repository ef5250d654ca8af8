import PlaygroundFace
import Foundation
import Porter

/// Everything that this GitHub knows, but for what lies in its git repositories.
///
/// It lives in memory and dies with the process. Every change is made under the one lock of ``World``.
struct State: Sendable {
    /// Where this GitHub is, `http://127.0.0.1:PORT`, without a slash at its end.
    var origin = ""
    let clock: Clock
    var app: App
    var accounts: [Int64: Account] = [:]
    var installations: [Int64: Installation] = [:]
    var repositories: [Int64: Repository] = [:]
    var issues: [IssueKey: Issue] = [:]
    var comments: [Int64: IssueComment] = [:]
    var reviews: [Int64: Review] = [:]
    var reviewComments: [Int64: ReviewComment] = [:]
    var tokens: [String: Token] = [:]
    var oauth = OAuthState()
    /// The oldest first.
    var gists: [Gist] = []
    var deliveries: [Delivery] = []
    var faults: [Fault] = []
    /// Apps that wait for their conversion, by code.
    var pendingApps: [String: PendingApp] = [:]
    var rateLimits: [String: RateLimit] = [:]
    /// Seconds that the log of deliveries reaches back.
    var logReach: Int64 = 3 * 86_400
    /// Seconds ago at which what is being changed happens.
    var age: Int64 = 0
    /// Whether deliveries leave at all.
    var isDelivering = true
    private var lastID: Int64

    /// An empty world around the App.
    ///
    /// Numbers that are given out begin at the clock, so that a world that is made again in the same folder
    /// never gives one out twice.
    init(app: App, clock: Clock) {
        self.app = app
        self.clock = clock
        lastID = max(0, clock.now().seconds - 1_700_000_000) * 1000
    }

    /// The address of the REST API.
    var api: String { origin + "/api/v3" }

    /// The moment as GitHub keeps it, in whole seconds.
    var now: Instant { Instant(seconds: clock.now().seconds - age) }

    /// A number that nothing has yet.
    mutating func newID() -> Int64 {
        lastID += 1
        return lastID
    }
}

extension Instant {
    /// As GitHub writes it, `2026-11-24T11:43:13Z`.
    var shown: String { String(iso8601.prefix(19)) + "Z" }
}

/// An opaque id in the manner of GitHub's.
func nodeID(_ kind: String, _ id: Int64) -> JSON {
    .string("\(kind)_" + Data("\(kind)\(id)".utf8).base64EncodedString())
}
