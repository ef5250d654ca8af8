import PlaygroundFace
import Porter

/// A submitted review of a pull request.
struct Review: Sendable {
    let id: Int64
    let issue: IssueKey
    let authorID: Int64
    let body: String
    /// `APPROVED`, `CHANGES_REQUESTED`, `COMMENTED`.
    let verdict: String
    let commitSHA: String
    let submittedAt: Instant

    static let verdicts = ["APPROVED", "CHANGES_REQUESTED", "COMMENTED"]
}

/// A comment on a line of a pull request.
struct ReviewComment: Sendable {
    let id: Int64
    let issue: IssueKey
    let authorID: Int64
    var body: String
    let path: String
    let commitSHA: String
    let createdAt: Instant
    var updatedAt: Instant
    var reactions: [Reaction] = []
}

extension State {
    /// A review: `pull-request-review`; in a delivery the verdict is in lower case.
    func json(_ review: Review) -> JSON {
        guard let (issue, page, url) = place(review.issue) else { return .null }
        let html = "\(page)#pullrequestreview-\(review.id)"
        return [
            "id": .int(review.id), "node_id": nodeID("PRR", review.id),
            "user": json(account: review.authorID), "body": .string(review.body),
            "state": .string(review.verdict), "html_url": .string(html), "pull_request_url": .string(url),
            "author_association": association(review.authorID, on: issue),
            "_links": ["html": ["href": .string(html)], "pull_request": ["href": .string(url)]],
            "submitted_at": .string(review.submittedAt.shown), "commit_id": .string(review.commitSHA),
        ]
    }

    /// A review comment: `pull-request-review-comment`.
    func json(_ comment: ReviewComment) -> JSON {
        guard let (issue, page, pull) = place(comment.issue),
            let repository = repositories[comment.issue.repositoryID]
        else { return .null }
        let url = "\(api)/repos/\(fullName(repository))/pulls/comments/\(comment.id)"
        let html = "\(page)#discussion_r\(comment.id)"
        let json: JSON = [
            "url": .string(url), "pull_request_review_id": nil, "id": .int(comment.id),
            "node_id": nodeID("PRRC", comment.id), "diff_hunk": "@@ -1 +1 @@",
            "path": .string(comment.path), "commit_id": .string(comment.commitSHA),
            "original_commit_id": .string(comment.commitSHA), "user": self.json(account: comment.authorID),
            "body": .string(comment.body), "created_at": .string(comment.createdAt.shown),
            "updated_at": .string(comment.updatedAt.shown), "html_url": .string(html),
            "pull_request_url": .string(pull),
        ]
        return json + [
            "author_association": association(comment.authorID, on: issue),
            "_links": [
                "self": ["href": .string(url)], "html": ["href": .string(html)],
                "pull_request": ["href": .string(pull)],
            ],
            "position": 1, "original_position": 1, "line": 1, "original_line": 1, "side": "RIGHT",
            "start_line": nil, "original_start_line": nil, "start_side": nil, "subject_type": "line",
            "reactions": rollup(comment.reactions, url),
        ]
    }

    private func association(_ account: Int64, on issue: Issue) -> JSON {
        repositories[issue.repositoryID].map { association(account, in: $0) } ?? "NONE"
    }

    /// The pull request, its page and its address in the API.
    private func place(_ key: IssueKey) -> (issue: Issue, page: String, url: String)? {
        guard let issue = issues[key], let repository = repositories[key.repositoryID] else { return nil }
        return (
            issue, page(issue, repository), "\(api)/repos/\(fullName(repository))/pulls/\(issue.number)"
        )
    }
}

/// Reviews and comments on lines: state, effect log and delivery in one step, under the world's lock.
extension World {
    /// Submits a review.
    func submitReview(
        _ state: inout State, _ issue: Issue, _ body: String, _ verdict: String, by author: Int64
    ) -> (Review, Announced) {
        let review = Review(
            id: state.newID(), issue: issue.key, authorID: author, body: body, verdict: verdict,
            commitSHA: issue.pull?.headSHA ?? "", submittedAt: state.now)
        state.reviews[review.id] = review
        let announced = announce(
            &state, "pull_request_review", "submitted", issue, by: author,
            ["review": state.json(review) + ["state": .string(verdict.lowercased())]])
        return (review, announced)
    }

    /// Writes a comment on a line.
    func createReviewComment(
        _ state: inout State, _ issue: Issue, _ body: String, _ path: String, by author: Int64
    ) -> (ReviewComment, Announced) {
        let comment = ReviewComment(
            id: state.newID(), issue: issue.key, authorID: author, body: body, path: path,
            commitSHA: issue.pull?.headSHA ?? "", createdAt: state.now, updatedAt: state.now)
        state.reviewComments[comment.id] = comment
        let announced = announce(
            &state, "pull_request_review_comment", "created", issue, by: author,
            ["comment": state.json(comment)])
        return (comment, announced)
    }

    private func announce(
        _ state: inout State, _ event: String, _ action: String, _ issue: Issue, by author: Int64,
        _ about: JSON
    ) -> Announced {
        let moment = state.now
        state.issues[issue.key]?.updatedAt = max(moment, issue.updatedAt)
        guard let changed = state.issues[issue.key], let repository = state.repositories[issue.repositoryID]
        else { return nil }
        return announce(
            &state, event, action, ["pull_request": state.json(pull: changed)] + about, in: repository,
            by: author)
    }
}
