import Foundation
import Porter
import PorterHTTP
import PorterStore
import PorterTestWorld
import PorterWork
import Testing

@testable import PorterWeb

/// A signed-in person's way to ask the site.
struct PageClient {
    let scene: Scene
    let fields: Fields

    init(_ scene: Scene, _ person: Person = World.maria, isAdmin: Bool = false) throws {
        self.scene = scene
        fields = try scene.signIn(person, isAdmin: isAdmin)
    }

    func send(
        _ method: String, _ target: String, _ body: [String: Any]? = nil, with more: Fields = [:]
    ) -> Response {
        send(method, target, raw: body.map { Scene.json($0) } ?? Data(), with: more)
    }

    func send(_ method: String, _ target: String, raw: Data, with more: Fields = [:]) -> Response {
        var fields = fields
        for pair in more.pairs { fields[pair.name] = pair.value }
        return scene.send(method, target, fields, raw)
    }

    func get(_ target: String) -> Response { send("GET", target) }
}

/// `GET|PATCH /api/config`.
@Suite struct ConfigTests {
    @Test func `only what is named changes, and null takes a setting back`() throws {
        let maria = try PageClient(Scene())
        #expect(
            maria.send("PATCH", "/api/config", ["default_agent": "claude-code", "draft": true]).status == 200)
        let changed = maria.send("PATCH", "/api/config", ["timeout_s": 90])
        #expect(changed.object["default_agent"] as? String == "claude")
        #expect(changed.object["draft"] as? Bool == true)
        #expect(changed.object["timeout_s"] as? Int == 90)
        _ = maria.send("PATCH", "/api/config", ["draft": NSNull()])
        let shown = maria.get("/api/config").object
        #expect(shown["draft"] is NSNull)
        #expect(shown["default_agent"] as? String == "claude")
        #expect((shown["effective"] as? [String: Any])?["timeout_s"] as? Int == 90)
    }

    @Test func `settings are a person's own, and the team's are for admins`() throws {
        let scene = try Scene()
        let (maria, wim) = (try PageClient(scene), try PageClient(scene, World.wim, isAdmin: true))
        _ = maria.send("PATCH", "/api/config", ["default_agent": "codex"])
        #expect(wim.get("/api/config").object["default_agent"] is NSNull)
        #expect(maria.get("/api/config?scope=shared").status == 403)
        #expect(maria.send("PATCH", "/api/config?scope=shared", ["tasks_total": 3]).status == 403)
        #expect(wim.send("PATCH", "/api/config?scope=shared", ["tasks_total": 3]).status == 200)
        #expect(maria.send("PATCH", "/api/config", ["tasks_total": 3]).error == "unknown_setting")
        #expect(maria.get("/api/config?scope=everybody").status == 400)
        #expect(scene.send("GET", "/api/config").status == 401)
    }

    @Test func `a change can be bound to what was seen`() throws {
        let maria = try PageClient(Scene())
        let tag = try #require(maria.get("/api/config").fields["ETag"])
        // The tag is of what can be changed; what the answer tells besides changes without it.
        #expect(maria.send("GET", "/api/config", with: ["If-None-Match": tag]).status == 200)
        let first = maria.send("PATCH", "/api/config", ["draft": true], with: ["If-Match": tag])
        #expect(first.status == 200)
        let late = maria.send("PATCH", "/api/config", ["draft": false], with: ["If-Match": tag])
        #expect(late.status == 412)
        #expect(maria.get("/api/config").object["draft"] as? Bool == true)
        let fresh = try #require(first.fields["ETag"])
        #expect(fresh != tag)
        for condition in [fresh, "*", "\"other\", \(fresh)"] {
            #expect(maria.send("PATCH", "/api/config", [:], with: ["If-Match": condition]).status == 200)
        }
    }

    /// A body that is refused, and what the refusal names.
    struct Bad: Sendable {
        let body: String
        let status: Int
        let words: [String]
    }

    @Test(arguments: [
        Bad(body: #"{"nonsense": 1}"#, status: 422, words: ["`nonsense`", "default_agent"]),
        Bad(body: #"{"scope": "shared"}"#, status: 422, words: ["`scope`"]),
        Bad(body: #"{"timeout_s": 59}"#, status: 422, words: ["`timeout_s`", "60", "3600", "59"]),
        Bad(body: #"{"timeout_s": 3601}"#, status: 422, words: ["`timeout_s`", "3600", "3601"]),
        Bad(body: #"{"timeout_s": 60.5}"#, status: 422, words: ["`timeout_s`", "60.5"]),
        Bad(body: #"{"timeout_s": "90"}"#, status: 422, words: ["`timeout_s`", "\"90\""]),
        Bad(body: #"{"timeout_s": 1e300}"#, status: 422, words: ["`timeout_s`"]),
        Bad(body: #"{"timeout_s": [90]}"#, status: 422, words: ["`timeout_s`", "a list"]),
        Bad(
            body: #"{"default_agent": "cursor"}"#, status: 422, words: ["`default_agent`", "codex", "cursor"]),
        Bad(body: #"{"default_agent": 7}"#, status: 422, words: ["`default_agent`", "7"]),
        Bad(body: #"{"default_model": "a b"}"#, status: 422, words: ["`default_model`", "100"]),
        Bad(body: #"{"default_model": "--yolo"}"#, status: 422, words: ["`default_model`"]),
        Bad(body: #"{"default_model": "a\u0000b"}"#, status: 422, words: ["`default_model`"]),
        Bad(body: #"{"default_model": ""}"#, status: 422, words: ["`default_model`"]),
        Bad(
            body: #"{"default_priority": "urgent"}"#, status: 422,
            words: ["`default_priority`", "low", "urgent"]),
        Bad(body: #"{"draft": "yes"}"#, status: 422, words: ["`draft`", "yes"]),
        Bad(body: #"{"context": "everybody"}"#, status: 422, words: ["`context`", "writers"]),
        Bad(body: #"{"default_agent": "codex", "draft": 1}"#, status: 422, words: ["`draft`", "1"]),
        Bad(body: "[1]", status: 422, words: ["object"]),
        Bad(body: "nonsense", status: 400, words: ["JSON"]),
        Bad(body: "", status: 400, words: ["JSON"]),
        Bad(body: "\u{0}", status: 400, words: ["JSON"]),
        // RFC 8259: no comma at an end, no byte order mark; the decoder takes both.
        Bad(body: #"{"draft": true,}"#, status: 400, words: ["JSON", "comma", "`}`", "byte 15"]),
        Bad(body: #"{"draft": [1, 2,]}"#, status: 400, words: ["JSON", "comma", "`]`", "byte 16"]),
        Bad(body: #"{,}"#, status: 400, words: ["JSON", "byte 2"]),
        Bad(body: "\u{FEFF}{\"draft\": true}", status: 400, words: ["JSON", "byte order mark"]),
        Bad(body: #"{"draft": true} x"#, status: 400, words: ["JSON", "byte 17"]),
        Bad(body: #"{"draft": true"#, status: 400, words: ["JSON", "ends"]),
        Bad(body: #"{"timeout_s": 060}"#, status: 400, words: ["JSON", "number", "byte 15"]),
        Bad(body: #"{"draft": tru}"#, status: 400, words: ["JSON", "byte 11"]),
        Bad(body: "{\"default_model\": \"a\nb\"}", status: 400, words: ["JSON", "control", "byte 21"]),
        Bad(body: #"{"default_model": "\x"}"#, status: 400, words: ["JSON", "escape", "byte 20"]),
        // JSON, and no value that there could be.
        Bad(body: #"{"timeout_s": 1e999}"#, status: 422, words: ["`timeout_s`", "number"]),
        Bad(body: #"{"default_agent": 1e999}"#, status: 422, words: ["`default_agent`", "number"]),
        Bad(
            body: #"{"default_model": "\ud800"}"#, status: 422, words: ["`default_model`", "half", "\\ud800"]),
        Bad(body: #"{"default_model": "\ud800\ud800"}"#, status: 422, words: ["`default_model`", "half"]),
        Bad(body: #"{"default_model": "\udc00"}"#, status: 422, words: ["`default_model`", "half"]),
        Bad(body: #"{"\ud800": true}"#, status: 400, words: ["half"]),
    ])
    func `what cannot be is refused by its field, its limit and its value, and nothing changes`(bad: Bad)
        throws
    {
        let maria = try PageClient(Scene())
        let before = maria.get("/api/config").text

        let response = maria.send("PATCH", "/api/config", raw: Data(bad.body.utf8))

        #expect(response.status == bad.status || (bad.body == "[1]" && response.status == 400))
        for word in bad.words { #expect(response.message.contains(word), "\(response.message)") }
        #expect(maria.get("/api/config").text == before)
    }

    @Test func `what is unusual and sound is taken`() throws {
        let maria = try PageClient(Scene())
        for body in [
            "\r\n\t {\"timeout_s\"\n:9e1 , \"draft\":true } \n", #"{"default_model": "a\u002Db"}"#, "{}",
            #"{"timeout_s": 90.0}"#,
        ] {
            let response = maria.send("PATCH", "/api/config", raw: Data(body.utf8))
            #expect(response.status == 200, "\(body): \(response.text)")
        }
        #expect(maria.get("/api/config").object["default_model"] as? String == "a-b")
    }

    @Test func `10 MB, 2,000 levels and a NUL are refused, and nothing changes`() throws {
        let maria = try PageClient(Scene())
        let large = Data(repeating: UInt8(ascii: " "), count: 10_000_000)
        #expect(maria.send("PATCH", "/api/config", raw: large).status == 413)
        let deep = String(repeating: "[", count: 2000) + String(repeating: "]", count: 2000)
        #expect(maria.send("PATCH", "/api/config", raw: Data(#"{"draft": \#(deep)}"#.utf8)).status == 400)
        let deepObject =
            String(repeating: #"{"a":"#, count: 2000) + "1" + String(repeating: "}", count: 2000)
        #expect(maria.send("PATCH", "/api/config", raw: Data(deepObject.utf8)).status == 400)
        #expect(maria.send("PATCH", "/api/config", raw: Data([0x7B, 0xFF, 0x7D])).status == 400)
        #expect(maria.get("/api/config").object["draft"] is NSNull)
    }

    @Test func `a foreign page changes nothing`() throws {
        let maria = try PageClient(Scene())
        for origin in ["https://evil.example", "null", ""] {
            #expect(
                maria.send("PATCH", "/api/config", ["draft": true], with: ["Origin": origin]).status == 403)
        }
        #expect(maria.get("/api/config").object["draft"] is NSNull)
    }

    @Test func `each change is in the record, with names and without values`() throws {
        let scene = try Scene()
        let maria = try PageClient(scene)
        _ = maria.send("PATCH", "/api/config", ["default_model": "very-own-model"])
        let entry = try #require(try scene.world.store.listAudit(AuditFilter(limit: 1)).first?.entry)
        #expect(entry.action == "settings.changed")
        #expect(entry.subject == "user:1")
        #expect(entry.detail == "default_model")
    }

    @Test func `what the operator has fixed is said`() throws {
        let scene = try Scene { $0.given = ["PORTER_TASKS_TOTAL"] }
        let wim = try PageClient(scene, World.wim, isAdmin: true)
        let shown = wim.get("/api/config?scope=shared").object
        #expect(shown["fixed_by_operator"] as? [String] == ["tasks_total"])
    }
}
