import GRDB

extension Migrations {
    /// Whose run was started last, so that people take turns.
    static func createTurns(_ db: GRDB.Database) throws {
        try db.execute(
            sql: """
                CREATE TABLE turns (
                    author_id INTEGER PRIMARY KEY,
                    served INTEGER NOT NULL UNIQUE
                ) STRICT;
                """)
    }
}
