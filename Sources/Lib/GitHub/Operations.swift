import FoundationEssentials
import Porter
import PorterHTTP
import Synchronization

/// The operations, each with the least permission that it needs.
///
/// - SeeAlso: <https://docs.github.com/en/rest/authentication/permissions-required-for-github-apps>
extension AppClient {
    static let metadata = ["metadata": "read"]
    static let readIssues = ["issues": "read"]
    private static let writeIssues = ["issues": "write"]
    private static let readContents = ["contents": "read"]
    static let readPulls = ["pull_requests": "read"]
    private static let writeReviews = ["pull_requests": "write"]
    // The head and the base of a private repository's pull request are contents.
    private static let writePulls = ["contents": "read", "pull_requests": "write"]

    /// Characters of a comment that GitHub takes.
    static let maximumComment = 65_536

    func path(_ place: RepositoryRef, _ rest: String) -> String {
        "/repos/\(Self.encoded(place.owner))/\(Self.encoded(place.name))\(rest)"
    }

    /// - SeeAlso: <https://docs.github.com/en/rest/apps/apps#get-the-authenticated-app>
    func app() throws(GitHubError) -> GitHub.App {
        let now = clock.now()
        let appID = appID()
        if let known = knownApp.withLock({ $0 }), now < known.until, known.appID == appID {
            return known.app
        }
        let operation = "get the App"
        let app = try Self.decode(
            AppJSON.self, callAsApp(Call(operation: operation, path: "/app")), operation)
        // The account that the App acts as is a user of its own, with its own id.
        guard let slug = app.name else {
            throw GitHubError(.uncertain, operation: operation, message: "the App has no name")
        }
        let login = "\(slug)[bot]"
        let bot = try Self.decode(
            UserJSON.self,
            callAsApp(Call(operation: "get the App's account", path: "/users/\(Self.encoded(login))")),
            operation)
        let made = GitHub.App(
            id: app.id, slug: slug, owner: app.owner.person, bot: bot.person)
        knownApp.withLock { $0 = KnownApp(app: made, appID: appID, until: now.adding(seconds: Self.appAge)) }
        return made
    }

    /// - SeeAlso: <https://docs.github.com/en/rest/apps/apps#get-an-installation-for-the-authenticated-app>
    func installation(_ id: Int64) throws(GitHubError) -> GitHub.Installation {
        let operation = "get installation"
        return try Self.decode(
            InstallationJSON.self,
            callAsApp(Call(operation: operation, path: "/app/installations/\(id)")), operation
        ).value
    }

    /// - SeeAlso: <https://docs.github.com/en/rest/apps/webhooks#get-a-delivery-for-an-app-webhook>
    func delivery(_ logged: GitHub.LoggedDelivery) throws(GitHubError) -> GitHub.LoggedPayload {
        let operation = "get delivery"
        let response = try callAsApp(
            Call(operation: operation, path: "/app/hook/deliveries/\(logged.id)"))
        let payload = try Self.decode(FullDeliveryJSON.self, response, operation).request.payload
        return GitHub.LoggedPayload(
            event: payload?.event(logged.event) ?? .other, action: payload?.action)
    }

    /// By id, so that a rename does not matter.
    func repository(_ place: RepositoryRef) throws(GitHubError) -> GitHub.Repository {
        let operation = "get repository"
        let response = try call(
            Call(operation: operation, path: "/repositories/\(place.id)"), in: place, Self.metadata)
        return try Self.decode(RepositoryJSON.self, response, operation).value
    }

    /// - SeeAlso: <https://docs.github.com/en/rest/issues/issues#get-an-issue>
    func issue(_ place: RepositoryRef, _ number: Int) throws(GitHubError) -> GitHub.Issue {
        let operation = "get issue"
        let response = try call(
            Call(operation: operation, path: path(place, "/issues/\(number)")), in: place,
            Self.readIssues)
        return try Self.decode(IssueJSON.self, response, operation).value
    }

    /// - SeeAlso: <https://docs.github.com/en/rest/collaborators/collaborators#get-repository-permissions-for-a-user>
    func permission(_ place: RepositoryRef, _ login: String) throws(GitHubError) -> GitHub.Permission {
        let operation = "get permission"
        do {
            let response = try call(
                Call(
                    operation: operation,
                    path: path(place, "/collaborators/\(Self.encoded(login))/permission")), in: place,
                Self.metadata)
            let answer = try Self.decode(PermissionJSON.self, response, operation)
            return GitHub.Permission(level: answer.permission, userID: answer.user?.id)
        } catch {
            guard error.code == .notFound else { throw error }
            return GitHub.Permission(level: "none", userID: nil)
        }
    }

