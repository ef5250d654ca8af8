import GRDB
import Porter
import Testing

@testable import PorterStore

/// Wrong states cannot be written: each rule of the schema has a statement that it refuses.
@Suite struct ConstraintTests {
    /// A statement against the scene below: task 1 queued, 2 admitted, 3 running and claimed, 4 ended.
    static let refused: [(rule: String, sql: String)] = [
        ("an installation's state", "INSERT INTO installations VALUES (1, 2, 'x', 'gone', 0)"),
        ("a flag", "UPDATE repositories SET is_archived = 2"),
        ("a flag", "UPDATE repositories SET is_enabled = 2"),
        ("a flag", "UPDATE repositories SET is_removed = -1"),
        ("a task's id begins with task_", "UPDATE tasks SET id = 'tosk_' || substr(id, 6) WHERE id = :1"),
        ("a task's id has 31 characters", "UPDATE tasks SET id = id || 'X' WHERE id = :1"),
        ("a state of the list", "UPDATE tasks SET state = 'paused' WHERE id = :1"),
        ("a priority of the list", "UPDATE tasks SET priority = 'urgent' WHERE id = :1"),
        ("a flag", "UPDATE tasks SET is_draft = 2 WHERE id = :1"),
        ("a context of the list", "UPDATE tasks SET context = 'nobody' WHERE id = :1"),
        ("a time that is one", "UPDATE tasks SET timeout = 0 WHERE id = :1"),
        ("a flag", "UPDATE tasks SET base_given = 2 WHERE id = :1"),
        ("three attempts", "UPDATE tasks SET attempt = 4 WHERE id = :3"),
        ("three attempts", "UPDATE tasks SET attempt = -1 WHERE id = :3"),
        ("a phase of the list", "UPDATE tasks SET phase = 'thinking' WHERE id = :3"),
        ("unfinished has no end", "UPDATE tasks SET finished_at = 1 WHERE id = :3"),
        ("finished has an end", "UPDATE tasks SET finished_at = NULL WHERE id = :4"),
        ("a state that ends has an end", "UPDATE tasks SET state = 'success' WHERE id = :3"),
        ("published is finished", "UPDATE tasks SET published_at = 1 WHERE id = :3"),
        (
            "a failure has a reason",
            "UPDATE tasks SET state = 'failed', finished_at = 1, reason = NULL WHERE id = :3"
        ),
        (
            "a stop has a reason",
            "UPDATE tasks SET state = 'cancelled', finished_at = 1, reason = NULL WHERE id = :3"
        ),
        ("a queued task has no attempt", "UPDATE tasks SET attempt = 1 WHERE id = :2"),
        ("a running task has an attempt", "UPDATE tasks SET state = 'running' WHERE id = :2"),
        (
            "a running task is admitted",
            "UPDATE tasks SET state = 'running', attempt = 1 WHERE id = :1"
        ),
        ("an admitted task has an agent", "UPDATE tasks SET agent = NULL WHERE id = :2"),
        ("an admitted task has a base", "UPDATE tasks SET base_branch = NULL WHERE id = :2"),
        ("a delivery is stored once", "INSERT INTO deliveries VALUES ('guid-1', 'e', NULL, x'00', NULL, 0)"),
        ("a delivery's task exists", "UPDATE deliveries SET task_id = 'task_none'"),
        ("a comment is one command", "UPDATE commands SET comment_id = 1001 WHERE comment_id = 1002"),
        ("a command's kind", "UPDATE commands SET kind = 'dance'"),
        ("a command's outcome", "UPDATE commands SET outcome = 'lost', answered_at = 1"),
        ("an answer has an outcome", "UPDATE commands SET answered_at = 1"),
        ("an outcome has a time", "UPDATE commands SET outcome = 'done'"),
        ("attempts are 1 to 3", "UPDATE attempts SET number = 4"),
        ("attempts are 1 to 3", "UPDATE attempts SET number = 0"),
        ("three credentials", "UPDATE attempts SET credentials_given = 4"),
        ("a report's status", "UPDATE attempts SET report_status = 'great', reported_at = 1"),
        ("a report has a time", "UPDATE attempts SET report_status = 'success'"),
        ("a time has a report", "UPDATE attempts SET reported_at = 1"),
        (
            "an agent starts after the claim",
            "UPDATE attempts SET claimed_at = NULL, agent_started_at = 1"
        ),
        ("saving comes after the claim", "UPDATE attempts SET claimed_at = NULL, saving_at = 1"),
        (
            "a machine's token is one attempt's",
            """
            INSERT INTO attempts (task_id, number, machine_name, engine, machine_token_digest, created_at)
            SELECT task_id, 2, 'another', engine, machine_token_digest, 0 FROM attempts WHERE number = 1
            """
        ),
        (
            "a machine's name is one attempt's",
            """
            INSERT INTO attempts (task_id, number, machine_name, engine, machine_token_digest, created_at)
            SELECT task_id, 2, machine_name, engine, x'77', 0 FROM attempts WHERE number = 1
            """
        ),
        ("an event's task exists", "INSERT INTO events VALUES ('task_none', 1, 0, 0, 'k', NULL)"),
        ("a log's task exists", "INSERT INTO logs VALUES ('task_none', 1, 0, x'00')"),
        ("omissions are JSON", "INSERT INTO prompts VALUES (:1, 'text', '[')"),
        ("a token's purpose", "INSERT INTO tokens VALUES (NULL, :1, 1, 'fun', x'00', 0, NULL)"),
        ("a live token is sealed", "INSERT INTO tokens VALUES (NULL, :1, 1, 'push', NULL, 0, NULL)"),
        ("a revoked token is forgotten", "INSERT INTO tokens VALUES (NULL, :1, 1, 'push', x'00', 0, 1)"),
        ("a job is there once", "INSERT INTO jobs (subject, kind, run_at) SELECT subject, kind, 0 FROM jobs"),
        ("an outcome has a time", "INSERT INTO steps VALUES ('k', NULL, 0, NULL, 0, 'x', NULL, NULL)"),
        ("there is one set-up", "INSERT INTO setup (id, stage, updated_at) VALUES (2, 'offered', 0)"),
        ("secrets have one version", "INSERT INTO secrets_version (id, version) VALUES (2, 1)"),
        ("a setting is JSON", "INSERT INTO settings VALUES ('shared', 'n', '{', 0)"),
        ("a flag", "INSERT INTO people VALUES (1, 'x', 2, 0, 0, NULL)"),
        ("a session's person exists", "INSERT INTO sessions VALUES ('s', x'00', 99, 0, 0, NULL, NULL)"),
        ("a failure has a time", "INSERT INTO sign_ins VALUES (x'00', x'00', '/', 0, NULL, 'code', NULL)"),
        (
            "a token that was not refused is there",
            "INSERT INTO user_tokens (person_id, version, updated_at) VALUES (99, 1, 0)"
        ),
        (
            "a refused token is forgotten",
            """
            INSERT INTO user_tokens (person_id, version, access_sealed, refused_at, updated_at)
            VALUES (99, 1, x'00', 1, 0)
            """
        ),
        ("a flag", "INSERT INTO person_repositories VALUES (99, 42, 2)"),
        ("a gist was written", "INSERT INTO mirrors VALUES (99, 'https://g', NULL, 'refused', 0)"),
        ("a try came to something", "INSERT INTO mirrors VALUES (99, NULL, NULL, NULL, 0)"),
        ("a gist is somebody's", "INSERT INTO mirrors VALUES (99, 'https://g', 0, NULL, 0)"),
        ("rights are somebody's", "INSERT INTO person_repositories VALUES (99, 42, 1)"),
        (
            "a flag",
            """
            INSERT INTO sweep_installations (id, account_id, account_login, is_suspended, seen_round)
            VALUES (1, 2, 'x', 2, 1)
            """
        ),
        ("a flag", sweep("is_archived", "2")), ("a flag", sweep("is_without_issues", "2")),
        ("a list that is read", sweep("stage", "'wiki'")),
        ("columns keep their types", "UPDATE tasks SET created_at = 'yesterday'"),
        ("columns keep their types", "UPDATE attempts SET machine_token_digest = 'text'"),
    ]

