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
    /// The place that a stored secret is sealed for.
    package static func place(scope: String, provider: String, name: String) -> Sealer.Place {
        Sealer.Place(table: "secrets", column: "sealed", row: "\(provider)/\(name)", owner: scope)
    }

    /// Seals and stores a secret in place of the former.
    package func saveSecret(
        _ value: Secret, scope: String, provider: String, name: String, sealer: Sealer, at now: Instant
    ) throws(StoreError) {
        let place = Self.place(scope: scope, provider: provider, name: name)
        try write("save secret") { transaction in
            let sealed = try sealer.seal(value, place)
            try transaction.run(
                """
                INSERT INTO secrets (scope, provider, name, sealed, updated_at) VALUES (?, ?, ?, ?, ?)
                ON CONFLICT DO UPDATE SET sealed = excluded.sealed, updated_at = excluded.updated_at
                """, [scope, provider, name, sealed.asData, now.milliseconds])
        }
    }

    /// Opens the secrets of a scope, by name.
    ///
    /// - Throws: ``StoreError`` with `.corrupt` when one does not open: its key is missing, or it was moved.
    package func openSecrets(
        scope: String, sealer: Sealer
    ) throws(StoreError) -> [String: Secret] {
        try read("open secrets") { db in
            let rows = try Row.fetchAll(
                db, sql: "SELECT provider, name, sealed FROM secrets WHERE scope = ?",
                arguments: [scope])
            var secrets: [String: Secret] = [:]
            for row in rows {
                let place = Self.place(scope: scope, provider: row["provider"], name: row["name"])
                do {
                    secrets[row["name"]] = try sealer.open([UInt8](row["sealed"] as Data), place)
                } catch let failure as Sealer.Failure {
                    throw StoreError(.corrupt, operation: "open secrets", message: failure.description)
                }
            }
            return secrets
        }
    }

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
        scope: String, provider: String, name: String
    ) throws(StoreError) -> Bool {
        try write("delete secret") { transaction in
            try transaction.run(
                "DELETE FROM secrets WHERE scope = ? AND provider = ? AND name = ?",
                [scope, provider, name]) > 0
        }
    }
}
