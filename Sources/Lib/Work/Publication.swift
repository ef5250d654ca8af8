import Porter
import PorterAgents
import PorterStore

extension Work {
    /// How often GitHub must say the same before it is believed against the worker's word: its answers lag at
    /// times.
    static var mostLooks: Int { 6 }

    /// Looks at what is really on GitHub, opens the pull request, and ends the task.
    func publish(_ task: PorterTask, _ claim: JobClaim) throws -> JobOutcome {
        guard task.state == .running, let attempt = try store.findAttempt(task.id, task.attempt),
            let report = attempt.report
        else { return .done }
        if let stoppedAt = task.stopRequestedAt, report.outcome != .success {
            return try endStopped(task, attempt, report, stoppedAt, claim)
        }
        if report.outcome == .success, let opened = try openedEarlier(task) {
            return try endWithPullRequest(task, opened, claim)
        }
        let head = try world.github.branchHead(task.repository, task.branch)
        if let reported = report.headSHA, try !isOnBranch(reported, head: head, of: task) {
            if report.outcome == .success, head == nil, try isBase(reported, of: task) {
                return try end(task, Ending(.success, reason: .noChanges), claim)
            }
            if let moment = try nextLook(task, claim) { return .again(moment) }
            if report.outcome == .success {
                return try end(task, Ending(.failed, reason: .pushRejected, headSHA: head), claim)
            }
        }
        guard report.outcome == .success else {
            if Self.wasKilled(report) {
                guard let machine = try endedMachine(of: attempt) else {
                    return .again(now.adding(seconds: 1))
                }
                if machine.exit?.outOfMemory == true {
                    let ending = Ending(
                        .failed, reason: .outOfMemory, detail: task.phaseMessage, headSHA: head)
                    return try end(task, ending, claim)
                }
            }
            var ending = failure(report, head: head, words: task.phaseMessage)
            // Nothing can be pushed to an archived repository, which git only tells as a refusal.
            if ending.reason == .pushRejected, try reachable(task.repository)?.isArchived == true {
                ending.reason = .repositoryArchived
                ending.detail = nil
            }
            return try end(task, ending, claim)
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
            return try endWithPullRequest(task, pullRequest, claim, changes: changes)
        } catch let error as GitHubError where [.refused, .forbidden, .notFound, .gone].contains(error.code) {
            if error.message.contains("No commits between") {
                return try end(task, Ending(.success, reason: .noChanges, headSHA: head), claim)
            }
            guard try countLook("pull_request.refused", task, claim) >= Self.mostRefusals else { throw error }
            let ending = Ending(
                .failed, reason: .pullRequestFailed, detail: error.message, headSHA: head)
            return try end(task, ending, claim)
        }
    }

    /// Whether the agent was killed by somebody else than its worker, perhaps for its memory.
    private static func wasKilled(_ report: Attempt.Report) -> Bool {
        report.outcome == .failed && report.exitCode == 137 && [nil, .agentFailed].contains(report.reason)
    }

    /// The attempt's machine once it has ended, or as it is when that takes long; nil while it should be awaited.
    ///
    /// A worker ends it within moments of its report. Only the engine knows what a process was killed for.
    private func endedMachine(of attempt: Attempt) throws(MachinesError) -> Machine? {
        guard let machine = try machine(of: attempt), !machine.isGone else {
            return try machine(of: attempt) ?? Machine(id: "", name: attempt.machineName, state: .destroyed)
        }
        let reportedAt = attempt.heartbeatAt ?? now
        return now < reportedAt.adding(seconds: Self.leaving) ? nil : machine
    }

    /// Counts a look at something that GitHub may yet say otherwise, apart from tries that failed for other
    /// reasons.
    ///
    /// - Returns: how many there have been.
    private func countLook(
        _ what: String, _ task: PorterTask, _ claim: JobClaim
    ) throws(StoreError) -> Int {
        let key = "\(task.id.rawValue)/\(what)"
        let looks = try store.beginStep(key, task: task.id, for: claim, at: now).calls + 1
        try store.callStep(key, for: claim, at: now)
        return looks
    }

    /// When to look again for a commit that the branch lacks; nil when that was done often enough.
    private func nextLook(_ task: PorterTask, _ claim: JobClaim) throws(StoreError) -> Instant? {
        let looks = try countLook("branch.missing", task, claim)
        return looks < Self.mostLooks ? now.adding(seconds: 1 << (looks - 1)) : nil
    }

