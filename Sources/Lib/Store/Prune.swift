import GRDB
package import Porter

extension Database {
    /// Rows that one pruning removes at most of each kind, so that it never holds the lock for long.
    package static let pruneBatch = 500

    /// Forgets prompts, logs and deliveries from before the moment, and tokens and claim answers that are
    /// of no use any more; task rows stay.
    ///
    /// - Parameter answersBefore: claims from before this moment get no repeated answer.
    /// - Returns: how many rows went.
    package func prune(
        before: Instant, answersBefore: Instant, at now: Instant
    ) throws(StoreError) -> Int {
        try write("prune") { transaction in
            let ended = "SELECT id FROM tasks WHERE finished_at < ?"
            var removed = try transaction.run(
                """
                DELETE FROM prompts WHERE task_id IN (
                    SELECT task_id FROM prompts WHERE task_id IN (\(ended)) LIMIT \(Self.pruneBatch))
                """, [before.milliseconds])
            removed += try transaction.run(
                """
                DELETE FROM logs WHERE (task_id, attempt, offset) IN (
                    SELECT task_id, attempt, offset FROM logs WHERE task_id IN (\(ended))
                    LIMIT \(Self.pruneBatch))
                """, [before.milliseconds])
            removed += try transaction.run(
                """
                DELETE FROM deliveries WHERE guid IN (
                    SELECT guid FROM deliveries WHERE received_at < ? LIMIT \(Self.pruneBatch))
                """, [before.milliseconds])
            removed += try transaction.run(
                "UPDATE attempts SET claim_sealed = NULL WHERE claim_sealed IS NOT NULL AND claimed_at < ?",
                [answersBefore.milliseconds])
            removed += try transaction.run(
                """
                UPDATE tokens SET sealed = NULL, revoked_at = ?
                WHERE revoked_at IS NULL AND expires_at < ?
                """, [now.milliseconds, now.milliseconds])
            return removed
        }
    }
}