    /// - SeeAlso: <https://docs.github.com/en/rest/issues/comments#list-issue-comments>
    func comments(
        _ place: RepositoryRef, _ issue: Int, most: Int
    ) throws(GitHubError) -> [GitHub.Comment] {
        var found: [GitHub.Comment] = []
        try eachComment(place, issue, query: "per_page=100") { found += $0 }
        return Array(found.suffix(most))
    }

    func ownComments(
        _ place: RepositoryRef, _ issue: Int, since: Instant
    ) throws(GitHubError) -> [GitHub.Comment] {
        let app = try app()
        var found: [GitHub.Comment] = []
        let query = "per_page=100&since=\(Self.encoded(since.wholeSecond))"
        try eachComment(place, issue, query: query) { found += $0.filter { $0.author.id == app.bot.id } }
        return found
    }

    private func eachComment(
        _ place: RepositoryRef, _ issue: Int, query: String, _ take: ([GitHub.Comment]) -> Void
    ) throws(GitHubError) {
        let operation = "list comments"
        let first = Call(operation: operation, path: path(place, "/issues/\(issue)/comments?\(query)"))
        try walk(first) { call throws(GitHubError) in
            try self.call(call, in: place, Self.readIssues)
        } _: { response throws(GitHubError) in
            take(try Self.decode([CommentJSON].self, response, operation).map(\.value))
        }
    }

    /// - SeeAlso: <https://docs.github.com/en/rest/issues/comments#create-an-issue-comment>
    func createComment(
        _ place: RepositoryRef, _ issue: Int, _ body: String
    ) throws(GitHubError) -> GitHub.Comment {
        try writeComment("create comment", "POST", path(place, "/issues/\(issue)/comments"), place, body)
    }

    /// - SeeAlso: <https://docs.github.com/en/rest/issues/comments#update-an-issue-comment>
    func updateComment(
        _ place: RepositoryRef, _ comment: Int64, _ body: String
    ) throws(GitHubError) -> GitHub.Comment {
        try writeComment("edit comment", "PATCH", path(place, "/issues/comments/\(comment)"), place, body)
    }

    private func writeComment(
        _ operation: String, _ method: String, _ path: String, _ place: RepositoryRef, _ body: String
    ) throws(GitHubError) -> GitHub.Comment {
        guard body.unicodeScalars.count <= Self.maximumComment else {
            throw GitHubError(
                .refused, operation: operation,
                message: "the comment is longer than \(Self.maximumComment) characters")
        }
        let response = try call(
            Call(operation: operation, method: method, path: path, body: SureJSON.data(["body": body])),
            in: place, Self.writeIssues)
        return try Self.decode(CommentJSON.self, response, operation).value
    }

    /// - SeeAlso: <https://docs.github.com/en/rest/issues/comments#delete-an-issue-comment>
    func deleteComment(_ place: RepositoryRef, _ comment: Int64) throws(GitHubError) {
        do {
            _ = try call(
                Call(
                    operation: "delete comment", method: "DELETE",
                    path: path(place, "/issues/comments/\(comment)")), in: place, Self.writeIssues)
        } catch {
            guard error.code == .notFound || error.code == .gone else { throw error }
        }
    }

    /// - SeeAlso: <https://docs.github.com/en/rest/reactions/reactions>
    func react(
        _ place: RepositoryRef, _ target: GitHub.ReactionTarget, _ reaction: GitHub.Reaction
    ) throws(GitHubError) {
        let under =
            switch target {
            case .comment(let id): "/issues/comments/\(id)"
            case .reviewComment(let id): "/pulls/comments/\(id)"
            case .issue(let number): "/issues/\(number)"
            }
        var permissions = Self.writeIssues
        if case .reviewComment = target { permissions = Self.writeReviews }
        _ = try call(
            Call(
                operation: "add reaction", method: "POST", path: path(place, under + "/reactions"),
                body: SureJSON.data(["content": reaction.rawValue])), in: place, permissions)
    }

    /// - SeeAlso: <https://docs.github.com/en/rest/repos/contents#get-repository-content>
    func file(_ place: RepositoryRef, _ path: String, _ branch: String) throws(GitHubError) -> String? {
        let name = path.split(separator: "/").map { Self.encoded(String($0)) }.joined(separator: "/")
        do {
            let response = try call(
                Call(
                    operation: "get file",
                    path: self.path(place, "/contents/\(name)?ref=\(Self.encoded(branch))"),
                    accept: "application/vnd.github.raw+json"), in: place, Self.readContents)
            // A folder of that name is answered with a list.
            let isList = response.fields["Content-Type"]?.contains("application/json") == true
            return isList ? nil : String(decoding: response.body, as: UTF8.self)
        } catch {
            guard error.code == .notFound else { throw error }
            return nil
        }
    }

