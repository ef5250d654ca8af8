import FoundationEssentials
import Porter
import PorterHTTP

/// The lists that are walked page by page, with conditional requests for their first pages.
extension AppClient {
    /// - SeeAlso: <https://docs.github.com/en/rest/apps/apps#list-installations-for-the-authenticated-app>
    func installations(_ look: GitHub.Look) throws(GitHubError) -> GitHub.Page<GitHub.Installation> {
        let call = try call("list installations", "/app/installations?per_page=100", look)
        return try Self.page(apiURL, call, callAsApp(call), [InstallationJSON].self) { $0.map(\.value) }
    }

    /// - SeeAlso: <https://docs.github.com/en/rest/apps/installations#list-repositories-accessible-to-the-app-installation>
    func repositories(
        of installation: Int64, _ look: GitHub.Look
    ) throws(GitHubError) -> GitHub.Page<GitHub.Repository> {
        let call = try call("list repositories", "/installation/repositories?per_page=100", look)
        let response = try self.call(
            call, with: TokenScope(installation: installation, Self.metadata))
        return try Self.page(apiURL, call, response, RepositoryListJSON.self) {
            $0.repositories.compactMap(\.repository?.value)
        }
    }

    /// - SeeAlso: <https://docs.github.com/en/rest/apps/webhooks#list-deliveries-for-an-app-webhook>
    func deliveries(_ look: GitHub.Look) throws(GitHubError) -> GitHub.Page<GitHub.LoggedDelivery> {
        let call = try call("list deliveries", "/app/hook/deliveries?per_page=100", look)
        return try Self.page(apiURL, call, callAsApp(call), [DeliveryJSON].self) { $0.map(\.value) }
    }

    /// - SeeAlso:
    ///   <https://docs.github.com/en/rest/issues/issues#list-repository-issues>,
    ///   <https://docs.github.com/en/rest/issues/comments#list-issue-comments-for-a-repository>,
    ///   <https://docs.github.com/en/rest/pulls/comments#list-review-comments-in-a-repository>
    func contents(
        _ place: RepositoryRef, _ list: GitHub.ContentList, since: Instant, _ look: GitHub.Look
    ) throws(GitHubError) -> GitHub.Page<GitHub.Content> {
        let query = "sort=updated&direction=asc&since=\(Self.encoded(since.wholeSecond))&per_page=100"
        switch list {
        case .issues:
            let call = try call("list issues", path(place, "/issues?state=all&\(query)"), look)
            let response = try self.call(call, in: place, Self.readIssues)
            return try Self.page(apiURL, call, response, [ListedIssueJSON].self) { $0.map(\.value) }
        case .comments:
            let call = try call("list comments", path(place, "/issues/comments?\(query)"), look)
            let response = try self.call(call, in: place, Self.readIssues)
            return try Self.page(apiURL, call, response, [ListedCommentJSON].self) {
                $0.map { $0.value(.comment) }
            }
        case .reviewComments:
            let call = try call("list review comments", path(place, "/pulls/comments?\(query)"), look)
            let response = try self.call(call, in: place, Self.readPulls)
            return try Self.page(apiURL, call, response, [ListedCommentJSON].self) {
                $0.map { $0.value(.reviewComment) }
            }
        }
    }

    /// - SeeAlso: <https://docs.github.com/en/rest/pulls/reviews#list-reviews-for-a-pull-request>
    func reviews(
        _ place: RepositoryRef, _ number: Int, _ look: GitHub.Look
    ) throws(GitHubError) -> GitHub.Page<GitHub.Content> {
        let call = try call("list reviews", path(place, "/pulls/\(number)/reviews?per_page=100"), look)
        let response = try self.call(call, in: place, Self.readPulls)
        // A review that is still being written has no time yet, and is nobody's but its author's.
        return try Self.page(apiURL, call, response, [ReviewJSON].self) { reviews in
            reviews.compactMap { $0.value(on: number) }
        }
    }

