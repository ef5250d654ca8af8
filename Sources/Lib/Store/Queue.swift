import GRDB
package import Porter

/// How many tasks may run at once.
package struct Caps: Hashable, Sendable {
    /// Running tasks of one person at most.
    package var perPerson: Int
    /// Running tasks of the whole instance at most.
    package var total: Int

    /// The caps.
    package init(perPerson: Int, total: Int) {
        self.perPerson = perPerson
        self.total = total
    }
}

/// A launch that was recorded before anything was called.
package struct Launch: Sendable {
    /// Where the machine will be asked for: `local` or `fly`.
    package let engine: String
    /// Whose Fly app the machine is asked for in: `user:<id>` for a person's own; nil for the team's engine.
    package let account: String?
    /// The Fly app that it is asked for in; nil on the box.
    package let app: String?
    /// SHA-256 of the machine's token, by which its claim is recognised.
    package let machineTokenDigest: [UInt8]
    /// The machine's token, sealed until the launch puts it into the machine's environment.
    package let machineTokenSealed: [UInt8]

    /// What a new attempt needs.
    package init(
        engine: String, account: String? = nil, app: String? = nil, machineTokenDigest: [UInt8],
        machineTokenSealed: [UInt8]
    ) {
        self.engine = engine
        self.account = account
        self.app = app
        self.machineTokenDigest = machineTokenDigest
        self.machineTokenSealed = machineTokenSealed
    }
}

/// The queue's order: high before normal before low, raised one class each ten minutes of waiting; then
/// fair between people (who has fewer running and waiting before, then whose last start is longer ago); then
/// arrival.
extension Database {
    /// Milliseconds of waiting that raise a task by one class.
    package static let ageing = 600_000

    private static let order = """
        WITH running AS (
            SELECT author_id, count(*) AS n FROM tasks WHERE state = 'running' GROUP BY author_id
        ), waiting AS (
            SELECT t.id, t.author_id, coalesce(r.n, 0) AS running,
                coalesce(s.served, 0) AS served,
                min(2, CASE t.priority WHEN 'high' THEN 2 WHEN 'normal' THEN 1 ELSE 0 END
                    + (max(0, ?1 - t.admitted_at)) / \(ageing)) AS rank
            FROM tasks t INDEXED BY tasks_queued LEFT JOIN running r ON r.author_id = t.author_id
                LEFT JOIN turns s ON s.author_id = t.author_id
            WHERE t.state = 'queued' AND t.admitted_at IS NOT NULL
        ), ordered AS (
            SELECT id, running, rank, served,
                running + row_number() OVER (PARTITION BY author_id ORDER BY rank DESC, id) AS turn
            FROM waiting
        )

        """

    static let firstInOrder =
        order + "SELECT id FROM ordered WHERE running < ?2 ORDER BY rank DESC, turn, served, id LIMIT 1"

    static let placeInOrder =
        order + """
            SELECT place FROM (
                SELECT id, row_number() OVER (ORDER BY turn > ?3, rank DESC, turn, served, id) AS place
                FROM ordered
            ) WHERE id = ?2
            """

    /// The task that would start next under the caps; nil when none may.
    package func nextInQueue(_ caps: Caps, at now: Instant) throws(StoreError) -> TaskID? {
        try read("look at the queue") { try Self.next(caps, at: now, $0) }
    }

    /// Records the first launch of the task, if it is still the one that may start.
    ///
    /// - Returns: false when it is not: somebody else was first, or a cap is reached.
    package func startNext(
        _ id: TaskID, _ launch: Launch, _ caps: Caps, at now: Instant
    ) throws(StoreError) -> Bool {
        try write("start task") { transaction in
            guard try Self.next(caps, at: now, transaction.db) == id else { return false }
            try transaction.run(
                """
                UPDATE tasks SET state = 'running', attempt = 1, phase = 'starting', phase_at = ?
                WHERE id = ? AND state = 'queued'
                """, [now.milliseconds, id.rawValue])
            try transaction.run(
                """
                INSERT INTO turns (author_id, served)
                SELECT author_id, (SELECT coalesce(max(served), 0) + 1 FROM turns) FROM tasks WHERE id = ?
                ON CONFLICT (author_id) DO UPDATE SET served = excluded.served
                """, [id.rawValue])
            try transaction.insertAttempt(id, number: 1, launch, at: now)
            try transaction.record("started", task: id, at: now)
            try transaction.enqueue(.status, for: id, at: now)
            try transaction.refreshPlaces(at: now)
            return true
        }
    }

    /// The task's place among those that wait, 1 is next; nil when it does not wait.
    ///
    /// Who must first wait for an end of a run of their own comes after everybody else.
    package func place(of id: TaskID, _ caps: Caps, at now: Instant) throws(StoreError) -> Int? {
        try read("find place") { db in
            try Int.fetchOne(
                db,
                sql: Self.placeInOrder, arguments: [now.milliseconds, id.rawValue, caps.perPerson])
        }
    }

    private static func next(_ caps: Caps, at now: Instant, _ db: GRDB.Database) throws -> TaskID? {
        let running =
            try Int.fetchOne(
                db.cachedStatement(sql: "SELECT count(*) FROM tasks WHERE state = 'running'")) ?? 0
        guard running < caps.total else { return nil }
        return try String.fetchOne(
            db.cachedStatement(
                sql: firstInOrder),
            arguments: [now.milliseconds, caps.perPerson]
        ).flatMap(TaskID.init(rawValue:))
    }
}

extension Transaction {
    /// Makes the attempt's row and wishes for its launch.
    func insertAttempt(_ id: TaskID, number: Int, _ launch: Launch, at now: Instant) throws {
        try run(
            """
            INSERT INTO attempts (task_id, number, machine_name, engine, account, app, machine_token_digest,
                machine_token_sealed, created_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                id.rawValue, number, id.machineName(attempt: number), launch.engine, launch.account,
                launch.app,
                launch.machineTokenDigest.asData, launch.machineTokenSealed.asData, now.milliseconds,
            ])
        try enqueue(.launch, for: id, at: now)
        try enqueue(.supervise, for: id, at: now)
    }
}
