import GRDB
package import Porter
import Synchronization

/// The clock on the wall beside one that nobody can set.
package struct ClockReading: Hashable, Sendable {
    /// Which start of the machine ``uptime`` counts from; a reading of another says nothing about a change.
    package var boot: String
    /// What the clock shows that stored times come from.
    package var wall: Instant
    /// Milliseconds since that start, sleep included.
    package var uptime: Int64

    /// A reading of both.
    package init(boot: String, wall: Instant, uptime: Int64) {
        self.boot = boot
        self.wall = wall
        self.uptime = uptime
    }

    /// What a change of the clock changes, and the passing of time does not.
    fileprivate var offset: Int64 { wall.milliseconds - uptime }
}

/// Against which offset stored times were written.
struct ClockOffset: Hashable, Sendable {
    let boot: String
    let offset: Int64

    /// The offset as the mark holds it.
    fileprivate init?(_ text: String) {
        let parts = text.split(separator: " ")
        guard parts.count == 2, let offset = Int64(parts[1]) else { return nil }
        self.init(boot: String(parts[0]), offset: offset)
    }

    fileprivate init(boot: String, offset: Int64) {
        self.boot = boot
        self.offset = offset
    }

    fileprivate init(_ reading: ClockReading) {
        self.init(boot: reading.boot, offset: reading.offset)
    }

    fileprivate var text: String { "\(boot) \(offset)" }

    /// By how much the clock was set between the two; nil when that was not at all, or cannot be said.
    fileprivate func change(to later: ClockOffset) -> Int64? {
        guard boot == later.boot, abs(later.offset - offset) > Database.clockTolerance else { return nil }
        return later.offset - offset
    }
}

/// Somebody sets the machine's clock, by a day or a year, forwards or back.
///
/// Waiting is measured against stored times, so each time from which something unfinished is reckoned moves
/// along with the clock, in one transaction, before anything else is written: no deadline comes early, no wait
/// lasts a year. What others reckon with, tokens' expiry above all, stays.
extension Database {
    /// Milliseconds by which the clock may be off what it was before that counts as a change.
    package static let clockTolerance: Int64 = 5000

    private static let clockMark = "clock"

    /// Every column from which an unfinished matter is reckoned, with the rows that are unfinished.
    private static let reckoned: [(table: String, columns: [String], rows: String)] = [
        ("jobs", ["run_at"], "1"),
        ("steps", ["called_at"], "outcome IS NULL AND called_at IS NOT NULL"),
        (
            "attempts",
            [
                "created_at", "launched_at", "claimed_at", "claim_answered_at", "agent_started_at",
                "stop_told_at", "saving_at", "heartbeat_at",
            ], "gone_at IS NULL OR ended_at IS NULL"
        ),
        (
            "tasks", ["admitted_at", "stop_requested_at", "status_comment_at", "phase_at", "started_at"],
            "finished_at IS NULL"
        ),
        ("tasks", ["finished_at"], "finished_at IS NOT NULL AND published_at IS NULL"),
    ]

    /// Follows the clock if somebody has set it.
    ///
    /// - Returns: by how many milliseconds stored times were moved since the last call, here or with another
    ///   write of this process; nil when they were not.
    package func followClock() throws(StoreError) -> Int64? {
        if let reading = readClock?(),
            knownClock.withLock({ $0.offset })?.change(to: ClockOffset(reading)) != nil
        {
            try write("follow the clock") { _ in }
        }
        return knownClock.withLock { known in
            defer { known.moved = nil }
            return known.moved
        }
    }

    /// The same ahead of a commit, on its connection.
    func followClock(_ db: GRDB.Database) throws {
        guard let reading = readClock?() else { return }
        let fresh = ClockOffset(reading)
        if let known = knownClock.withLock({ $0.offset }), known.boot == fresh.boot,
            known.change(to: fresh) == nil
        {
            return
        }
        var moved: Int64?
        var settled = fresh
        try db.inTransaction(.immediate) {
            let mark = try String.fetchOne(
                db, sql: "SELECT value FROM marks WHERE name = ?", arguments: [Self.clockMark]
            ).flatMap { ClockOffset($0) }
            if let mark, mark.boot == fresh.boot {
                moved = mark.change(to: fresh)
                guard let moved else {
                    // Another process was first.
                    settled = mark
                    return .commit
                }
                try Self.move(by: moved, db)
            }
            try Transaction(db).setMark(Self.clockMark, to: fresh.text, at: reading.wall)
            return .commit
        }
        knownClock.withLock { known in
            known.offset = settled
            known.moved = moved ?? known.moved
        }
    }

    private static func move(by milliseconds: Int64, _ db: GRDB.Database) throws {
        for (table, columns, rows) in reckoned {
            let changes = columns.map { "\($0) = \($0) + \(milliseconds)" }.joined(separator: ", ")
            try db.execute(sql: "UPDATE \(table) SET \(changes) WHERE \(rows)")
        }
    }
}
