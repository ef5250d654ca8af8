import GRDB
package import Porter

/// A round of looking on GitHub itself: which installations there are, which repositories they reach, and what
/// was written there.
package struct SweepRound: Hashable, Sendable {
    /// How far a round is; the raw values are what its mark holds.
    package enum Stage: String, Sendable {
        case installations
        case repositories
        case contents
        case done
    }

    /// Rounds are counted from 1.
    package var number: Int
    /// How far it is.
    package var stage: Stage
    /// When it began, by our clock.
    package var begunAt: Instant
    /// When it first asked GitHub, by GitHub's clock; nil until then.
    ///
    /// What was written before is known once it is done.
    package var theirs: Instant?
    /// Whether GitHub has refused to show something of it.
    package var isRefused = false
    /// Rounds in a row before it that were refused and not believed.
    package var refusals = 0

    /// Rounds in a row after which GitHub is believed what it refuses.
    package static let patience = 3
    /// Whether what is refused may be shown in the next round, so that nothing counts as known yet.
    package var isPatient: Bool { refusals + 1 < Self.patience }

    /// A round.
    package init(number: Int, stage: Stage, begunAt: Instant) {
        self.number = number
        self.stage = stage
        self.begunAt = begunAt
    }
}

/// The rounds, and the wishes that they fulfil.
extension Database {
    fileprivate static let roundMark = "contents.round"
    private static let sweptMark = "contents.looked"

    /// Wishes that GitHub itself is looked at, for what was written since the moment.
    package func wantSweep(since: Instant, at now: Instant) throws(StoreError) {
        try write("want a sweep") { try $0.wantSweep(since: since, at: now) }
    }

    /// Since when commands may be missing that the log of deliveries does not show; nil when none are.
    package func wantedSweep() throws(StoreError) -> Instant? {
        try read("find a wish") { try SweepWish($0)?.since }
    }

    /// When the last round was done, by our clock, and when it had begun, by GitHub's; nil before the first.
    package func lastSweep() throws(StoreError) -> (doneAt: Instant, begunAt: Instant)? {
        guard let mark = try findMark(Self.sweptMark) else { return nil }
        // Older marks say a word instead.
        return (mark.at, Int64(mark.value).map(Instant.init(milliseconds:)) ?? mark.at)
    }

    /// The round that is under way, or the last one.
    package func sweepRound() throws(StoreError) -> SweepRound? {
        try read("find a round") { try SweepRound(mark: Self.roundMark, $0) }
    }

    /// Keeps how far the round is; with its end, everything from before it is known.
    ///
    /// That is not so for one of which GitHub has refused a part, up to ``SweepRound/patience``.
    package func save(_ round: SweepRound, for claim: JobClaim, at now: Instant) throws(StoreError) {
        try write("save a round", for: claim) { transaction in
            try transaction.setMark(Self.roundMark, to: round.text, at: round.begunAt)
            guard round.stage == .done, !(round.isRefused && round.isPatient) else { return }
            let begun = round.theirs ?? round.begunAt
            try transaction.setMark(Self.sweptMark, to: String(begun.milliseconds), at: now)
            guard let wish = try SweepWish(transaction.db), wish.round < round.number else { return }
            try transaction.run("DELETE FROM marks WHERE name = ?", [Transaction.wantedMark])
        }
    }
}

extension Transaction {
    static let wantedMark = "contents.wanted"

    /// Wishes that GitHub itself is looked at, for what was written since the moment.
    ///
    /// A round that is under way may be past what is meant: the wish is fulfilled by a later one.
    func wantSweep(since: Instant, at now: Instant) throws {
        let round = try SweepRound(mark: Database.roundMark, db)?.number ?? 0
        let earlier = try SweepWish(db)?.since ?? since
        let wish = SweepWish(since: min(since, earlier), round: round)
        try setMark(Self.wantedMark, to: wish.text, at: now)
        try ensure(.sweep, for: Database.sweepSubject, at: now)
    }
}

/// That GitHub itself is to be looked at.
private struct SweepWish {
    /// For what was written since then, by GitHub's clock.
    let since: Instant
    /// The last round that had begun when it was wished.
    let round: Int

    var text: String { "\(since.milliseconds) \(round)" }
}

extension SweepWish {
    /// The wish that is open; nil when there is none.
    init?(_ db: GRDB.Database) throws {
        let value = try String.fetchOne(
            db, sql: "SELECT value FROM marks WHERE name = ?", arguments: [Transaction.wantedMark])
        let parts = value?.split(separator: " ").compactMap { Int64($0) } ?? []
        guard let since = parts.first else { return nil }
        // An older wish names no round: the next one fulfils it.
        self.init(since: Instant(milliseconds: since), round: parts.count == 2 ? Int(parts[1]) : 0)
    }
}

extension SweepRound {
    /// What the mark holds: the number, the stage, GitHub's moment, the refusals before it, and its own.
    fileprivate var text: String {
        var parts = [String(number), stage.rawValue]
        if let theirs { parts.append(String(theirs.milliseconds)) }
        if refusals > 0 { parts.append(Self.before + String(refusals)) }
        if isRefused { parts.append(Self.refused) }
        return parts.joined(separator: " ")
    }

    private static let refused = "refused"
    private static let before = "after:"

    fileprivate init?(mark: String, _ db: GRDB.Database) throws {
        let row = try Row.fetchOne(db, sql: "SELECT value, at FROM marks WHERE name = ?", arguments: [mark])
        let parts = (row?["value"] as String?)?.split(separator: " ") ?? []
        guard let row, parts.count >= 2, let number = Int(parts[0]),
            let stage = Stage(rawValue: String(parts[1]))
        else { return nil }
        self.init(number: number, stage: stage, begunAt: Instant(milliseconds: row["at"]))
        for part in parts.dropFirst(2) {
            if part == Self.refused {
                isRefused = true
            } else if part.hasPrefix(Self.before) {
                refusals = Int(part.dropFirst(Self.before.count)) ?? 0
            } else {
                theirs = Int64(part).map(Instant.init(milliseconds:))
            }
        }
    }
}
