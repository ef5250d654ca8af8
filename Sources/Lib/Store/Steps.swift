import GRDB
package import Porter

/// An outward effect under its natural key: what was intended, whether it was called, how it came out.
package struct Step: Hashable, Sendable {
    /// For example `task_…/comment/ending`.
    package let key: String
    /// When the last call began; nil before the first.
    package let calledAt: Instant?
    /// When it was noticed that nobody will hear that call's answer any more; nil while somebody may.
    package let lostAt: Instant?
    /// How often it was called.
    package let calls: Int
    /// What the effect left in the world (a comment's id, a pull request's number), nil until known.
    package let outcome: String?
}

extension Step {
    fileprivate init(key: String, row: Row) {
        self.init(
            key: key, calledAt: (row["called_at"] as Int64?).map(Instant.init(milliseconds:)),
            lostAt: (row["lost_at"] as Int64?).map(Instant.init(milliseconds:)),
            calls: row["calls"], outcome: row["outcome"])
    }
}

extension Database {
    /// Records the intent, or finds what is known of it.
    package func beginStep(
        _ key: String, task: TaskID?, for claim: JobClaim, at now: Instant
    ) throws(StoreError) -> Step {
        try write("begin step", for: claim) { transaction in
            try transaction.run(
                "INSERT INTO steps (key, task_id, began_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                [key, task?.rawValue, now.milliseconds])
            return try Self.step(key, transaction)
        }
    }

    /// What is known of the effect; nil when it was never intended.
    package func findStep(_ key: String) throws(StoreError) -> Step? {
        try read("find step") { db in
            try Row.fetchOne(
                db, sql: "SELECT called_at, lost_at, calls, outcome FROM steps WHERE key = ?",
                arguments: [key]
            ).map { Step(key: key, row: $0) }
        }
    }

    /// Records that the call begins now; from here on its outcome is unknown until it is recorded.
    package func callStep(_ key: String, for claim: JobClaim, at now: Instant) throws(StoreError) {
        try write("call step", for: claim) { transaction in
            try transaction.run(
                "UPDATE steps SET called_at = ?, lost_at = NULL, calls = calls + 1 WHERE key = ?",
                [now.milliseconds, key])
        }
    }

    /// Records that nobody will hear the call's answer: from here on what it did settles.
    package func loseStep(_ key: String, for claim: JobClaim, at now: Instant) throws(StoreError) {
        try write("lose step", for: claim) { transaction in
            try transaction.run("UPDATE steps SET lost_at = ? WHERE key = ?", [now.milliseconds, key])
        }
    }

    /// Records that the call certainly did nothing, so that it may be repeated without a look.
    package func clearStep(_ key: String, for claim: JobClaim) throws(StoreError) {
        try write("clear step", for: claim) { transaction in
            try transaction.run("UPDATE steps SET called_at = NULL WHERE key = ?", [key])
        }
    }

    /// Forgets the effect: it may be made again, or what it left in the world is not there any more.
    package func forgetStep(_ key: String, for claim: JobClaim) throws(StoreError) {
        try write("forget step", for: claim) { transaction in
            try transaction.run("DELETE FROM steps WHERE key = ?", [key])
        }
    }

    /// Records what the effect left in the world.
    package func finishStep(
        _ key: String, outcome: String, for claim: JobClaim, at now: Instant
    ) throws(StoreError) {
        try write("finish step", for: claim) { transaction in
            try transaction.run(
                "UPDATE steps SET outcome = ?, done_at = ? WHERE key = ? AND outcome IS NULL",
                [outcome, now.milliseconds, key])
        }
    }

    private static func step(_ key: String, _ transaction: Transaction) throws -> Step {
        let row = try Row.fetchOne(
            transaction.db.cachedStatement(
                sql: "SELECT called_at, lost_at, calls, outcome FROM steps WHERE key = ?"),
            arguments: [key])
        guard let row else {
            throw StoreError(.corrupt, operation: "read step \(key)", message: "it was just written")
        }
        return Step(key: key, row: row)
    }
}
