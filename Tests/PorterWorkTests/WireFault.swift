import Foundation
import Porter
import PorterGitHub
import PorterHTTP
import PorterMachines
import PorterTestWorld
import Synchronization

/// How a call fails on the wire.
enum WireFault: String, CaseIterable, Sendable {
    case refused
    case timeoutBefore
    case timeoutAfter
    case status500
    case html502
    case secondaryLimit403
    case retryAfter429
    case truncatedJSON
    /// The connection stands, and nothing comes over it until the client gives up.
    case halfOpen

    /// What the transport brings.
    func answer(_ whole: Data) throws(TransportError) -> Response {
        func json(_ status: Int, _ text: String, _ more: Fields = Fields()) -> Response {
            var response = Response(status: status, fields: more, body: Data(text.utf8))
            response.fields["Content-Type"] = "application/json; charset=utf-8"
            return response
        }
        let words = #"{"message":"You have exceeded a secondary rate limit.","error":"slow down"}"#
        switch self {
        case .refused: throw TransportError(.unreachable, "Connection refused")
        case .timeoutBefore, .timeoutAfter, .halfOpen:
            throw TransportError(.interrupted, "Operation timed out after 20000 milliseconds")
        case .status500: return json(500, #"{"message":"Server Error","error":"oops"}"#)
        case .html502:
            return Response(
                status: 502, fields: ["Content-Type": "text/html"], body: Data("<h1>Bad Gateway</h1>".utf8))
        case .secondaryLimit403: return json(403, words)
        case .retryAfter429: return json(429, words, ["Retry-After": "30"])
        case .truncatedJSON: return json(200, String(decoding: whole.prefix(whole.count / 2), as: UTF8.self))
        }
    }

    /// Whether the effect may have happened before the call failed, and whether it may not.
    var effects: [Bool] {
        switch self {
        case .timeoutAfter, .truncatedJSON: [true]
        // Nobody can tell by the answer.
        case .status500, .html502, .halfOpen: [false, true]
        case .refused, .timeoutBefore, .secondaryLimit403, .retryAfter429: [false]
        }
    }
}

/// Every kind of call that leaves Porter, by the names that the sources give it.
enum OutgoingCall {
    /// The operations of GitHub.
    static let github = names(
        of: GitHub.live(transport: silence, apiURL: "", appID: "", sign: { $0 }, clock: clock))
    /// The operations of the engine.
    static let engine = names(of: Machines.live(transport: silence, baseURL: "", app: "", token: nil))

    private static let silence = Transport { _, _ throws(TransportError) in
        throw TransportError(.unreachable, "nobody is there")
    }
    private static let clock = Clock { Instant(seconds: 1_800_000_000) }

    private static func names(of face: Any) -> Set<String> {
        Set(Mirror(reflecting: face).children.compactMap(\.label))
    }

