import PlaygroundFace
import Porter

/// Changes of issues: state, effect log and delivery in one step, under the world's lock.
extension World {
    /// What can happen to an issue without new words; the raw value is GitHub's action.
    enum IssueChange: String, CaseIterable, Sendable {
        case closed
        case reopened
        case locked
        case unlocked
        case deleted
    }

    /// Opens an issue.
    func createIssue(
        _ state: inout State, _ repository: Repository, _ title: String, _ body: String, by author: Int64,
        viaApp: Bool, token: Int64?
    ) -> (Issue, Announced) {
        let issue = state.addIssue(repository, title, body, author: author, viaApp: viaApp)
        log(
            "issue.opened", state, issue, by: author, token, ["title": .string(title), "body": .string(body)])
        return (issue, announce(&state, issue, "opened", by: author))
    }

    /// Replaces the issue's words.
    func editIssue(
        _ state: inout State, _ issue: Issue, title: String, body: String, by actor: Int64, token: Int64?
    ) -> (issue: Issue, Announced) {
        var edited = issue
        edited.title = title
        edited.body = body
        edited.updatedAt = state.now
        state.issues[issue.key] = edited
        log(
            "issue.edited", state, edited, by: actor, token, ["title": .string(title), "body": .string(body)])
        var changes: [String: JSON] = [:]
        if title != issue.title { changes["title"] = ["from": .string(issue.title)] }
        if body != issue.body { changes["body"] = ["from": .string(issue.body)] }
        return (edited, announce(&state, edited, "edited", by: actor, ["changes": .object(changes)]))
    }

    /// Closes, reopens, locks, unlocks or deletes it.
    func setIssue(
        _ state: inout State, _ issue: Issue, _ change: IssueChange, by actor: Int64, token: Int64?
    ) -> (issue: Issue, Announced) {
        var changed = issue
        changed.updatedAt = state.now
        switch change {
        case .closed:
            changed.isOpen = false
            changed.closedAt = state.now
        case .reopened:
            changed.isOpen = true
            changed.closedAt = nil
        case .locked: changed.isLocked = true
        case .unlocked: changed.isLocked = false
        case .deleted: changed.isDeleted = true
        }
        state.issues[issue.key] = changed
        log("issue.\(change.rawValue)", state, changed, by: actor, token, [:])
        return (changed, announce(&state, changed, change.rawValue, by: actor))
    }

    private func announce(
        _ state: inout State, _ issue: Issue, _ action: String, by actor: Int64, _ more: JSON = [:]
    ) -> Announced {
        guard let repository = state.repositories[issue.repositoryID] else { return nil }
        if issue.pull != nil {
            return announce(
                &state, "pull_request", action,
                ["number": .int(issue.number), "pull_request": state.json(pull: issue, PullSize())] + more,
                in: repository, by: actor)
        }
        return announce(
            &state, "issues", action, ["issue": state.json(issue)] + more, in: repository, by: actor)
    }

    private func log(
        _ kind: String, _ state: State, _ issue: Issue, by actor: Int64, _ token: Int64?, _ more: JSON
    ) {
        effects.append(
            kind, actor: state.accounts[actor]?.login ?? "ghost", state.effect(issue, token: token) + more)
    }
}