    /// The call of a look; a page's address is followed on the API's own address only.
    private func call(
        _ operation: String, _ first: String, _ look: GitHub.Look
    ) throws(GitHubError) -> Call {
        switch look {
        case .first(let tag): return Call(operation: operation, path: first, known: tag)
        case .next(let page):
            guard page.hasPrefix(apiURL + "/") else {
                throw GitHubError(
                    .refused, operation: operation, message: "the page is not one of the API's")
            }
            return Call(operation: operation, path: page)
        }
    }

    private static func page<Answer: Decodable, Item: Sendable>(
        _ apiURL: String, _ call: Call, _ response: Response, _ type: Answer.Type,
        _ items: (Answer) -> [Item]
    ) throws(GitHubError) -> GitHub.Page<Item> {
        let date = response.fields["Date"].flatMap(Instant.init(httpDate:))
        if response.status == 304 { return .unchanged(at: date) }
        return GitHub.Page(
            items: items(try decode(type, response, call.operation)),
            next: link("next", response).flatMap { $0.hasPrefix(apiURL + "/") ? $0 : nil },
            tag: response.fields["ETag"], date: date)
    }
}

/// An issue as the list of a repository's issues shows it.
struct ListedIssueJSON: Decodable {
    let id: Int64
    let number: Int
    let title: String?
    let body: String?
    let html_url: String?
    let user: CommentJSON.Author?
    let performed_via_github_app: CommentJSON.Through?
    let created_at: String?
    let updated_at: String?
    let closed_at: String?
    let state: String?
    let pull_request: IssueJSON.PullMark?

    var value: GitHub.Content {
        let created = created_at.flatMap(Instant.init(iso8601:)) ?? Instant(milliseconds: 0)
        let closed = closed_at.flatMap(Instant.init(iso8601:))
        return GitHub.Content(
            id: CommandID(.opening, id), issueNumber: number, url: html_url ?? "", body: body ?? "",
            author: user.person, authorType: user?.type ?? "User",
            isByApp: performed_via_github_app != nil, createdAt: created,
            updatedAt: updated_at.flatMap(Instant.init(iso8601:)) ?? created,
            issue: GitHub.IssueFacts(
                title: title ?? "", isPullRequest: pull_request != nil,
                closedAt: state == "closed" ? closed : nil))
    }
}

/// A comment as the lists of a repository's comments show it.
struct ListedCommentJSON: Decodable {
    let issue_url: String?
    let pull_request_url: String?
    let comment: CommentJSON

    private enum CodingKeys: String, CodingKey {
        case issue_url, pull_request_url
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        issue_url = try container.decodeIfPresent(String.self, forKey: .issue_url)
        pull_request_url = try container.decodeIfPresent(String.self, forKey: .pull_request_url)
        comment = try CommentJSON(from: decoder)
    }

    func value(_ source: CommandSource) -> GitHub.Content {
        let parent = issue_url ?? pull_request_url ?? ""
        let value = comment.value
        return GitHub.Content(
            id: CommandID(source, value.id),
            issueNumber: parent.split(separator: "/").last.flatMap { Int($0) } ?? 0, url: value.url,
            body: value.body, author: value.author, authorType: comment.user?.type ?? "User",
            isByApp: comment.performed_via_github_app != nil, createdAt: value.createdAt,
            updatedAt: value.updatedAt)
    }
}

/// A review, in a list and in a delivery.
struct ReviewJSON: Decodable {
    @JSONNumber var id: Int64
    let html_url: String?
    let body: String?
    let user: CommentJSON.Author?
    let submitted_at: String?

    /// The review as any other text.
    var text: CommentJSON {
        CommentJSON(
            id: id, html_url: html_url, body: body, user: user, author_association: nil,
            performed_via_github_app: nil, created_at: submitted_at, updated_at: nil)
    }

    func value(on number: Int) -> GitHub.Content? {
        submitted_at.flatMap(Instant.init(iso8601:)).map { submitted in
            GitHub.Content(
                id: CommandID(.review, id), issueNumber: number, url: html_url ?? "", body: body ?? "",
                author: user.person, authorType: user?.type ?? "User", createdAt: submitted,
                updatedAt: submitted)
        }
    }
}

extension CommentJSON.Author? {
    /// Who it is; a ghost when the account is gone.
    fileprivate var person: Person { Person(id: self?.id ?? 0, login: self?.login ?? "ghost") }
}
