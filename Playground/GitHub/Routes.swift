import PlaygroundFace
import PorterHTTP

/// An operation of the API: its address, what the caller needs, and what answers.
struct Route: Sendable {
    typealias Handler = @Sendable (Call) throws(Refusal) -> Response

    let method: String
    let need: Need
    let handler: Handler
    private let pattern: [Substring]

    /// An operation; `{name}` stands for one part of the address, `{name...}` for all that follow.
    init(_ method: String, _ pattern: String, _ need: Need, _ handler: @escaping Handler) {
        self.method = method
        self.pattern = pattern.split(separator: "/")
        self.need = need
        self.handler = handler
    }

    /// Whether the address names a repository.
    var needsRepository: Bool { pattern.first == "repos" || pattern.first == "repositories" }

    /// The address's parts by their names, if it is one of this route.
    func match(_ segments: [String]) -> [String: String]? {
        var found: [String: String] = [:]
        for (index, part) in pattern.enumerated() {
            if part.hasSuffix("...}") {
                found[String(part.dropFirst().dropLast(4))] = segments.dropFirst(index).joined(separator: "/")
                return found
            }
            guard index < segments.count else { return nil }
            if part.hasPrefix("{") {
                found[String(part.dropFirst().dropLast())] = segments[index]
            } else if part != segments[index] {
                return nil
            }
        }
        return segments.count == pattern.count ? found : nil
    }

