import GRDB
package import Porter

extension Database {
    /// Keeps that the person signed in, under the login of now.
    package func savePerson(_ person: Person, at now: Instant) throws(StoreError) {
        try write("save person") { try $0.save(person, at: now) }
    }

    /// Forgets the person with sessions, tokens and rights; tasks and the record of changes stay.
    package func deletePerson(_ id: Int64) throws(StoreError) {
        try write("delete person") { try $0.run("DELETE FROM people WHERE id = ?", [id]) }
    }

    /// The person of that id, if they ever signed in.
    package func findPerson(_ id: Int64) throws(StoreError) -> Person? {
        try read("find person") { db in
            try String.fetchOne(db, sql: "SELECT login FROM people WHERE id = ?", arguments: [id])
                .map { Person(id: id, login: $0) }
        }
    }
}

extension Transaction {
    static let latestLogin = """
        SELECT author_login FROM tasks WHERE author_id = ?
            AND (admitted_at IS NOT NULL OR finished_at IS NOT NULL) ORDER BY id DESC LIMIT 1
        """

    /// Of the tasks that are in lists, and of those that may be: each kind has its index.
    static let renames = [
        "(admitted_at IS NOT NULL OR finished_at IS NOT NULL)", "state = 'queued' AND admitted_at IS NULL",
    ].map { "UPDATE tasks SET author_login = ?2 WHERE author_id = ?1 AND author_login <> ?2 AND \($0)" }

    /// Keeps that the person signed in, under the login of now.
    func save(_ person: Person, at now: Instant) throws {
        let former = try String.fetchOne(
            db.cachedStatement(sql: "SELECT login FROM people WHERE id = ?"), arguments: [person.id])
        try run(
            """
            INSERT INTO people (id, login, created_at, signed_in_at) VALUES (?, ?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET login = excluded.login, signed_in_at = excluded.signed_in_at
            """, [person.id, person.login, now.milliseconds, now.milliseconds])
        let latest = try latestLogin(of: person.id)
        guard former != person.login || (latest != nil && latest != person.login) else { return }
        try rename(person)
    }

    /// The name under which the person last asked for a task that is in lists.
    func latestLogin(of person: Int64) throws -> String? {
        try String.fetchOne(db.cachedStatement(sql: Self.latestLogin), arguments: [person])
    }

    /// Names follow renames; whoever has the old one now is somebody else.
    func rename(_ person: Person) throws {
        for rename in Self.renames { try run(rename, [person.id, person.login]) }
    }
}

/// Everything that a sign-in leaves behind.
package struct NewSignIn: Sendable {
    let person: Person
    let session: SessionID
    let cookie: [UInt8]
    let formerCookie: [UInt8]?
    let tokens: SealedUserTokens
    let rights: [Right]
    let repositories: [RepositoryChange]
    let address: String?
    let userAgent: String?

    /// - Parameters:
    ///   - cookie: the digest of the new session's cookie.
    ///   - formerCookie: the digest of the cookie that the browser had before.
    package init(
        person: Person, session: SessionID, cookie: [UInt8], formerCookie: [UInt8]?,
        tokens: SealedUserTokens, rights: [Right], repositories: [RepositoryChange], address: String?,
        userAgent: String?
    ) {
        self.person = person
        self.session = session
        self.cookie = cookie
        self.formerCookie = formerCookie
        self.tokens = tokens
        self.rights = rights
        self.repositories = repositories
        self.address = address
        self.userAgent = userAgent
    }

    /// What a sign-in makes of the person.
    package enum AdminRule: Hashable, Sendable {
        /// The operator names them.
        case named
        /// The operator names others.
        case notNamed
        /// An admin, if there has never been one.
        case firstIfNone
        /// What they were.
        case keep
    }
}

extension Database {
    /// Keeps a person with tokens, rights and a new session, all or nothing.
    ///
    /// - Parameter mark: holds the id of the first admin.
    package func signIn(
        _ news: NewSignIn, admin rule: NewSignIn.AdminRule, mark: String, at now: Instant
    ) throws(StoreError) {
        try write("sign in") { transaction in
            let person = news.person
            func note(_ action: String, _ subject: String) throws {
                try transaction.audit(
                    AuditEntry(
                        at: now, actorID: person.id, actorLogin: person.login, action: action,
                        subject: subject, address: news.address))
            }
            try transaction.save(person, at: now)
            try transaction.save(news.tokens, person: person.id, at: now)
            try transaction.saveRights(person: person.id, news.rights, at: now)
            for repository in news.repositories { try transaction.saveIfNew(repository, at: now) }
            if let former = news.formerCookie {
                try transaction.run("DELETE FROM sessions WHERE digest = ?", [former.asData])
            }
            try transaction.beginSession(
                news.session, digest: news.cookie, person: person.id, address: news.address,
                userAgent: news.userAgent, at: now)
            try note("session.begun", news.session.rawValue)
            let isAdmin = try transaction.isAdmin(person, rule, mark, at: now)
            let was = try Bool.fetchOne(
                transaction.db, sql: "SELECT was_admin FROM people WHERE id = ?", arguments: [person.id])
            guard was != isAdmin else { return }
            try transaction.run("UPDATE people SET was_admin = ? WHERE id = ?", [isAdmin, person.id])
            try note(isAdmin ? "admin.granted" : "admin.withdrawn", person.login)
        }
    }

    /// The account of an installation that was heard of.
    package func findAccount(_ id: Int64) throws(StoreError) -> Person? {
        try read("find account") { db in
            try String.fetchOne(
                db,
                sql: """
                    SELECT account_login FROM installations WHERE account_id = ?
                    UNION ALL SELECT owner_login FROM repositories WHERE owner_id = ? LIMIT 1
                    """, arguments: [id, id]
            ).map { Person(id: id, login: $0) }
        }
    }
}

extension Transaction {
    fileprivate func isAdmin(
        _ person: Person, _ rule: NewSignIn.AdminRule, _ mark: String, at now: Instant
    ) throws -> Bool {
        switch rule {
        case .named: return true
        case .notNamed: return false
        case .firstIfNone:
            try run(
                "INSERT INTO marks (name, value, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                [mark, String(person.id), now.milliseconds])
        case .keep: break
        }
        return try String.fetchOne(db, sql: "SELECT value FROM marks WHERE name = ?", arguments: [mark])
            == String(person.id)
    }
}
