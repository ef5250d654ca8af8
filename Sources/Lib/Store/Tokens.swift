import Foundation
import GRDB
package import Porter

/// A GitHub token that was given to a worker.
package struct GivenToken: Hashable, Sendable {
    /// The row's key, which the sealed form is bound to.
    package let id: Int64
    /// The task whose worker got it.
    package let task: TaskID
    /// The token, sealed so that it can be revoked at the end.
    package let sealed: [UInt8]
    /// When GitHub stops accepting it by itself.
    package let expiresAt: Instant
}

extension Database {
    /// Keeps a token that GitHub gave, sealed under its row.
    ///
    /// - Returns: false when the task has ended meanwhile; the token is then revoked like its others.
    package func saveToken(
        task: TaskID, attempt: Int, purpose: String, expiresAt: Instant, at now: Instant,
        seal: @escaping (_ row: Int64) throws -> [UInt8]
    ) throws(StoreError) -> Bool {
        try write("save token") { transaction in
            try transaction.run(
                """
                INSERT INTO tokens (task_id, attempt, purpose, sealed, expires_at)
                VALUES (?, ?, ?, x'', ?)
                """, [task.rawValue, attempt, purpose, expiresAt.milliseconds])
            let row = transaction.db.lastInsertedRowID
            try transaction.run(
                "UPDATE tokens SET sealed = ? WHERE id = ?", [try seal(row).asData, row])
            guard try transaction.task(task)?.state.isFinal != false else { return true }
            try transaction.enqueue(.cleanup, for: task, at: now)
            return false
        }
    }

    /// The task's tokens that GitHub may still accept.
    package func liveTokens(_ task: TaskID) throws(StoreError) -> [GivenToken] {
        try read("list tokens") { db in
            try Row.fetchAll(
                db,
                sql: "SELECT id, sealed, expires_at FROM tokens WHERE task_id = ? AND revoked_at IS NULL",
                arguments: [task.rawValue]
            ).map {
                GivenToken(
                    id: $0["id"], task: task, sealed: [UInt8]($0["sealed"] as Data),
                    expiresAt: Instant(milliseconds: $0["expires_at"]))
            }
        }
    }

    /// Forgets a token that GitHub does not accept any more.
    package func markRevoked(_ token: GivenToken, at now: Instant) throws(StoreError) {
        try write("mark token revoked") { transaction in
            try transaction.run(
                "UPDATE tokens SET sealed = NULL, revoked_at = ? WHERE id = ?",
                [now.milliseconds, token.id])
        }
    }
}
