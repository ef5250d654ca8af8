import Porter
import PorterStore

/// The enforcer from outside: it looks after each running task until it ends, whatever its worker does.
extension Work {
    /// Seconds between two looks at a running task.
    static var supervisionInterval: Int { 5 }
    /// Seconds between two looks at a task whose worker has reported.
    static var quietInterval: Int { 15 }
    /// Seconds after a task's deadline in which the engine must answer, before the task ends without it.
    ///
    /// Its cleanup goes on until the machine is gone.
    static var enginePatience: Int { 300 }
    /// Seconds after a machine's end in which GitHub may still take what was pushed from it.
    static var pushSettles: Int { 5 }

    func supervise(_ task: PorterTask, _ claim: JobClaim) throws -> JobOutcome {
        guard task.state == .running else { return .done }
        guard let attempt = try store.findAttempt(task.id, task.attempt) else {
            throw StoreError(.corrupt, operation: "supervise", message: "a task without its attempt")
        }
        do {
            return try supervise(task, attempt, claim)
        } catch let error as MachinesError {
            guard let ending = try reread(task, { endingWithoutEngine($0, $1) }) else { throw error }
            log(
                .warning, "task ended without its engine",
                ["task.id": task.id.rawValue, "error": "\(error)"])
            return try endFromOutside(
                task, ending.state, ending.reason,
                detail: "The engine that runs the machines did not answer.", claim)
        }
    }

    /// Asks again with fresh moments: those at hand may be from before the clock was set.
    private func reread<T>(
        _ task: PorterTask, _ question: (PorterTask, Attempt) throws -> T?
    ) throws -> T? {
        guard let task = try store.findTask(task.id),
            let attempt = try store.findAttempt(task.id, task.attempt)
        else { return nil }
        return try question(task, attempt)
    }

    /// How a task ends whose engine has not answered for so long after a deadline; nil while it has time.
    private func endingWithoutEngine(
        _ task: PorterTask, _ attempt: Attempt
    ) -> (state: TaskState, reason: Reason)? {
        let patience = -Self.enginePatience
        if let stoppedAt = task.stopRequestedAt {
            return now.adding(seconds: patience) >= stopDeadline(attempt, stoppedAt)
                ? (.cancelled, task.stopReason ?? .cancelledByUser) : nil
        }
        let deadline = self.deadline(task, attempt)
        guard now.adding(seconds: patience) >= deadline else { return nil }
        return attempt.claimedAt == nil
            ? (.failed, attempt.launchFailure ?? .launchFailed) : (.timedOut, .timeout)
    }

    private func supervise(
        _ task: PorterTask, _ attempt: Attempt, _ claim: JobClaim
    ) throws -> JobOutcome {
        // The report is stored: publishing has its own job, which asks for the truth as well.
        if attempt.report != nil {
            try store.ensureJob(.publish, for: task.id, at: now)
            return .again(now.adding(seconds: Self.quietInterval))
        }
        if let stoppedAt = task.stopRequestedAt {
            return try superviseStop(task, attempt, stoppedAt, claim)
        }
        if let verdict = try verdict(task, attempt), try reread(task, { try self.verdict($0, $1) }) == verdict
        {
            return try act(on: verdict, task, attempt, claim)
        }
        if let machine = try machine(of: attempt), machine.isGone {
            return try handleLoss(task, attempt, machine, claim)
        }
        return .again(now.adding(seconds: Self.supervisionInterval))
    }

    /// What the clock says about an attempt.
    enum Verdict: Equatable {
        case unclaimed
        case stale
        case overdue
    }

    /// Judges an attempt by its times, and by whether its worker could have been heard; nil while all is well.
    func verdict(_ task: PorterTask, _ attempt: Attempt) throws(StoreError) -> Verdict? {
        if now >= deadline(task, attempt) { return attempt.claimedAt == nil ? .unclaimed : .overdue }
        guard let claimedAt = attempt.claimedAt, let listening = try listening() else { return nil }
        let heard = attempt.heartbeatAt ?? claimedAt
        return listening.isSilent(since: heard, seconds: policy.limits.grace, at: now) ? .stale : nil
    }

