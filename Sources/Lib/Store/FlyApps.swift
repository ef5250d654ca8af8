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

    /// What a change of a Fly app came to.
    package enum FlyChange: Hashable, Sendable {
        /// It is on disk.
        case done
        /// There was nothing to remove.
        case absent
        /// So many attempts have, or may have, a machine in the present app: only its own token opens it.
        case inUse(attempts: Int, app: String)
    }

    /// Seconds after a task's end in which its machines still hold their app, should they not be gone by then.
    ///
    /// An app whose token does not open it any more must not bind its owner for ever.
    package static let flyHold = 86_400

    /// Stores a scope's Fly app in place of the former, whole or not at all.
    ///
    /// A new token or region for the same app is always taken.
    ///
    /// - Parameter unlessInUse: whether machines in the former app stand in the way of another one.
    package func saveFly(
        scope: String, token: Secret, app: String, region: String?, unlessInUse: Bool = true, sealer: Sealer,
        audit entry: AuditEntry, at now: Instant
    ) throws(StoreError) -> FlyChange {
        let quoted = (app: SureJSON.text(app), region: region.map { SureJSON.text($0) })
        defer { recent.forget() }
        return try write("save Fly app") { transaction in
            if unlessInUse, let hold = try transaction.flyHold(scope, at: now), hold.app != app {
                return hold.change
            }
            try transaction.save(
                token, scope: scope, provider: Self.flyProvider, name: Self.flyToken, sealer: sealer, at: now)
            try transaction.set("fly.app", scope: scope, to: quoted.app, at: now)
            try transaction.set("fly.region", scope: scope, to: quoted.region, at: now)
            try transaction.audit(entry)
            return .done
        }
    }

    /// Forgets a scope's Fly app.
    ///
    /// - Parameter unlessInUse: whether machines in the app stand in the way.
    package func deleteFly(
        scope: String, unlessInUse: Bool = true, audit entry: AuditEntry, at now: Instant
    ) throws(StoreError) -> FlyChange {
        defer { recent.forget() }
        return try write("delete Fly app") { transaction in
            if unlessInUse, let hold = try transaction.flyHold(scope, at: now) { return hold.change }
            let removed = try transaction.run(
                "DELETE FROM secrets WHERE scope = ? AND provider = ?", [scope, Self.flyProvider])
            try transaction.run(
                "DELETE FROM settings WHERE scope = ? AND name IN ('fly.app', 'fly.region')", [scope])
            if removed > 0 { try transaction.audit(entry) }
            return removed > 0 ? .done : .absent
        }
    }

    fileprivate static func plain(_ json: String?) -> String? {
        json.flatMap { try? JSONDecoder().decode(String.self, from: Data($0.utf8)) }
    }
}

extension Transaction {
    fileprivate struct FlyHold {
        let app: String
        let attempts: Int
        var change: Database.FlyChange { .inUse(attempts: attempts, app: app) }
    }

    /// The scope's app, if attempts have a machine there that is not known to be gone; nil when none has.
    fileprivate func flyHold(_ scope: String, at now: Instant) throws -> FlyHold? {
        let stored = try String.fetchOne(
            db, sql: "SELECT value FROM settings WHERE scope = ? AND name = 'fly.app'", arguments: [scope])
        guard let app = Database.plain(stored) else { return nil }
        let attempts = try Int.fetchOne(
            db,
            sql: """
                SELECT count(*) FROM attempts JOIN tasks ON tasks.id = attempts.task_id
                WHERE attempts.engine = 'fly' AND attempts.account IS ? AND coalesce(attempts.app, ?) = ?
                    AND attempts.gone_at IS NULL AND (tasks.finished_at IS NULL OR tasks.finished_at > ?)
                """,
            arguments: [
                scope == "shared" ? nil : scope, app, app,
                now.adding(seconds: -Database.flyHold).milliseconds,
            ])
        guard let attempts, attempts > 0 else { return nil }
        return FlyHold(app: app, attempts: attempts)
    }
}
