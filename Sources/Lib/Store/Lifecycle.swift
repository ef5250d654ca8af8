import GRDB
package import Porter

/// How the picture of installations and people follows what GitHub tells.
extension Database {
    /// Follows what happened to an installation that is not served: without a delivery or a line to remember.
    package func follow(_ news: InstallationChange, at now: Instant) throws(StoreError) {
        try write("follow an installation") { try $0.follow(news, isServed: false, at: now) }
    }

    /// Whether anything is known of the repository.
    package func knowsRepository(_ id: Int64) throws(StoreError) -> Bool {
        try read("look for a repository") { db in
            try Bool.fetchOne(
                db, sql: "SELECT EXISTS (SELECT 1 FROM repositories WHERE id = ?)", arguments: [id]) ?? false
        }
    }
}

extension Transaction {
    /// Writes down what an installation is now, and what that means for its repositories.
    ///
    /// A deleted one stays deleted whatever comes late: a new installation by the same account has another id.
    func follow(_ news: InstallationChange, isServed: Bool, at now: Instant) throws {
        let id = news.installationID
        let state =
            switch news.change {
            case .created, .unsuspended, .permissionsAccepted: "active"
            case .suspended: "suspended"
            case .deleted: "deleted"
            }
        try save(installation: id, account: news.account, state: state, at: now)
        let isDeleted = try Bool.fetchOne(
            db, sql: "SELECT state = 'deleted' FROM installations WHERE id = ?", arguments: [id])
        if isDeleted != true {
            for repository in news.repositories where isServed { try saveIfNew(repository, at: now) }
        } else {
            try run(
                "UPDATE repositories SET is_removed = 1, updated_at = ? WHERE installation_id = ? AND is_removed = 0",
                [now.milliseconds, id])
        }
        // What GitHub does not show through it any more, nobody sees here either.
        if isDeleted == true || news.change == .suspended {
            try run(
                """
                DELETE FROM person_repositories
                WHERE repository_id IN (SELECT id FROM repositories WHERE installation_id = ?)
                """, [id])
        }
        // Anybody can install a public App, and must not fill the record.
        guard isServed else { return }
        try audit(
            AuditEntry(
                at: now, actorID: nil, actorLogin: "GitHub", action: "installation.\(news.change.rawValue)",
                subject: news.account.login, detail: "installation \(id)"))
    }

    /// Ends a person's sessions and forgets their tokens and rights; everything else of theirs stays.
    func revoke(_ person: Person, at now: Instant) throws {
        let ended = try run("DELETE FROM sessions WHERE person_id = ?", [person.id])
        try run("DELETE FROM user_tokens WHERE person_id = ?", [person.id])
        try run("DELETE FROM person_repositories WHERE person_id = ?", [person.id])
        try run("UPDATE people SET rights_at = NULL WHERE id = ?", [person.id])
        try audit(
            AuditEntry(
                at: now, actorID: person.id, actorLogin: person.login, action: "authorization.revoked",
                subject: person.login, detail: "on GitHub; \(ended) sessions ended"))
    }
}
