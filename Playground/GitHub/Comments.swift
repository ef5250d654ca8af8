import PlaygroundFace
import Porter

/// A comment under an issue or pull request.
struct IssueComment: Sendable {
    let id: Int64
    let issue: IssueKey
    let authorID: Int64
    var body: String
    /// Whether it was written through the App, by its bot or by a person.
    let viaApp: Bool
    let createdAt: Instant
    var updatedAt: Instant
    var reactions: [Reaction] = []
}

/// Someone's sign under a text.
struct Reaction: Sendable {
    let id: Int64
    let authorID: Int64
    let content: String
    let createdAt: Instant

    /// The signs that GitHub knows.
    static let contents = ["+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"]
}

extension State {
    /// A new comment; the caller announces it.
    mutating func addComment(_ issue: Issue, _ body: String, author: Int64, viaApp: Bool) -> IssueComment {
        let comment = IssueComment(
            id: newID(), issue: issue.key, authorID: author, body: body, viaApp: viaApp, createdAt: now,
            updatedAt: now)
        comments[comment.id] = comment
        let moment = now
        issues[issue.key]?.updatedAt = max(moment, issue.updatedAt)
        return comment
    }

    /// A comment: `issue-comment`.
    func json(_ comment: IssueComment) -> JSON {
        guard let repository = repositories[comment.issue.repositoryID], let issue = issues[comment.issue]
        else { return .null }
        let parent = "\(api)/repos/\(fullName(repository))/issues"
        let url = "\(parent)/comments/\(comment.id)"
        return [
            "id": .int(comment.id), "node_id": nodeID("IC", comment.id), "url": .string(url),
            "html_url": "\(page(issue, repository))#issuecomment-\(comment.id)",
            "issue_url": "\(parent)/\(issue.number)", "user": json(account: comment.authorID),
            "created_at": .string(comment.createdAt.shown), "updated_at": .string(comment.updatedAt.shown),
            "body": .string(comment.body),
            "author_association": association(comment.authorID, in: repository),
            "performed_via_github_app": comment.viaApp ? json(app: app, brief: true) : .null,
            "reactions": rollup(comment.reactions, url),
        ]
    }

    /// A reaction: `reaction`.
    func json(_ reaction: Reaction) -> JSON {
        [
            "id": .int(reaction.id), "node_id": nodeID("REA", reaction.id),
            "user": json(account: reaction.authorID), "content": .string(reaction.content),
            "created_at": .string(reaction.createdAt.shown),
        ]
    }

    /// How many of each: `reaction-rollup`.
    func rollup(_ reactions: [Reaction], _ url: String) -> JSON {
        var json: [String: JSON] = [
            "url": "\(url)/reactions", "total_count": .int(reactions.count),
        ]
        for content in Reaction.contents {
            json[content] = .int(reactions.count { $0.content == content })
        }
        return .object(json)
    }
}
