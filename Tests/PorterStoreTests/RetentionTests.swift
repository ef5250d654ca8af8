import Foundation
import GRDB
import Porter
import Testing

@testable import PorterStore

@Suite struct RetentionTests {
    private let store: Store
    /// A day after everything that the tests make.
    private let late: Instant
    private let young: Instant

    init() throws {
        store = try Store()
        late = store.start.adding(seconds: 86_400)
        young = store.start.adding(seconds: -10)
    }

    private func prune(before moment: Instant) throws -> Int {
        try store.database.prune(before: moment, answersBefore: moment, at: late)
    }

    /// Passes until nothing is left to do; each must be bounded.
    private func pruneAll(before moment: Instant) throws {
        // A walk that stands at its end begins anew with the next pass.
        for _ in 0..<6 { _ = try prune(before: moment) }
    }

    /// A task that has ended and is published, with a prompt, a log, steps, a token and a delivery.
    private func end(_ number: Int) throws {
        let id = Store.id(number)
        try store.accept(number)
        try store.admit(number)
        try store.run(
            """
            INSERT INTO logs VALUES ('\(id.rawValue)', 1, 0, x'6161'), ('\(id.rawValue)', 1, 2, x'62');
            INSERT INTO steps VALUES ('\(id.rawValue)/comment/ending', '\(id.rawValue)', 1, 1, 1, '5', 2, NULL);
            INSERT INTO tokens (task_id, attempt, purpose, sealed, expires_at, revoked_at)
                VALUES ('\(id.rawValue)', 1, 'clone', NULL, 1, \(store.start.milliseconds));
            """)
        _ = try store.database.requestStop(id, reason: .cancelledByUser, detail: nil, at: store.start)
        try store.run(
            "UPDATE tasks SET published_at = finished_at WHERE id = '\(id.rawValue)'; DELETE FROM jobs")
    }

    private func counts() throws -> [String: Int] {
        var found: [String: Int] = [:]
        for table in ["prompts", "logs", "steps", "tokens", "deliveries", "commands", "tasks", "events"] {
            found[table] = try store.value("SELECT count(*) FROM \(table)")
        }
        return found
    }

    @Test func `what is young stays`() throws {
        try end(1)
        let before = try counts()

        try pruneAll(before: young)

        #expect(try counts() == before)
        #expect(try store.value("SELECT count(*) FROM tasks WHERE issue_body = 'Body'") == 1)
    }

    @Test func `prompts, logs, payloads, steps and tokens go; the task and its history stay`() throws {
        try end(1)
        let before = try counts()

        try pruneAll(before: late)

        let after = try counts()
        for gone in ["prompts", "logs", "steps", "tokens", "deliveries"] {
            #expect(after[gone] == 0, "\(gone)")
        }
        for stays in ["tasks", "events", "commands"] {
            #expect(after[stays] == before[stays], "\(stays)")
        }
        let task = try store.task(1)
        #expect(task.state == .cancelled)
        #expect(try store.value("SELECT count(*) FROM tasks WHERE issue_body <> ''") == 0)
        #expect(try store.value("SELECT count(*) FROM tasks WHERE instructions = 'do it'") == 1)
    }

    @Test func `a session that nobody used for 7 days goes, and no other`() throws {
        let idle = late.milliseconds - Int64(Session.idle) * 1000
        try store.run(
            """
            INSERT INTO people (id, login, created_at, signed_in_at) VALUES (5, 'p', 1, 1);
            INSERT INTO sessions (id, digest, person_id, created_at, used_at)
                VALUES ('old', x'01', 5, 1, \(idle - 1)), ('used', x'02', 5, 1, \(idle));
            """)

        try pruneAll(before: young)

        #expect(try store.value("SELECT count(*) FROM sessions") == 1)
        #expect(try store.value("SELECT count(*) FROM sessions WHERE id = 'used'") == 1)
    }

    @Test func `a repeat of a pruned delivery is still known by its comment`() throws {
        try end(1)
        try pruneAll(before: late)

        let again = try store.accept(2, guid: "another", comment: 1001)

        #expect(again.isDuplicate)
        #expect(again.task == Store.id(1))
    }

    @Test func `nothing of an unfinished or unpublished task goes, however old`() throws {
        try store.accept(1)
        try store.admit(1)
        try end(2)
        try store.run("UPDATE tasks SET published_at = NULL WHERE id = '\(Store.id(2).rawValue)'")

        try pruneAll(before: late)

        #expect(try store.database.findPrompt(Store.id(1)) != nil)
        #expect(try store.value("SELECT count(*) FROM steps") == 1)
        #expect(try store.task(1).state == .queued)
    }

