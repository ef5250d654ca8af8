import Foundation
import GRDB
package import Porter

/// An installation as Porter last saw it.
package struct InstallationRecord: Hashable, Sendable {
    /// GitHub's numeric id of the installation.
    package let id: Int64
    /// The account that installed the App.
    package let account: Person
    /// `User` or `Organization`; nil until GitHub was asked.
    package let accountType: String?
    /// `active`, `suspended`, `deleted`.
    package let state: String
    /// `all` or `selected`; nil until GitHub was asked.
    package let selection: String?
    /// What its owner granted; empty until GitHub was asked.
    package let permissions: [String: String]
    /// Its page, where its owner changes it; nil until GitHub was asked.
    package let url: String?
    /// What was left of its hour when GitHub was last asked.
    package let rateLimit: GitHub.RateLimit?
    /// When GitHub was last asked about it; nil when only deliveries told of it.
    package let refreshedAt: Instant?
}

/// A repository as Porter last saw it.
package struct RepositoryRecord: Hashable, Sendable {
    /// Its id, and its name now.
    package let reference: RepositoryRef
    /// The account that it belongs to.
    package let owner: Person
    /// The default branch; nil until it was told.
    package let defaultBranch: String?
    /// Whether nothing can be pushed.
    package let isArchived: Bool
    /// Whether no admin has switched it off.
    package let isEnabled: Bool
    /// Whether the App does not reach it any more.
    package let isRemoved: Bool
    /// When something about it last changed.
    package let updatedAt: Instant
}

/// An issue as Porter last saw it.
package struct IssueRecord: Hashable, Sendable {
    /// Its number in the repository.
    package let number: Int
    /// Its title.
    package let title: String
    /// Whether it is not closed; nil when that was never told.
    package let isOpen: Bool?
    /// Whether the number belongs to a pull request.
    package let isPullRequest: Bool
    /// When that was learnt.
    package let updatedAt: Instant
}

/// What Porter keeps of GitHub for the pages, so that no page waits for GitHub.
extension Database {
    /// All installations, those of the past included.
    package func listInstallations() throws(StoreError) -> [InstallationRecord] {
        try read("list installations") { db in
            try Row.fetchAll(db, sql: "SELECT * FROM installations ORDER BY account_login, id").map { row in
                InstallationRecord(
                    id: row["id"], account: Person(id: row["account_id"], login: row["account_login"]),
                    accountType: row["account_type"], state: row["state"], selection: row["selection"],
                    permissions: Self.decoded(row["permissions"]) ?? [:], url: row["url"],
                    rateLimit: Self.decoded(row["rate_limit"]),
                    refreshedAt: (row["refreshed_at"] as Int64?).map(Instant.init(milliseconds:)))
            }
        }
    }

    /// The repositories that the App reaches or has reached, by name.
    ///
    /// - Parameter person: whose picture it is: only what that person sees on GitHub; nil is everything.
    package func listRepositories(visibleTo person: Int64?) throws(StoreError) -> [RepositoryRecord] {
        try read("list repositories") { db in
            try RepositoryRecord.fetchAll(
                db,
                sql: """
                    SELECT * FROM repositories
                    WHERE ?1 IS NULL OR id IN
                        (SELECT repository_id FROM person_repositories WHERE person_id = ?1)
                    ORDER BY lower(owner_login), lower(name), id
                    """, arguments: [person]
            )
        }
    }

    /// Switches a repository on or off and changes its settings, with a line in the record of changes.
    package func changeRepository(
        _ id: Int64, isOn: Bool?, settings: [String: String?], audit entry: AuditEntry, at now: Instant
    ) throws(StoreError) {
        try write("change repository") { transaction in
            if let isOn {
                try transaction.run("UPDATE repositories SET is_enabled = ? WHERE id = ?", [isOn, id])
            }
            for (name, json) in settings.sorted(by: { $0.key < $1.key }) {
                try transaction.set(name, scope: "repository:\(id)", to: json, at: now)
            }
            try transaction.audit(entry)
        }
    }

    /// The repository of that id.
    package func findRepository(_ id: Int64) throws(StoreError) -> RepositoryRecord? {
        try read("find repository") { db in
            try RepositoryRecord.fetchOne(db, sql: "SELECT * FROM repositories WHERE id = ?", arguments: [id])
        }
    }

