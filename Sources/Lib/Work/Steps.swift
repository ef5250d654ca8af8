import Porter
import PorterStore

/// An effect whose outcome is not known yet; look again at the moment.
struct Unsettled: Error {
    let until: Instant
}

extension Work {
    /// Milliseconds after a call whose answer was lost before its outcome is looked up: GitHub may still be
    /// finishing.
    static var settling: Int64 { 15_000 }

    /// Makes one outward effect at most once at a time, and knows its outcome for good.
    ///
    /// The intent is recorded under its natural key, then the call, then the outcome. After a lost answer
    /// the outcome is looked up before a second call, no sooner than ``settling`` after the first began.
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
        let step = try store.beginStep(key, task: task, for: claim, at: now)
        if let outcome = step.outcome { return (outcome, false) }
        let name = key.split(separator: "/").dropFirst().joined(separator: ".")
        if let calledAt = step.calledAt {
            let waited = now - calledAt
            // A clock that was set back makes the call lie in the future: then look at once.
            if (0..<Self.settling).contains(waited) {
                throw Unsettled(until: calledAt.adding(milliseconds: Self.settling))
            }
            if let found = try find() {
                try store.finishStep(key, outcome: found, for: claim, at: now)
                return (found, false)
            }
        }
        world.moment("\(name).intended")
        try store.callStep(key, for: claim, at: now)
        world.moment("\(name).calling")
        let outcome: String
        do {
            outcome = try call()
        } catch {
            if Self.didNothing(error) { try store.clearStep(key, for: claim) }
            throw error
        }
        world.moment("\(name).called")
        try store.finishStep(key, outcome: outcome, for: claim, at: now)
        world.moment("\(name).recorded")
        return (outcome, true)
    }

    /// Whether the failure proves that nothing happened out there.
    private static func didNothing(_ error: any Error) -> Bool {
        switch error {
        case let error as GitHubError: error.code != .uncertain
        case let error as MachinesError: error.code != .uncertain
        default: false
        }
    }
}
