import GRDB
package import Porter

/// What outlives its use goes: `PORTER_RETENTION_DAYS` after a task's end, or after it arrived.
///
/// Each rule is a transaction of its own and looks at so many rows a pass at most, found by the order of a key,
/// so that a pass costs the same beside a thousand old tasks and beside a million, and no index is needed for
/// it on the way in. What stays: tasks with their history, attempts, the commands that made tasks, settings,
/// and marks, whose names are a fixed set.
extension Database {
    /// Rows that a rule removes a pass at most, where age has an order.
    package static let pruneBatch = 500
    /// Bytes of logs that a pass removes at most, though at least one piece.
    static let pruneBytes = 16_777_216
    /// Rows that a rule looks at, and may remove, a pass at most where age has no order.
    package static let pruneLook = 2000

    /// Forgets what is older than the moment, and tokens and claim answers that are of no use any more.
    ///
    /// - Parameter answersBefore: claims from before this moment get no repeated answer.
    /// - Returns: how many rows went.
    package func prune(
        before: Instant, answersBefore: Instant, at now: Instant
    ) throws(StoreError) -> Int {
        var removed = 0
        for rule in Self.rules(before: before, answersBefore: answersBefore, at: now) {
            removed += try write("prune \(rule.name)") { try rule.apply($0) }
        }
        return removed
    }

    private struct Rule {
        let name: String
        let apply: (Transaction) throws -> Int

        init(_ name: String, _ apply: @escaping (Transaction) throws -> Int) {
            self.name = name
            self.apply = apply
        }
    }

    private static func rules(before: Instant, answersBefore: Instant, at now: Instant) -> [Rule] {
        let age = before.milliseconds
        // Ids of tasks have the order of their making: none that ended before was made after.
        let bound = TaskID(at: before, random: [UInt8](repeating: 0, count: 10)).rawValue
        func ended(_ table: String) -> String {
            "(SELECT finished_at FROM tasks WHERE id = \(table).task_id) < \(age)"
        }
        return [
            Rule("prompts") { transaction in
                try transaction.run(
                    """
                    DELETE FROM prompts WHERE task_id IN (
                        SELECT task_id FROM prompts WHERE task_id < ? AND \(ended("prompts"))
                        ORDER BY task_id LIMIT \(pruneBatch))
                    """, [bound])
            },
            Rule("sessions") { transaction in
                try transaction.run(
                    """
                    DELETE FROM sessions WHERE id IN (
                        SELECT id FROM sessions WHERE used_at < ? ORDER BY used_at LIMIT \(pruneBatch))
                    """, [now.adding(seconds: -Session.idle).milliseconds])
            },
            Rule("issues") { transaction in
                try transaction.once(
                    """
                    DELETE FROM issues WHERE (repository_id, number) IN (
                            SELECT repository_id, number FROM issues WHERE updated_at < \(age)
                            ORDER BY updated_at LIMIT \(pruneBatch))
                        AND NOT EXISTS (SELECT 1 FROM tasks WHERE repository_id = issues.repository_id
                            AND issue_number = issues.number AND finished_at IS NULL)
                    """)
            },
            Rule("logs") { transaction in
                try transaction.run(
                    """
                    DELETE FROM logs WHERE (task_id, attempt, offset) IN (
                        SELECT task_id, attempt, offset FROM (
                            SELECT task_id, attempt, offset, length(text) AS size,
                                sum(length(text)) OVER (ORDER BY task_id, attempt, offset) AS sum
                            FROM (SELECT * FROM logs WHERE task_id < ? AND \(ended("logs"))
                                ORDER BY task_id, attempt, offset LIMIT \(pruneBatch)))
                        WHERE sum - size < \(pruneBytes))
                    """, [bound])
            },
            Rule("issue texts") { transaction in
                try transaction.walk("tasks", by: "id", below: bound, at: now) { range in
                    try transaction.once(
                        """
                        UPDATE tasks SET issue_body = ''
                        WHERE \(range) AND finished_at < \(age) AND issue_body <> ''
                        """)
                }
            },
            Rule("deliveries") { transaction in
                try transaction.walk("deliveries", by: "guid", at: now) { range in
                    try transaction.once("DELETE FROM deliveries WHERE \(range) AND received_at < \(age)")
                }
            },
            Rule("commands") { transaction in
                try transaction.walk("commands", by: "comment_id", at: now) { range in
                    try transaction.once(
                        """
                        DELETE FROM commands WHERE \(range) AND received_at < \(age)
                            AND task_id IS NULL AND answered_at IS NOT NULL
                        """)
                }
            },
            Rule("steps") { transaction in
                try transaction.walk("steps", by: "key", at: now) { range in
                    try transaction.once(
                        """
                        DELETE FROM steps WHERE \(range) AND began_at < \(age) AND CASE WHEN task_id IS NULL
                            THEN done_at IS NOT NULL
                            ELSE (SELECT published_at FROM tasks WHERE id = steps.task_id) < \(age) END
                        """)
                }
            },
            Rule("missed deliveries") { transaction in
                try transaction.once(
                    """
                    DELETE FROM missed_deliveries WHERE delivered_at < \(age)
                        AND id IN (SELECT id FROM missed_deliveries ORDER BY id LIMIT \(pruneBatch))
                    """)
            },
            Rule("revoked tokens") { transaction in
                try transaction.once(
                    """
                    DELETE FROM tokens WHERE revoked_at < \(age)
                        AND id IN (SELECT id FROM tokens ORDER BY id LIMIT \(pruneBatch))
                    """)
            },
            Rule("expired tokens") { transaction in
                try transaction.run(
                    """
                    UPDATE tokens SET sealed = NULL, revoked_at = ?
                    WHERE id IN (SELECT id FROM tokens WHERE revoked_at IS NULL AND expires_at < ?
                        LIMIT \(pruneBatch))
                    """, [now.milliseconds, now.milliseconds])
            },
            Rule("claim answers") { transaction in
                try transaction.run(
                    """
                    UPDATE attempts SET claim_sealed = NULL WHERE (task_id, number) IN (
                        SELECT task_id, number FROM attempts
                        WHERE claim_sealed IS NOT NULL AND claimed_at < ? LIMIT \(pruneBatch))
                    """, [answersBefore.milliseconds])
            },
        ]
    }
}

