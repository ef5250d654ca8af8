import Foundation
import GRDB
package import Porter

/// A sign-in on its way: begun here, being answered at GitHub.
package struct SignInAttempt: Hashable, Sendable {
    /// Seconds from its beginning until it is over.
    package static let lifetime = 600

    /// The page of ours that the person comes back to.
    package let returnTo: String

    /// What keeps an answer from being the one to a sign-in of ours.
    package enum Refusal: Error, Hashable, Sendable {
        /// No sign-in has that state.
        case unknown
        /// Another browser began it.
        case foreign
        /// It was answered before.
        case used
        /// It took too long.
        case expired
    }
}

/// How a browser's latest sign-in failed.
package struct FailedSignIn: Hashable, Sendable {
    /// The code of the failure.
    package let failure: String
    /// Where the person can mend it; nil when there is no such page.
    package let action: String?
    /// The page of ours to which it was to lead.
    package let returnTo: String
}

extension Database {
    /// Remembers a sign-in that begins.
    ///
    /// - Parameters:
    ///   - state: the digest of the one-time state.
    ///   - browser: the digest of the value that the browser's cookie holds.
    package func beginSignIn(
        state: [UInt8], browser: [UInt8], returnTo: String, at now: Instant
    ) throws(StoreError) {
        try write("begin sign-in") { transaction in
            try transaction.pruneSignIns(at: now)
            try transaction.run(
                "INSERT INTO sign_ins (state_digest, browser_digest, return_to, created_at) VALUES (?, ?, ?, ?)",
                [state.asData, browser.asData, returnTo, now.milliseconds])
        }
    }

    /// Takes the sign-in that an answer belongs to: once, and only for the browser that began it.
    package func takeSignIn(
        state: [UInt8], browser: [UInt8]?, at now: Instant
    ) throws(StoreError) -> Result<SignInAttempt, SignInAttempt.Refusal> {
        try write("take sign-in") { transaction in
            let row = try Row.fetchOne(
                transaction.db, sql: "SELECT * FROM sign_ins WHERE state_digest = ?",
                arguments: [state.asData])
            guard let row else { return .failure(.unknown) }
            // Whoever else has learnt the state must not be able to spoil it for its browser.
            guard let browser, row["browser_digest"] == browser.asData else { return .failure(.foreign) }
            guard (row["used_at"] as Int64?) == nil else { return .failure(.used) }
            try transaction.run(
                "UPDATE sign_ins SET used_at = ? WHERE state_digest = ?", [now.milliseconds, state.asData])
            let age = now - Instant(milliseconds: row["created_at"])
            guard age < Int64(SignInAttempt.lifetime) * 1000 else { return .failure(.expired) }
            return .success(SignInAttempt(returnTo: row["return_to"]))
        }
    }

    /// Notes why a sign-in that was taken failed, for the page that explains it.
    package func failSignIn(
        state: [UInt8], _ failure: String, action: String?, at now: Instant
    ) throws(StoreError) {
        try write("note a failed sign-in") { transaction in
            try transaction.run(
                """
                UPDATE sign_ins SET used_at = coalesce(used_at, ?), failure = ?, action = ?
                WHERE state_digest = ?
                """, [now.milliseconds, failure, action, state.asData])
        }
    }

    /// How the browser's latest sign-in failed; nil when it did not, or long ago.
    package func findFailedSignIn(browser: [UInt8]) throws(StoreError) -> FailedSignIn? {
        try read("find failed sign-in") { db in
            let row = try Row.fetchOne(
                db,
                sql: """
                    SELECT failure, action, return_to FROM sign_ins WHERE browser_digest = ? AND used_at IS NOT NULL
                    ORDER BY used_at DESC LIMIT 1
                    """, arguments: [browser.asData])
            guard let row, let failure = row["failure"] as String? else { return nil }
            return FailedSignIn(failure: failure, action: row["action"], returnTo: row["return_to"])
        }
    }
}

extension Transaction {
    /// Seconds for which a sign-in is remembered, so that its failure can be explained.
    private static let keptSignIns = 3600

    /// Forgets sign-ins that are long over, a few at a time.
    fileprivate func pruneSignIns(at now: Instant) throws {
        try run(
            """
            DELETE FROM sign_ins WHERE state_digest IN (
                SELECT state_digest FROM sign_ins WHERE created_at < ? LIMIT 100)
            """, [now.adding(seconds: -Self.keptSignIns).milliseconds])
    }
}
