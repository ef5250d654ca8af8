import GRDB

extension Migrations {
    /// Retention without a scan: claim answers are found by an index of their own, and the age of deliveries
    /// needs none any more, which is one less on the way in.
    static func indexRetention(_ db: GRDB.Database) throws {
        try db.execute(
            sql: """
                CREATE INDEX attempts_answered ON attempts (claimed_at) WHERE claim_sealed IS NOT NULL;
                DROP INDEX IF EXISTS deliveries_age;
                """)
    }
}