    /// Keeps what GitHub says about the App's installations; those that it does not list any more are gone.
    ///
    /// - Parameter asked: when GitHub was asked; what deliveries told later stands.
    package func saveInstallations(
        _ installations: [GitHub.InstallationDetails], asked: Instant, at now: Instant
    ) throws(StoreError) {
        let records = installations.map { ($0, SureJSON.text($0.permissions)) }
        try write("save installations") { transaction in
            for (installation, permissions) in records {
                try transaction.run(
                    """
                    INSERT INTO installations (id, account_id, account_login, state, updated_at, account_type,
                        selection, permissions, url, refreshed_at)
                    VALUES (?1, ?2, ?3, ?4, ?9, ?5, ?6, ?7, ?8, ?9)
                    ON CONFLICT (id) DO UPDATE SET account_id = ?2, account_login = ?3, state = ?4,
                        account_type = ?5, selection = ?6, permissions = ?7, url = ?8, refreshed_at = ?9
                    """,
                    [
                        installation.id, installation.account.id, installation.account.login,
                        installation.isSuspended ? "suspended" : "active", installation.accountType,
                        installation.selection, permissions, installation.url, now.milliseconds,
                    ])
            }
            let known = try Int64.fetchAll(
                transaction.db,
                sql: "SELECT id FROM installations WHERE state <> 'deleted' AND updated_at <= ?",
                arguments: [asked.milliseconds])
            let listed = Set(installations.map(\.id))
            for id in known where !listed.contains(id) {
                try transaction.run(
                    "UPDATE installations SET state = 'deleted', updated_at = ? WHERE id = ?",
                    [now.milliseconds, id])
            }
        }
    }

    /// Keeps which repositories an installation reaches; those that it does not list any more are out of reach.
    ///
    /// - Parameter asked: when GitHub was asked; what deliveries told later stands.
    package func saveRepositories(
        of installation: Int64, _ repositories: [GitHub.Repository], rateLimit: GitHub.RateLimit?,
        asked: Instant, at now: Instant
    ) throws(StoreError) {
        let limit = rateLimit.map { SureJSON.text($0) }
        try write("save repositories") { transaction in
            for repository in repositories {
                try transaction.save(
                    RepositoryChange(
                        repository: RepositoryRef(
                            installationID: installation, id: repository.id, owner: repository.owner.login,
                            name: repository.name),
                        owner: repository.owner, defaultBranch: repository.defaultBranch,
                        isArchived: repository.isArchived), at: now)
            }
            let known = try Int64.fetchAll(
                transaction.db,
                sql: """
                    SELECT id FROM repositories
                    WHERE installation_id = ? AND is_removed = 0 AND updated_at <= ?
                    """, arguments: [installation, asked.milliseconds])
            let listed = Set(repositories.map(\.id))
            for id in known where !listed.contains(id) {
                try transaction.run(
                    "UPDATE repositories SET is_removed = 1, updated_at = ? WHERE id = ?",
                    [now.milliseconds, id])
            }
            if let limit {
                try transaction.run(
                    "UPDATE installations SET rate_limit = ? WHERE id = ?", [limit, installation])
            }
        }
    }

    /// Keeps what GitHub said about an issue.
    package func saveIssue(
        repository: Int64, _ issue: GitHub.Issue, at now: Instant
    ) throws(StoreError) {
        try write("save issue") { transaction in
            try transaction.run(
                """
                INSERT INTO issues (repository_id, number, title, is_open, is_pull_request, updated_at)
                VALUES (?, ?, ?, ?, ?, ?)
                ON CONFLICT DO UPDATE SET title = excluded.title, is_open = excluded.is_open,
                    is_pull_request = excluded.is_pull_request, updated_at = excluded.updated_at
                """,
                [
                    repository, issue.number, issue.title, issue.isOpen, issue.isPullRequest,
                    now.milliseconds,
                ])
        }
    }

    /// The issue as it was last seen: by admission, or as a command found it.
    package func findIssue(repository: Int64, number: Int) throws(StoreError) -> IssueRecord? {
        try read("find issue") { db in
            if let row = try Row.fetchOne(
                db, sql: "SELECT * FROM issues WHERE repository_id = ? AND number = ?",
                arguments: [repository, number])
            {
                return IssueRecord(
                    number: number, title: row["title"], isOpen: row["is_open"],
                    isPullRequest: row["is_pull_request"],
                    updatedAt: Instant(milliseconds: row["updated_at"]))
            }
            return try Row.fetchOne(
                db,
                sql: """
                    SELECT issue_title, created_at FROM tasks WHERE repository_id = ? AND issue_number = ?
                        AND (admitted_at IS NOT NULL OR finished_at IS NOT NULL)
                    ORDER BY id DESC LIMIT 1
                    """, arguments: [repository, number]
            ).map {
                IssueRecord(
                    number: number, title: $0["issue_title"], isOpen: nil, isPullRequest: false,
                    updatedAt: Instant(milliseconds: $0["created_at"]))
            }
        }
    }

    private static func decoded<Value: Decodable>(_ text: String?) -> Value? {
        text.flatMap { try? JSONDecoder().decode(Value.self, from: Data($0.utf8)) }
    }
}

extension RepositoryRecord: FetchableRecord {
    init(row: Row) {
        reference = RepositoryRef(
            installationID: row["installation_id"], id: row["id"], owner: row["owner_login"],
            name: row["name"])
        owner = Person(id: row["owner_id"], login: row["owner_login"])
        defaultBranch = row["default_branch"]
        isArchived = row["is_archived"]
        isEnabled = row["is_enabled"]
        isRemoved = row["is_removed"]
        updatedAt = Instant(milliseconds: row["updated_at"])
    }
}
