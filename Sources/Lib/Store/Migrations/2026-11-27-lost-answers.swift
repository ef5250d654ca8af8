import GRDB

extension Migrations {
    /// When a call's answer was known to be lost, which may be long after the call was recorded.
    static func addLostAnswers(_ db: GRDB.Database) throws {
        try db.execute(sql: "ALTER TABLE steps ADD COLUMN lost_at INTEGER")
    }
}