    /// How often a pull request must be refused.
    static var mostRefusals: Int { 3 }

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
        _ task: PorterTask, _ attempt: Attempt, _ report: Attempt.Report, _ stoppedAt: Instant,
        _ claim: JobClaim
    ) throws -> JobOutcome {
        let deadline = stopDeadline(attempt, stoppedAt)
        do {
            if now < deadline, let machine = try machine(of: attempt), !machine.isGone {
                return .again(min(deadline, now.adding(seconds: 1)))
            }
            _ = try destroyMachine(of: attempt, claim)
        } catch let error as MachinesError {
            guard now >= deadline.adding(seconds: Self.enginePatience) else { throw error }
            log(
                .warning, "task ended without its engine",
                ["task.id": task.id.rawValue, "error": "\(error)"])
        }
        if report.reason == .secretInChanges { return try end(task, stopped(task, report, head: nil), claim) }
        let head = try world.github.branchHead(task.repository, task.branch)
        if let reported = report.headSHA, try !isOnBranch(reported, head: head, of: task),
            let moment = try nextLook(task, claim)
        {
            return .again(moment)
        }
        return try end(task, stopped(task, report, head: head), claim)
    }

    private func stopped(_ task: PorterTask, _ report: Attempt.Report, head: String?) -> Ending {
        let hadSecret = report.reason == .secretInChanges
        return Ending(
            .cancelled, reason: hadSecret ? .secretInChanges : task.stopReason ?? .cancelledByUser,
            detail: Self.sentences(task.detail, task.phaseMessage), headSHA: hadSecret ? nil : head)
    }

    /// How a reported run ends when nobody could look at GitHub: the worker's word, given after its push, is what is
    /// known.
    func endingWithoutLook(_ task: PorterTask, _ report: Attempt.Report?) -> Ending {
        guard let report, report.outcome != .success else {
            return Ending(.failed, reason: .pullRequestFailed, headSHA: report?.headSHA)
        }
        if task.stopRequestedAt != nil { return stopped(task, report, head: report.headSHA) }
        return failure(report, head: report.headSHA, words: task.phaseMessage)
    }

    /// - Parameter words: what the worker said about its last phase, as a rule why it could not save.
    private func failure(_ report: Attempt.Report, head: String?, words: String?) -> Ending {
        switch report.outcome {
        case .timedOut:
            let reason = report.reason == .stalled ? Reason.stalled : .timeout
            return Ending(.timedOut, reason: reason, detail: words, headSHA: head)
        case .cancelled:
            // Nobody asked for it: the machine was told to leave, by its engine.
            let detail = Self.sentences("The machine was told to shut down.", words)
            return Ending(.failed, reason: .machineLost, detail: detail, headSHA: head)
        case .failed, .success:
            let reason = report.reason ?? .agentFailed
            let saved = reason == .secretInChanges ? nil : head
            // A program that ended well says nothing about a push that failed.
            let code = report.exitCode.flatMap { $0 == 0 ? nil : "Exit code \($0)." }
            return Ending(
                .failed, reason: reason, detail: Self.sentences(code, words), headSHA: saved)
        }
    }

    /// Those that there are, one after the other; nil when there is none.
    private static func sentences(_ sentences: String?...) -> String? {
        let there = sentences.compactMap { $0 }
        return there.isEmpty ? nil : there.joined(separator: " ")
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
            try github.pullRequests(task.repository, task.branch).first
                .map { "\($0.number) \($0.url)" }
        }
        let (outcome, _) = try perform(
            Self.pullRequestKey(task), task: task.id, for: claim, find: find
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
        return try pullRequest(outcome, head: head)
    }

    private static func pullRequestKey(_ task: PorterTask) -> String {
        "\(task.id.rawValue)/pull_request.create"
    }

    private func pullRequest(
        _ outcome: String, head: String
    ) throws(StoreError) -> GitHub.PullRequest {
        let parts = outcome.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, let number = Int(parts[0]) else {
            throw StoreError(.corrupt, operation: "read a step", message: "no pull request in it")
        }
        return GitHub.PullRequest(number: number, url: String(parts[1]), headSHA: head)
    }

    /// The pull request that an earlier turn opened: it may be merged and its branch deleted by now, and is
    /// the truth all the same.
    private func openedEarlier(_ task: PorterTask) throws -> GitHub.PullRequest? {
        guard let step = try store.findStep(Self.pullRequestKey(task)), step.calledAt != nil else {
            return nil
        }
        let head = try store.findAttempt(task.id, task.attempt)?.report?.headSHA
        if let outcome = step.outcome, let head { return try pullRequest(outcome, head: head) }
        // A plain report names no commit, and an answer may have been lost: GitHub knows both.
        return try world.github.pullRequests(task.repository, task.branch).first
    }

    /// Ends the task with its pull request; without the changes as far as they cannot be told any more.
    private func endWithPullRequest(
        _ task: PorterTask, _ pullRequest: GitHub.PullRequest, _ claim: JobClaim,
        changes: GitHub.Comparison? = nil
    ) throws -> JobOutcome {
        try askForReview(task, pullRequest)
        let known = try changes ?? laterChanges(task)
        let ending = Ending(
            .success, detail: known.map(PullRequestText.summary(of:)), headSHA: pullRequest.headSHA,
            pullRequest: pullRequest)
        return try end(task, ending, claim)
    }

    private func laterChanges(_ task: PorterTask) throws(GitHubError) -> GitHub.Comparison? {
        guard let base = task.baseBranch else { return nil }
        do {
            let changes = try world.github.compare(task.repository, base, task.branch)
            return changes.commits > 0 ? changes : nil
        } catch {
            guard [.notFound, .gone, .refused, .forbidden].contains(error.code) else { throw error }
            return nil
        }
    }

    /// Whether the branch has the commit: at its head, or below what others have pushed upon it since.
    private func isOnBranch(
        _ commit: String, head: String?, of task: PorterTask
    ) throws(GitHubError) -> Bool {
        guard let head, head != commit else { return head != nil }
        do {
            return try world.github.compare(task.repository, commit, task.branch).missing == 0
        } catch {
            guard [.notFound, .gone, .refused].contains(error.code) else { throw error }
            return false
        }
    }

    private func isBase(_ commit: String, of task: PorterTask) throws(GitHubError) -> Bool {
        guard let base = task.baseBranch else { return false }
        return try world.github.branchHead(task.repository, base) == commit
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
