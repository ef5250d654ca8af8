import Porter
import PorterStore

/// An effect whose outcome is not known yet; look again at the moment.
struct Unsettled: Error {
    let until: Instant
}

extension Work {
    /// Milliseconds from when a call's answer is known to be lost until its outcome is looked up: GitHub may
    /// still be finishing.
    static var settling: Int64 { 15_000 }

    /// Makes one outward effect at most once at a time, and knows its outcome for good.
    ///
    /// The intent is recorded under its natural key, then the call, then the outcome. After a lost answer
    /// the outcome is looked up before a second call, see ``settle(_:for:find:)``.
    ///
    /// - Parameters:
    ///   - find: looks for the effect in the world by its natural key; nil when it is not there.
    ///   - call: makes the effect and says what it left in the world.
    /// - Returns: what the effect left in the world, and whether this call made it or an earlier one.
    /// - Throws: ``Unsettled`` while a lost answer settles; else what `find` or `call` throw.
    func perform(
        _ key: String, task: TaskID?, for claim: JobClaim, find: () throws -> String?,
        call: () throws -> String
    ) throws -> (outcome: String, isNew: Bool) {
        let name = Self.name(ofStep: key)
        let step = try store.beginStep(key, task: task, for: claim, at: now)
        if let outcome = try settle(step, for: claim, find: find) { return (outcome, false) }
        let outcome = try attempt(step, for: claim, call)
        try store.finishStep(key, outcome: outcome, for: claim, at: now)
        world.moment("\(name).recorded")
        return (outcome, true)
    }

    /// Makes an outward effect that may be made again, as an edit, but must not be overtaken by itself.
    ///
    /// A call whose answer was lost may still take effect, and then over a later one: so the later one waits
    /// until it has settled.
    ///
    /// - Parameter keep: keeps what the call answered; until that is done the effect is uncertain.
    /// - Throws: ``Unsettled`` while an earlier call settles; else what `call` and `keep` throw.
    func performInTurn<Result>(
        _ key: String, task: TaskID?, for claim: JobClaim, call: () throws -> Result,
        keep: (Result) throws -> Void
    ) throws {
        let name = Self.name(ofStep: key)
        let step = try store.beginStep(key, task: task, for: claim, at: now)
        _ = try settle(step, for: claim) { nil }
        try keep(try attempt(step, for: claim, isUncertain: step.calledAt != nil, call))
        try store.forgetStep(key, for: claim)
        world.moment("\(name).recorded")
    }

    /// Whether an earlier call of the effect may still take effect.
    func isUncertain(_ key: String) throws(StoreError) -> Bool {
        guard let step = try store.findStep(key) else { return false }
        return step.calledAt != nil && step.outcome == nil
    }

    /// Records the call and makes it.
    ///
    /// A failure that proves that nothing has happened leaves the step as it was before, any other one lost.
    ///
    /// - Parameter isUncertain: whether it is not known what an earlier call came to.
    private func attempt<Result>(
        _ step: Step, for claim: JobClaim, isUncertain: Bool = false, _ call: () throws -> Result
    ) throws -> Result {
        let name = Self.name(ofStep: step.key)
        world.moment("\(name).intended")
        try store.callStep(step.key, for: claim, at: now)
        world.moment("\(name).calling")
        let result: Result
        do {
            result = try call()
        } catch {
            if !Self.didNothing(error) {
                try store.loseStep(step.key, for: claim, at: now)
            } else if isUncertain {
                try store.loseStep(step.key, for: claim, at: step.lostAt ?? now)
            } else {
                try store.clearStep(step.key, for: claim)
            }
            throw error
        }
        world.moment("\(name).called")
        return result
    }

    /// `comment.ending` of `task_…/comment.ending`.
    private static func name(ofStep key: String) -> String {
        key.split(separator: "/").dropFirst().joined(separator: ".")
    }

    /// What an earlier call of the effect came to: known, or looked up once it has settled.
    ///
    /// It settles from when its answer was known to be lost and not from when it was recorded: a process may
    /// be held up between its record and its call. Who finds a call without an answer is the first to know.
    ///
    /// - Returns: what the effect left in the world; nil when it has left nothing, so that it may be called.
    /// - Throws: ``Unsettled`` while a lost answer settles; else what `find` throws.
    func settle(_ step: Step, for claim: JobClaim, find: () throws -> String?) throws -> String? {
        if let outcome = step.outcome { return outcome }
        guard step.calledAt != nil else { return nil }
        let lostAt = step.lostAt ?? now
        if step.lostAt == nil { try store.loseStep(step.key, for: claim, at: lostAt) }
        // A clock that was set back makes the moment lie in the future: then look at once.
        if (0..<Self.settling).contains(now - lostAt) {
            throw Unsettled(until: lostAt.adding(milliseconds: Self.settling))
        }
        guard let found = try find() else { return nil }
        try store.finishStep(step.key, outcome: found, for: claim, at: now)
        return found
    }

    /// Whether the failure proves that nothing happened out there.
    private static func didNothing(_ error: any Error) -> Bool {
        switch error {
        case let error as GitHubError: error.code != .uncertain
        case let error as MachinesError: error.code != .uncertain
        // Without a token nobody was asked.
        case is UserTokenFailure: true
        default: false
        }
    }
}
