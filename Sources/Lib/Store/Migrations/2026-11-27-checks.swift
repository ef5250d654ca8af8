import GRDB
import Porter

extension Migrations {
    /// The same conditions in words that cost nothing: for `x IN (a, b, c)` SQLite makes a table in memory at each
    /// insert, which was half of what a command cost it.
    ///
    /// - SeeAlso: <https://www.sqlite.org/lang_altertable.html#otheralter>, for changes that leave the rows as they are.
    static func simplifyChecks(_ db: GRDB.Database) throws {
        try db.execute(sql: "PRAGMA writable_schema = ON")
        for (table, list, plain) in checks {
            try db.execute(
                sql: """
                    UPDATE sqlite_schema SET sql = replace(sql, ?, ?)
                    WHERE type = 'table' AND name = ? AND instr(sql, ?) > 0
                    """, arguments: [list, plain, table, list])
            guard db.changesCount == 1 else {
                throw StoreError(
                    .corrupt, operation: "migrate", message: "the table \(table) does not say \(list)")
            }
        }
        let version = try Int.fetchOne(db, sql: "PRAGMA schema_version") ?? 0
        try db.execute(sql: "PRAGMA schema_version = \(version + 1)")
        try db.execute(sql: "PRAGMA writable_schema = RESET")
    }

    private static let checks = [
        (
            "tasks",
            """
            state IN
                    ('queued', 'running', 'success', 'failed', 'timed_out', 'cancelled')
            """,
            """
            state = 'queued' OR state = 'running' OR state = 'success' OR state = 'failed'
                    OR state = 'timed_out' OR state = 'cancelled'
            """
        ),
        (
            "tasks", "priority IN ('low', 'normal', 'high')",
            "priority = 'low' OR priority = 'normal' OR priority = 'high'"
        ),
        (
            "tasks",
            """
            phase IN
                    ('starting', 'clone', 'setup', 'agent', 'saving', 'publishing')
            """,
            """
            phase = 'starting' OR phase = 'clone' OR phase = 'setup' OR phase = 'agent'
                    OR phase = 'saving' OR phase = 'publishing'
            """
        ),
        (
            "tasks", "state NOT IN ('failed', 'timed_out', 'cancelled')",
            "(state <> 'failed' AND state <> 'timed_out' AND state <> 'cancelled')"
        ),
        (
            "tasks", "state NOT IN ('running', 'success', 'timed_out')",
            "(state <> 'running' AND state <> 'success' AND state <> 'timed_out')"
        ),
        (
            "commands",
            """
            kind IN
                    ('run', 'help', 'status', 'stop', 'retry', 'continue', 'mistake')
            """,
            """
            kind = 'run' OR kind = 'help' OR kind = 'status' OR kind = 'stop' OR kind = 'retry'
                    OR kind = 'continue' OR kind = 'mistake'
            """
        ),
        (
            "commands", "outcome IN ('answered', 'done', 'refused', 'suppressed', 'given_up')",
            """
            outcome = 'answered' OR outcome = 'done' OR outcome = 'refused' OR outcome = 'suppressed'
                    OR outcome = 'given_up'
            """
        ),
    ]
}
