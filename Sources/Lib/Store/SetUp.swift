import Foundation
import GRDB
package import Porter

/// How far set-up has come: one row, moved forward by compare-and-set, so that a death at any step leaves the next.
///
/// `offered` (a token was made) → `sent` (a manifest was given out, with a state) → `converting` (GitHub is being
/// asked with a code) → `stored` (the App's credentials rest sealed; the webhook's secret may not be set at GitHub
/// yet) → `done`.
package struct SetUpProgress: Hashable, Sendable {
    /// The steps in their order.
    package enum Stage: String, Sendable {
        case offered
        case sent
        case converting
        case stored
        case done
    }

    /// Where it stands.
    package let stage: Stage
    /// The organisation that was asked for; nil is the person's own account.
    package let owner: String?
    /// The App's name in addresses, once there is one.
    package let slug: String?
    /// When it came to this stage.
    package let at: Instant
}

/// What a set-up token, a state or a code came to.
package enum SetUpResult: Hashable, Sendable {
    /// It was right, and the next stage is on disk.
    case advanced
    /// It is not the one that was given out, or it was used before.
    case unknown
    /// It was right once, and its time is over.
    case expired
    /// Porter has an App.
    case finished
}

extension Database {
    /// What the App's credentials are stored under.
    package static let appSecret = "app"

    /// How far set-up has come; nil when it was never offered.
    package func setUpProgress() throws(StoreError) -> SetUpProgress? {
        try read("read set-up") { try Self.progress($0) }
    }

    /// Begins set-up anew with a token, in place of any that was given out before.
    ///
    /// - Returns: false when Porter has an App.
    package func offerSetUp(
        tokenDigest: [UInt8], until expiry: Instant, at now: Instant
    ) throws(StoreError) -> Bool {
        try write("offer set-up") { transaction in
            try transaction.run(
                """
                INSERT INTO setup (id, stage, token_digest, token_expires_at, updated_at)
                VALUES (1, 'offered', ?1, ?2, ?3)
                ON CONFLICT (id) DO UPDATE SET stage = 'offered', token_digest = ?1, token_expires_at = ?2,
                    state_digest = NULL, state_expires_at = NULL, code_digest = NULL, owner = NULL,
                    updated_at = ?3
                WHERE stage NOT IN ('stored', 'done')
                """, [tokenDigest.asData, expiry.milliseconds, now.milliseconds]) > 0
        }
    }

    /// Whether the token would begin set-up now; it stays as it is.
    package func checkSetUp(tokenDigest: [UInt8], at now: Instant) throws(StoreError) -> SetUpResult {
        try read("check set-up token") { db in
            try Self.check("token", tokenDigest, among: Self.beginnings, db, at: now)
        }
    }

    /// The stages from which a manifest may be asked for.
    private static let beginnings: [SetUpProgress.Stage] = [.offered, .sent, .converting]

    /// Uses the token up, and remembers the state under which GitHub will send the person back.
    package func beginManifest(
        tokenDigest: [UInt8], stateDigest: [UInt8], owner: String?, until expiry: Instant, at now: Instant
    ) throws(StoreError) -> SetUpResult {
        try write("begin set-up") { transaction in
            let known = try Self.check(
                "token", tokenDigest, among: Self.beginnings, transaction.db, at: now)
            guard known == .advanced else { return known }
            try transaction.run(
                """
                UPDATE setup SET stage = 'sent', token_digest = NULL, token_expires_at = NULL,
                    state_digest = ?, state_expires_at = ?, owner = ?, updated_at = ? WHERE id = 1
                """, [stateDigest.asData, expiry.milliseconds, owner, now.milliseconds])
            return .advanced
        }
    }

    /// Notes that GitHub is about to be asked with the code.
    ///
    /// The same state and code may come again, after a death or a lost answer; another code may not.
    package func beginConversion(
        stateDigest: [UInt8], codeDigest: [UInt8], at now: Instant
    ) throws(StoreError) -> SetUpResult {
        try write("begin conversion") { transaction in
            let known = try Self.check(
                "state", stateDigest, among: [.sent, .converting], transaction.db, at: now)
            guard known == .advanced else { return known }
            let changed = try transaction.run(
                """
                UPDATE setup SET stage = 'converting', code_digest = ?1, updated_at = ?2
                WHERE id = 1 AND (stage = 'sent' OR code_digest = ?1)
                """, [codeDigest.asData, now.milliseconds])
            return changed > 0 ? .advanced : .unknown
        }
    }

    /// Keeps the new App, sealed, in the one transaction that also ends the conversion.
    ///
    /// - Parameters:
    ///   - record: everything that GitHub told, as text.
    ///   - owner: the App's owner, whose installations are served from now on.
    ///   - ownerMark: the mark that names the owner.
    ///   - isComplete: whether GitHub knows the webhook's secret already.
    package func finishConversion(
        _ record: Secret, slug: String, owner: Person, ownerMark: String, isComplete: Bool, sealer: Sealer,
        at now: Instant
    ) throws(StoreError) {
        try write("finish conversion") { transaction in
            try transaction.save(
                record, scope: "instance", provider: Self.githubProvider, name: Self.appSecret,
                sealer: sealer, at: now)
            try transaction.setMark(ownerMark, to: String(owner.id), at: now)
            try transaction.run(
                """
                UPDATE setup SET stage = ?, slug = ?, state_digest = NULL, state_expires_at = NULL,
                    updated_at = ? WHERE id = 1
                """, [isComplete ? "done" : "stored", slug, now.milliseconds])
        }
    }

    /// Notes that GitHub knows the webhook's secret.
    package func finishSetUp(at now: Instant) throws(StoreError) {
        try write("finish set-up") { transaction in
            try transaction.run(
                "UPDATE setup SET stage = 'done', updated_at = ? WHERE id = 1 AND stage = 'stored'",
                [now.milliseconds])
        }
    }

    private static func progress(_ db: GRDB.Database) throws -> SetUpProgress? {
        try Row.fetchOne(db, sql: "SELECT stage, owner, slug, updated_at FROM setup WHERE id = 1").map {
            SetUpProgress(
                stage: SetUpProgress.Stage(rawValue: $0["stage"]) ?? .done, owner: $0["owner"],
                slug: $0["slug"], at: Instant(milliseconds: $0["updated_at"]))
        }
    }

    private static func check(
        _ name: String, _ digest: [UInt8], among stages: [SetUpProgress.Stage], _ db: GRDB.Database,
        at now: Instant
    ) throws -> SetUpResult {
        guard let stage = try progress(db)?.stage else { return .unknown }
        guard stage != .stored, stage != .done else { return .finished }
        let expiry = try Int64.fetchOne(
            db, sql: "SELECT \(name)_expires_at FROM setup WHERE id = 1 AND \(name)_digest = ?",
            arguments: [digest.asData])
        guard let expiry, stages.contains(stage) else { return .unknown }
        return expiry > now.milliseconds ? .advanced : .expired
    }
}
