import GRDB
package import Porter

/// An installation whose repositories are to be listed.
package struct SweepInstallation: Hashable, Sendable {
    /// GitHub's id of the installation.
    package let id: Int64
    /// The account that installed the App.
    package let account: Person
    /// The page at which its list goes on; nil at its beginning.
    package var page: String?
    /// The `ETag` of its list, if that has one page only.
    package var tag: String?
}

/// How far a repository was looked at.
package struct Sweep: Hashable, Sendable {
    /// The list that is read; the raw values are what the row holds.
    package enum Stage: String, Sendable {
        case issues
        case comments
        case reviewComments = "review_comments"
        case reviews
    }

    /// The repository, under the name of its last listing.
    package let repository: RepositoryRef
    /// The account that it belongs to.
    package let owner: Person
    /// All that was written before is known; by GitHub's clock.
    package var knownUntil: Instant
    /// The highest number of an issue that is known.
    package var highestIssue: Int
    /// The list that is read; nil when no look is under way.
    package var stage: Stage?
    /// The list is read up to what was changed at that moment.
    package var position: Instant
    /// The page at which it goes on where many changed at one moment; nil as a rule.
    package var page: String?
    /// The latest change that the list of issues shows; nil while none is seen.
    package var newest: Instant?
    /// The highest number that the list of issues shows.
    package var newestIssue: Int
    /// Whether the repository has no list of issues.
    package var isWithoutIssues: Bool
    /// The `ETag` of the list of issues since ``knownUntil``.
    package var tag: String?
    /// The one that the look under way found.
    package var freshTag: String?

    /// Begins a look.
    package mutating func begin(at floor: Instant) {
        enter(.issues, at: floor)
        newest = nil
        newestIssue = highestIssue
        isWithoutIssues = false
        freshTag = nil
    }

    /// Begins a list.
    package mutating func enter(_ next: Stage, at floor: Instant) {
        stage = next
        position = floor
        page = nil
    }
}

/// What is looked for on GitHub itself, and how far that is.
extension Database {
    private static let installationsMark = "contents.installations"

    /// The `ETag` under which the list of installations is known.
    package func installationsTag() throws(StoreError) -> String? {
        let parts = try findMark(Self.installationsMark)?.value.split(separator: " ", maxSplits: 1)
        return parts.flatMap { $0.count == 2 ? String($0[1]) : nil }
    }

    /// Keeps the whole list of installations.
    package func save(
        _ installations: [GitHub.Installation], in round: SweepRound, tag: String?, for claim: JobClaim,
        at now: Instant
    ) throws(StoreError) {
        try write("save installations", for: claim) { transaction in
            for installation in installations {
                try transaction.run(
                    """
                    INSERT INTO sweep_installations (id, account_id, account_login, is_suspended, seen_round)
                    VALUES (?, ?, ?, ?, ?)
                    ON CONFLICT (id) DO UPDATE SET account_id = excluded.account_id,
                        account_login = excluded.account_login, is_suspended = excluded.is_suspended,
                        seen_round = excluded.seen_round
                    """,
                    [
                        installation.id, installation.account.id, installation.account.login,
                        installation.isSuspended, round.number,
                    ])
                try transaction.save(
                    installation: installation.id, account: installation.account,
                    state: installation.isSuspended ? "suspended" : "active", at: now)
            }
            try transaction.setMark(
                Self.installationsMark, to: "\(round.number) \(tag ?? "")", at: now)
        }
    }

