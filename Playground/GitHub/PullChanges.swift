import PlaygroundFace
import Porter

/// Changes of pull requests: state, effect log and delivery in one step, under the world's lock.
extension World {
    /// Opens a pull request, and links it to the issues that its text closes.
    func openPull(
        _ state: inout State, _ repository: Repository, _ title: String, _ body: String, _ pull: Pull,
        _ size: PullSize, by author: Int64, token: Int64?
    ) -> Issue {
        let issue = state.addIssue(repository, title, body, author: author, viaApp: true, pull: pull)
        let closes = ClosingKeyword.numbers(in: body)
        for number in closes {
            let key = IssueKey(repositoryID: repository.id, number: number)
            if state.issues[key]?.pull == nil { state.issues[key]?.closedBy.append(issue.number) }
        }
        log(
            "pull.created", state, issue, by: author, token,
            [
                "title": .string(title), "body": .string(body), "head": .string(pull.head),
                "base": .string(pull.base), "head_sha": .string(pull.headSHA), "draft": .bool(pull.isDraft),
                "closes": .array(closes.map(JSON.int)), "commits": .int(size.commits),
                "additions": .int(size.additions), "deletions": .int(size.deletions),
                "files": .int(size.files),
            ])
        announce(&state, issue, "opened", size, by: author)
        return issue
    }

    /// Asks the person for a review.
    func requestReview(_ state: inout State, _ issue: Issue, from reviewer: Account, token: Int64?) -> Issue {
        var changed = issue
        if changed.pull?.reviewers.contains(reviewer.id) == false {
            changed.pull?.reviewers.append(reviewer.id)
            changed.updatedAt = state.now
        }
        state.issues[issue.key] = changed
        log(
            "review.requested", state, changed, by: state.app.botID, token,
            ["reviewer": .string(reviewer.login)])
        announce(
            &state, changed, "review_requested", PullSize(), by: state.app.botID,
            ["requested_reviewer": state.json(account: reviewer.id)])
        return changed
    }

    /// Follows a push to the branch of an open pull request.
    func synchronize(
        _ state: inout State, _ repositoryID: Int64, _ branch: String, _ sha: String, by actor: Int64
    ) {
        for issue in state.issues.values
        where issue.repositoryID == repositoryID && issue.isOpen && issue.pull?.head == branch {
            let before = issue.pull?.headSHA ?? ""
            state.issues[issue.key]?.pull?.headSHA = sha
            let now = state.now
            state.issues[issue.key]?.updatedAt = now
            guard let changed = state.issues[issue.key] else { continue }
            announce(
                &state, changed, "synchronize", PullSize(), by: actor,
                ["before": .string(before), "after": .string(sha)])
        }
    }

    private func announce(
        _ state: inout State, _ issue: Issue, _ action: String, _ size: PullSize, by actor: Int64,
        _ more: JSON = [:]
    ) {
        guard let repository = state.repositories[issue.repositoryID] else { return }
        _ = announce(
            &state, "pull_request", action,
            ["number": .int(issue.number), "pull_request": state.json(pull: issue, size)] + more,
            in: repository, by: actor)
    }

    private func log(
        _ kind: String, _ state: State, _ issue: Issue, by actor: Int64, _ token: Int64?, _ more: JSON
    ) {
        effects.append(
            kind, actor: state.accounts[actor]?.login ?? "ghost", state.effect(issue, token: token) + more)
    }
}

extension GitRepository {
    /// How much the pull request brings.
    func size(_ issue: Issue) -> PullSize {
        issue.pull.map(size) ?? PullSize()
    }

    /// How much the pull request brings.
    func size(_ pull: Pull) -> PullSize {
        guard let fork = mergeBase(pull.baseSHA, pull.headSHA) else { return PullSize() }
        let files = changes(from: fork, to: pull.headSHA)
        return PullSize(
            commits: count(from: pull.baseSHA, to: pull.headSHA),
            additions: files.reduce(0) { $0 + $1.additions },
            deletions: files.reduce(0) { $0 + $1.deletions }, files: files.count)
    }
}
