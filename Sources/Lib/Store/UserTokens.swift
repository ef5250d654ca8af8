import Foundation
import GRDB
package import Porter

/// A person's tokens as they rest.
package struct StoredUserTokens: Hashable, Sendable {
    /// Rises with each pair that is stored.
    package let version: Int64
    /// Nil once GitHub refused to renew it.
    package let accessSealed: [UInt8]?
    /// When the access token ends; nil when it does not.
    package let accessExpiresAt: Instant?
    /// Nil when the App's tokens do not end.
    package let refreshSealed: [UInt8]?
    /// When the refresh token ends; nil when that is not known.
    package let refreshExpiresAt: Instant?
    /// When a renewal was last begun that has not brought a pair.
    package let triedAt: Instant?
}

/// A renewal in somebody's hands: nobody else may ask GitHub for this person's next pair meanwhile.
package struct RenewalClaim: Hashable, Sendable {
    /// Whose tokens.
    package let person: Int64
    let version: Int64
    let holder: String
    let fence: Int64
}

/// Sealed tokens, on their way in.
package struct SealedUserTokens: Hashable, Sendable {
    let access: [UInt8]
    let accessExpiresAt: Instant?
    let refresh: [UInt8]?
    let refreshExpiresAt: Instant?

    /// Seals the pair for the person's row.
    package init(
        _ tokens: UserGitHub.UserTokens, person: Int64, sealer: Sealer
    ) throws(Sealer.Failure) {
        access = try sealer.seal(tokens.access, Database.accessPlace(person))
        accessExpiresAt = tokens.accessExpiresAt
        if let token = tokens.refresh {
            refresh = try sealer.seal(token, Database.refreshPlace(person))
        } else {
            refresh = nil
        }
        refreshExpiresAt = tokens.refreshExpiresAt
    }
}

extension Database {
    /// The place that a person's access token is sealed for.
    package static func accessPlace(_ person: Int64) -> Sealer.Place {
        Sealer.Place(
            table: "user_tokens", column: "access_sealed", row: String(person), owner: "user:\(person)")
    }

    /// The place that a person's refresh token is sealed for.
    package static func refreshPlace(_ person: Int64) -> Sealer.Place {
        Sealer.Place(
            table: "user_tokens", column: "refresh_sealed", row: String(person), owner: "user:\(person)")
    }

    /// The person's tokens; nil when there are none.
    package func findUserTokens(_ person: Int64) throws(StoreError) -> StoredUserTokens? {
        try read("find user tokens") { db in
            try Row.fetchOne(db, sql: "SELECT * FROM user_tokens WHERE person_id = ?", arguments: [person])
                .map { row in
                    StoredUserTokens(
                        version: row["version"],
                        accessSealed: (row["access_sealed"] as Data?).map(Array.init),
                        accessExpiresAt: (row["access_expires_at"] as Int64?).map(
                            Instant.init(milliseconds:)),
                        refreshSealed: (row["refresh_sealed"] as Data?).map(Array.init),
                        refreshExpiresAt: (row["refresh_expires_at"] as Int64?)
                            .map(Instant.init(milliseconds:)),
                        triedAt: (row["tried_at"] as Int64?).map(Instant.init(milliseconds:)))
                }
        }
    }

    /// Milliseconds after which a renewal is over for certain: the call takes 15 s at most.
    package static let renewalLimit: Int64 = 60_000

    /// Takes the right to renew the pair of that version.
    ///
    /// A holder keeps it as long as it lives, but no longer than ``renewalLimit``; then another may take it
    /// over, and the former cannot commit any more.
    ///
    /// - Returns: nil when somebody else has it, or the pair is another by now.
    package func claimRenewal(
        person: Int64, version: Int64, at now: Instant
    ) throws(StoreError) -> RenewalClaim? {
        let row = try read("look for a renewal") { db in
            try Row.fetchOne(
                db, sql: "SELECT holder, tried_at FROM user_tokens WHERE person_id = ?", arguments: [person])
        }
        let other = row?["holder"] as String?
        if let other, holder.isAlive(other) {
            let age = now - Instant(milliseconds: row?["tried_at"] ?? 0)
            // A clock that was set back must not make a claim last.
            if (0..<Self.renewalLimit).contains(age) { return nil }
        }
        let me = holder.name
        return try write("claim a renewal") { transaction in
            let fence = try Int64.fetchOne(
                transaction.db,
                sql: """
                    UPDATE user_tokens SET holder = ?, fence = fence + 1, tried_at = ?
                    WHERE person_id = ? AND version = ? AND refresh_sealed IS NOT NULL AND holder IS ?
                    RETURNING fence
                    """, arguments: [me, now.milliseconds, person, version, other])
            return fence.map { RenewalClaim(person: person, version: version, holder: me, fence: $0) }
        }
    }

