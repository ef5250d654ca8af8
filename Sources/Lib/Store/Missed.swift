import GRDB
package import Porter

/// Deliveries that GitHub's log says never arrived, until they are taken in; and how far the log was read.
extension Database {
    /// What a page of the log showed.
    package struct LogPage: Sendable {
        /// Tries that failed, of deliveries that Porter acts on.
        package var failed: [GitHub.LoggedDelivery]
        /// Ids of deliveries that did arrive.
        package var arrived: Set<String>
        /// How the walk through the log goes on.
        package var walk: LogWalk
        /// The log's `ETag`, where this page alone is all that was to be read.
        package var tag: String?
        /// Since when deliveries may be missing from the log, found at the walk's end; nil when none are.
        package var gapSince: Instant?

        /// What it showed.
        package init(failed: [GitHub.LoggedDelivery], arrived: Set<String>, walk: LogWalk) {
            self.failed = failed
            self.arrived = arrived
            self.walk = walk
        }
    }

    /// A walk from the log's newest entry back to what was read before.
    package struct LogWalk: Hashable, Sendable {
        /// The page to read next; nil when the walk is at its end.
        package var next: String?
        /// When the walk began, by GitHub's clock: what was delivered before is known once it is at its end.
        package var began: Instant
        /// The newest entry that was ever seen; nil while there was none.
        package var newest: Instant?

        /// A walk.
        package init(next: String?, began: Instant, newest: Instant?) {
            self.next = next
            self.began = began
            self.newest = newest
        }
    }

    private static let readMark = "deliveries.read"
    private static let walkMark = "deliveries.walk"
    private static let tagMark = "deliveries.tag"
    /// Milliseconds for which a delivery that is done with is remembered beyond the newest entry: longer than any
    /// walk reaches back.
    private static let handledAge: Int64 = 3_600_000

    /// The newest entry of the log that was ever seen; nil before the first.
    package func logReadUntil() throws(StoreError) -> Instant? {
        (try findMark(Self.readMark)?.value).flatMap { Int64($0) }.map(Instant.init(milliseconds:))
    }

    /// The `ETag` under which there is nothing in the log that is not known.
    package func logTag() throws(StoreError) -> String? {
        try findMark(Self.tagMark)?.value
    }

    /// The walk that a call limit or a death interrupted; nil when none is under way.
    package func interruptedWalk() throws(StoreError) -> LogWalk? {
        guard let parts = try findMark(Self.walkMark)?.value.split(separator: " ", maxSplits: 2),
            parts.count == 3, let began = Int64(parts[0]), let newest = Int64(parts[1])
        else { return nil }
        return LogWalk(
            next: String(parts[2]), began: Instant(milliseconds: began),
            newest: newest == 0 ? nil : Instant(milliseconds: newest))
    }

    /// Keeps what a page showed, and how the walk goes on, in one transaction.
    package func record(_ page: LogPage, for claim: JobClaim, at now: Instant) throws(StoreError) {
        try write("record a page of the log", for: claim) { transaction in
            for item in page.failed where !page.arrived.contains(item.guid) {
                try transaction.run(
                    """
                    INSERT INTO missed_deliveries (id, guid, event, action, delivered_at)
                    SELECT ?, ?, ?, ?, ? WHERE NOT EXISTS (SELECT 1 FROM deliveries WHERE guid = ?2)
                    ON CONFLICT DO NOTHING
                    """,
                    [item.id, item.guid, item.event, item.action, item.deliveredAt.milliseconds])
            }
            for guid in page.arrived {
                try transaction.run("DELETE FROM missed_deliveries WHERE guid = ?", [guid])
            }
            let newest = page.walk.newest?.milliseconds ?? 0
            if let next = page.walk.next {
                try transaction.setMark(
                    Self.walkMark, to: "\(page.walk.began.milliseconds) \(newest) \(next)", at: now)
                return
            }
            try transaction.run("DELETE FROM marks WHERE name IN (?, ?)", [Self.walkMark, Self.tagMark])
            if let tag = page.tag { try transaction.setMark(Self.tagMark, to: tag, at: now) }
            if newest > 0 { try transaction.setMark(Self.readMark, to: String(newest), at: now) }
            if let since = page.gapSince { try transaction.wantSweep(since: since, at: now) }
            try transaction.run(
                "DELETE FROM missed_deliveries WHERE handled_at IS NOT NULL AND delivered_at < ?",
                [newest - Self.handledAge])
        }
    }

    /// Gives up a walk whose next page GitHub does not know any more; the next begins at the newest entry.
    package func abandonWalk(for claim: JobClaim) throws(StoreError) {
        try write("abandon a walk", for: claim) { transaction in
            try transaction.run("DELETE FROM marks WHERE name = ?", [Self.walkMark])
        }
    }

    /// Deliveries to be taken in, oldest first.
    package func missedDeliveries(most: Int) throws(StoreError) -> [GitHub.LoggedDelivery] {
        try read("list missed deliveries") { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT id, guid, event, action, delivered_at FROM missed_deliveries
                    WHERE handled_at IS NULL ORDER BY delivered_at, id LIMIT ?
                    """, arguments: [most]
            ).map {
                GitHub.LoggedDelivery(
                    id: $0["id"], guid: $0["guid"], event: $0["event"], action: $0["action"],
                    deliveredAt: Instant(milliseconds: $0["delivered_at"]), isSuccess: false)
            }
        }
    }

    /// Notes that a missed delivery could not be read once more.
    ///
    /// - Returns: how often that was so.
    package func failMissed(_ guid: String, for claim: JobClaim) throws(StoreError) -> Int {
        try write("note an unreadable delivery", for: claim) { transaction in
            try Int.fetchOne(
                transaction.db,
                sql: "UPDATE missed_deliveries SET tries = tries + 1 WHERE guid = ? RETURNING tries",
                arguments: [guid]) ?? 0
        }
    }

    /// Is done with a missed delivery: it was taken in, or needs not be.
    ///
    /// It stays known as long as a walk may come across it again.
    package func handleMissed(_ guid: String, for claim: JobClaim, at now: Instant) throws(StoreError) {
        try write("be done with a missed delivery", for: claim) { transaction in
            try transaction.run(
                "UPDATE missed_deliveries SET handled_at = ? WHERE guid = ?", [now.milliseconds, guid])
        }
    }
}
