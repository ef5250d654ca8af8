import Porter
import PorterHTTP
import PorterStore
import PorterWork

/// Who changed what: `GET /api/audit`, for admins.
extension Site {
    static var auditRoutes: [Route] {
        [
            Route("GET", "/api/audit", .admin) { (site, exchange) throws(Failure) in
                try site.listAudit(exchange)
            }
        ]
    }

    private func listAudit(_ exchange: Exchange) throws(Failure) -> Response {
        let filter = try AuditFilter(query: exchange.query.fields)
        return try reading { () throws(StoreError) in
            // One more than asked for tells whether there is a next page.
            var wider = filter
            wider.limit += 1
            let found = try work.world.store.listAudit(wider)
            let page = found.prefix(filter.limit)
            return .json(
                200,
                .object([
                    "entries": .array(page.map { .object(AuditView.json($0.id, $0.entry)) }),
                    "next": .text(found.count > filter.limit ? page.last.map { String($0.id) } : nil),
                ]))
        }
    }
}

/// A line of the record of changes as the interface and `porterctl audit --json` show it.
enum AuditView {
    static func json(_ id: Int64, _ entry: AuditEntry) -> [String: JSON] {
        [
            "id": .int(id), "at": .string(entry.at.iso8601),
            "actor_id": entry.actorID.map(JSON.int) ?? .null, "actor": .string(entry.actorLogin),
            "action": .string(entry.action), "subject": .string(entry.subject),
            "detail": .text(entry.detail), "address": .text(entry.address),
        ]
    }
}

extension AuditFilter {
    /// Reads the query of a list.
    init(query: [String: String]) throws(Failure) {
        self.init(limit: try Site.number("limit", query, in: 1...Site.maximumPage) ?? Site.defaultPage)
        for name in ["actor", "action"] {
            guard let value = query[name] else { continue }
            guard value.utf8.count <= Site.maximumQueryValue, !value.utf8.contains(0) else {
                throw .parameter(name, "must be text of at most \(Site.maximumQueryValue) bytes.")
            }
        }
        actor = query["actor"]
        action = query["action"]
        from = try Site.moment("from", query)
        to = try Site.moment("to", query)
        if let cursor = query["cursor"] {
            guard let id = Int64(cursor), id > 0 else {
                throw .parameter("cursor", "is not one that this list gave.")
            }
            before = id
        }
    }
}