    /// Stores the new pair and ends the renewal.
    ///
    /// - Throws: ``StoreError`` with `.fenced` when somebody else has it by now.
    package func finishRenewal(
        _ claim: RenewalClaim, _ tokens: SealedUserTokens, at now: Instant
    ) throws(StoreError) {
        try write("store renewed tokens") { transaction in
            try transaction.check(claim)
            try transaction.save(tokens, person: claim.person, at: now)
        }
    }

    /// Ends a renewal that brought nothing, and may be tried again.
    package func releaseRenewal(_ claim: RenewalClaim) throws(StoreError) {
        try write("give a renewal up") { transaction in
            try transaction.check(claim)
            try transaction.run("UPDATE user_tokens SET holder = NULL WHERE person_id = ?", [claim.person])
        }
    }

    /// Ends a renewal that GitHub refused: the tokens are forgotten, and the person must sign in again.
    package func refuseRenewal(_ claim: RenewalClaim, at now: Instant) throws(StoreError) {
        try write("note a refused renewal") { transaction in
            try transaction.check(claim)
            try transaction.forgetTokens(person: claim.person, at: now)
        }
    }

    /// Forgets an access token that GitHub does not take any more and that nothing can renew.
    ///
    /// - Parameter version: of the pair that was refused; a newer one stays.
    package func refuseTokens(person: Int64, version: Int64, at now: Instant) throws(StoreError) {
        try write("note refused tokens") { transaction in
            let version = try Int64.fetchOne(
                transaction.db,
                sql:
                    "SELECT person_id FROM user_tokens WHERE person_id = ? AND version = ? AND holder IS NULL",
                arguments: [person, version])
            if version != nil { try transaction.forgetTokens(person: person, at: now) }
        }
    }

    /// Lets the pair count as over, so that the next use renews it.
    package func expireAccess(person: Int64, version: Int64, at now: Instant) throws(StoreError) {
        try write("let a token end") { transaction in
            try transaction.run(
                "UPDATE user_tokens SET access_expires_at = ? WHERE person_id = ? AND version = ?",
                [now.milliseconds, person, version])
        }
    }
}

extension Transaction {
    fileprivate func check(_ claim: RenewalClaim) throws {
        let isOurs = try Bool.fetchOne(
            db,
            sql: """
                SELECT EXISTS (SELECT 1 FROM user_tokens
                    WHERE person_id = ? AND version = ? AND holder = ? AND fence = ?)
                """, arguments: [claim.person, claim.version, claim.holder, claim.fence])
        guard isOurs == true else {
            throw StoreError(
                .fenced, operation: "commit a renewal for \(claim.person)", message: "another holder has it")
        }
    }

    /// Stores a pair in place of the former; whoever renews that one has lost.
    func save(_ tokens: SealedUserTokens, person: Int64, at now: Instant) throws {
        try run(
            """
            INSERT INTO user_tokens (person_id, version, access_sealed, access_expires_at, refresh_sealed,
                refresh_expires_at, updated_at)
            VALUES (?, 1, ?, ?, ?, ?, ?)
            ON CONFLICT (person_id) DO UPDATE SET version = version + 1,
                access_sealed = excluded.access_sealed, access_expires_at = excluded.access_expires_at,
                refresh_sealed = excluded.refresh_sealed,
                refresh_expires_at = excluded.refresh_expires_at, refused_at = NULL, holder = NULL,
                fence = fence + 1, tried_at = NULL, updated_at = excluded.updated_at
            """,
            [
                person, tokens.access.asData, tokens.accessExpiresAt?.milliseconds, tokens.refresh?.asData,
                tokens.refreshExpiresAt?.milliseconds, now.milliseconds,
            ])
    }

    /// Forgets a person's tokens and keeps that they must sign in again.
    func forgetTokens(person: Int64, at now: Instant) throws {
        try run(
            """
            UPDATE user_tokens SET access_sealed = NULL, access_expires_at = NULL, refresh_sealed = NULL,
                refresh_expires_at = NULL, refused_at = ?, holder = NULL, fence = fence + 1,
                version = version + 1, updated_at = ?
            WHERE person_id = ? AND refused_at IS NULL
            """, [now.milliseconds, now.milliseconds, person])
    }
}