    /// Every operation that this GitHub knows.
    static let all: [Route] = [
        Route("GET", "/app", .app, AppOperations.show),
        Route("GET", "/app/installations", .app, AppOperations.listInstallations),
        Route("GET", "/app/installations/{id}", .app, AppOperations.showInstallation),
        Route("POST", "/app/installations/{id}/access_tokens", .app, AppOperations.createToken),
        Route("POST", "/app-manifests/{code}/conversions", .nobody, HookOperations.convert),
        Route("GET", "/app/hook/config", .app, HookOperations.show),
        Route("PATCH", "/app/hook/config", .app, HookOperations.change),
        Route("GET", "/app/hook/deliveries", .app, DeliveryOperations.list),
        Route("GET", "/app/hook/deliveries/{id}", .app, DeliveryOperations.show),
        Route("POST", "/app/hook/deliveries/{id}/attempts", .app, DeliveryOperations.redeliver),
        Route("GET", "/users/{login}", .anyone, AppOperations.user),
        Route("GET", "/rate_limit", .anyone, AppOperations.rateLimit),
        Route("DELETE", "/installation/token", .token, AppOperations.revokeToken),
        Route("GET", "/installation/repositories", .token, AppOperations.listRepositories),

        Route("GET", "/user", .person, UserOperations.show),
        Route("GET", "/user/orgs", .person, UserOperations.organizations),
        Route("GET", "/user/installations", .person, UserOperations.installations),
        Route("GET", "/user/installations/{id}/repositories", .person, UserOperations.repositories),
        Route("GET", "/gists", .person, GistOperations.list),
        Route("POST", "/gists", .gists, GistOperations.create),
        Route("GET", "/gists/{id}", .person, GistOperations.show),
        Route("PATCH", "/gists/{id}", .gists, GistOperations.edit),

        Route("GET", "/repositories/{id}", .metadata, RepositoryOperations.show),
        Route("GET", "/repos/{owner}/{repo}", .metadata, RepositoryOperations.show),
        Route("GET", "/repos/{owner}/{repo}/installation", .app, RepositoryOperations.installation),
        Route(
            "GET", "/repos/{owner}/{repo}/collaborators/{login}/permission", .metadata,
            RepositoryOperations.permission),

        Route("GET", "/repos/{owner}/{repo}/issues/comments/{comment}", .talk(.read), CommentOperations.show),
        Route(
            "PATCH", "/repos/{owner}/{repo}/issues/comments/{comment}", .talk(.write), CommentOperations.edit),
        Route(
            "DELETE", "/repos/{owner}/{repo}/issues/comments/{comment}", .talk(.write),
            CommentOperations.delete),
        Route(
            "GET", "/repos/{owner}/{repo}/issues/comments/{comment}/reactions", .talk(.read),
            ReactionOperations.listOnComment),
        Route(
            "POST", "/repos/{owner}/{repo}/issues/comments/{comment}/reactions", .talk(.write),
            ReactionOperations.addToComment),
        Route("GET", "/repos/{owner}/{repo}/issues", .issues(.read), ListOperations.issues),
        Route("POST", "/repos/{owner}/{repo}/issues", .issues(.write), IssueOperations.create),
        Route("GET", "/repos/{owner}/{repo}/issues/comments", .issues(.read), ListOperations.comments),
        Route("GET", "/repos/{owner}/{repo}/issues/{number}", .talk(.read), IssueOperations.show),
        Route("PATCH", "/repos/{owner}/{repo}/issues/{number}", .talk(.write), IssueOperations.edit),
        Route("GET", "/repos/{owner}/{repo}/issues/{number}/comments", .talk(.read), CommentOperations.list),
        Route(
            "POST", "/repos/{owner}/{repo}/issues/{number}/comments", .talk(.write), CommentOperations.create),
        Route(
            "GET", "/repos/{owner}/{repo}/issues/{number}/reactions", .talk(.read),
            ReactionOperations.listOnIssue),
        Route(
            "POST", "/repos/{owner}/{repo}/issues/{number}/reactions", .talk(.write),
            ReactionOperations.addToIssue),

        Route("GET", "/repos/{owner}/{repo}/contents", .contents(.read), ContentOperations.show),
        Route("GET", "/repos/{owner}/{repo}/contents/{path...}", .contents(.read), ContentOperations.show),
        Route("GET", "/repos/{owner}/{repo}/git/ref/{ref...}", .contents(.read), BranchOperations.reference),
        Route("GET", "/repos/{owner}/{repo}/branches/{branch...}", .contents(.read), BranchOperations.show),
        Route("GET", "/repos/{owner}/{repo}/compare/{basehead...}", .contents(.read), CompareOperations.show),

        Route("GET", "/repos/{owner}/{repo}/pulls", .pulls(.read), PullOperations.list),
        Route("POST", "/repos/{owner}/{repo}/pulls", .pulls(.write), PullOperations.create),
        Route("GET", "/repos/{owner}/{repo}/pulls/comments", .pulls(.read), ListOperations.reviewComments),
        Route(
            "POST", "/repos/{owner}/{repo}/pulls/comments/{comment}/reactions", .pulls(.write),
            ReactionOperations.addToReviewComment),
        Route("GET", "/repos/{owner}/{repo}/pulls/{number}", .pulls(.read), PullOperations.show),
        Route("GET", "/repos/{owner}/{repo}/pulls/{number}/reviews", .pulls(.read), ListOperations.reviews),
        Route(
            "POST", "/repos/{owner}/{repo}/pulls/{number}/requested_reviewers", .pulls(.write),
            PullOperations.requestReviewers),
    ]
}

/// What a caller needs for an operation.
///
/// - SeeAlso: <https://docs.github.com/en/rest/authentication/permissions-required-for-github-apps>
enum Need: Sendable {
    /// The App's own web token.
    case app
    /// No credential at all.
    case nobody
    /// Any of the two credentials.
    case anyone
    /// The token of somebody who signed in.
    case person
    /// The same, with the account permission to write gists.
    case gists
    /// An installation token.
    case token
    /// An installation token; metadata is in every one.
    case metadata
    /// Comments and issues: `issues`, or `pull_requests` where the issue is a pull request.
    case talk(Access)
    case issues(Access)
    case contents(Access)
    case pulls(Access)

    /// Whether the App's own web token opens it.
    var isForApp: Bool {
        switch self {
        case .app, .anyone, .nobody: true
        default: false
        }
    }