    @Test func `answered commands without a task go, unanswered ones stay`() throws {
        for number in 1...3 {
            _ = try store.database.accept(
                Delivery(guid: "help-\(number)", event: "issue_comment", action: "created", digest: [1]),
                Store.command(number, wish: .help), newID: Store.id(number), executor: "local",
                at: store.start)
        }
        try store.run(
            """
            UPDATE commands SET answered_at = received_at, outcome = 'answered' WHERE comment_id <> 1003
            """)

        try pruneAll(before: late)

        #expect(try store.value("SELECT count(*) FROM commands") == 1)
        #expect(try store.value("SELECT comment_id FROM commands") == 1003)
    }

    @Test func `deliveries of any number go in passes that look at so many at most`() throws {
        try store.run(
            """
            WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
            INSERT INTO deliveries SELECT 'old-' || i, 'e', NULL, x'00', NULL, 1000 FROM n
            """)
        var rounds: [Int] = []
        for _ in 0..<5 { rounds.append(try prune(before: young)) }

        #expect(rounds == [Database.pruneLook, Database.pruneLook, 1000, 0, 0])
    }

    @Test func `logs go in passes of so many pieces and bytes at most`() throws {
        try end(1)
        try store.run(
            """
            DELETE FROM logs;
            WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200)
            INSERT INTO logs SELECT '\(Store.id(1).rawValue)', 1, i, x'00' FROM n;
            """)
        var left: [Int] = []
        for _ in 0..<3 {
            _ = try prune(before: late)
            left.append(try store.value("SELECT count(*) FROM logs"))
        }
        #expect(left == [700, 200, 0])

        try store.run(
            """
            WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20)
            INSERT INTO logs SELECT '\(Store.id(1).rawValue)', 1, i, zeroblob(1048576) FROM n;
            """)
        _ = try prune(before: late)
        #expect(try store.value("SELECT count(*) FROM logs") == 4)
    }

    @Test func `missed deliveries that GitHub has long forgotten go`() throws {
        try store.run(
            """
            INSERT INTO missed_deliveries (id, guid, event, delivered_at)
            VALUES (1, 'old', 'e', 1000), (2, 'new', 'e', \(late.milliseconds))
            """)
        try pruneAll(before: young)
        #expect(try store.value("SELECT count(*) FROM missed_deliveries") == 1)
    }

    @Test
    func `what is known of an issue goes when nothing was asked under it for long, unless a run goes on`()
        throws
    {
        try end(1)
        try store.accept(2)
        func know(_ number: Int, at moment: Instant) throws {
            let issue = GitHub.Issue(
                number: number, title: "T", isOpen: true, isLocked: false, isPullRequest: false)
            try store.database.saveIssue(repository: 42, issue, at: moment)
        }
        let unfinished = try store.task(2).issueNumber
        for number in [1000, 1001, unfinished] { try know(number, at: store.start) }
        try know(1002, at: late)

        try pruneAll(before: late)

        let left = try store.database.read("look") { db in
            try Int.fetchAll(db, sql: "SELECT number FROM issues ORDER BY number")
        }
        #expect(left == [unfinished, 1002].sorted())
    }

    @Test func `every rule goes by a key or an index, so a pass costs no more beside many rows`() throws {
        let plans = try store.database.read("explain") { db in
            try [
                "SELECT task_id FROM prompts WHERE task_id < 'task_x' ORDER BY task_id LIMIT 500",
                "SELECT guid FROM deliveries WHERE guid > 'a' ORDER BY guid LIMIT 2000",
                "SELECT key FROM steps WHERE key > 'a' ORDER BY key LIMIT 2000",
                "SELECT id FROM tasks WHERE id > 'a' AND id < 'b' ORDER BY id LIMIT 2000",
                """
                SELECT task_id, number FROM attempts
                WHERE claim_sealed IS NOT NULL AND claimed_at < 1 LIMIT 500
                """,
                "SELECT id FROM tokens WHERE revoked_at IS NULL AND expires_at < 1 LIMIT 500",
                "SELECT number FROM issues WHERE updated_at < 1 ORDER BY updated_at LIMIT 500",
            ].map { sql in
                try Row.fetchAll(db, sql: "EXPLAIN QUERY PLAN " + sql).map { $0["detail"] as String }.joined()
            }
        }
        for plan in plans { #expect(plan.contains("SEARCH") || plan.contains("tokens_live"), "\(plan)") }
    }
}