    /// A row that is right but for the one value.
    private static func sweep(_ column: String, _ value: String) -> String {
        var row = [
            "repository_id": "1", "installation_id": "2", "owner_id": "3", "owner_login": "'x'",
            "name": "'y'",
            "is_archived": "0", "listed_round": "1", "known_until": "0",
        ]
        row[column] = value
        let columns = row.keys.sorted()
        return """
            INSERT INTO sweeps (\(columns.joined(separator: ", ")))
            VALUES (\(columns.compactMap { row[$0] }.joined(separator: ", ")))
            """
    }

    @Test func `each rule of the schema refuses its statement`() throws {
        let store = try Store()
        for number in 1...4 { try store.accept(number) }
        for number in [3, 4] {
            try store.admit(number)
            try store.start(number)
        }
        try store.admit(2)
        _ = try store.database.claimAttempt(
            store.attempt(3), nonceDigest: [1], callbackTokenDigest: [2], repeatable: 60, at: store.start)
        #expect(try store.database.end(store.task(4), Ending(.success), at: store.start))
        try store.database.saveRepository(
            RepositoryChange(repository: Store.repository, owner: Person(id: 900, login: "acme")),
            at: store.start)

        for (rule, text) in Self.refused {
            var sql = text
            for number in 1...4 {
                sql = sql.replacing(":\(number)", with: "'\(Store.id(number).rawValue)'")
            }
            let error = #expect(throws: StoreError.self, "\(rule): \(sql)") { try store.run(sql) }
            #expect(error?.code == .refused, "\(rule): \(sql)")
        }
    }

    @Test func `every table with a rule has a statement here`() throws {
        let store = try Store()
        let tables = try store.database.read("list rules") { db in
            try String.fetchAll(
                db,
                sql:
                    "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%CHECK%' ORDER BY name"
            )
        }
        for table in tables {
            #expect(Self.refused.contains { $0.sql.contains(table) }, "\(table)")
        }
    }
}
