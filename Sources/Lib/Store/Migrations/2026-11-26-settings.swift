import GRDB

extension Migrations {
    /// Set-up in progress, which credentials an attempt used, and what the pages show of GitHub.
    static func createSettings(_ db: GRDB.Database) throws {
        try db.execute(
            sql: """
                CREATE TABLE setup (
                    id INTEGER PRIMARY KEY CHECK (id = 1),
                    stage TEXT NOT NULL CHECK (stage IN
                        ('offered', 'sent', 'converting', 'stored', 'done')),
                    token_digest BLOB,
                    token_expires_at INTEGER,
                    state_digest BLOB,
                    state_expires_at INTEGER,
                    code_digest BLOB,
                    owner TEXT,
                    slug TEXT,
                    updated_at INTEGER NOT NULL,
                    CHECK ((token_digest IS NULL) = (token_expires_at IS NULL)),
                    CHECK ((state_digest IS NULL) = (state_expires_at IS NULL)),
                    CHECK (stage NOT IN ('sent', 'converting') OR state_digest IS NOT NULL),
                    CHECK (stage <> 'converting' OR code_digest IS NOT NULL),
                    CHECK (stage NOT IN ('stored', 'done') OR slug IS NOT NULL)
                ) STRICT;

                CREATE TABLE secrets_version (
                    id INTEGER PRIMARY KEY CHECK (id = 1),
                    version INTEGER NOT NULL
                ) STRICT;
                INSERT INTO secrets_version (id, version) VALUES (1, 1);
                CREATE TRIGGER secrets_inserted AFTER INSERT ON secrets BEGIN
                    UPDATE secrets_version SET version = version + 1;
                END;
                CREATE TRIGGER secrets_updated AFTER UPDATE ON secrets BEGIN
                    UPDATE secrets_version SET version = version + 1;
                END;
                CREATE TRIGGER secrets_deleted AFTER DELETE ON secrets BEGIN
                    UPDATE secrets_version SET version = version + 1;
                END;

                ALTER TABLE attempts ADD COLUMN credentials TEXT;
                ALTER TABLE attempts ADD COLUMN account TEXT;

                ALTER TABLE installations ADD COLUMN account_type TEXT;
                ALTER TABLE installations ADD COLUMN selection TEXT;
                ALTER TABLE installations ADD COLUMN permissions TEXT
                    CHECK (permissions IS NULL OR json_valid(permissions));
                ALTER TABLE installations ADD COLUMN url TEXT;
                ALTER TABLE installations ADD COLUMN rate_limit TEXT
                    CHECK (rate_limit IS NULL OR json_valid(rate_limit));
                ALTER TABLE installations ADD COLUMN refreshed_at INTEGER;

                CREATE TABLE issues (
                    repository_id INTEGER NOT NULL,
                    number INTEGER NOT NULL,
                    title TEXT NOT NULL,
                    is_open INTEGER NOT NULL CHECK (is_open IN (0, 1)),
                    is_pull_request INTEGER NOT NULL CHECK (is_pull_request IN (0, 1)),
                    updated_at INTEGER NOT NULL,
                    PRIMARY KEY (repository_id, number)
                ) STRICT, WITHOUT ROWID;
                """)
    }
}
