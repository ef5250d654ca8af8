import GRDB
package import Porter

/// What a task's comments on GitHub are, as far as they exist.
package struct TaskComments: Hashable, Sendable {
    /// GitHub's id of the status comment; nil until it is posted.
    package let statusID: Int64?
    /// The text that the status comment was last given.
    package let statusBody: String?
    /// When that text was given, so that edits keep their distance.
    package let statusAt: Instant?
    /// GitHub's id of the ending; nil until it is posted.
    package let endingID: Int64?
}

/// One line of a task's history.
package struct TaskEvent: Hashable, Sendable {
    /// When it happened, by our clock.
    package let at: Instant
    /// The attempt that was current; 0 before the first.
    package let attempt: Int
    /// What happened, one word: `accepted`, `admitted`, `claimed`, `ended`.
    package let kind: String
    /// The particulars, for people; never a secret.
    package let detail: String?
}

extension Database {
    /// The task of that id.
    package func findTask(_ id: TaskID) throws(StoreError) -> PorterTask? {
        try read("find task") { db in try PorterTask.fetch(id, db) }
    }

    /// The task that a command's comment made.
    package func findTask(comment: Int64) throws(StoreError) -> PorterTask? {
        try read("find task by comment") { db in
            try PorterTask.fetchOne(
                db,
                sql: """
                    SELECT tasks.* FROM commands JOIN tasks ON tasks.id = commands.task_id
                    WHERE commands.comment_id = ?
                    """, arguments: [comment])
        }
    }

    /// The issue's tasks that were asked for before the command and have not ended, oldest first.
    ///
    /// Those are among them whose admission still waits.
    package func unfinishedTasks(before command: StoredCommand) throws(StoreError) -> [PorterTask] {
        try read("list unfinished tasks") { db in try Self.unfinishedTasks(before: command, db) }
    }

    /// The order of arrival decides, and the order of writing where a command was found late.
    static func unfinishedTasks(
        before command: StoredCommand, _ db: GRDB.Database
    ) throws -> [PorterTask] {
        try PorterTask.fetchAll(
            db,
            sql: """
                SELECT * FROM tasks WHERE repository_id = ? AND issue_number = ? AND finished_at IS NULL
                    AND created_at <= ? AND (written_at IS NULL OR written_at <= ?) ORDER BY id
                """,
            arguments: [
                command.repository.id, command.issueNumber, command.receivedAt.milliseconds,
                command.writtenAt?.milliseconds ?? .max,
            ]
        )
    }

    /// The issue's newest tasks that had been admitted, newest first.
    package func recentTasks(
        repository: Int64, issue: Int, most: Int
    ) throws(StoreError) -> [PorterTask] {
        try read("list recent tasks") { db in
            try PorterTask.fetchAll(
                db,
                sql: """
                    SELECT * FROM tasks WHERE repository_id = ? AND issue_number = ?
                        AND (admitted_at IS NOT NULL OR (finished_at IS NOT NULL
                            AND reason IS NOT 'not_permitted'))
                    ORDER BY id DESC LIMIT ?
                    """, arguments: [repository, issue, most]
            )
        }
    }

    /// Left to itself SQLite walks all tasks to find them in order.
    static let running = "SELECT * FROM tasks INDEXED BY tasks_running WHERE state = 'running' ORDER BY id"

    /// All tasks that run now.
    package func runningTasks() throws(StoreError) -> [PorterTask] {
        try read("list running tasks") { db in try PorterTask.fetchAll(db, sql: Self.running) }
    }

