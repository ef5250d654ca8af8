import GRDB

extension Migrations {
    /// How often a missed delivery could not be read from GitHub's log.
    static func countUnreadable(_ db: GRDB.Database) throws {
        try db.execute(sql: "ALTER TABLE missed_deliveries ADD COLUMN tries INTEGER NOT NULL DEFAULT 0")
    }
}
