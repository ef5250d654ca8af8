import GRDB

extension Migrations {
    /// Fewer places to write when a command arrives: each tree costs a page and more of every commit.
    ///
    /// `tasks_ended` has a condition of its own words, so that only what counts by state is answered from it.
    ///
    /// What is in no list yet needs no place among a person's tasks, and what has not ended none among the ended. A
    /// command that made a task is found by the task. That a comment makes one task is the key of `commands`: its row
    /// comes in with the task's and stays as long. Events lie where their task's are, instead of in two trees.
    static func easeWayIn(_ db: GRDB.Database) throws {
        try db.execute(
            sql: """
                DROP INDEX tasks_comment;
                DROP INDEX tasks_state;
                CREATE INDEX tasks_ended ON tasks (state) WHERE state <> 'queued' AND state <> 'running';
                DROP INDEX tasks_queued;
                CREATE INDEX tasks_queued ON tasks (admitted_at, repository_id, issue_number)
                    WHERE state = 'queued';
                DROP INDEX commands_issue;
                CREATE INDEX commands_issue ON commands (repository_id, issue_number, author_id, received_at)
                    WHERE task_id IS NULL;
                DROP INDEX tasks_author;
                CREATE INDEX tasks_author ON tasks (author_id, id)
                    WHERE admitted_at IS NOT NULL OR finished_at IS NOT NULL;

                CREATE TABLE task_events (
                    task_id TEXT NOT NULL REFERENCES tasks (id),
                    number INTEGER NOT NULL,
                    at INTEGER NOT NULL,
                    attempt INTEGER NOT NULL,
                    kind TEXT NOT NULL,
                    detail TEXT,
                    PRIMARY KEY (task_id, number)
                ) STRICT, WITHOUT ROWID;
                INSERT INTO task_events (task_id, number, at, attempt, kind, detail)
                    SELECT task_id, row_number() OVER (PARTITION BY task_id ORDER BY id), at, attempt, kind, detail
                    FROM events;
                DROP TABLE events;
                ALTER TABLE task_events RENAME TO events;
                """)
    }
}
