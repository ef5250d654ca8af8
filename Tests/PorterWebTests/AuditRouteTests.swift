import Foundation
import Porter
import PorterHTTP
import PorterTestWorld
import Testing

@testable import PorterStore
@testable import PorterWeb

/// Who changed what: for admins, paged, without values.
@Suite struct AuditRouteTests {
    private func record(_ count: Int, _ scene: Scene) throws {
        for number in 0..<count {
            try scene.world.store.recordAudit(
                AuditEntry(
                    at: scene.world.now.adding(seconds: number), actorID: 7, actorLogin: "otto",
                    action: "setting.changed", subject: "s\(number)", detail: nil, address: "192.0.2.9"))
        }
    }

    @Test func `only admins read it`() throws {
        let scene = try Scene()
        #expect(scene.send("GET", "/api/audit").status == 401)
        #expect(scene.get("/api/audit").status == 401)
        #expect(scene.send("GET", "/api/audit", try scene.signIn(World.wim)).status == 403)
        #expect(scene.send("GET", "/api/audit", try scene.signIn(isAdmin: true)).status == 200)
    }

    @Test func `an entry says who, what, when, from where`() throws {
        let scene = try Scene()
        try record(1, scene)
        let answer = scene.send("GET", "/api/audit", try scene.signIn(isAdmin: true)).object
        let entries = try #require(answer["entries"] as? [[String: Any]])
        #expect(Set(answer.keys) == ["entries", "next"])
        #expect(
            Set(entries[0].keys) == [
                "id", "at", "actor_id", "actor", "action", "subject", "detail", "address",
            ])
        #expect(entries[0]["actor"] as? String == "otto")
        #expect(entries[0]["address"] as? String == "192.0.2.9")
        #expect(entries[0]["detail"] is NSNull)
    }

    @Test func `pages join without a gap or a double`() throws {
        let scene = try Scene()
        try record(7, scene)
        let fields = try scene.signIn(isAdmin: true)
        var seen: [String] = []
        var cursor: String?
        repeat {
            let answer = scene.send(
                "GET", "/api/audit?limit=3" + (cursor.map { "&cursor=\($0)" } ?? ""), fields)
            let entries = answer.object["entries"] as? [[String: Any]] ?? []
            seen += entries.compactMap { $0["subject"] as? String }
            cursor = answer.object["next"] as? String
        } while cursor != nil && seen.count < 20
        #expect(seen == (0..<7).reversed().map { "s\($0)" })
    }

    @Test(arguments: [
        "limit=0", "limit=101", "limit=x", "cursor=x", "cursor=-1", "from=yesterday", "to=x", "actor=%00",
        "action=%ff",
    ])
    func `a parameter that cannot be is 400 and named`(query: String) throws {
        let scene = try Scene()
        let response = scene.send("GET", "/api/audit?\(query)", try scene.signIn(isAdmin: true))
        #expect(response.status == 400)
        #expect(response.message.contains("`\(query.prefix { $0 != "=" })`"))
    }

    @Test func `the operator's report holds everything, oldest first`() throws {
        let scene = try Scene()
        try record(1201, scene)
        var lines: [String] = []
        try AuditReport.lines(of: scene.world.store, since: nil, asJSON: true) { lines.append($0) }
        #expect(lines.count == 1201)
        #expect(lines.first?.contains(#""subject":"s0""#) == true)
        lines = []
        let since = scene.world.now.adding(seconds: 1199)
        try AuditReport.lines(of: scene.world.store, since: since, asJSON: false) { lines.append($0) }
        #expect(lines.count == 2)
        #expect(lines.last?.contains("otto  setting.changed  s1200") == true)
    }
}
