import FoundationEssentials
import Porter
package import PorterStore

/// What a pass of the watchdog did.
package struct PassReport: Sendable {
    /// Jobs worked on.
    package var jobs = 0
    /// Jobs given up.
    package var givenUp = 0
    /// Leftover machines destroyed.
    package var destroyed = 0
    /// Rows that had outlived their time.
    package var pruned = 0
}

extension Work {
    /// Seconds that a pass works jobs at most; the timer's next pass goes on.
    package static let passLimit = 45

    /// Seconds in which a pass begins to look at another engine at most; together with ``passLimit`` and a call's own
    /// limit they stay within the two minutes that the unit has.
    static let leftoverLimit = 20

    /// Seconds after a jump of the clock in which nothing is pruned.
    static let clockDoubt = 86_400

    /// The mark of the last pass that came to its end.
    package static let passMark = "watchdog.pass"

    /// Finishes what others left: every part is safe to run twice, and beside a running `porter-fcgi`.
    ///
    /// It may find the same task at the same moment as another process; the claim decides who works on it. Jobs
    /// come first: an engine that hangs keeps nobody from the answer.
    package func pass() throws(StoreError) -> PassReport {
        var report = PassReport()
        try store.releaseDeadHolders()
        store.removeDeadHolders()
        for (task, kind) in try store.strandedTasks() {
            log(.warning, "task had no job", ["task.id": task.rawValue, "job": kind.rawValue])
            try store.enqueue(kind, for: task, at: now)
        }
        for task in try store.runningTasks() { try store.hurry(.supervise, for: task.id, at: now) }
        try ensureRecovery()
        try ensureRefresh()
        completeSetUp()
        let isDone = try workJobs(&report)
        report.destroyed += try destroyLeftovers()
        report.pruned += try prune()
        try store.setMark(Self.passMark, to: isDone ? "done" : "out of time", at: now)
        return report
    }

    /// Works until no job is due, ``passLimit`` at most.
    ///
    /// - Returns: whether none is left.
    private func workJobs(_ report: inout PassReport) throws(StoreError) -> Bool {
        let start = ContinuousClock.now
        var settled: Instant?
        while ContinuousClock.now - start < .seconds(Self.passLimit) {
            switch try turn() {
            case .idle:
                // Whoever made the lost call is dead or cut off: nobody else may be there to go on.
                guard let until = settled, until > now else { return true }
                settled = nil
                world.pause(Int32(clamping: min(until - now, Self.settling)))
            case .worked: report.jobs += 1
            case .settles(let until):
                report.jobs += 1
                settled = max(settled ?? until, until)
            case .gaveUp:
                report.jobs += 1
                report.givenUp += 1
            }
        }
        return false
    }

    /// Destroys machines with our mark that no current attempt of a running task owns.
    ///
    /// Which of people's engines is first is left to chance: one that hangs must not keep the others out for ever.
    private func destroyLeftovers() throws(StoreError) -> Int {
        guard let instance = try store.findMark(Self.instanceMark) else { return 0 }
        let own = world.ownMachines == nil ? [] : try store.listFlyScopes()
        let random = world.entropy.bytes(2).reduce(0) { $0 << 8 | Int($1) }
        let first = own.isEmpty ? 0 : random % own.count
        let start = now
        var destroyed = 0
        for account in [nil] + (own[first...] + own[..<first]).map(Optional.some)
        where now - start < Int64(Self.leftoverLimit) * 1000 {
            destroyed += try destroyLeftovers(of: instance, in: machines(account))
        }
        return destroyed
    }

    private func destroyLeftovers(of instance: Mark, in machines: Machines) throws(StoreError) -> Int {
        var destroyed = 0
        do {
            for machine in try machines.list("porter_instance", instance.value, false)
            where !machine.isGone && machine.state != .destroying {
                let task = try machine.metadata["porter_task"].flatMap(TaskID.init(rawValue:))
                    .flatMap { try store.findTask($0) }
                if let task, task.state == .running,
                    task.id.machineName(attempt: task.attempt) == machine.name
                {
                    continue
                }
                // The cleanup of a task that has just ended lets its worker leave by itself.
                if let finishedAt = task?.finishedAt, now < finishedAt.adding(seconds: Self.leaving) {
                    continue
                }
                try machines.destroy(machine.id)
                log(.warning, "leftover machine destroyed", ["machine.id": machine.id])
                destroyed += 1
            }
        } catch let error as StoreError {
            throw error
        } catch {
            log(.warning, "leftover machines could not be looked for", ["error": "\(error)"])
        }
        return destroyed
    }

    private func prune() throws(StoreError) -> Int {
        // A clock that has just jumped may be wrong, and what goes does not come back.
        guard try !store.hasClockJumped(since: now.adding(seconds: -Self.clockDoubt)) else { return 0 }
        return try store.prune(
            before: now.adding(seconds: -policy.retentionDays * 86_400),
            answersBefore: now.adding(seconds: -2 * Self.claimRepeat), at: now)
    }
}