    /// When an attempt must be over: claimed, or its whole run.
    private func deadline(_ task: PorterTask, _ attempt: Attempt) -> Instant {
        let limits = policy.limits
        guard let claimedAt = attempt.claimedAt else {
            return attempt.createdAt.adding(seconds: limits.unclaimed)
        }
        return claimedAt.adding(seconds: limits.clone + task.timeout + limits.saving + limits.grace)
    }

    private func act(
        on verdict: Verdict, _ task: PorterTask, _ attempt: Attempt, _ claim: JobClaim
    ) throws -> JobOutcome {
        var silence: String?
        if verdict == .stale, try machine(of: attempt)?.isGone == false {
            silence =
                "Nothing was heard from the machine for \(policy.limits.grace) seconds, so Porter destroyed it."
        }
        let machine = try destroyMachine(of: attempt, claim, why: silence)
        switch verdict {
        case .unclaimed:
            return try replace(task, attempt, why: "nobody claimed it in time", claim)
        case .stale:
            return try handleLoss(task, attempt, machine, why: silence, claim)
        case .overdue:
            return try endFromOutside(task, .timedOut, .timeout, claim)
        }
    }

    /// When a stopped task's machine is destroyed by force: a worker that was told has the whole time from
    /// then on, so that a late heartbeat costs nobody's work; one that never asks has it from the stop on.
    func stopDeadline(_ attempt: Attempt, _ stoppedAt: Instant) -> Instant {
        max(stoppedAt, attempt.stopToldAt ?? stoppedAt).adding(seconds: policy.limits.stop)
    }

    private func superviseStop(
        _ task: PorterTask, _ attempt: Attempt, _ stoppedAt: Instant, _ claim: JobClaim
    ) throws -> JobOutcome {
        let deadline = stopDeadline(attempt, stoppedAt)
        let isWorking = attempt.claimedAt != nil
        if isWorking, now < deadline, try machine(of: attempt)?.isGone != true {
            return .again(min(deadline, now.adding(seconds: 1)))
        }
        _ = try destroyMachine(of: attempt, claim)
        return try endFromOutside(
            task, .cancelled, task.stopReason ?? .cancelledByUser, detail: task.detail, claim)
    }

    /// A machine that is gone without a report: replaced before the agent began, the end after that.
    private func handleLoss(
        _ task: PorterTask, _ attempt: Attempt, _ machine: Machine?, why: String? = nil, _ claim: JobClaim
    ) throws -> JobOutcome {
        // A report may have arrived between the look at the attempt and the look at the machine.
        guard let fresh = try store.findAttempt(task.id, task.attempt), fresh.report == nil else {
            return .again(now.adding(seconds: 1))
        }
        let ranOut = machine?.exit?.outOfMemory == true
        let words = (ranOut ? nil : why) ?? Self.words(for: machine?.exit)
        try store.recordGone(task.id, attempt.number, detail: words, for: claim, at: now)
        if fresh.agentStartedAt == nil { return try replace(task, fresh, why: words, claim) }
        let reason: Reason = ranOut ? .outOfMemory : .machineLost
        return try endFromOutside(task, .failed, reason, detail: words, claim)
    }

    private func replace(
        _ task: PorterTask, _ attempt: Attempt, why: String, _ claim: JobClaim
    ) throws -> JobOutcome {
        if attempt.number < 3 {
            let launch = try newLaunch(task.id, attempt: attempt.number + 1)
            if try store.replaceAttempt(task, with: launch, why: why, for: claim, at: now) {
                log(.warning, "attempt replaced", ["task.id": task.id.rawValue, "why": why])
            }
            return .again(now.adding(seconds: 1))
        }
        let attempts = try store.listAttempts(task.id)
        let reason: Reason =
            attempts.contains { $0.claimedAt != nil }
            ? .machineLost : attempts.compactMap(\.launchFailure).last ?? .launchFailed
        return try endFromOutside(task, .failed, reason, detail: why, claim)
    }

