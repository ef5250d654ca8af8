import GRDB
package import Porter

/// A line of the record of changes: who changed what, when, from where; never a value.
package struct AuditEntry: Hashable, Sendable {
    /// When it happened, by our clock.
    package let at: Instant
    /// GitHub's id of the person who did it; nil when GitHub, the operator or Porter itself did.
    package let actorID: Int64?
    /// That person's login at the time; `GitHub`, `operator` or `Porter` otherwise.
    package let actorLogin: String
    /// What was done, a noun and a verb: `session.begun`, `task.stopped`, `key.saved`.
    package let action: String
    /// What it was done to: a task's id, a session's id, a setting's name, `owner/name`.
    package let subject: String
    /// The particulars, for people; never a secret or a setting's value.
    package let detail: String?
    /// The network address that the request came from; nil when there was none.
    package let address: String?

    /// An entry.
    package init(
        at: Instant, actorID: Int64?, actorLogin: String, action: String, subject: String,
        detail: String? = nil, address: String? = nil
    ) {
        self.at = at
        self.actorID = actorID
        self.actorLogin = actorLogin
        self.action = action
        self.subject = subject
        self.detail = detail
        self.address = address
    }
}

/// Which entries a page of the record shows; nil means any.
package struct AuditFilter: Hashable, Sendable {
    /// A person's login at the time, or their id.
    package var actor: String?
    /// An action, or the noun before its dot: `session.ended`, `session`.
    package var action: String?
    /// The earliest moment that is shown.
    package var from: Instant?
    /// The latest moment that is shown.
    package var to: Instant?
    /// The last entry of the page before; the list goes on below it.
    package var before: Int64?
    /// Entries on the page at most.
    package var limit: Int

    /// A filter that lets the newest entries through.
    package init(limit: Int) {
        self.limit = limit
    }
}

/// The record of changes: append-only.
extension Database {
    /// Adds a line on its own; a change that is written in a transaction adds its line in the same one.
    package func recordAudit(_ entry: AuditEntry) throws(StoreError) {
        try write("record a change") { try $0.audit(entry) }
    }

    /// The page of entries that the filter lets through, newest first, each with its number.
    package func listAudit(_ filter: AuditFilter) throws(StoreError) -> [(id: Int64, entry: AuditEntry)] {
        var clauses = ["1"]
        var arguments: StatementArguments = []
        func require(_ clause: String, _ values: StatementArguments) {
            clauses.append(clause)
            arguments += values
        }
        if let actor = filter.actor {
            require("(lower(actor_login) = lower(?) OR actor_id = ?)", [actor, Int64(actor)])
        }
        if let action = filter.action {
            require("(action = ? OR substr(action, 1, length(?) + 1) = ? || '.')", [action, action, action])
        }
        if let from = filter.from { require("at >= ?", [from.milliseconds]) }
        if let to = filter.to { require("at <= ?", [to.milliseconds]) }
        if let before = filter.before { require("id < ?", [before]) }
        arguments += [filter.limit]
        let sql =
            "SELECT * FROM audit WHERE \(clauses.joined(separator: " AND ")) ORDER BY id DESC LIMIT ?"
        return try read("list changes") { db in
            try Row.fetchAll(db, sql: sql, arguments: arguments).map { row in
                (
                    row["id"],
                    AuditEntry(
                        at: Instant(milliseconds: row["at"]), actorID: row["actor_id"],
                        actorLogin: row["actor_login"], action: row["action"], subject: row["subject"],
                        detail: row["detail"], address: row["address"])
                )
            }
        }
    }
}

extension Transaction {
    /// Adds a line to the record of changes.
    func audit(_ entry: AuditEntry) throws {
        try run(
            """
            INSERT INTO audit (at, actor_id, actor_login, action, subject, detail, address)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            """,
            [
                entry.at.milliseconds, entry.actorID, entry.actorLogin, entry.action, entry.subject,
                entry.detail, entry.address,
            ])
    }
}
