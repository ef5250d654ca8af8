import GRDB
package import Porter

/// A job that follows a change of settings while a flag among them is set.
package struct SettingsWish: Hashable, Sendable {
    let kind: JobKind
    let subject: String
    let flag: String

    /// - Parameter flag: the name of the setting that must be true after the change.
    package init(_ kind: JobKind, for subject: String, while flag: String) {
        self.kind = kind
        self.subject = subject
        self.flag = flag
    }
}

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

    /// All settings of a scope, JSON by name.
    package func listSettings(scope: String) throws(StoreError) -> [String: String] {
        try read("list settings") { try Self.settings(scope, $0) }
    }

    /// All settings of a scope as of a second ago; what this process changes is seen at once.
    ///
    /// For what each command asks.
    package func recentSettings(scope: String) throws(StoreError) -> [String: String] {
        if let known = recent.find(scope) { return known }
        let seen = recent.changes
        let found = try listSettings(scope: scope)
        recent.keep(scope, found, seenAt: seen)
        return found
    }

    /// The settings of all scopes whose names begin so, by scope.
    package func listSettings(
        scopesBeginning prefix: String
    ) throws(StoreError) -> [String: [String: String]] {
        try read("list settings") { db in
            let rows = try Row.fetchAll(
                db, sql: "SELECT scope, name, value FROM settings WHERE substr(scope, 1, ?) = ?",
                arguments: [prefix.utf8.count, prefix])
            return rows.reduce(into: [:]) { found, row in
                found[row["scope"], default: [:]][row["name"]] = row["value"]
            }
        }
    }

    /// Changes what is named, and nothing else; nil forgets a setting.
    ///
    /// - Parameters:
    ///   - expected: the settings of the scope as the caller saw them; nil when it does not matter.
    ///   - entry: the line for the record of changes, written if something is.
    ///   - wish: what is to be done about it, wished for in the same transaction.
    /// - Returns: the settings afterwards; nil when they were others than expected and nothing was changed.
    package func changeSettings(
        scope: String, _ changes: [String: String?], expecting expected: [String: String]?,
        audit entry: AuditEntry? = nil, then wish: SettingsWish? = nil, at now: Instant
    ) throws(StoreError) -> [String: String]? {
        defer { recent.forget() }
        return try write("change settings") { transaction -> Changed in
            if let expected, try Self.settings(scope, transaction.db) != expected {
                return Changed(settings: nil)
            }
            for (name, json) in changes.sorted(by: { $0.key < $1.key }) {
                try transaction.set(name, scope: scope, to: json, at: now)
            }
            if let entry { try transaction.audit(entry) }
            let after = try Self.settings(scope, transaction.db)
            if let wish, !changes.isEmpty, after[wish.flag] == "true" {
                try transaction.enqueue(wish.kind, for: wish.subject, at: now)
            }
            return Changed(settings: after)
        }.settings
    }

    private struct Changed {
        let settings: [String: String]?
    }

    private static func settings(_ scope: String, _ db: GRDB.Database) throws -> [String: String] {
        let rows = try Row.fetchAll(
            db.cachedStatement(sql: "SELECT name, value FROM settings WHERE scope = ?"),
            arguments: [scope])
        return Dictionary(uniqueKeysWithValues: rows.map { ($0["name"] as String, $0["value"] as String) })
    }

    /// Sets it, or forgets it with nil.
    package func setSetting(
        _ name: String, scope: String, to json: String?, at now: Instant
    ) throws(StoreError) {
        defer { recent.forget() }
        try write("set setting") { try $0.set(name, scope: scope, to: json, at: now) }
    }
}

extension Transaction {
    /// Sets a setting, or forgets it with nil.
    func set(_ name: String, scope: String, to json: String?, at now: Instant) throws {
        guard let json else {
            try run("DELETE FROM settings WHERE scope = ? AND name = ?", [scope, name])
            return
        }
        try run(
            """
            INSERT INTO settings (scope, name, value, updated_at) VALUES (?, ?, ?, ?)
            ON CONFLICT DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at
            """, [scope, name, json, now.milliseconds])
    }
}