    /// Ends the task, unless its worker has reported in the meantime: then the report decides how it ends.
    private func endFromOutside(
        _ task: PorterTask, _ state: TaskState, _ reason: Reason, detail: String? = nil, _ claim: JobClaim
    ) throws -> JobOutcome {
        let ending = try endingWithWhatIsSaved(task, state, reason, detail: detail)
        if ending.headSHA == nil, let moment = try pushMayLand(task) { return .again(moment) }
        let hasEnded = try store.end(task, ending, unlessReported: true, for: claim, at: now)
        return hasEnded ? .done : .again(now.adding(seconds: 1))
    }

    /// When to look for the branch again, if a push may be on its way whose sender is gone; nil when there is none.
    private func pushMayLand(_ task: PorterTask) throws(StoreError) -> Instant? {
        guard let attempt = try store.findAttempt(task.id, task.attempt), attempt.credentialsGiven > 0,
            let goneAt = attempt.goneAt
        else { return nil }
        let settled = goneAt.adding(seconds: Self.pushSettles)
        // A clock that was set back makes nobody wait for the time in between.
        return now >= goneAt && now < settled ? settled : nil
    }

    /// An ending from outside, with the branch if GitHub has one.
    func endingWithWhatIsSaved(
        _ task: PorterTask, _ state: TaskState, _ reason: Reason, detail: String? = nil
    ) throws(GitHubError) -> Ending {
        Ending(
            state, reason: reason, detail: detail,
            headSHA: try world.github.branchHead(task.repository, task.branch))
    }

    /// The attempt's machine as the engine shows it; nil when it was never created or is unknown there.
    func machine(of attempt: Attempt) throws(MachinesError) -> Machine? {
        guard let id = attempt.machineID else { return nil }
        return try machines(of: attempt).find(id)
            ?? Machine(id: id, name: attempt.machineName, state: .destroyed)
    }

    /// Destroys whatever the attempt has running, a machine whose creation was never answered included.
    ///
    /// - Parameter why: told in place of the machine's own end, if it was there until now.
    /// - Returns: the machine as it was last seen, nil when there was none.
    func destroyMachine(of attempt: Attempt, _ claim: JobClaim, why: String? = nil) throws -> Machine? {
        guard attempt.goneAt == nil else { return try machine(of: attempt) }
        let machines = machines(of: attempt)
        var found = try machine(of: attempt)
        if found == nil {
            found = try machines.made(for: attempt)
        }
        var detail: String?
        if let running = found, !running.isGone {
            detail = why
            world.moment("machine.destroy.calling")
            try machines.destroy(running.id)
            world.moment("machine.destroy.called")
            found = try machines.find(running.id)
            if let left = found, !left.isGone {
                throw MachinesError(
                    .uncertain, operation: "destroy machine",
                    message: "\(left.id) is still \(left.state.rawValue)")
            }
        }
        // A create whose answer was lost may still make a machine: wait until that has settled.
        if attempt.machineID == nil, found == nil {
            let step = try store.beginStep(
                "\(attempt.task.rawValue)/machine.create/\(attempt.number)", task: attempt.task,
                for: claim, at: now)
            if step.outcome == nil { _ = try settle(step, for: claim) { nil } }
        }
        try store.recordGone(
            attempt.task, attempt.number, detail: detail ?? Self.words(for: found?.exit), for: claim, at: now)
        return found
    }

    private static func words(for exit: Machine.Exit?) -> String {
        guard let exit else { return "The machine was gone." }
        if exit.outOfMemory { return "The machine ran out of memory." }
        if exit.wasRequested { return "The machine was destroyed." }
        let message = exit.message.isEmpty ? "" : " (\(exit.message))"
        return "The machine ended with exit code \(exit.code)\(message)."
    }
}
