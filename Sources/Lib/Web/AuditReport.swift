import FoundationEssentials
package import Porter
package import PorterStore

/// The record of changes as `porterctl audit` prints it.
package enum AuditReport {
    /// Entries that one look at the database brings.
    private static let page = 500

    /// Hands every entry since the moment over, oldest first, a line each.
    ///
    /// - Parameters:
    ///   - since: nil is all that there is.
    ///   - asJSON: one object a line, with the fields of `GET /api/audit`.
    package static func lines(
        of store: Database, since: Instant?, asJSON: Bool, _ print: (String) -> Void
    ) throws(StoreError) {
        var entries: [(id: Int64, entry: AuditEntry)] = []
        var filter = AuditFilter(limit: page)
        filter.from = since
        while true {
            let found = try store.listAudit(filter)
            entries += found
            guard found.count == page else { break }
            filter.before = found.last?.id
        }
        for (id, entry) in entries.reversed() {
            print(
                asJSON
                    ? String(decoding: JSON.object(AuditView.json(id, entry)).data, as: UTF8.self)
                    : line(entry))
        }
    }

    private static func line(_ entry: AuditEntry) -> String {
        let words = [
            entry.at.iso8601, entry.actorLogin, entry.action, entry.subject, entry.detail ?? "-",
            entry.address ?? "-",
        ]
        return words.joined(separator: "  ")
    }
}
