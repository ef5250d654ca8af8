import PlaygroundFace
import Porter

/// What makes an issue a pull request.
struct Pull: Sendable {
    let id: Int64
    /// The branch whose commits are offered.
    let head: String
    let base: String
    var headSHA: String
    var baseSHA: String
    var isDraft: Bool
    var reviewers: [Int64] = []
}

/// The size of what a pull request brings.
struct PullSize: Sendable {
    var commits = 0
    var additions = 0
    var deletions = 0
    var files = 0
}

extension State {
    /// A pull request in a list: `pull-request-simple`.
    func json(pull issue: Issue) -> JSON {
        guard let pull = issue.pull, let repository = repositories[issue.repositoryID] else { return .null }
        let parent = "\(api)/repos/\(fullName(repository))"
        let url = "\(parent)/pulls/\(issue.number)"
        let page = page(issue, repository)
        let issueURL = "\(parent)/issues/\(issue.number)"
        var json: JSON = [
            "id": .int(pull.id), "node_id": nodeID("PR", pull.id), "url": .string(url),
            "html_url": .string(page), "diff_url": "\(page).diff", "patch_url": "\(page).patch",
            "issue_url": .string(issueURL), "commits_url": "\(url)/commits",
            "review_comments_url": "\(url)/comments",
            "review_comment_url": "\(parent)/pulls/comments{/number}",
            "comments_url": "\(issueURL)/comments", "statuses_url": "\(parent)/statuses/\(pull.headSHA)",
            "number": .int(issue.number), "title": .string(issue.title), "body": .string(issue.body),
        ]
        json =
            json + [
                "state": issue.isOpen ? "open" : "closed", "locked": .bool(issue.isLocked),
                "user": self.json(account: issue.authorID), "labels": [], "milestone": nil,
                "created_at": .string(issue.createdAt.shown), "updated_at": .string(issue.updatedAt.shown),
                "closed_at": .some(issue.closedAt?.shown), "merged_at": nil, "merge_commit_sha": nil,
                "assignee": nil, "assignees": [], "active_lock_reason": nil, "auto_merge": nil,
                "requested_reviewers": .array(pull.reviewers.map { self.json(account: $0) }),
                "requested_teams": [], "draft": .bool(pull.isDraft),
                "author_association": association(issue.authorID, in: repository),
            ]
        let side = { (branch: String, sha: String) -> JSON in
            [
                "label": "\(owner(repository)):\(branch)", "ref": .string(branch), "sha": .string(sha),
                "user": self.json(account: repository.ownerID), "repo": self.json(repository),
            ]
        }
        return json + [
            "head": side(pull.head, pull.headSHA), "base": side(pull.base, pull.baseSHA),
            "_links": [
                "self": ["href": .string(url)], "html": ["href": .string(page)],
                "issue": ["href": .string(issueURL)], "comments": ["href": "\(issueURL)/comments"],
                "review_comments": ["href": "\(url)/comments"],
                "review_comment": ["href": "\(parent)/pulls/comments{/number}"],
                "commits": ["href": "\(url)/commits"],
                "statuses": ["href": "\(parent)/statuses/\(pull.headSHA)"],
            ],
        ]
    }

    /// A pull request asked for by itself: `pull-request`.
    func json(pull issue: Issue, _ size: PullSize) -> JSON {
        json(pull: issue) + [
            "merged": false, "mergeable": true, "rebaseable": true, "mergeable_state": "clean",
            "merged_by": nil, "comments": .int(comments(issue).count), "review_comments": 0,
            "maintainer_can_modify": false, "commits": .int(size.commits),
            "additions": .int(size.additions), "deletions": .int(size.deletions),
            "changed_files": .int(size.files),
        ]
    }
}

/// Words in a pull request's text that close issues when it is merged.
///
/// - SeeAlso: <https://docs.github.com/en/issues/tracking-your-work-with-issues/using-issues/linking-a-pull-request-to-an-issue>
enum ClosingKeyword {
    private static let words: Set<String> = [
        "close", "closes", "closed", "fix", "fixes", "fixed", "resolve", "resolves", "resolved",
    ]

    /// The numbers that the text names after such a word.
    static func numbers(in text: String) -> [Int] {
        let parts = text.split { $0.isWhitespace }
        var found: [Int] = []
        for (word, next) in zip(parts, parts.dropFirst()) {
            let name = word.lowercased().trimmingSuffix(":")
            guard words.contains(name), next.hasPrefix("#") else { continue }
            let digits = next.dropFirst().prefix { $0.isASCII && $0.isNumber }
            if let number = Int(digits), !found.contains(number) { found.append(number) }
        }
        return found
    }
}

extension String {
    fileprivate func trimmingSuffix(_ suffix: Character) -> String {
        last == suffix ? String(dropLast()) : self
    }
}