    /// The installations whose repositories this round has not listed yet.
    package func installationsToList(in round: SweepRound) throws(StoreError) -> [SweepInstallation] {
        try read("list installations") { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT id, account_id, account_login, page, tag FROM sweep_installations
                    WHERE looked_round < ? AND is_suspended = 0 AND seen_round = (\(Self.seenRound))
                    ORDER BY id
                    """, arguments: [round.number]
            ).map {
                SweepInstallation(
                    id: $0["id"], account: Person(id: $0["account_id"], login: $0["account_login"]),
                    page: $0["page"], tag: $0["tag"])
            }
        }
    }

    /// The round in which the list of installations was last read.
    private static let seenRound = """
        SELECT CAST(value AS INTEGER) FROM marks WHERE name = '\(installationsMark)'
        """

    /// Keeps a page of an installation's repositories; the list is known once it has no next page.
    ///
    /// - Parameter since: nothing older is looked for in a repository that was not known.
    package func save(
        _ repositories: [GitHub.Repository], of installation: SweepInstallation, in round: SweepRound,
        since: Instant, for claim: JobClaim, at now: Instant
    ) throws(StoreError) {
        try write("save repositories", for: claim) { transaction in
            for repository in repositories {
                try transaction.save(repository, of: installation.id, in: round, since: since, at: now)
            }
            try transaction.run(
                """
                UPDATE sweep_installations SET page = ?1, tag = ?2,
                    looked_round = CASE WHEN ?1 IS NULL THEN ?3 ELSE looked_round END,
                    listed_round = CASE WHEN ?1 IS NULL THEN ?3 ELSE listed_round END
                WHERE id = ?4
                """, [installation.page, installation.tag, round.number, installation.id])
        }
    }

    /// An installation's repositories are those of the last listing, or cannot be listed now.
    package func skip(
        _ installation: SweepInstallation, in round: SweepRound, for claim: JobClaim
    ) throws(StoreError) {
        try write("skip an installation", for: claim) { transaction in
            try transaction.run(
                "UPDATE sweep_installations SET looked_round = ?, page = NULL WHERE id = ?",
                [round.number, installation.id])
        }
    }

    /// The next repository that this round has not looked at, one whose look was interrupted first.
    package func nextSweep(in round: SweepRound) throws(StoreError) -> Sweep? {
        try read("look for a repository to sweep") { db in
            try Row.fetchOne(
                db,
                sql: """
                    SELECT sweeps.* FROM sweeps
                        JOIN sweep_installations ON sweep_installations.id = installation_id
                    WHERE swept_round < ? AND is_archived = 0 AND is_suspended = 0
                        AND sweeps.listed_round = sweep_installations.listed_round
                        AND seen_round = (\(Self.seenRound))
                    ORDER BY stage IS NULL, swept_round, repository_id LIMIT 1
                    """, arguments: [round.number]
            ).map(Sweep.init(row:))
        }
    }

    /// Keeps how far the look is, and the pull requests whose reviews are to be looked at.
    package func save(
        _ sweep: Sweep, pulls: [Int] = [], for claim: JobClaim
    ) throws(StoreError) {
        try write("save a sweep", for: claim) { transaction in
            try transaction.save(sweep)
            for number in pulls {
                try transaction.run(
                    "INSERT INTO sweep_pulls (repository_id, number) VALUES (?, ?) ON CONFLICT DO NOTHING",
                    [sweep.repository.id, number])
            }
        }
    }

    /// A pull request whose reviews are to be looked at.
    package func nextPull(_ repository: Int64) throws(StoreError) -> Int? {
        try read("look for a pull request") { db in
            try Int.fetchOne(
                db, sql: "SELECT min(number) FROM sweep_pulls WHERE repository_id = ?",
                arguments: [repository])
        }
    }

    /// The pull request's reviews were looked at.
    package func forgetPull(
        _ number: Int, _ sweep: Sweep, for claim: JobClaim
    ) throws(StoreError) {
        try write("forget a pull request", for: claim) { transaction in
            try transaction.save(sweep)
            try transaction.run(
                "DELETE FROM sweep_pulls WHERE repository_id = ? AND number = ?",
                [sweep.repository.id, number])
        }
    }

    /// Ends the look at a repository in this round.
    package func finish(
        _ sweep: Sweep, in round: SweepRound, for claim: JobClaim
    ) throws(StoreError) {
        try write("finish a sweep", for: claim) { transaction in
            try transaction.save(sweep)
            try transaction.run(
                "UPDATE sweeps SET swept_round = ? WHERE repository_id = ?",
                [round.number, sweep.repository.id])
            try transaction.run("DELETE FROM sweep_pulls WHERE repository_id = ?", [sweep.repository.id])
        }
    }
}

extension Transaction {
    fileprivate func save(
        _ repository: GitHub.Repository, of installation: Int64, in round: SweepRound, since: Instant,
        at now: Instant
    ) throws {
        try run(
            """
            INSERT INTO sweeps (repository_id, installation_id, owner_id, owner_login, name, is_archived,
                listed_round, known_until)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (repository_id) DO UPDATE SET installation_id = excluded.installation_id,
                owner_id = excluded.owner_id, owner_login = excluded.owner_login, name = excluded.name,
                is_archived = excluded.is_archived, listed_round = excluded.listed_round
            """,
            [
                repository.id, installation, repository.owner.id, repository.owner.login,
                repository.name, repository.isArchived, round.number, since.milliseconds,
            ])
        let place = RepositoryRef(
            installationID: installation, id: repository.id, owner: repository.owner.login,
            name: repository.name)
        try save(
            RepositoryChange(
                repository: place, owner: repository.owner, defaultBranch: repository.defaultBranch,
                isArchived: repository.isArchived), at: now)
    }

    fileprivate func save(_ sweep: Sweep) throws {
        try run(
            """
            UPDATE sweeps SET known_until = ?, highest_issue = ?, stage = ?, position = ?, page = ?,
                newest = ?, newest_issue = ?, is_without_issues = ?, tag = ?, fresh_tag = ?
            WHERE repository_id = ?
            """,
            [
                sweep.knownUntil.milliseconds, sweep.highestIssue, sweep.stage?.rawValue,
                sweep.position.milliseconds, sweep.page, sweep.newest?.milliseconds, sweep.newestIssue,
                sweep.isWithoutIssues, sweep.tag, sweep.freshTag, sweep.repository.id,
            ])
    }
}

extension Sweep {
    fileprivate init(row: Row) {
        self.init(
            repository: RepositoryRef(
                installationID: row["installation_id"], id: row["repository_id"],
                owner: row["owner_login"], name: row["name"]),
            owner: Person(id: row["owner_id"], login: row["owner_login"]),
            knownUntil: Instant(milliseconds: row["known_until"]), highestIssue: row["highest_issue"],
            stage: (row["stage"] as String?).flatMap(Stage.init(rawValue:)),
            position: Instant(milliseconds: row["position"]), page: row["page"],
            newest: (row["newest"] as Int64?).map(Instant.init(milliseconds:)),
            newestIssue: row["newest_issue"], isWithoutIssues: row["is_without_issues"], tag: row["tag"],
            freshTag: row["fresh_tag"])
    }
}
