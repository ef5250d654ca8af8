import GRDB

extension Migrations {
    /// Lets what is known of issues be found by its age.
    static func indexIssues(_ db: GRDB.Database) throws {
        try db.execute(sql: "CREATE INDEX issues_age ON issues (updated_at)")
    }
}
