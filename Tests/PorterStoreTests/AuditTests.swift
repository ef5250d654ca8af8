import Porter
import PorterTestSupport
import Testing

@testable import PorterStore

/// The record of changes.
@Suite struct AuditTests {
    private let folder: TemporaryFolder
    private let store: Database
    private let start = Instant(seconds: 1_800_000_000)

    init() throws {
        folder = try TemporaryFolder()
        store = try Database(path: folder.file("porter.sqlite"))
    }

    private func record(_ action: String, by login: String, _ id: Int64?, after seconds: Int) throws {
        try store.recordAudit(
            AuditEntry(
                at: start.adding(seconds: seconds), actorID: id, actorLogin: login, action: action,
                subject: "s\(seconds)", detail: nil, address: "192.0.2.1"))
    }

    private func subjects(_ change: (inout AuditFilter) -> Void = { _ in }) throws -> [String] {
        var filter = AuditFilter(limit: 10)
        change(&filter)
        return try store.listAudit(filter).map(\.entry.subject)
    }

    @Test func `entries are newest first, filtered by each field, and paged without a gap`() throws {
        try record("session.begun", by: "maria", 1, after: 0)
        try record("key.saved", by: "wim", 2, after: 1)
        try record("session.ended", by: "maria", 1, after: 2)
        try record("sessions.x", by: "GitHub", nil, after: 3)

        #expect(try subjects() == ["s3", "s2", "s1", "s0"])
        #expect(try subjects { $0.actor = "MARIA" } == ["s2", "s0"])
        #expect(try subjects { $0.actor = "2" } == ["s1"])
        #expect(try subjects { $0.action = "session" } == ["s2", "s0"])
        #expect(try subjects { $0.action = "key.saved" } == ["s1"])
        #expect(try subjects { $0.from = start.adding(seconds: 2) } == ["s3", "s2"])
        #expect(try subjects { $0.to = start.adding(seconds: 1) } == ["s1", "s0"])
        let first = try store.listAudit(AuditFilter(limit: 3))
        #expect(try subjects { $0.before = first.last?.id } == ["s0"])
    }
}
