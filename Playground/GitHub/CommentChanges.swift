import PlaygroundFace
import Porter
import PorterProcess

/// Changes of comments: state, effect log and delivery in one step, under the world's lock.
extension World {
    typealias Announced = (delivery: Delivery, sent: Bell)?

    /// Puts a comment under the issue.
    func createComment(
        _ state: inout State, _ issue: Issue, _ body: String, by author: Int64, viaApp: Bool, token: Int64?
    ) -> (IssueComment, Announced) {
        let comment = state.addComment(issue, body, author: author, viaApp: viaApp)
        log("comment.created", &state, comment, by: author, token)
        return (comment, announce(&state, "created", comment, by: author))
    }

    /// Replaces the comment's text.
    func editComment(
        _ state: inout State, _ comment: IssueComment, _ body: String, by actor: Int64, token: Int64?
    ) -> (comment: IssueComment, Announced) {
        var edited = comment
        edited.body = body
        edited.updatedAt = state.now
        state.comments[comment.id] = edited
        log("comment.edited", &state, edited, by: actor, token)
        let changes: JSON = ["changes": ["body": ["from": .string(comment.body)]]]
        return (edited, announce(&state, "edited", edited, by: actor, changes))
    }

    /// Removes the comment.
    @discardableResult
    func deleteComment(
        _ state: inout State, _ comment: IssueComment, by actor: Int64, token: Int64?
    ) -> Announced {
        log("comment.deleted", &state, comment, by: actor, token)
        state.comments[comment.id] = nil
        return announce(&state, "deleted", comment, by: actor)
    }

    private func announce(
        _ state: inout State, _ action: String, _ comment: IssueComment, by actor: Int64, _ more: JSON = [:]
    ) -> Announced {
        guard let issue = state.issues[comment.issue],
            let repository = state.repositories[comment.issue.repositoryID]
        else { return nil }
        return announce(
            &state, "issue_comment", action,
            ["issue": state.json(issue), "comment": state.json(comment)] + more, in: repository, by: actor)
    }

    /// Writes an event down and puts it into the sender's queue.
    func announce(
        _ state: inout State, _ event: String, _ action: String, _ about: JSON, in repository: Repository?,
        by actor: Int64, installation: Installation? = nil
    ) -> Announced {
        let delivery = state.announce(
            event, action, about, in: repository, by: actor, installation: installation)
        return delivery.map { ($0, sender.enqueue($0)) }
    }

    private func log(
        _ kind: String, _ state: inout State, _ comment: IssueComment, by actor: Int64, _ token: Int64?
    ) {
        guard let issue = state.issues[comment.issue] else { return }
        effects.append(
            kind, actor: state.accounts[actor]?.login ?? "ghost",
            state.effect(issue, token: token) + [
                "comment_id": .int(comment.id), "body": .string(comment.body),
                "author": .some(state.accounts[comment.authorID]?.login),
            ])
    }
}

extension State {
    /// What the effect log says of where something happened.
    func effect(_ issue: Issue, token: Int64?) -> JSON {
        let place = repositories[issue.repositoryID].map { fullName($0) }
        return [
            "repository": .some(place), "repository_id": .int(issue.repositoryID),
            "issue": .int(issue.number), "is_pull_request": .bool(issue.pull != nil), "token": .some(token),
        ]
    }
}
