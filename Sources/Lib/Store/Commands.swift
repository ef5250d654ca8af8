import GRDB
package import Porter

/// A command that made no task, as it waits for its answer.
package struct StoredCommand: Hashable, Sendable {
    /// The one number of the command's name.
    package let commentID: Int64
    /// `help`, `status`, `stop`, `retry` or `mistake`.
    package let kind: String
    /// Where it was written, under the name of that moment.
    package let repository: RepositoryRef
    /// The issue's number in the repository.
    package let issueNumber: Int
    /// Who wrote it.
    package let author: Person
    /// The task that `stop` or `retry` names; nil means the issue's own.
    package let target: TaskID?
    /// What is wrong with a mistake; nil for the others.
    package let reason: Reason?
    /// The words about a mistake, Markdown; nil for the others.
    package let message: String?
    /// When the delivery was stored.
    package let receivedAt: Instant
    /// When it was written, by GitHub's clock; nil when that is not known.
    package let writtenAt: Instant?
    /// When the author was found to be allowed; nil before, and if not.
    package let permittedAt: Instant?
    /// What became of it, see ``Database/closeCommand(comment:_:for:at:)``; nil while it waits.
    package let outcome: String?

    /// Where it came from, in words for the record of changes: comments have no network address.
    var origin: String { "by a command on \(repository.fullName)#\(issueNumber)" }

    /// The command's name.
    package var id: CommandID { CommandID(rawValue: commentID) }
}

extension Transaction {
    /// Ends a command that waits.
    func close(_ comment: Int64, _ outcome: String, at now: Instant) throws {
        try run(
            """
            UPDATE commands SET answered_at = ?, outcome = ?
            WHERE comment_id = ? AND answered_at IS NULL
            """, [now.milliseconds, outcome, comment])
        // As a rule it repeats what was refused before, and nobody waits for it.
        if outcome != "suppressed" { try hurryRepeats(of: comment, at: now) }
    }

    /// Milliseconds that a command waits for an earlier refusal at most: a day in which it counts, and the week in
    /// which it is tried to be said.
    private static let longestWait: Int64 = 8 * 86_400_000

    static let repeatsHurried = """
        UPDATE jobs SET run_at = min(run_at, ?1), wanted = wanted + 1
        WHERE (holder IS NOT NULL OR run_at > ?1) AND kind IN ('admit', 'answer') AND subject IN (
            SELECT 'comment:' || other.comment_id
            FROM commands this JOIN commands other USING (repository_id, issue_number, author_id)
            WHERE this.comment_id = ?2 AND this.permitted_at IS NULL
                AND other.comment_id <> this.comment_id AND other.received_at >= ?3
                AND other.task_id IS NULL AND other.permitted_at IS NULL AND other.outcome IS NULL
            UNION ALL
            SELECT tasks.id
            FROM commands this JOIN tasks USING (repository_id, issue_number, author_id)
                JOIN commands other ON other.comment_id = tasks.comment_id
            WHERE this.comment_id = ?2 AND this.permitted_at IS NULL
                AND tasks.state = 'queued' AND tasks.admitted_at IS NULL
                AND other.comment_id <> this.comment_id AND other.received_at >= ?3
                AND other.permitted_at IS NULL)
        """

    /// Lets the other commands of the same person on the same issue look again, which may wait for this one:
    /// for whether it is refused, or for its refusal to be said.
    func hurryRepeats(of comment: Int64, at now: Instant) throws {
        let hurried = try run(
            Self.repeatsHurried, [now.milliseconds, comment, now.milliseconds - Self.longestWait])
        if hurried > 0 { hasNewWork = true }
    }
}

extension Database {
    /// The command of that comment.
    package func findCommand(comment: Int64) throws(StoreError) -> StoredCommand? {
        try read("find command") { db in
            try Row.fetchOne(
                db, sql: "SELECT * FROM commands WHERE comment_id = ?", arguments: [comment]
            ).map { row in
                StoredCommand(
                    commentID: row["comment_id"], kind: row["kind"],
                    repository: RepositoryRef(
                        installationID: row["installation_id"], id: row["repository_id"],
                        owner: row["owner_login"], name: row["repository_name"]),
                    issueNumber: row["issue_number"],
                    author: Person(id: row["author_id"], login: row["author_login"]),
                    target: (row["target"] as String?).flatMap(TaskID.init(rawValue:)),
                    reason: (row["reason"] as String?).flatMap(Reason.init(rawValue:)),
                    message: row["message"], receivedAt: Instant(milliseconds: row["received_at"]),
                    writtenAt: (row["written_at"] as Int64?).map(Instant.init(milliseconds:)),
                    permittedAt: (row["permitted_at"] as Int64?).map(Instant.init(milliseconds:)),
                    outcome: row["outcome"])
            }
        }
    }

