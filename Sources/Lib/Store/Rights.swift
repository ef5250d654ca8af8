import Foundation
import GRDB
package import Porter

/// What a person may do in a repository, as far as Porter has heard.
package struct Right: Hashable, Sendable {
    /// GitHub's id of the repository.
    package let repository: Int64
    /// Whether the person can push; whoever has a right at all can see.
    package let canPush: Bool

    /// A right.
    package init(repository: Int64, canPush: Bool) {
        self.repository = repository
        self.canPush = canPush
    }
}

extension Database {
    /// Keeps what GitHub has just said about the person's rights, in place of all that was known.
    package func saveRights(
        person: Int64, _ rights: [Right], of repositories: [RepositoryChange], at now: Instant
    ) throws(StoreError) {
        try write("save rights") { transaction in
            try transaction.saveRights(person: person, rights, at: now)
            for news in repositories { try transaction.saveIfNew(news, at: now) }
        }
    }

    /// Whether the person can push to the repository; nil when they do not see it.
    package func findRight(person: Int64, repository: Int64) throws(StoreError) -> Right? {
        try read("find right") { db in
            try Bool.fetchOne(
                db.cachedStatement(
                    sql: "SELECT can_push FROM person_repositories WHERE person_id = ? AND repository_id = ?"),
                arguments: [person, repository]
            ).map { Right(repository: repository, canPush: $0) }
        }
    }

    /// The repository of that name that the App reaches, whatever its case.
    package func findRepository(owner: String, name: String) throws(StoreError) -> RepositoryRef? {
        try read("find repository") { db in
            try Row.fetchOne(
                db,
                sql: """
                    SELECT id, installation_id, owner_login, name FROM repositories
                    WHERE lower(owner_login) = lower(?) AND lower(name) = lower(?) AND is_removed = 0
                    ORDER BY updated_at DESC LIMIT 1
                    """, arguments: [owner, name]
            ).map {
                RepositoryRef(
                    installationID: $0["installation_id"], id: $0["id"], owner: $0["owner_login"],
                    name: $0["name"])
            }
        }
    }

    /// The subject of a person's jobs.
    package static func subject(ofPerson id: Int64) -> String { "person:\(id)" }

    /// Sees to it that GitHub is asked for the person's rights; one question at a time.
    package func ensureRights(person: Int64, at moment: Instant) throws(StoreError) {
        let subject = Self.subject(ofPerson: person)
        let isAsked = try read("look for a question") { db in
            try Bool.fetchOne(
                db.cachedStatement(
                    sql: "SELECT EXISTS (SELECT 1 FROM jobs WHERE subject = ? AND kind = 'rights')"),
                arguments: [subject])
        }
        if isAsked == true { return }
        try write("ensure rights") { transaction in
            let made = try transaction.run(
                "INSERT INTO jobs (subject, kind, run_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                [subject, JobKind.rights.rawValue, moment.milliseconds])
            if made == 1 { transaction.hasNewWork = true }
        }
    }
}

extension Transaction {
    /// Keeps the person's rights in place of all that was known; what has not changed is not written.
    func saveRights(person: Int64, _ rights: [Right], at now: Instant) throws {
        let known = try Row.fetchAll(
            db, sql: "SELECT repository_id, can_push FROM person_repositories WHERE person_id = ?",
            arguments: [person])
        var former: [Int64: Bool] = [:]
        for row in known { former[row["repository_id"]] = row["can_push"] }
        for right in rights where former.removeValue(forKey: right.repository) != right.canPush {
            try run(
                """
                INSERT INTO person_repositories (person_id, repository_id, can_push) VALUES (?, ?, ?)
                ON CONFLICT DO UPDATE SET can_push = excluded.can_push
                """, [person, right.repository, right.canPush])
        }
        for gone in former.keys {
            try run(
                "DELETE FROM person_repositories WHERE person_id = ? AND repository_id = ?", [person, gone])
        }
        try run("UPDATE people SET rights_at = ? WHERE id = ?", [now.milliseconds, person])
    }

    /// Takes everybody's rights in a repository away, since the App does not reach it any more.
    func forgetRights(in repository: Int64) throws {
        try run("DELETE FROM person_repositories WHERE repository_id = ?", [repository])
    }

    /// Writes the news down unless all of it is known.
    func saveIfNew(_ news: RepositoryChange, at now: Instant) throws {
        let repository = news.repository
        let isKnown = try Bool.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT EXISTS (SELECT 1 FROM repositories WHERE id = ? AND installation_id = ?
                        AND owner_id = ? AND owner_login = ? AND name = ? AND default_branch IS ?
                        AND is_archived = ? AND is_removed = 0)
                    """),
            arguments: [
                repository.id, repository.installationID, news.owner.id, repository.owner, repository.name,
                news.defaultBranch, news.isArchived ?? false,
            ])
        if isKnown != true { try save(news, at: now) }
    }
}
