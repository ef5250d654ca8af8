package import FoundationEssentials
package import Porter
import PorterHTTP

/// Reads deliveries: only the fields that Porter acts on, tolerant of everything else.
package enum WebhookDecoder {
    /// The body is no JSON object, or a form without its payload.
    package struct Malformed: Error, CustomStringConvertible {
        /// What is wrong with the body, one sentence for the sender; nothing of its content.
        package let description: String
    }

    /// The JSON of a body, which may be a form with the field `payload`.
    package static func payload(_ body: Data, contentType: String?) throws(Malformed) -> Data {
        // Of nearly all deliveries: no text in lower case is made for them.
        guard contentType != "application/json" else { return body }
        guard contentType?.lowercased().hasPrefix("application/x-www-form-urlencoded") == true else {
            return body
        }
        for pair in body.split(separator: UInt8(ascii: "&")) where pair.starts(with: "payload=".utf8) {
            return try decodeForm(pair.dropFirst(8))
        }
        throw Malformed(description: "The form has no field `payload`.")
    }

    /// Values inside values of a payload at most.
    package static var maximumDepth: Int { JSONScan.maximumDepth }

    /// Whether the payload is one JSON object in UTF-8, looked at without decoding it.
    package static func isObject(_ payload: Data) -> Bool {
        payload.withUnsafeBytes { JSONScan.isObject($0) }
    }

    /// What the delivery says.
    ///
    /// - Parameter event: `X-GitHub-Event`.
    /// - Throws: ``Malformed`` when it is no JSON object of that event's form.
    package static func decode(_ event: String, _ payload: Data) throws(Malformed) -> (
        WebhookEvent, action: String?
    ) {
        if let members = JSONTree.read(payload), let read = try? Payload(members) {
            return (read.event(event), read.action)
        }
        let decoded: Payload
        do {
            decoded = try JSONDecoder().decode(Payload.self, from: payload)
        } catch {
            guard let field = JSONField(error) else {
                throw Malformed(description: "The body is not JSON.")
            }
            guard !field.name.isEmpty else {
                throw Malformed(description: "The body is not a JSON object.")
            }
            throw Malformed(description: "`\(field.name)` \(field.problem)")
        }
        return (decoded.event(event), decoded.action)
    }

    private static func decodeForm(_ text: Data.SubSequence) throws(Malformed) -> Data {
        var bytes = Data(capacity: text.count)
        var rest = text[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+"): bytes.append(32)
            case UInt8(ascii: "%"):
                guard let high = rest.popFirst(), let low = rest.popFirst(),
                    let first = Character(Unicode.Scalar(high)).hexDigitValue,
                    let second = Character(Unicode.Scalar(low)).hexDigitValue
                else { throw Malformed(description: "The form is not encoded as one.") }
                bytes.append(UInt8(first << 4 | second))
            default: bytes.append(byte)
            }
        }
        return bytes
    }
}

/// What deliveries say, of every event, as far as Porter reads it.
struct Payload: Decodable {
    struct Repository: Decodable {
        @JSONNumber var id: Int64
        let name: String?
        let full_name: String?
        let owner: UserJSON?
        let default_branch: String?
        let archived: Bool?
    }

    struct Issue: Decodable {
        struct PullMark: Decodable {}

        /// Pull requests and older issues may come without: no opening text has that id.
        let id: Int64?
        @JSONNumber var number: Int
        let title: String?
        let body: String?
        let html_url: String?
        let user: CommentJSON.Author?
        let performed_via_github_app: CommentJSON.Through?
        let created_at: String?
        let closed_at: String?
        let pull_request: PullMark?
    }

    /// What changed, of an issue that was moved here.
    struct Changes: Decodable {
        struct Mark: Decodable {}

        let old_issue: Mark?
    }

    struct Installation: Decodable {
        @JSONNumber var id: Int64
        let account: UserJSON?
    }

    let action: String?
    let repository: Repository?
    let issue: Issue?
    let pull_request: Issue?
    let comment: CommentJSON?
    let review: ReviewJSON?
    let changes: Changes?
    let installation: Installation?
    let sender: CommentJSON.Author?
    let repositories: [Repository]?
    let repositories_added: [Repository]?
    let repositories_removed: [Repository]?

