import PlaygroundFace
import Porter

/// Which issue of which repository.
struct IssueKey: Hashable, Sendable {
    let repositoryID: Int64
    let number: Int
}

/// An issue, or a pull request seen as one.
struct Issue: Sendable {
    let id: Int64
    let repositoryID: Int64
    let number: Int
    var title: String
    var body: String
    let authorID: Int64
    var isOpen = true
    var isLocked = false
    var isDeleted = false
    let viaApp: Bool
    let createdAt: Instant
    var updatedAt: Instant
    var closedAt: Instant?
    var reactions: [Reaction] = []
    /// What makes it a pull request.
    var pull: Pull?
    /// The pull requests whose text says that they close this issue.
    var closedBy: [Int] = []

    /// Characters of a text that GitHub takes.
    static let mostCharacters = 65_536

    var key: IssueKey { IssueKey(repositoryID: repositoryID, number: number) }
}

extension State {
    /// The issue, unless it never was.
    func issue(_ repository: Repository, _ number: Int) throws(Refusal) -> Issue {
        guard let issue = issues[IssueKey(repositoryID: repository.id, number: number)] else {
            throw .notFound
        }
        if issue.isDeleted { throw .issueDeleted }
        return issue
    }

    /// A new issue; the caller announces it.
    mutating func addIssue(
        _ repository: Repository, _ title: String, _ body: String, author: Int64, viaApp: Bool,
        pull: Pull? = nil
    ) -> Issue {
        let number = (repositories[repository.id]?.lastNumber ?? 0) + 1
        repositories[repository.id]?.lastNumber = number
        let issue = Issue(
            id: newID(), repositoryID: repository.id, number: number, title: title, body: body,
            authorID: author, viaApp: viaApp, createdAt: now, updatedAt: now, pull: pull)
        issues[issue.key] = issue
        return issue
    }

    /// The issue's comments, oldest first.
    func comments(_ issue: Issue) -> [IssueComment] {
        comments.values.filter { $0.issue == issue.key }.sorted { $0.id < $1.id }
    }

    /// The address of an issue's or pull request's page.
    func page(_ issue: Issue, _ repository: Repository) -> String {
        "\(origin)/\(fullName(repository))/\(issue.pull == nil ? "issues" : "pull")/\(issue.number)"
    }

    /// An issue: `issue`.
    func json(_ issue: Issue) -> JSON {
        guard let repository = repositories[issue.repositoryID] else { return .null }
        let parent = "\(api)/repos/\(fullName(repository))"
        let url = "\(parent)/issues/\(issue.number)"
        var json: JSON = [
            "id": .int(issue.id), "node_id": nodeID("I", issue.id), "url": .string(url),
            "repository_url": .string(parent), "labels_url": "\(url)/labels{/name}",
            "comments_url": "\(url)/comments", "events_url": "\(url)/events",
            "timeline_url": "\(url)/timeline", "html_url": .string(page(issue, repository)),
            "number": .int(issue.number), "title": .string(issue.title), "body": .string(issue.body),
            "state": issue.isOpen ? "open" : "closed",
            "state_reason": issue.isOpen ? .null : "completed", "labels": [], "assignee": nil,
            "assignees": [], "milestone": nil,
        ]
        json =
            json + [
                "user": self.json(account: issue.authorID), "locked": .bool(issue.isLocked),
                "active_lock_reason": nil, "comments": .int(comments(issue).count),
                "created_at": .string(issue.createdAt.shown), "updated_at": .string(issue.updatedAt.shown),
                "closed_at": .some(issue.closedAt?.shown),
                "author_association": association(issue.authorID, in: repository),
                "reactions": rollup(issue.reactions, url),
                "performed_via_github_app": issue.viaApp ? self.json(app: app, brief: true) : .null,
            ]
        if let pull = issue.pull {
            let page = page(issue, repository)
            json =
                json + [
                    "draft": .bool(pull.isDraft),
                    "pull_request": [
                        "url": "\(parent)/pulls/\(issue.number)", "html_url": .string(page),
                        "diff_url": "\(page).diff", "patch_url": "\(page).patch", "merged_at": nil,
                    ],
                ]
        }
        return json
    }
}
