import GRDB
package import Porter
import Synchronization

/// Lets everything that is measured by the clock follow it when somebody sets it.
///
/// Deadlines, heartbeats, due times and windows are stored as moments. If the date were set forwards by a day,
/// every run would be a day overdue; set back, no run would ever be, and what is good for a minute would be good
/// for a day. All processes of the host count the same time since it was started. So they see a jump as a change
/// of the difference, and the first to see it moves the moments of whatever is alive by as much, in one
/// transaction with the new difference.
///
/// A start of the host is seen by the uptime being less than before; the clock is believed then.
extension Database {
    /// What a look at the clock showed.
    package struct ClockReading: Hashable, Sendable {
        /// The moment.
        ///
        /// When the jump could not be stored it is still counted from before the jump.
        package let now: Instant
        /// Milliseconds that the clock had jumped, when this look was the one that saw it.
        package let jump: Int64?
    }

    /// The clock as a process last saw it.
    struct KnownClock {
        /// Milliseconds between it and the host's uptime.
        let difference: Int64
        /// The uptime at which everything was seen to follow it.
        let seenAt: Int64
    }

    /// Milliseconds between clock and uptime that may come and go without being a jump.
    static let clockTolerance: Int64 = 2000
    /// Milliseconds for which a process relies on the difference that it knows: others may have seen the clock set
    /// and everything follow it, and then it was set back before this process looked.
    static let clockTrust: Int64 = 1000
    /// Milliseconds from which on a jump makes the clock doubtful, see ``hasClockJumped(since:)``.
    static let clockSuspicion: Int64 = 3_600_000
    fileprivate static let clockMark = "clock.difference"
    fileprivate static let jumpMark = "clock.jumped"

    /// The moment, after everything has followed the clock if that has jumped.
    package func follow(_ clock: Clock) -> ClockReading {
        let now = clock.now()
        guard let uptime = clock.uptime() else { return ClockReading(now: now, jump: nil) }
        let difference = now.milliseconds - uptime
        let known = clockDifference.withLock { $0 }
        let isSame = known.map { abs(difference - $0.difference) < Self.clockTolerance } ?? false
        if isSame, let known, (0..<Self.clockTrust).contains(uptime - known.seenAt) {
            return ClockReading(now: now, jump: nil)
        }
        do throws(StoreError) {
            var jump: Int64?
            let stored = try storedDifference()
            if !isSame || stored.map({ abs(difference - $0) >= Self.clockTolerance }) ?? true {
                jump = try write("follow the clock") { transaction in
                    try transaction.follow(difference: difference, uptime: uptime, at: now)
                }
            }
            clockDifference.withLock { $0 = KnownClock(difference: difference, seenAt: uptime) }
            return ClockReading(now: now, jump: jump)
        } catch {
            // Nobody is judged by a clock that the database does not know yet.
            return ClockReading(
                now: known.map { Instant(milliseconds: $0.difference + uptime) } ?? now, jump: nil)
        }
    }

    private func storedDifference() throws(StoreError) -> Int64? {
        (try findMark(Self.clockMark)?.value.split(separator: " ").first).flatMap { Int64($0) }
    }

    /// Whether the clock has jumped so far since the moment that what it says of age is doubtful.
    package func hasClockJumped(since moment: Instant) throws(StoreError) -> Bool {
        guard let mark = try findMark(Self.jumpMark) else { return false }
        return mark.at >= moment
    }
}

extension Transaction {
    /// Moves what is alive, if the stored difference says that this is news.
    ///
    /// - Returns: milliseconds that the clock had jumped; nil when it had not, or others have seen to it.
    fileprivate func follow(difference: Int64, uptime: Int64, at now: Instant) throws -> Int64? {
        let stored = try String.fetchOne(
            db, sql: "SELECT value FROM marks WHERE name = ?", arguments: [Database.clockMark])
        let parts = stored?.split(separator: " ").compactMap { Int64($0) } ?? []
        var jump: Int64?
        if parts.count == 2, uptime >= parts[1], abs(difference - parts[0]) >= Database.clockTolerance {
            let distance = difference - parts[0]
            try shift(by: distance)
            if abs(distance) >= Database.clockSuspicion {
                try setMark(Database.jumpMark, to: String(distance), at: now)
            }
            jump = distance
        }
        try setMark(Database.clockMark, to: "\(difference) \(uptime)", at: now)
        return jump
    }

    private func shift(by distance: Int64) throws {
        for (table, columns, condition) in Self.measured {
            let changes = columns.map { "\($0) = \($0) + (\(distance))" }.joined(separator: ", ")
            try db.execute(sql: "UPDATE \(table) SET \(changes) WHERE \(condition)")
        }
        // GitHub's moments are its own. But a token is forgotten only when it is surely of no use any more.
        if distance > 0 {
            try run("UPDATE tokens SET expires_at = expires_at + ? WHERE revoked_at IS NULL", [distance])
        }
        hasNewWork = true
    }

    /// The moments that are measured against the clock, and in which rows.
    private static let measured: [(table: String, columns: [String], condition: String)] = {
        let unpublished = "(SELECT id FROM tasks WHERE finished_at IS NULL OR published_at IS NULL)"
        return [
            ("jobs", ["run_at"], "TRUE"),
            (
                "attempts",
                [
                    "created_at", "launched_at", "claimed_at", "claim_answered_at", "agent_started_at",
                    "stop_told_at", "saving_at", "heartbeat_at", "reported_at", "ended_at",
                ], "gone_at IS NULL OR claim_sealed IS NOT NULL OR task_id IN \(unpublished)"
            ),
            ("steps", ["began_at", "called_at", "lost_at"], "done_at IS NULL"),
            ("commands", ["received_at", "permitted_at"], "answered_at IS NULL"),
            (
                "tasks",
                [
                    "created_at", "admitted_at", "started_at", "phase_at", "status_comment_at",
                    "stop_requested_at", "finished_at",
                ], "finished_at IS NULL OR published_at IS NULL"
            ),
            ("sessions", ["created_at", "used_at"], "TRUE"),
            ("sign_ins", ["created_at", "used_at"], "TRUE"),
            ("people", ["rights_at"], "TRUE"),
            (
                "marks", ["at"],
                """
                name IN ('watchdog.pass', 'callbacks.listening', 'deliveries.looked', 'contents.looked',
                    'contents.round', 'database.made')
                """
            ),
            ("marks", ["value"], "name = 'callbacks.listening'"),
        ]
    }()
}
