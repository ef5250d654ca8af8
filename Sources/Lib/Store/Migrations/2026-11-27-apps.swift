import GRDB

extension Migrations {
    /// In which Fly app an attempt's machine was asked for, so that it is found there when the settings name another.
    static func nameApps(_ db: GRDB.Database) throws {
        try db.execute(sql: "ALTER TABLE attempts ADD COLUMN app TEXT")
    }
}
