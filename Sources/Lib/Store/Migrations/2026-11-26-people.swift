import GRDB

extension Migrations {
    /// People who sign in, with sessions, GitHub's tokens and rights; the record of who changed what.
    static func createPeople(_ db: GRDB.Database) throws {
        try db.execute(
            sql: """
                CREATE TABLE people (
                    id INTEGER PRIMARY KEY,
                    login TEXT NOT NULL,
                    was_admin INTEGER NOT NULL DEFAULT 0 CHECK (was_admin IN (0, 1)),
                    created_at INTEGER NOT NULL,
                    signed_in_at INTEGER NOT NULL,
                    rights_at INTEGER
                ) STRICT;

                CREATE TABLE sessions (
                    id TEXT PRIMARY KEY NOT NULL,
                    digest BLOB NOT NULL UNIQUE,
                    person_id INTEGER NOT NULL REFERENCES people (id) ON DELETE CASCADE,
                    created_at INTEGER NOT NULL,
                    used_at INTEGER NOT NULL,
                    address TEXT,
                    user_agent TEXT
                ) STRICT, WITHOUT ROWID;
                CREATE INDEX sessions_person ON sessions (person_id, created_at);
                CREATE INDEX sessions_age ON sessions (used_at);

                CREATE TABLE sign_ins (
                    state_digest BLOB PRIMARY KEY NOT NULL,
                    browser_digest BLOB NOT NULL,
                    return_to TEXT NOT NULL,
                    created_at INTEGER NOT NULL,
                    used_at INTEGER,
                    failure TEXT,
                    action TEXT,
                    CHECK (failure IS NULL OR used_at IS NOT NULL)
                ) STRICT, WITHOUT ROWID;
                CREATE INDEX sign_ins_browser ON sign_ins (browser_digest, created_at);
                CREATE INDEX sign_ins_age ON sign_ins (created_at);

                CREATE TABLE user_tokens (
                    person_id INTEGER PRIMARY KEY REFERENCES people (id) ON DELETE CASCADE,
                    version INTEGER NOT NULL,
                    access_sealed BLOB,
                    access_expires_at INTEGER,
                    refresh_sealed BLOB,
                    refresh_expires_at INTEGER,
                    refused_at INTEGER,
                    holder TEXT,
                    fence INTEGER NOT NULL DEFAULT 0,
                    tried_at INTEGER,
                    updated_at INTEGER NOT NULL,
                    CHECK ((access_sealed IS NULL) = (refused_at IS NOT NULL)),
                    CHECK (refresh_sealed IS NULL OR access_sealed IS NOT NULL)
                ) STRICT;

                CREATE TABLE person_repositories (
                    person_id INTEGER NOT NULL REFERENCES people (id) ON DELETE CASCADE,
                    repository_id INTEGER NOT NULL,
                    can_push INTEGER NOT NULL CHECK (can_push IN (0, 1)),
                    PRIMARY KEY (person_id, repository_id)
                ) STRICT, WITHOUT ROWID;
                CREATE INDEX person_repositories_repository ON person_repositories (repository_id);

                CREATE INDEX tasks_visible ON tasks (id, repository_id);

                CREATE TABLE audit (
                    id INTEGER PRIMARY KEY AUTOINCREMENT,
                    at INTEGER NOT NULL,
                    actor_id INTEGER,
                    actor_login TEXT NOT NULL,
                    action TEXT NOT NULL,
                    subject TEXT NOT NULL,
                    detail TEXT,
                    address TEXT
                ) STRICT;
                CREATE INDEX audit_at ON audit (at);
                """)
    }
}
