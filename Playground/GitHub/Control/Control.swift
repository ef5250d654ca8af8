import PlaygroundFace
import FoundationEssentials
import Porter
import PorterHTTP
import PorterProcess

/// How tests and the pages act as people, and how they break things; on loopback, without credentials.
struct Control: Sendable {
    let world: World

    static let path = "/_playground"
    /// Milliseconds that `"wait": true` waits for a delivery.
    static let longestWait: Int32 = 15_000

    typealias Handler = @Sendable (Request, [String: String], JSON) throws(Refusal) -> JSON

    /// Answers a request below `/_playground`.
    func answer(_ request: Request) -> Response {
        let (path, query) = Target.split(request.target)
        let segments = path.split(separator: "/").dropFirst().map { Target.decoded(String($0)) }
        if let file = PageFiles.answer(segments) { return file }
        for route in routes where route.0 == request.method {
            guard var found = Self.match(route.1, segments) else { continue }
            found.merge(query) { old, _ in old }
            do throws(Refusal) {
                var body: JSON = [:]
                if !request.body.isEmpty {
                    guard let read = JSON(request.body), read.object != nil else {
                        throw Refusal(status: 400, message: "Problems parsing JSON")
                    }
                    body = read
                }
                return .gitHub(try route.2(request, found, body), request.method == "POST" ? 201 : 200)
            } catch {
                return error.response
            }
        }
        return Refusal.notFound.response
    }

    private static func match(_ pattern: String, _ segments: [String]) -> [String: String]? {
        let parts = pattern.split(separator: "/")
        guard parts.count == segments.count else { return nil }
        var found: [String: String] = [:]
        for (part, segment) in zip(parts, segments) {
            if part.hasPrefix("{") {
                found[String(part.dropFirst().dropLast())] = segment
            } else if part != segment {
                return nil
            }
        }
        return found
    }

    /// Everything that it can do.
    private var routes: [(String, String, Handler)] {
        [
            ("GET", "state", showState), ("GET", "effects", listEffects), ("GET", "issue", issuePage),
            ("GET", "pull", pullPage),
            ("POST", "comments", createComment), ("PATCH", "comments/{id}", editComment),
            ("DELETE", "comments/{id}", deleteComment),
            ("POST", "reviews", submitReview), ("POST", "review-comments", createReviewComment),
            ("POST", "issues", createIssue), ("PATCH", "issues/{owner}/{repo}/{number}", editIssue),
            ("POST", "issues/{owner}/{repo}/{number}/{change}", changeIssue),
            ("POST", "repositories", createRepository),
            ("PATCH", "repositories/{owner}/{repo}", editRepository),
            ("DELETE", "repositories/{owner}/{repo}", deleteRepository),
            ("PUT", "permissions", setPermission), ("POST", "people", createPerson),
            ("PATCH", "installations/{id}", editInstallation),
            ("POST", "installations/{id}/{change}", changeInstallation),
            ("POST", "tokens/{id}/expire", expireToken),
            ("GET", "deliveries/{guid}", showDelivery),
            ("POST", "deliveries/{guid}/redeliver", redeliver), ("POST", "deliver", deliver),
            ("POST", "ping", ping), ("POST", "webhooks", switchWebhooks),
            ("POST", "log", setLogReach),
            ("GET", "faults", listFaults), ("POST", "faults", addFault), ("DELETE", "faults", clearFaults),
        ]
    }

    /// The repository that a member names as `owner/name`.
    func repository(_ state: State, _ name: String?) throws(Refusal) -> Repository {
        guard let name, let found = state.repository(fullName: name) else {
            throw Refusal(status: 404, message: "There is no repository \(name ?? "(none named)").")
        }
        return found
    }

    /// The issue that an address names.
    func issue(_ state: State, _ address: [String: String]) throws(Refusal) -> Issue {
        let place = try repository(state, "\(address["owner"] ?? "")/\(address["repo"] ?? "")")
        guard let number = address["number"].flatMap({ Int($0) }) else { throw .notFound }
        return try state.issue(place, number)
    }

    /// The person of that login; without one, the organisation's admin.
    func person(_ state: State, _ login: JSON?) throws(Refusal) -> Int64 {
        let login = login?.string ?? "hubert"
        guard let account = state.account(login) else {
            throw Refusal(status: 404, message: "There is no account \(login).")
        }
        return account.id
    }

    /// The answer with what came of the delivery, which is waited for when that was asked.
    func result(_ json: JSON, _ announced: World.Announced, _ body: JSON) -> JSON {
        guard let (delivery, sent) = announced else { return json + ["delivery": nil] }
        return json + ["delivery": outcome(delivery, sent, body)]
    }

    private func outcome(_ delivery: Delivery, _ sent: Bell, _ body: JSON) -> JSON {
        let mark: JSON = ["id": .int(delivery.id), "guid": .string(delivery.guid)]
        guard body["wait"].bool == true else { return mark }
        sent.wait(milliseconds: Self.longestWait)
        let outcome = world.with { $0.deliveries.last { $0.id == delivery.id }?.outcome }
        return mark + [
            "status": .some(outcome?.status), "status_code": outcome.map { .int($0.code) } ?? .null,
            "answer": .some(outcome?.response.map { String(decoding: $0.body, as: UTF8.self) }),
        ]
    }
}
