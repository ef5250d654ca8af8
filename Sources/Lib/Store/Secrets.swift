import Foundation
import GRDB
package import Porter

/// A stored secret as a person may see it: that it is there, and since when.
package struct SecretEntry: Hashable, Sendable {
    /// Whose it is: `instance`, `shared` or `user:<id>`.
    package let scope: String
    /// The model provider or service that it is for.
    package let provider: String
    /// The variable that the agent gets.
    package let name: String
    /// When the present value was stored.
    package let updatedAt: Instant
}

/// Secrets at rest: one sealed value a (scope, provider, name).
///
/// The scope is the owner: `instance`, `shared`, or `user:<id>`.
extension Database {
    /// Seals and stores a secret in place of the former.
    package func saveSecret(
        _ value: Secret, scope: String, provider: String, name: String, sealer: Sealer,
        audit entry: AuditEntry? = nil, at now: Instant
    ) throws(StoreError) {
        try write("save secret") { transaction in
            try transaction.save(
                value, scope: scope, provider: provider, name: name, sealer: sealer, at: now)
            if let entry { try transaction.audit(entry) }
        }
    }

    /// Opens the secrets of a scope that agents get, by name: those of model providers.
    ///
    /// - Throws: ``StoreError`` with `.corrupt` when one does not open: its key is missing, or it was moved.
    package func openSecrets(
        scope: String, sealer: Sealer
    ) throws(StoreError) -> [String: Secret] {
        try read("open secrets") { db in
            let rows = try Row.fetchAll(
                db,
                sql: "SELECT provider, name, sealed FROM secrets WHERE scope = ? AND provider NOT IN (?, ?)",
                arguments: [scope, Self.flyProvider, Self.githubProvider])
            var secrets: [String: Secret] = [:]
            for row in rows {
                let place = Sealer.Place.secret(
                    scope: scope, provider: row["provider"], name: row["name"])
                do {
                    secrets[row["name"]] = try sealer.open([UInt8](row["sealed"] as Data), place)
                } catch let failure as Sealer.Failure {
                    throw StoreError(.corrupt, operation: "open secrets", message: failure.description)
                }
            }
            return secrets
        }
    }

    /// Opens one secret; nil when there is none.
    ///
    /// - Throws: ``StoreError`` with `.corrupt` when it does not open: its key is missing, or it was moved.
    package func openSecret(
        scope: String, provider: String, name: String, sealer: Sealer
    ) throws(StoreError) -> Secret? {
        let sealed = try read("open secret") { db in
            try Data.fetchOne(
                db.cachedStatement(
                    sql: "SELECT sealed FROM secrets WHERE scope = ? AND provider = ? AND name = ?"),
                arguments: [scope, provider, name])
        }
        guard let sealed else { return nil }
        do throws(Sealer.Failure) {
            return try sealer.open([UInt8](sealed), .secret(scope: scope, provider: provider, name: name))
        } catch {
            throw StoreError(.corrupt, operation: "open secret", message: error.description)
        }
    }

    /// What the token of a Fly app is stored under.
    package static let flyProvider = "fly"
    /// What the GitHub App's credentials are stored under.
    package static let githubProvider = "github"

    /// What is stored, without values.
    package func listSecrets(scope: String) throws(StoreError) -> [SecretEntry] {
        try read("list secrets") { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT provider, name, updated_at FROM secrets WHERE scope = ?
                    ORDER BY provider, name
                    """, arguments: [scope]
            ).map {
                SecretEntry(
                    scope: scope, provider: $0["provider"], name: $0["name"],
                    updatedAt: Instant(milliseconds: $0["updated_at"]))
            }
        }
    }

    /// Forgets a secret.
    ///
    /// - Returns: whether there was one.
    package func deleteSecret(
        scope: String, provider: String, name: String, audit entry: AuditEntry? = nil
    ) throws(StoreError) -> Bool {
        try write("delete secret") { transaction in
            let removed = try transaction.run(
                "DELETE FROM secrets WHERE scope = ? AND provider = ? AND name = ?",
                [scope, provider, name])
            if removed > 0, let entry { try transaction.audit(entry) }
            return removed > 0
        }
    }
}

extension Transaction {
    /// Seals and stores a secret in place of the former.
    func save(
        _ value: Secret, scope: String, provider: String, name: String, sealer: Sealer, at now: Instant
    ) throws {
        let sealed = try sealer.seal(value, .secret(scope: scope, provider: provider, name: name))
        try run(
            """
            INSERT INTO secrets (scope, provider, name, sealed, updated_at) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT DO UPDATE SET sealed = excluded.sealed, updated_at = excluded.updated_at
            """, [scope, provider, name, sealed.asData, now.milliseconds])
    }
}
