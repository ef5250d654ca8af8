import Foundation
import PorterHTTP
import PorterStore
import PorterTestSupport
import PorterTestWorld
import Testing

@testable import PorterWeb

/// Every payload of GitHub's own examples.
@Suite struct ExamplePayloadTests {
    private static func payloads() -> [(event: String, name: String, data: Data)] {
        var all: [(String, String, Data)] = []
        for event in Fixtures.names(in: "webhooks") where !event.hasPrefix("_") {
            for name in Fixtures.names(in: "webhooks/\(event)") where name.hasSuffix(".json") {
                if let data = try? Fixtures.data("webhooks/\(event)/\(name)") {
                    all.append((event, name, data))
                }
            }
        }
        return all
    }

    @Test(.needsFixtures) func `each of GitHub's example payloads, signed, is answered 2xx`() throws {
        let scene = try Scene()
        let payloads = Self.payloads()
        #expect(payloads.count > 50)
        for payload in payloads {
            let response = scene.deliver(payload.data, event: payload.event)
            #expect((200..<300).contains(response.status), "\(payload.event)/\(payload.name)")
        }
    }

    @Test(.needsFixtures) func `a command in each created example comment makes one task, its variants none`()
        throws
    {
        var seen = 0
        for payload in Self.payloads() where payload.event == "issue_comment" {
            guard var body = try JSONSerialization.jsonObject(with: payload.data) as? [String: Any],
                body["action"] as? String == "created", var comment = body["comment"] as? [String: Any],
                let issue = body["issue"] as? [String: Any], issue["pull_request"] == nil
            else { continue }
            seen += 1
            func variant(_ text: String, action: String = "created", type: String? = nil) -> Data {
                comment["body"] = text
                if let type, var user = comment["user"] as? [String: Any] {
                    user["type"] = type
                    comment["user"] = user
                }
                body["comment"] = comment
                body["action"] = action
                return Scene.json(body)
            }
            let scene = try Scene()
            for none in [
                variant("@porter demo fix it", action: "edited"),
                variant("@porter demo fix it", action: "deleted"), variant("> @porter demo fix it"),
                variant("```\n@porter demo fix it\n```"),
            ] {
                let response = scene.deliver(none, event: "issue_comment")
                #expect(response.object["status"] as? String == "ignored", "\(payload.name)")
            }
            for _ in 0..<2 {
                let response = scene.deliver(variant("@porter demo fix it"), event: "issue_comment")
                #expect(response.object["task"] is String, "\(payload.name)")
            }
            #expect(try scene.world.store.countTasks().values.reduce(0, +) == 1, "\(payload.name)")
            let bot = scene.deliver(variant("@porter demo fix it", type: "Bot"), event: "issue_comment")
            #expect(bot.object["status"] as? String == "ignored", "\(payload.name)")
        }
        #expect(seen >= 1)
    }
}
