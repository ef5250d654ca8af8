import Foundation
import GRDB
package import Porter

extension Database {
    /// Keeps what was learnt about a repository.
    package func saveRepository(_ news: RepositoryChange, at now: Instant) throws(StoreError) {
        try write("save repository") { try $0.save(news, at: now) }
    }

    /// Whether an admin switched the repository off.
    package func isSwitchedOff(repository: Int64) throws(StoreError) -> Bool {
        try read("find repository") { db in
            try Bool.fetchOne(
                db, sql: "SELECT is_enabled = 0 FROM repositories WHERE id = ?", arguments: [repository])
                ?? false
        }
    }

    /// Switches a repository on or off.
    package func switchRepository(_ id: Int64, on isOn: Bool, at now: Instant) throws(StoreError) {
        try write("switch repository") { transaction in
            try transaction.run(
                "UPDATE repositories SET is_enabled = ?, updated_at = ? WHERE id = ?",
                [isOn, now.milliseconds, id])
        }
    }

    /// What is known of an installation: `active`, `suspended`, `deleted`; nil when it was never heard of.
    package func installationState(_ id: Int64) throws(StoreError) -> String? {
        try read("find installation") { db in
            try String.fetchOne(
                db, sql: "SELECT state FROM installations WHERE id = ?", arguments: [id])
        }
    }
}

extension Transaction {
    /// Writes what an installation is now; a deleted one stays deleted.
    func save(installation id: Int64, account: Person, state: String, at now: Instant) throws {
        try run(
            """
            INSERT INTO installations (id, account_id, account_login, state, updated_at)
            VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET account_id = excluded.account_id,
                account_login = excluded.account_login, state = excluded.state,
                updated_at = excluded.updated_at
            WHERE state <> 'deleted'
            """, [id, account.id, account.login, state, now.milliseconds])
    }

    /// Writes the news over what was known, and follows renames in the repository's tasks.
    func save(_ news: RepositoryChange, at now: Instant) throws {
        let repository = news.repository
        try run(
            """
            INSERT INTO repositories (id, installation_id, owner_id, owner_login, name, default_branch,
                is_archived, is_removed, updated_at)
            VALUES (?, ?, ?, ?, ?, ?, coalesce(?, 0), ?, ?)
            ON CONFLICT (id) DO UPDATE SET
                installation_id = excluded.installation_id, owner_id = excluded.owner_id,
                owner_login = excluded.owner_login, name = excluded.name,
                default_branch = coalesce(excluded.default_branch, default_branch),
                is_archived = coalesce(?, is_archived), is_removed = excluded.is_removed,
                updated_at = excluded.updated_at
            """,
            [
                repository.id, repository.installationID, news.owner.id, repository.owner,
                repository.name, news.defaultBranch, news.isArchived, news.isRemoved,
                now.milliseconds, news.isArchived,
            ])
        try run(
            """
            UPDATE tasks SET owner_login = ?, repository_name = ?
            WHERE repository_id = ? AND (owner_login <> ? OR repository_name <> ?)
            """,
            [repository.owner, repository.name, repository.id, repository.owner, repository.name])
        if news.isRemoved { try forgetRights(in: repository.id) }
    }
}

extension [UInt8] {
    /// The bytes as SQLite binds a blob.
    var asData: Data { Data(self) }
}
