import Foundation
import GRDB
package import Porter

/// A browser in which somebody is signed in.
package struct Session: Hashable, Sendable {
    /// Seconds without a request after which a session is over.
    package static let idle = 7 * 86_400
    /// Seconds after which a session is over, however much it is used.
    package static let longest = 30 * 86_400
    /// Seconds between two notes of a session's use.
    package static let noteInterval = 900

    /// Its name in lists.
    package let id: SessionID
    /// Whose it is.
    package let person: Person
    /// When the person signed in.
    package let createdAt: Instant
    /// When it was last used, to within ``noteInterval``.
    package let usedAt: Instant
    /// Where the person signed in from; nil when that is not known.
    package let address: String?
    /// What the browser called itself then; nil when it did not.
    package let userAgent: String?

    /// When it ends unless it is used.
    package var expiresAt: Instant {
        min(usedAt.adding(seconds: Self.idle), createdAt.adding(seconds: Self.longest))
    }
}

/// A session that a request brought.
package struct OpenSession: Hashable, Sendable {
    /// The session.
    package let session: Session
    /// Whether GitHub refused to renew the person's token, so that they must sign in again.
    package let mustSignInAgain: Bool
    /// When GitHub last said which repositories the person sees; nil before it did.
    package let rightsAt: Instant?
}

extension Database {
    /// Begins a session.
    ///
    /// - Parameter digest: of the cookie's value.
    package func beginSession(
        _ id: SessionID, digest: [UInt8], person: Int64, address: String?, userAgent: String?,
        at now: Instant
    ) throws(StoreError) {
        try write("begin session") { transaction in
            try transaction.beginSession(
                id, digest: digest, person: person, address: address, userAgent: userAgent, at: now)
        }
    }

    /// The session that a cookie opens; nil when there is none or it is over.
    package func findSession(digest: [UInt8], at now: Instant) throws(StoreError) -> OpenSession? {
        try read("find session") { db in
            let row = try Row.fetchOne(
                db.cachedStatement(
                    sql: """
                        SELECT s.*, p.login, p.rights_at, t.refused_at FROM sessions s
                            JOIN people p ON p.id = s.person_id
                            LEFT JOIN user_tokens t ON t.person_id = s.person_id
                        WHERE s.digest = ?
                        """), arguments: [digest.asData])
            guard let row else { return nil }
            let session = try Session(row)
            guard now < session.expiresAt else { return nil }
            return OpenSession(
                session: session, mustSignInAgain: (row["refused_at"] as Int64?) != nil,
                rightsAt: (row["rights_at"] as Int64?).map(Instant.init(milliseconds:)))
        }
    }

    /// Notes that a session is used.
    package func noteUse(of id: SessionID, at now: Instant) throws(StoreError) {
        try write("note a session's use") { transaction in
            try transaction.run(
                "UPDATE sessions SET used_at = ? WHERE id = ?", [now.milliseconds, id.rawValue])
        }
    }

    /// The person's sessions that are not over, newest first.
    package func listSessions(person: Int64, at now: Instant) throws(StoreError) -> [Session] {
        try read("list sessions") { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT s.*, p.login FROM sessions s JOIN people p ON p.id = s.person_id
                    WHERE s.person_id = ? ORDER BY s.created_at DESC, s.id
                    """, arguments: [person]
            ).map(Session.init).filter { now < $0.expiresAt }
        }
    }

    /// Ends one session of the person.
    ///
    /// - Returns: false when the person has none of that id.
    package func endSession(
        _ id: SessionID, of person: Person, address: String?, at now: Instant
    ) throws(StoreError) -> Bool {
        try write("end session") { transaction in
            let ended = try transaction.run(
                "DELETE FROM sessions WHERE id = ? AND person_id = ?", [id.rawValue, person.id])
            guard ended == 1 else { return false }
            try transaction.audit(
                AuditEntry(
                    at: now, actorID: person.id, actorLogin: person.login, action: "session.ended",
                    subject: id.rawValue, address: address))
            return true
        }
    }

    /// Ends every session of the person.
    ///
    /// - Returns: how many there were.
    @discardableResult
    package func endSessions(of person: Person, address: String?, at now: Instant) throws(StoreError) -> Int {
        try write("end sessions") { transaction in
            let ended = try transaction.run("DELETE FROM sessions WHERE person_id = ?", [person.id])
            try transaction.audit(
                AuditEntry(
                    at: now, actorID: person.id, actorLogin: person.login, action: "session.ended",
                    subject: "everywhere", detail: "\(ended) sessions", address: address))
            return ended
        }
    }
}

extension Transaction {
    /// Begins a session.
    func beginSession(
        _ id: SessionID, digest: [UInt8], person: Int64, address: String?, userAgent: String?,
        at now: Instant
    ) throws {
        try run(
            """
            INSERT INTO sessions (id, digest, person_id, created_at, used_at, address, user_agent)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            """,
            [
                id.rawValue, digest.asData, person, now.milliseconds, now.milliseconds, address, userAgent,
            ])
    }
}

extension Session {
    /// Reads a row of `sessions` with its person's login.
    init(_ row: Row) throws {
        guard let id = SessionID(rawValue: row["id"]) else {
            throw StoreError(.corrupt, operation: "read a session", message: "its id is none")
        }
        self.init(
            id: id, person: Person(id: row["person_id"], login: row["login"]),
            createdAt: Instant(milliseconds: row["created_at"]),
            usedAt: Instant(milliseconds: row["used_at"]), address: row["address"],
            userAgent: row["user_agent"])
    }
}
