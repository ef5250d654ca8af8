import Foundation
import GRDB
import Porter
import PorterTestSupport
import Testing

@testable import PorterStore

/// What is asked often is found in an index, however much there is; and the indexes are no more than that takes.
@Suite struct IndexTests {
    private static let asked: [(what: String, sql: String)] =
        [
            ("earlier refusals", PorterStore.Database.earlierRefusals),
            ("repeats to hurry", Transaction.repeatsHurried),
            ("tasks by state", PorterStore.Database.tasksByState),
            ("tasks that run", PorterStore.Database.running),
            ("tasks that lack a job", PorterStore.Database.stranded),
            ("tasks whose place changed", Transaction.waiting),
            ("who is next", PorterStore.Database.firstInOrder),
            ("a task's place", PorterStore.Database.placeInOrder),
            ("a person's latest login", Transaction.latestLogin),
        ] + Transaction.renames.map { ("a person's tasks", $0) }

    @Test(arguments: asked.indices)
    func `what is asked at each command, pass, sign-in and scrape is found in short indexes`(number: Int)
        throws
    {
        let (what, sql) = Self.asked[number]
        let store = try Store()
        let plan = try store.database.write("explain") { transaction in
            let statement = try transaction.db.makeStatement(sql: "EXPLAIN QUERY PLAN " + sql)
            // The plan is the same for all values.
            statement.setUncheckedArguments(StatementArguments())
            return try Row.fetchAll(statement).map { $0["detail"] as String }
        }
        #expect(plan.contains { $0.contains(" USING ") }, "\(what): \(plan)")
        // These hold what waits, runs or lives, and what is counted; all others grow with the history.
        let short = [
            "tasks_queued", "tasks_running", "tasks_unpublished", "attempts_alive", "tasks_ended",
            "(subquery", "ordered",
        ]
        let scans = plan.filter { step in
            step.hasPrefix("SCAN ") && !short.contains { step.contains(" \($0)") }
        }
        #expect(scans == [], "\(what): \(plan)")
    }

    @Test func `a command on its way in is written into eleven trees`() throws {
        let store = try Store()
        let before = try Self.rows(store)
        try store.accept(1)
        let grown = try Self.rows(store).filter { $0.value != before[$0.key] }.keys.sorted()
        #expect(
            grown == [
                "commands", "deliveries", "events", "jobs", "jobs_due", "sqlite_autoindex_jobs_1",
                "sqlite_autoindex_tasks_1", "sqlite_sequence", "tasks", "tasks_issue", "tasks_queued",
            ])
    }

    /// Entries of each table and index.
    private static func rows(_ store: Store) throws -> [String: Int] {
        try store.database.read("count") { db in
            try Row.fetchAll(
                db, sql: "SELECT name, sum(ncell) AS cells FROM dbstat WHERE pagetype = 'leaf' GROUP BY name"
            ).reduce(into: [:]) { $0[$1["name"]] = $1["cells"] }
        }
    }

    @Test func `a task's history keeps its order when an older database is brought up to date`() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("porter.sqlite")
        do {
            let older = try DatabaseQueue(path: path)
            try Migrations.migrator.migrate(older, upTo: "2026-11-27 unreadable")
            try older.write { db in
                for number in 1...2 {
                    try db.execute(
                        sql: """
                            INSERT INTO tasks (id, state, repository_id, installation_id, owner_login,
                                repository_name, issue_number, issue_title, issue_body, comment_id, comment_url,
                                author_id, author_login, priority, instructions, is_draft, context, timeout,
                                branch, executor, created_at)
                            VALUES (?, 'queued', 42, 77, 'acme', 'shop', 7, 't', 'b', ?, 'u', 1, 'p', 'normal',
                                'i', 0, 'writers', 600, 'b', 'local', 0)
                            """, arguments: [Store.id(number).rawValue, number])
                }
                // The clock went back meanwhile: the order of writing counts.
                for (number, kind) in [
                    (1, "accepted"), (2, "accepted"), (1, "late"), (1, "early"), (2, "ended"),
                ] {
                    try db.execute(
                        sql: "INSERT INTO events (task_id, at, attempt, kind) VALUES (?, ?, 0, ?)",
                        arguments: [Store.id(number).rawValue, kind == "early" ? 1 : 2, kind])
                }
            }
            try older.close()
        }

        let database = try PorterStore.Database(path: path)

        try database.recordEvent("new", task: Store.id(1), at: Instant(milliseconds: 3))
        #expect(try database.listEvents(Store.id(1)).map(\.kind) == ["accepted", "late", "early", "new"])
        #expect(try database.listEvents(Store.id(2)).map(\.kind) == ["accepted", "ended"])
        #expect(try database.countTasks()[.queued] == 2)
    }
}
