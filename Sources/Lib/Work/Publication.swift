import Porter
import PorterAgents
import PorterStore

extension Work {
    /// How often the branch is looked up before a reported head counts as missing.
    static var mostBranchLooks: Int { 5 }

    /// Looks at what is really on GitHub, opens the pull request, and ends the task.
    func publish(_ task: PorterTask, _ claim: JobClaim) throws -> JobOutcome {
        guard task.state == .running, let attempt = try store.findAttempt(task.id, task.attempt),
            let report = attempt.report
        else { return .done }
        if let stoppedAt = task.stopRequestedAt, report.outcome != .success {
            return try endStopped(task, attempt, stoppedAt, claim)
        }
        let head = try world.github.branchHead(task.repository, task.branch)
        guard report.outcome == .success else {
            return try end(task, failure(report, head: head), claim)
        }
        if let reported = report.headSHA, reported != head {
            guard claim.tries >= Self.mostBranchLooks else {
                throw GitHubError(
                    .notFound, operation: "find branch", message: "\(task.branch) is not at \(reported)")
            }
            return try end(task, Ending(.failed, reason: .pushRejected, headSHA: head), claim)
        }
        guard let head, let base = task.baseBranch else {
            return try end(task, Ending(.success, reason: .noChanges), claim)
        }
        let changes = try world.github.compare(task.repository, base, task.branch)
        guard changes.commits > 0 else {
            return try end(task, Ending(.success, reason: .noChanges, headSHA: head), claim)
        }
        do {
            let pullRequest = try openPullRequest(task, head: head, base: base, changes, claim)
            try askForReview(task, pullRequest)
            let ending = Ending(
                .success, detail: PullRequestText.summary(of: changes), headSHA: head,
                pullRequest: pullRequest)
            return try end(task, ending, claim)
        } catch let error as GitHubError where [.refused, .forbidden, .notFound, .gone].contains(error.code) {
            if error.message.contains("No commits between") {
                return try end(task, Ending(.success, reason: .noChanges, headSHA: head), claim)
            }
            // One more try is worth it: GitHub's permissions and indexes lag at times.
            guard claim.tries >= 2 else { throw error }
            let ending = Ending(
                .failed, reason: .pullRequestFailed, detail: error.message, headSHA: head)
            return try end(task, ending, claim)
        }
    }

    private func end(_ task: PorterTask, _ ending: Ending, _ claim: JobClaim) throws -> JobOutcome {
        world.moment("task.ending")
        if try store.end(task, ending, for: claim, at: now) {
            log(
                .notice, "task ended",
                [
                    "task.id": task.id.rawValue, "state": ending.state.rawValue,
                    "reason": ending.reason?.rawValue ?? "",
                ])
        }
        world.moment("task.ended")
        return .done
    }

    /// A stopped task is cancelled once its machine is gone.
    private func endStopped(
        _ task: PorterTask, _ attempt: Attempt, _ stoppedAt: Instant, _ claim: JobClaim
    ) throws -> JobOutcome {
        let deadline = stopDeadline(attempt, stoppedAt)
        if now < deadline, let machine = try machine(of: attempt), !machine.isGone {
            return .again(min(deadline, now.adding(seconds: 1)))
        }
        _ = try destroyMachine(of: attempt, claim)
        let ending = try endingWithWhatIsSaved(
            task, .cancelled, task.stopReason ?? .cancelledByUser, detail: task.detail)
        return try end(task, ending, claim)
    }

    private func failure(_ report: Attempt.Report, head: String?) -> Ending {
        switch report.outcome {
        case .timedOut:
            let reason = report.reason == .stalled ? Reason.stalled : .timeout
            return Ending(.timedOut, reason: reason, headSHA: head)
        case .cancelled:
            // Nobody asked for it: the machine was told to leave, by its engine.
            return Ending(
                .failed, reason: .machineLost, detail: "The machine was told to shut down.", headSHA: head)
        case .failed, .success:
            let reason = report.reason ?? .agentFailed
            let saved = reason == .secretInChanges ? nil : head
            // A program that ended well says nothing about a push that failed.
            let exit = report.exitCode.flatMap { $0 == 0 ? nil : "Exit code \($0)." }
            return Ending(.failed, reason: reason, detail: exit, headSHA: saved)
        }
    }

    private func openPullRequest(
        _ task: PorterTask, head: String, base: String, _ changes: GitHub.Comparison, _ claim: JobClaim
    ) throws -> GitHub.PullRequest {
        let github = world.github
        let draft = GitHub.PullRequestDraft(
            title: PullRequestText.title(task),
            body: PullRequestText.body(task, changes: changes, agent: agentTitle(task), at: now),
            head: task.branch, base: base, isDraft: task.isDraft)
        let find = { () throws -> String? in
            try github.openPullRequests(task.repository, task.branch).first
                .map { "\($0.number) \($0.url)" }
        }
        let outcome = try perform(
            "\(task.id.rawValue)/pull_request.create", task: task.id, for: claim, find: find
        ) {
            do throws(GitHubError) {
                let made = try github.createPullRequest(task.repository, draft)
                return "\(made.number) \(made.url)"
            } catch {
                guard error.code == .refused, error.message.contains("already exists"),
                    let found = try find()
                else { throw error }
                return found
            }
        }
        let parts = outcome.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, let number = Int(parts[0]) else {
            throw StoreError(.corrupt, operation: "read a step", message: "no pull request in it")
        }
        return GitHub.PullRequest(number: number, url: String(parts[1]), headSHA: head)
    }

    /// Asks the person for a review where GitHub allows it; asking twice changes nothing.
    private func askForReview(_ task: PorterTask, _ pullRequest: GitHub.PullRequest) throws(GitHubError) {
        do {
            world.moment("review.request.calling")
            try world.github.requestReview(task.repository, pullRequest.number, task.author.login)
        } catch {
            guard [.refused, .forbidden, .notFound, .gone].contains(error.code) else { throw error }
            log(.info, "review could not be requested", ["error": "\(error)"])
        }
    }

    /// The agent's name for people.
    func agentTitle(_ task: PorterTask) -> String {
        task.agent.map { world.catalog.find($0)?.title ?? $0 } ?? "the agent"
    }
}