    /// Whether a command of that name is stored.
    package func knows(_ command: CommandID) throws(StoreError) -> Bool {
        try read("look for a command") { db in
            try Bool.fetchOne(
                db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM commands WHERE comment_id = ?)"),
                arguments: [command.rawValue]) ?? false
        }
    }

    /// Records that the author may command.
    package func permitCommand(
        comment: Int64, for claim: JobClaim, at now: Instant
    ) throws(StoreError) {
        try write("permit command", for: claim) { transaction in
            try transaction.run(
                "UPDATE commands SET permitted_at = coalesce(permitted_at, ?) WHERE comment_id = ?",
                [now.milliseconds, comment])
        }
    }

    /// Records that the task was asked for by a `retry` whose author may, once; any other task is let through.
    package func recordRetry(
        _ task: PorterTask, for claim: JobClaim, at now: Instant
    ) throws(StoreError) {
        guard let command = try findCommand(comment: task.commentID), command.kind == "retry",
            command.permittedAt == nil
        else { return }
        try write("record a retry", for: claim) { transaction in
            let changed = try transaction.run(
                "UPDATE commands SET permitted_at = ? WHERE comment_id = ? AND permitted_at IS NULL",
                [now.milliseconds, command.commentID])
            guard changed == 1 else { return }
            try transaction.audit(
                AuditEntry(
                    at: now, actorID: command.author.id, actorLogin: command.author.login,
                    action: "task.retried", subject: command.target?.rawValue ?? task.id.rawValue,
                    detail: "as \(task.id.rawValue), \(command.origin)"))
        }
    }

    /// Ends a command: `answered`, `done`, `refused`, `suppressed`, `given_up`.
    package func closeCommand(
        comment: Int64, _ outcome: String, for claim: JobClaim, at now: Instant
    ) throws(StoreError) {
        try write("close command", for: claim) { try $0.close(comment, outcome, at: now) }
    }

    static let earlierRefusals = """
        SELECT published_at, is_decided FROM (
            SELECT published_at, finished_at AS at, 1 AS is_decided FROM tasks
            WHERE repository_id = ?1 AND issue_number = ?2 AND author_id = ?3
                AND reason = 'not_permitted' AND finished_at >= ?4 AND comment_id <> ?5
                AND NOT EXISTS (SELECT 1 FROM events
                    WHERE task_id = tasks.id AND kind IN ('suppressed', 'unpublishable'))
            UNION ALL
            SELECT answered_at, answered_at, 1 FROM commands
            WHERE repository_id = ?1 AND issue_number = ?2 AND author_id = ?3
                AND task_id IS NULL AND outcome = 'refused' AND answered_at >= ?4
                AND comment_id <> ?5
            UNION ALL
            SELECT NULL, earlier.received_at, 0
            FROM commands this JOIN commands earlier
                ON (earlier.received_at, earlier.comment_id)
                    < (this.received_at, this.comment_id)
            WHERE this.comment_id = ?5 AND earlier.repository_id = ?1
                AND earlier.issue_number = ?2 AND earlier.author_id = ?3
                AND earlier.received_at >= ?4 AND earlier.permitted_at IS NULL
                AND earlier.task_id IS NULL AND earlier.outcome IS NULL
            UNION ALL
            SELECT NULL, earlier.received_at, 0
            FROM commands this JOIN tasks JOIN commands earlier
                ON earlier.comment_id = tasks.comment_id
                    AND (earlier.received_at, earlier.comment_id)
                        < (this.received_at, this.comment_id)
            WHERE this.comment_id = ?5 AND tasks.repository_id = ?1
                AND tasks.issue_number = ?2 AND tasks.author_id = ?3
                AND tasks.state = 'queued' AND tasks.admitted_at IS NULL
                AND earlier.received_at >= ?4 AND earlier.permitted_at IS NULL
        ) ORDER BY is_decided DESC, at LIMIT 1
        """

    /// An earlier refusal of the same person on the same issue since the moment.
    ///
    /// A command that arrived before this one and is not decided yet may become one.
    ///
    /// - Returns: nil when there is none; else whether (and when) the issue shows it already.
    package func earlierRefusal(
        repository: Int64, issue: Int, person: Int64, since: Instant, otherThan comment: Int64
    ) throws(StoreError) -> Refusal? {
        try read("look for an earlier refusal") { db in
            try Row.fetchOne(
                db,
                sql: Self.earlierRefusals,
                arguments: [repository, issue, person, since.milliseconds, comment]
            ).map {
                Refusal(
                    publishedAt: ($0["published_at"] as Int64?).map(Instant.init(milliseconds:)),
                    isDecided: $0["is_decided"])
            }
        }
    }

    /// A refusal that was said on the issue, or is about to be.
    package struct Refusal: Hashable, Sendable {
        /// When the issue showed it; nil while it is about to be said.
        package let publishedAt: Instant?
        /// Whether it was refused for certain; an earlier command may yet turn out otherwise.
        package let isDecided: Bool
    }
}
