import GRDB
package import Porter

/// Settings that people change, as JSON text, by scope: `instance`, `shared`, `user:<id>`,
/// `repository:<id>`.
extension Database {
    /// The setting's JSON, nil when it was never set.
    package func findSetting(_ name: String, scope: String) throws(StoreError) -> String? {
        try read("find setting") { db in
            try String.fetchOne(
                db, sql: "SELECT value FROM settings WHERE scope = ? AND name = ?",
                arguments: [scope, name])
        }
    }

    /// Sets it, or forgets it with nil.
    package func setSetting(
        _ name: String, scope: String, to json: String?, at now: Instant
    ) throws(StoreError) {
        try write("set setting") { transaction in
            guard let json else {
                try transaction.run(
                    "DELETE FROM settings WHERE scope = ? AND name = ?", [scope, name])
                return
            }
            try transaction.run(
                """
                INSERT INTO settings (scope, name, value, updated_at) VALUES (?, ?, ?, ?)
                ON CONFLICT DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at
                """, [scope, name, json, now.milliseconds])
        }
    }
}