    /// - SeeAlso: <https://docs.github.com/en/rest/git/refs#get-a-reference>
    func branchHead(_ place: RepositoryRef, _ branch: String) throws(GitHubError) -> String? {
        let operation = "find branch"
        let parts = branch.split(separator: "/", omittingEmptySubsequences: false)
        // Git knows no such names, and an address would be climbed with them.
        guard !branch.isEmpty, !parts.contains("."), !parts.contains("..") else { return nil }
        let name = parts.map { Self.encoded(String($0)) }.joined(separator: "/")
        do {
            let response = try call(
                Call(operation: operation, path: path(place, "/git/ref/heads/\(name)")), in: place,
                Self.readContents)
            return try Self.decode(ReferenceJSON.self, response, operation).object.sha
        } catch {
            // 409 is an empty repository.
            let isEmpty = error.code == .refused && error.status == 409
            guard error.code == .notFound || isEmpty else { throw error }
            return nil
        }
    }

    /// - SeeAlso: <https://docs.github.com/en/rest/commits/commits#compare-two-commits>
    func compare(
        _ place: RepositoryRef, _ base: String, _ head: String
    ) throws(GitHubError) -> GitHub.Comparison {
        let operation = "compare branches"
        let range = "\(Self.encoded(base))...\(Self.encoded(head))"
        let response = try call(
            Call(operation: operation, path: path(place, "/compare/\(range)")), in: place,
            Self.readContents)
        return try Self.decode(ComparisonJSON.self, response, operation).value
    }

    /// - SeeAlso: <https://docs.github.com/en/rest/pulls/pulls#list-pull-requests>
    func pullRequests(
        _ place: RepositoryRef, _ head: String
    ) throws(GitHubError) -> [GitHub.PullRequest] {
        let operation = "list pull requests"
        let query = "head=\(Self.encoded("\(place.owner):\(head)"))&state=all&per_page=100"
        let response = try call(
            Call(operation: operation, path: path(place, "/pulls?\(query)")), in: place, Self.readPulls)
        return try Self.decode([PullJSON].self, response, operation)
            .filter { $0.head.ref == head }.map(\.value)
    }

    /// - SeeAlso: <https://docs.github.com/en/rest/pulls/pulls#create-a-pull-request>
    func createPullRequest(
        _ place: RepositoryRef, _ draft: GitHub.PullRequestDraft
    ) throws(GitHubError) -> GitHub.PullRequest {
        let operation = "create pull request"
        let body = NewPullJSON(
            title: draft.title, body: draft.body, head: draft.head, base: draft.base, draft: draft.isDraft)
        let response = try call(
            Call(
                operation: operation, method: "POST", path: path(place, "/pulls"), body: SureJSON.data(body)),
            in: place, Self.writePulls)
        return try Self.decode(PullJSON.self, response, operation).value
    }

    /// - SeeAlso: <https://docs.github.com/en/rest/pulls/review-requests#request-reviewers-for-a-pull-request>
    func requestReview(_ place: RepositoryRef, _ number: Int, _ login: String) throws(GitHubError) {
        _ = try call(
            Call(
                operation: "request review", method: "POST",
                path: path(place, "/pulls/\(number)/requested_reviewers"),
                body: SureJSON.data(["reviewers": [login]])), in: place, Self.writeReviews)
    }

    func contentsToken(
        _ place: RepositoryRef, _ access: GitHub.Access
    ) throws(GitHubError) -> GitHub.Token {
        try token(TokenScope(place, ["contents": access.rawValue]))
    }

    /// - SeeAlso: <https://docs.github.com/en/rest/apps/installations#revoke-an-installation-access-token>
    func revoke(_ token: Secret) throws(GitHubError) {
        do {
            _ = try send(
                Call(operation: "revoke token", method: "DELETE", path: "/installation/token"),
                authorization: token.reveal { "Bearer \($0)" })
        } catch {
            guard error.code == .unauthorized || error.code == .notFound else { throw error }
        }
    }
}

extension Instant {
    /// As GitHub reads times in queries: without a fraction, rounded down.
    var wholeSecond: String { iso8601.prefix(19) + "Z" }
}