extension Transaction {
    /// Runs a statement that is not worth keeping; says how many rows it changed.
    fileprivate func once(_ sql: String) throws -> Int {
        try db.execute(sql: sql)
        return db.changesCount
    }

    /// Lets the body look at the next rows of a table in the order of its key, and begins anew at its end.
    ///
    /// How far it came is a mark, so that each pass goes on where the last one stopped.
    ///
    /// - Parameter below: where the table's end is for this walk; nil takes all of it.
    fileprivate func walk(
        _ table: String, by key: String, below bound: String? = nil, at now: Instant,
        _ body: (_ range: String) throws -> Int
    ) throws -> Int {
        let mark = "prune.\(table)"
        let from = try String.fetchOne(db, sql: "SELECT value FROM marks WHERE name = ?", arguments: [mark])
        // Quoted by SQLite, and of the key's own type.
        let start = from.flatMap { $0.isEmpty ? nil : "\(key) > \($0)" } ?? "TRUE"
        let end = bound.map { "\(key) < '\($0)'" } ?? "TRUE"
        let last = try String.fetchOne(
            db,
            sql: """
                SELECT quote(max(\(key))) FROM (
                    SELECT \(key) FROM \(table) WHERE \(start) AND \(end)
                    ORDER BY \(key) LIMIT \(Database.pruneLook))
                """)
        guard let last, last != "NULL" else {
            if from != nil { try run("DELETE FROM marks WHERE name = ?", [mark]) }
            return 0
        }
        try setMark(mark, to: last, at: now)
        return try body("\(start) AND \(key) <= \(last)")
    }
}
