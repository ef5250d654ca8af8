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
        /// The newest entry that it has seen: all up to here is known once it is at its end.
        package var newest: Instant

        /// A walk.
        package init(next: String?, newest: Instant) {
            self.next = next
            self.newest = newest
        }
    }

    private static let readMark = "deliveries.read"
    private static let walkMark = "deliveries.walk"

    /// Up to when the log is known; nil before its first walk.
    package func logReadUntil() throws(StoreError) -> Instant? {
        (try findMark(Self.readMark)?.value).flatMap { Int64($0) }.map(Instant.init(milliseconds:))
    }

    /// The walk that a call limit or a death interrupted; nil when none is under way.
    package func interruptedWalk() throws(StoreError) -> LogWalk? {
        guard let parts = try findMark(Self.walkMark)?.value.split(separator: " ", maxSplits: 1),
            parts.count == 2, let newest = Int64(parts[0])
        else { return nil }
        return LogWalk(next: String(parts[1]), newest: Instant(milliseconds: newest))
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
            if let next = page.walk.next {
                try transaction.setMark(
                    Self.walkMark, to: "\(page.walk.newest.milliseconds) \(next)", at: now)
            } else {
                try transaction.run("DELETE FROM marks WHERE name = ?", [Self.walkMark])
                try transaction.setMark(
                    Self.readMark, to: String(page.walk.newest.milliseconds), at: now)
            }
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
                    ORDER BY delivered_at, id LIMIT ?
                    """, arguments: [most]
            ).map {
                GitHub.LoggedDelivery(
                    id: $0["id"], guid: $0["guid"], event: $0["event"], action: $0["action"],
                    deliveredAt: Instant(milliseconds: $0["delivered_at"]), isSuccess: false)
            }
        }
    }

    /// Forgets a missed delivery that was taken in, or needs not be.
    package func forgetMissed(_ guid: String, for claim: JobClaim) throws(StoreError) {
        try write("forget a missed delivery", for: claim) { transaction in
            try transaction.run("DELETE FROM missed_deliveries WHERE guid = ?", [guid])
        }
    }
}