    static let stranded = """
        SELECT id, 'admit' AS kind FROM tasks
            WHERE state = 'queued' AND admitted_at IS NULL AND NOT EXISTS (SELECT 1 FROM jobs
                WHERE subject = tasks.id AND kind = 'admit')
        UNION ALL
        SELECT id, 'supervise' FROM tasks
            WHERE state = 'running' AND NOT EXISTS (SELECT 1 FROM jobs
                WHERE subject = tasks.id AND kind = 'supervise')
        UNION ALL
        SELECT id, 'ending' FROM tasks
            WHERE finished_at IS NOT NULL AND published_at IS NULL
                AND NOT EXISTS (SELECT 1 FROM events
                    WHERE task_id = tasks.id AND kind IN ('suppressed', 'unpublishable'))
                AND NOT EXISTS (SELECT 1 FROM jobs
                    WHERE subject = tasks.id AND kind = 'ending')
        UNION ALL
        SELECT task_id, 'cleanup' FROM attempts JOIN tasks ON tasks.id = attempts.task_id
            WHERE gone_at IS NULL AND finished_at IS NOT NULL
                AND NOT EXISTS (SELECT 1 FROM jobs
                    WHERE subject = tasks.id AND kind = 'cleanup')
        """

    /// The ids of tasks that lack a job although something is still to be done for them.
    ///
    /// For the watchdog: none of these should ever exist, and each is given its job anew.
    package func strandedTasks() throws(StoreError) -> [(TaskID, JobKind)] {
        try read("look for stranded tasks") { db in
            let rows = try Row.fetchAll(db, sql: Self.stranded)
            return rows.compactMap { row in
                guard let id = TaskID(rawValue: row["id"]), let kind = JobKind(rawValue: row["kind"])
                else { return nil }
                return (id, kind)
            }
        }
    }

    /// The task's history, oldest first.
    package func listEvents(_ id: TaskID) throws(StoreError) -> [TaskEvent] {
        try read("list events") { db in
            try Row.fetchAll(
                db, sql: "SELECT at, attempt, kind, detail FROM events WHERE task_id = ? ORDER BY number",
                arguments: [id.rawValue]
            ).map {
                TaskEvent(
                    at: Instant(milliseconds: $0["at"]), attempt: $0["attempt"], kind: $0["kind"],
                    detail: $0["detail"])
            }
        }
    }

    /// What the task's comments on GitHub are.
    package func findComments(_ id: TaskID) throws(StoreError) -> TaskComments? {
        try read("find comments") { db in
            try Row.fetchOne(
                db,
                sql: """
                    SELECT status_comment_id, status_comment_body, status_comment_at, ending_comment_id
                    FROM tasks WHERE id = ?
                    """, arguments: [id.rawValue]
            ).map {
                TaskComments(
                    statusID: $0["status_comment_id"], statusBody: $0["status_comment_body"],
                    statusAt: ($0["status_comment_at"] as Int64?).map(Instant.init(milliseconds:)),
                    endingID: $0["ending_comment_id"])
            }
        }
    }

    static let tasksByState = """
        SELECT 'queued' AS state, count(*) AS n FROM tasks WHERE state = 'queued'
        UNION ALL SELECT 'running', count(*) FROM tasks WHERE state = 'running'
        UNION ALL SELECT state, count(*) FROM tasks WHERE state <> 'queued' AND state <> 'running' GROUP BY state
        """

    /// How many tasks there are in each state; for `/metrics`.
    package func countTasks() throws(StoreError) -> [TaskState: Int] {
        try read("count tasks") { db in
            try Row.fetchAll(db, sql: Self.tasksByState).reduce(into: [:]) { counts, row in
                if let state = TaskState(rawValue: row["state"]) { counts[state] = row["n"] }
            }
        }
    }

    /// Adds a line to the task's history.
    package func recordEvent(
        _ kind: String, task: TaskID, detail: String? = nil, at now: Instant
    ) throws(StoreError) {
        try write("record event") { try $0.record(kind, task: task, detail: detail, at: now) }
    }

    /// Adds a line to the task's history unless the same is there: what strangers repeat fills no disk.
    package func recordOnce(
        _ kind: String, task: TaskID, detail: String, at now: Instant
    ) throws(StoreError) {
        try write("record event") { try $0.recordOnce(kind, task: task, detail: detail, at: now) }
    }
}

