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
        guard contentType?.lowercased().hasPrefix("application/x-www-form-urlencoded") == true else {
            return body
        }
        for pair in body.split(separator: UInt8(ascii: "&")) where pair.starts(with: "payload=".utf8) {
            return try decodeForm(pair.dropFirst(8))
        }
        throw Malformed(description: "The form has no field `payload`.")
    }

    /// Whether the payload is one JSON object, looked at without decoding it.
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

        @JSONNumber var number: Int
        let title: String?
        let body: String?
        let pull_request: PullMark?
    }

    struct Installation: Decodable {
        @JSONNumber var id: Int64
        let account: UserJSON?
    }

    let action: String?
    let repository: Repository?
    let issue: Issue?
    let comment: CommentJSON?
    let installation: Installation?
    let sender: CommentJSON.Author?
    let repositories: [Repository]?
    let repositories_added: [Repository]?
    let repositories_removed: [Repository]?

    func event(_ name: String) -> WebhookEvent {
        switch name {
        case "issue_comment": return comment.flatMap(commentEvent) ?? .other
        case "issues" where action == "closed":
            guard let issue, let repository, let owner = repository.owner else { return .other }
            return .issueClosed(
                IssueEvent(
                    repository: reference(repository), repositoryOwner: owner.person,
                    issueNumber: issue.number))
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

    private func commentEvent(_ comment: CommentJSON) -> WebhookEvent? {
        guard let issue, let repository, let owner = repository.owner, let author = comment.user,
            let authorID = author.id
        else { return nil }
        let isBySenderBot = sender?.type == "Bot"
        return .comment(
            CommentEvent(
                action: action ?? "", repository: reference(repository), repositoryOwner: owner.person,
                issueNumber: issue.number, issueTitle: issue.title ?? "", issueBody: issue.body ?? "",
                isPullRequest: issue.pull_request != nil, commentID: comment.id,
                commentURL: comment.html_url ?? "", body: comment.body ?? "",
                author: Person(id: authorID, login: author.login ?? "ghost"),
                authorType: author.type ?? "User",
                isByApp: comment.performed_via_github_app != nil || isBySenderBot))
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
