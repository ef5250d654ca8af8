import Foundation
import GRDB
package import Porter

/// A Fly app that somebody has set: whose runs go there.
package struct FlyEntry: Hashable, Sendable {
    /// The app in which machines are made.
    package let app: String
    /// Where Fly puts them; nil leaves that to Fly.
    package let region: String?
    /// When the token was last stored.
    package let updatedAt: Instant
}

/// The Fly app of a scope: its token sealed, its name and region plain.
extension Database {
    /// What a Fly app's token is stored under.
    static let flyToken = "token"

    /// The Fly app of a scope; nil when there is none.
    package func findFly(scope: String) throws(StoreError) -> FlyEntry? {
        try read("find Fly app") { db in
            try Row.fetchOne(
                db.cachedStatement(
                    sql: """
                        SELECT secrets.updated_at AS updated_at, app.value AS app, region.value AS region
                        FROM secrets
                        JOIN settings app ON app.scope = secrets.scope AND app.name = 'fly.app'
                        LEFT JOIN settings region ON region.scope = secrets.scope AND region.name = 'fly.region'
                        WHERE secrets.scope = ? AND secrets.provider = ? AND secrets.name = ?
                        """), arguments: [scope, Self.flyProvider, Self.flyToken]
            ).map {
                FlyEntry(
                    app: Self.plain($0["app"]) ?? "", region: Self.plain($0["region"]),
                    updatedAt: Instant(milliseconds: $0["updated_at"]))
            }
        }
    }

    /// The scopes of people who have a Fly app of their own.
    package func listFlyScopes() throws(StoreError) -> [String] {
        try read("list Fly apps") { db in
            try String.fetchAll(
                db, sql: "SELECT scope FROM secrets WHERE provider = ? AND scope <> 'shared' ORDER BY scope",
                arguments: [Self.flyProvider])
        }
    }

    /// The token of a scope's Fly app; nil when there is none.
    package func openFlyToken(scope: String, sealer: Sealer) throws(StoreError) -> Secret? {
        try openSecret(scope: scope, provider: Self.flyProvider, name: Self.flyToken, sealer: sealer)
    }

    /// Stores a scope's Fly app in place of the former, whole or not at all.
    package func saveFly(
        scope: String, token: Secret, app: String, region: String?, sealer: Sealer, audit entry: AuditEntry,
        at now: Instant
    ) throws(StoreError) {
        let (app, region) = (Self.quoted(app), region.map(Self.quoted))
        defer { recent.forget() }
        try write("save Fly app") { transaction in
            try transaction.save(
                token, scope: scope, provider: Self.flyProvider, name: Self.flyToken, sealer: sealer, at: now)
            try transaction.set("fly.app", scope: scope, to: app, at: now)
            try transaction.set("fly.region", scope: scope, to: region, at: now)
            try transaction.audit(entry)
        }
    }

    /// Forgets a scope's Fly app.
    ///
    /// - Returns: whether there was one.
    package func deleteFly(scope: String, audit entry: AuditEntry) throws(StoreError) -> Bool {
        defer { recent.forget() }
        return try write("delete Fly app") { transaction in
            let removed = try transaction.run(
                "DELETE FROM secrets WHERE scope = ? AND provider = ?", [scope, Self.flyProvider])
            try transaction.run(
                "DELETE FROM settings WHERE scope = ? AND name IN ('fly.app', 'fly.region')", [scope])
            if removed > 0 { try transaction.audit(entry) }
            return removed > 0
        }
    }

    private static func quoted(_ text: String) -> String {
        (try? JSONEncoder().encode(text)).map { String(decoding: $0, as: UTF8.self) } ?? "\"\""
    }

    private static func plain(_ json: String?) -> String? {
        json.flatMap { try? JSONDecoder().decode(String.self, from: Data($0.utf8)) }
    }
}