extension Transaction {
    /// Adds a line to the task's history, under its current attempt.
    func record(_ kind: String, task: TaskID, detail: String? = nil, at now: Instant) throws {
        try run(
            """
            INSERT INTO events (task_id, number, at, attempt, kind, detail)
            SELECT id, (SELECT coalesce(max(number), 0) + 1 FROM events WHERE task_id = tasks.id), ?, attempt, ?, ?
            FROM tasks WHERE id = ?
            """, [now.milliseconds, kind, detail, task.rawValue])
    }

    /// The same, unless a line of that kind and detail is there.
    func recordOnce(_ kind: String, task: TaskID, detail: String, at now: Instant) throws {
        let isThere = try Bool.fetchOne(
            db.cachedStatement(
                sql: "SELECT EXISTS (SELECT 1 FROM events WHERE task_id = ? AND kind = ? AND detail = ?)"),
            arguments: [task.rawValue, kind, detail])
        if isThere != true { try record(kind, task: task, detail: detail, at: now) }
    }

    /// The task as this transaction sees it.
    func task(_ id: TaskID) throws -> PorterTask? {
        try PorterTask.fetch(id, db)
    }
}

extension PorterTask: FetchableRecord {
    /// The row of that id.
    static func fetch(_ id: TaskID, _ db: GRDB.Database) throws -> PorterTask? {
        try PorterTask.fetchOne(
            db.cachedStatement(sql: "SELECT * FROM tasks WHERE id = ?"), arguments: [id.rawValue]
        )
    }

    /// Reads a whole row of `tasks`.
    init(row: Row) throws {
        guard let id = TaskID(rawValue: row["id"]), let state = TaskState(rawValue: row["state"]),
            let priority = Priority(rawValue: row["priority"])
        else {
            throw StoreError(.corrupt, operation: "read a task", message: "a row that no task can be")
        }
        func moment(_ column: String) -> Instant? {
            (row[column] as Int64?).map(Instant.init(milliseconds:))
        }
        self.init(
            id: id, state: state,
            reason: (row["reason"] as String?).map { Reason(rawValue: $0) ?? .internal },
            detail: row["detail"],
            repository: RepositoryRef(
                installationID: row["installation_id"], id: row["repository_id"],
                owner: row["owner_login"], name: row["repository_name"]),
            issueNumber: row["issue_number"], issueTitle: row["issue_title"],
            issueBody: row["issue_body"], commentID: row["comment_id"], commentURL: row["comment_url"],
            author: Person(id: row["author_id"], login: row["author_login"]), agent: row["agent"],
            model: row["model"], priority: priority, instructions: row["instructions"],
            isDraft: row["is_draft"], context: row["context"], timeout: row["timeout"],
            branch: row["branch"], baseBranch: row["base_branch"], headSHA: row["head_sha"],
            pullRequestNumber: row["pr_number"], pullRequestURL: row["pr_url"],
            statusCommentURL: row["status_comment_url"], endingCommentURL: row["ending_comment_url"],
            executor: row["executor"], attempt: row["attempt"],
            phase: (row["phase"] as String?).flatMap(Phase.init(rawValue:)),
            phaseMessage: row["phase_message"], phaseAt: moment("phase_at"),
            usage: Self.usage(row), summary: row["summary"],
            stopRequestedAt: moment("stop_requested_at"),
            stopReason: (row["stop_reason"] as String?).flatMap(Reason.init(rawValue:)),
            createdAt: Instant(milliseconds: row["created_at"]), admittedAt: moment("admitted_at"),
            startedAt: moment("started_at"), finishedAt: moment("finished_at"),
            publishedAt: moment("published_at"))
    }

    private static func usage(_ row: Row) -> Usage? {
        let usage = Usage(
            inputTokens: row["input_tokens"], outputTokens: row["output_tokens"],
            costUSD: row["cost_usd"])
        return usage == Usage() ? nil : usage
    }
}
