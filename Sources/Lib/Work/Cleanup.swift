import Porter
import PorterStore

extension Work {
    /// Destroys what is left of an ended task's machines and revokes the tokens that it was given.
    func cleanUp(_ task: PorterTask, _ claim: JobClaim) throws -> JobOutcome {
        guard task.state.isFinal else { return .done }
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
        for token in try store.liveTokens(task.id) {
            if token.expiresAt > now {
                let secret = try world.sealer.open(token.sealed, Self.place(ofToken: token.id, task.id))
                world.moment("token.revoke.calling")
                try world.github.revoke(secret)
                world.moment("token.revoke.called")
            }
            try store.markRevoked(token, at: now)
        }
        return .done
    }

    /// Seconds that a worker has to leave by itself once its report was acted on.
    static var leaving: Int { 10 }

    static func place(ofToken row: Int64, _ task: TaskID) -> Sealer.Place {
        Sealer.Place(table: "tokens", column: "sealed", row: "\(row)", owner: "task:\(task.rawValue)")
    }
}
