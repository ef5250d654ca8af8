import GRDB

extension Migrations {
    /// Where people's settings are copied to, and how the last try went.
    static func createMirrors(_ db: GRDB.Database) throws {
        try db.execute(
            sql: """
                CREATE TABLE mirrors (
                    person_id INTEGER PRIMARY KEY REFERENCES people (id) ON DELETE CASCADE,
                    url TEXT,
                    written_at INTEGER,
                    trouble TEXT,
                    tried_at INTEGER NOT NULL,
                    CHECK ((url IS NULL) = (written_at IS NULL)),
                    CHECK (url IS NOT NULL OR trouble IS NOT NULL)
                ) STRICT;
                """)
    }
}