    /// What the client makes of the fault: how the operation fails for the rules; nil when it does not.
    static func github(_ name: String, _ fault: WireFault) -> GitHubError? {
        let transport = Transport { request, _ throws(TransportError) in
            let isToken = request.target.hasSuffix("/access_tokens")
            if isToken, name != "contentsToken" {
                return Response(
                    status: 201, body: Data(#"{"token":"ghs_1","expires_at":"2037-01-01T00:00:00Z"}"#.utf8))
            }
            if request.target.hasSuffix("/app"), name != "app" {
                return Response(
                    status: 200,
                    body: Data(#"{"id":55,"slug":"porter","owner":{"id":900,"login":"acme"}}"#.utf8))
            }
            if request.target.contains("/users/"), name != "app" {
                return Response(status: 200, body: Data(#"{"id":901,"login":"porter[bot]"}"#.utf8))
            }
            return try fault.answer(Data(#"{"id":5,"number":5,"token":"ghs_2","state":"open"}"#.utf8))
        }
        let client = GitHub.live(
            transport: transport, apiURL: "https://github.example/api/v3", appID: "1", sign: { $0 },
            clock: clock)
        do throws(GitHubError) {
            try sample(name, client)
            return nil
        } catch {
            return error
        }
    }

    static func engine(_ name: String, _ fault: WireFault) -> MachinesError? {
        let transport = Transport { _, _ throws(TransportError) in
            try fault.answer(Data(#"{"id":"m1","name":"porter","state":"started"}"#.utf8))
        }
        let client = Machines.live(
            transport: transport, baseURL: "http://engine.example/v1", app: "a", token: nil)
        do throws(MachinesError) {
            switch name {
            case "create":
                _ = try client.create(
                    MachinePlan(
                        name: "porter", image: "i", environment: [:], metadata: [:], region: nil, cpus: 1,
                        memory: 1))
            case "find": _ = try client.find("m1")
            case "list": _ = try client.list("porter_task", "t", false)
            case "destroy": try client.destroy("m1")
            default: preconditionFailure("add a sample call of \(name)")
            }
            return nil
        } catch {
            return error
        }
    }

    private static func sample(_ name: String, _ github: GitHub) throws(GitHubError) {
        let place = RepositoryRef(installationID: 77, id: 42, owner: "acme", name: "shop")
        let logged = GitHub.LoggedDelivery(
            id: 1, guid: "g", event: "issues", action: "closed", deliveredAt: clock.now(), isSuccess: false)
        switch name {
        case "app": _ = try github.app()
        case "installation": _ = try github.installation(77)
        case "installations": _ = try github.installations(.first(unless: nil))
        case "repositories": _ = try github.repositories(77, .first(unless: nil))
        case "contents": _ = try github.contents(place, .comments, clock.now(), .first(unless: nil))
        case "reviews": _ = try github.reviews(place, 8, .first(unless: nil))
        case "deliveries": _ = try github.deliveries(.first(unless: nil))
        case "delivery": _ = try github.delivery(logged)
        case "repository": _ = try github.repository(place)
        case "issue": _ = try github.issue(place, 7)
        case "permission": _ = try github.permission(place, "maria")
        case "comments": _ = try github.comments(place, 7, 10)
        case "ownComments": _ = try github.ownComments(place, 7, clock.now())
        case "createComment": _ = try github.createComment(place, 7, "text")
        case "updateComment": _ = try github.updateComment(place, 5, "text")
        case "deleteComment": try github.deleteComment(place, 5)
        case "react": try github.react(place, .comment(5), .eyes)
        case "file": _ = try github.file(place, "AGENTS.md", "trunk")
        case "branchHead": _ = try github.branchHead(place, "trunk")
        case "compare": _ = try github.compare(place, "trunk", "b")
        case "pullRequests": _ = try github.pullRequests(place, "b")
        case "createPullRequest":
            _ = try github.createPullRequest(
                place,
                GitHub.PullRequestDraft(title: "t", body: "b", head: "h", base: "trunk", isDraft: false))
        case "requestReview": try github.requestReview(place, 5, "maria")
        case "contentsToken": _ = try github.contentsToken(place, .read)
        case "revoke": try github.revoke(Secret("ghs_3"))
        default: preconditionFailure("add a sample call of \(name)")
        }
    }
}

extension Faults {
    /// Plants the fault as the clients tell it to the rules.
    ///
    /// - Returns: false when the clients do not take it for a failure: then there is nothing to plant.
    func plant(_ fault: WireFault, at name: String, isEngine: Bool, withEffect: Bool) -> Bool {
        let uncertain = withEffect ? Kind.uncertainAfter : .uncertainBefore
        if isEngine {
            guard let error = OutgoingCall.engine(name, fault) else { return false }
            switch error.code {
            case .uncertain: plant(uncertain, at: name)
            case .unreachable: plant(.unreachable, at: name)
            default: plant(.machines(error.code), at: name)
            }
            return true
        }
        guard let error = OutgoingCall.github(name, fault) else { return false }
        switch error.code {
        case .uncertain: plant(uncertain, at: name)
        case .unreachable: plant(.unreachable, at: name)
        case .rateLimited(let until): plant(.rateLimited(until), at: name)
        default: plant(.github(error.code), at: name)
        }
        return true
    }
}