    func event(_ name: String) -> WebhookEvent {
        switch name {
        case "issue_comment": return comment.flatMap { text($0, .comment) } ?? .other
        case "pull_request_review_comment": return comment.flatMap { text($0, .reviewComment) } ?? .other
        case "pull_request_review" where action == "submitted":
            return review.flatMap { text($0.text, .review) } ?? .other
        // An issue that was moved here was opened elsewhere.
        case "issues" where action == "opened" && changes?.old_issue == nil:
            return issue.flatMap { $0.text.flatMap { text($0, .opening) } } ?? .other
        case "issues" where action == "closed":
            guard let issue, let repository, let owner = repository.owner else { return .other }
            var event = IssueEvent(
                repository: reference(repository), repositoryOwner: owner.person,
                issueNumber: issue.number)
            event.closedAt = issue.closed_at.flatMap(Instant.init(iso8601:))
            return .issueClosed(event)
        case "installation":
            guard let installation, let account = installation.account,
                let change = action.flatMap(InstallationChange.Change.init(rawValue:))
            else { return .other }
            var news = InstallationChange(
                installationID: installation.id, account: account.person, change: change)
            let isGone = change == .deleted
            news.repositories = (repositories ?? []).map { self.change($0, isRemoved: isGone) }
            return .installation(news)
        case "installation_repositories":
            let added = repositories_added ?? []
            let removed = repositories_removed ?? []
            return .repositories(
                added.map { change($0, isRemoved: false) } + removed.map { change($0, isRemoved: true) })
        case "repository":
            guard let repository, installation != nil else { return .other }
            return .repositories([change(repository, isRemoved: action == "deleted")])
        case "github_app_authorization" where action == "revoked":
            guard let id = sender?.id else { return .other }
            return .authorizationRevoked(Person(id: id, login: sender?.login ?? "ghost"))
        default: return .other
        }
    }

    private func text(_ text: CommentJSON, _ source: CommandSource) -> WebhookEvent? {
        guard let issue = issue ?? pull_request, let repository, let owner = repository.owner,
            let author = text.user, let authorID = author.id
        else { return nil }
        let isNew = ["opened", "submitted"].contains(action) && source != .comment
        let isBySenderBot = sender?.type == "Bot"
        var event = CommentEvent(
            action: isNew ? "created" : action ?? "", repository: reference(repository),
            repositoryOwner: owner.person, issueNumber: issue.number, issueTitle: issue.title ?? "",
            issueBody: issue.body ?? "", isPullRequest: issue.pull_request != nil || pull_request != nil,
            commentID: text.id, commentURL: text.html_url ?? "", body: text.body ?? "",
            author: Person(id: authorID, login: author.login ?? "ghost"),
            authorType: author.type ?? "User",
            isByApp: text.performed_via_github_app != nil || isBySenderBot)
        event.source = source
        event.createdAt = text.created_at.flatMap(Instant.init(iso8601:))
        return .comment(event)
    }

    private func reference(_ repository: Repository) -> RepositoryRef {
        let parts = (repository.full_name ?? "").split(separator: "/")
        let owner = repository.owner?.login ?? parts.first.map(String.init) ?? ""
        return RepositoryRef(
            installationID: installation?.id ?? 0, id: repository.id, owner: owner,
            name: repository.name ?? parts.last.map(String.init) ?? "")
    }

    private func change(_ repository: Repository, isRemoved: Bool) -> RepositoryChange {
        let owner = repository.owner ?? installation?.account
        let reference = reference(repository)
        return RepositoryChange(
            repository: reference,
            owner: Person(id: owner?.id ?? 0, login: owner?.login ?? reference.owner),
            defaultBranch: repository.default_branch, isArchived: repository.archived,
            isRemoved: isRemoved)
    }
}

extension Payload.Issue {
    /// The text with which it was opened; nil when the delivery names no id.
    fileprivate var text: CommentJSON? {
        id.map {
            CommentJSON(
                id: $0, html_url: html_url, body: body, user: user, author_association: nil,
                performed_via_github_app: performed_via_github_app, created_at: created_at, updated_at: nil)
        }
    }
}
