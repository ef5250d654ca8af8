import GRDB

extension Migrations {
    /// What is looked for on GitHub itself, when commands were written, and which missed deliveries are done with.
    static func createSweeps(_ db: GRDB.Database) throws {
        try db.execute(
            sql: """
                ALTER TABLE tasks ADD COLUMN written_at INTEGER;
                ALTER TABLE commands ADD COLUMN written_at INTEGER;
                ALTER TABLE missed_deliveries ADD COLUMN handled_at INTEGER;
                CREATE INDEX missed_deliveries_waiting ON missed_deliveries (delivered_at, id)
                    WHERE handled_at IS NULL;

                CREATE TABLE sweep_installations (
                    id INTEGER PRIMARY KEY,
                    account_id INTEGER NOT NULL,
                    account_login TEXT NOT NULL,
                    is_suspended INTEGER NOT NULL CHECK (is_suspended IN (0, 1)),
                    seen_round INTEGER NOT NULL,
                    looked_round INTEGER NOT NULL DEFAULT 0,
                    listed_round INTEGER NOT NULL DEFAULT 0,
                    page TEXT,
                    tag TEXT
                ) STRICT;

                CREATE TABLE sweeps (
                    repository_id INTEGER PRIMARY KEY,
                    installation_id INTEGER NOT NULL,
                    owner_id INTEGER NOT NULL,
                    owner_login TEXT NOT NULL,
                    name TEXT NOT NULL,
                    is_archived INTEGER NOT NULL CHECK (is_archived IN (0, 1)),
                    listed_round INTEGER NOT NULL,
                    swept_round INTEGER NOT NULL DEFAULT 0,
                    known_until INTEGER NOT NULL,
                    highest_issue INTEGER NOT NULL DEFAULT 0,
                    stage TEXT CHECK (stage IN ('issues', 'comments', 'review_comments', 'reviews')),
                    position INTEGER NOT NULL DEFAULT 0,
                    page TEXT,
                    newest INTEGER,
                    newest_issue INTEGER NOT NULL DEFAULT 0,
                    is_without_issues INTEGER NOT NULL DEFAULT 0 CHECK (is_without_issues IN (0, 1)),
                    tag TEXT,
                    fresh_tag TEXT
                ) STRICT;
                CREATE INDEX sweeps_due ON sweeps (swept_round);

                CREATE TABLE sweep_pulls (
                    repository_id INTEGER NOT NULL,
                    number INTEGER NOT NULL,
                    PRIMARY KEY (repository_id, number)
                ) STRICT, WITHOUT ROWID;
                """)
    }
}
