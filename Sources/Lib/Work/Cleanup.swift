import Porter
import PorterStore

extension Work {
    /// Revokes the tokens that an ended task was given and destroys what is left of its machines.
    ///
    /// Neither waits for the other: GitHub's outage costs no machine time, the engine's keeps no token good.
    func cleanUp(_ task: PorterTask, _ claim: JobClaim) throws -> JobOutcome {
        guard task.state.isFinal else { return .done }
        let revoking = Result { try revokeTokens(task) }
        let outcome = try destroyMachines(task, claim)
        try revoking.get()
        return outcome
    }

    private func destroyMachines(_ task: PorterTask, _ claim: JobClaim) throws -> JobOutcome {
        for attempt in try store.listAttempts(task.id) where attempt.goneAt == nil {
            // A worker that was just answered leaves by itself within moments.
            if attempt.report != nil, let finishedAt = task.finishedAt,
                now < finishedAt.adding(seconds: Self.leaving),
                let machine = try machine(of: attempt), !machine.isGone
            {
                return .again(now.adding(seconds: 1))
            }
            _ = try destroyMachine(of: attempt, claim)
        }
        return .done
    }

    private func revokeTokens(_ task: PorterTask) throws {
        var failures: [any Error] = []
        for token in try store.liveTokens(task.id) {
            do {
                try revoke(token)
            } catch {
                failures.append(error)
            }
        }
        if let first = failures.first { throw first }
    }

    private func revoke(_ token: GivenToken) throws {
        // Whatever our clock says of its expiry: GitHub's counts.
        let secret = try world.sealer.open(token.sealed, .givenToken(token.id, of: token.task))
        world.moment("token.revoke.calling")
        try world.github.revoke(secret)
        world.moment("token.revoke.called")
        try store.markRevoked(token, at: now)
    }

    /// Seconds that a worker has to leave by itself once its report was acted on.
    static var leaving: Int { 10 }
}