    /// Whether no credential is looked for.
    var isForNobody: Bool {
        if case .nobody = self { true } else { false }
    }

    /// Refuses a caller that has not got it.
    func check(_ call: Call) throws(Refusal) {
        switch (self, call.caller) {
        case (.app, .app), (.anyone, _), (.nobody, _): return
        case (_, .nobody): throw Refusal(status: 401, message: "Requires authentication")
        case (.app, .installation):
            throw Refusal(status: 401, message: "A JSON web token could not be decoded")
        case (.person, .person): return
        case (.gists, .person):
            guard call.world.with({ $0.oauth.grantsGists }) else { throw .forbidden("gists=write") }
        case (.person, _), (.gists, _): throw .forbidden("metadata=read")
        case (.app, .person): throw Refusal(status: 401, message: "A JSON web token could not be decoded")
        case (.token, .person): throw .forbidden("metadata=read")
        case (_, .person(let token)): try check(token, call)
        case (_, .app): throw .forbidden("metadata=read")
        case (_, .installation(let token, _)): try check(token, call)
        }
    }

    /// What a person may do: never more than the App may, nor than they may themselves.
    private func check(_ token: UserToken, _ call: Call) throws(Refusal) {
        let names: [String]
        let access: Access
        switch self {
        case .app, .anyone, .nobody, .token, .person, .gists: return
        case .metadata: (names, access) = (["metadata"], .read)
        case .issues(let asked): (names, access) = (["issues"], asked)
        case .contents(let asked): (names, access) = (["contents"], asked)
        case .pulls(let asked): (names, access) = (["pull_requests"], asked)
        case .talk(let asked): (names, access) = (["issues", "pull_requests"], asked)
        }
        let repository = call.repository
        let isGranted = try call.world.with { state throws(Refusal) -> Bool in
            guard let installation = state.installation(reaching: repository) else { return false }
            try UserOperations.check(installation.accountID, for: token.personID, state)
            let isAllowed = names.contains { name in
                access == .read
                    ? installation.permissions[name] != nil : installation.permissions[name] == "write"
            }
            // Whoever can read can open issues and talk.
            let isTalk = names.contains("issues")
            let level = state.level(token.personID, in: repository)
            return isAllowed && level >= (access == .write && !isTalk ? .write : .read)
        }
        guard isGranted else {
            throw .forbidden(names.map { "\($0)=\(access.rawValue)" }.joined(separator: "; "))
        }
    }

    private func check(_ token: Token, _ call: Call) throws(Refusal) {
        switch self {
        case .app, .anyone, .nobody, .token, .person, .gists: return
        case .metadata: try require(["metadata"], .read, token, call)
        case .issues(let access): try require(["issues"], access, token, call)
        case .contents(let access): try require(["contents"], access, token, call)
        case .pulls(let access): try require(["pull_requests"], access, token, call)
        case .talk(let access):
            let isPull = call.world.with { state -> Bool in
                let comment = call.parameters["comment"].flatMap { Int64($0) }.flatMap { state.comments[$0] }
                let number = call.parameters["number"].flatMap { Int($0) }
                let key =
                    comment?.issue ?? number.map { IssueKey(repositoryID: call.repository.id, number: $0) }
                return key.flatMap { state.issues[$0]?.pull } != nil
            }
            try require(isPull ? ["issues", "pull_requests"] : ["issues"], access, token, call)
        }
    }

    private func require(
        _ names: [String], _ access: Access, _ token: Token, _ call: Call
    ) throws(Refusal) {
        // Whatever is public may be read by anyone; to change it, the token must reach the repository.
        if access == .read, !call.repository.isPrivate { return }
        let isReached = call.world.with { $0.reaches(token, call.repository) }
        guard isReached, names.contains(where: { token.allows($0, access) }) else {
            throw .forbidden(names.map { "\($0)=\(access.rawValue)" }.joined(separator: "; "))
        }
    }
}
