import Foundation
import Porter
import PorterHTTP
import PorterStore
import PorterTestSupport
import PorterTestWorld
import PorterWork
import Testing

@testable import PorterWeb

/// The webhook's checks in their order, and what it answers.
@Suite struct WebhookTests {
    private static let command = Scene.comment("@porter demo fix it")

    private func count(_ scene: Scene) throws -> Int {
        try scene.world.store.countTasks().values.reduce(0, +)
    }

    @Test func `more than 26,214,400 bytes are 413, before anything else`() throws {
        let scene = try Scene()
        #expect(scene.send("POST", "/api/webhooks/github", [:], state: .tooLarge).status == 413)
        scene.world.withoutApp()
        let unready = scene.site
        let request = Request(method: "POST", target: "/api/webhooks/github")
        #expect(unready.answer(request, body: .tooLarge).status == 413)
        #expect(unready.answer(request, body: .whole).status == 503)
    }

    @Test func `the largest body that is allowed is read`() throws {
        let scene = try Scene()
        let head = Data(#"{"action":"created","x":""#.utf8)
        var body = head + Data(repeating: 0x61, count: 26_214_400 - head.count - 2) + Data("\"}".utf8)
        #expect(body.count == 26_214_400)
        #expect(scene.deliver(body).status == 202)
        body.append(0x20)
        #expect(scene.deliver(body).status == 413)
    }

    @Test(arguments: ["issue_comment", "ping", "issues", "nonsense", ""])
    func `a wrong signature is 401 for every event, before the headers and the body`(event: String) throws {
        let scene = try Scene()
        let right = Scene.signature(Self.command)
        for signature in [
            nil, "", "sha256=", right.uppercased().replacingOccurrences(of: "SHA256", with: "sha256") + "0",
            String(right.dropLast()), Scene.signature(Self.command, secret: "other"),
            "sha1=" + right.dropFirst(7), Scene.signature(Data()), String(right.dropFirst(7)),
        ] {
            var fields: Fields = ["X-GitHub-Event": event]
            fields["X-Hub-Signature-256"] = signature
            let response = scene.send("POST", "/api/webhooks/github", fields, Self.command)
            #expect(response.status == 401)
            #expect(response.fields["WWW-Authenticate"] == nil)
            #expect(!response.text.contains(String(right.dropFirst(7))))
        }
        #expect(try count(scene) == 0)
    }

    @Test func `missing headers and bodies that are no object are 400 with words`() throws {
        let scene = try Scene()
        func status(_ body: Data, without name: String? = nil, type: String = "application/json") -> Int {
            var fields: Fields = [
                "X-GitHub-Event": "issue_comment", "X-GitHub-Delivery": "d",
                "X-Hub-Signature-256": Scene.signature(body), "Content-Type": type,
            ]
            if let name { fields[name] = nil }
            let response = scene.send("POST", "/api/webhooks/github", fields, body)
            #expect(response.status == 202 || !response.message.isEmpty)
            return response.status
        }
        #expect(status(Self.command, without: "X-GitHub-Event") == 400)
        #expect(status(Self.command, without: "X-GitHub-Delivery") == 400)
        for text in ["", "nonsense", "[]", "\"text\"", "1", "null", "{", "{\"a\":}", "{}{}"] {
            #expect(status(Data(text.utf8)) == 400, "\(text)")
        }
        let form = "application/x-www-form-urlencoded"
        for text in ["", "other=1", "payload=", "payload=%zz", "payload=[]"] {
            #expect(status(Data(text.utf8), type: form) == 400, "\(text)")
        }
        #expect(try count(scene) == 0)
    }

    @Test func `a body that was cut on its way is not taken for whole`() throws {
        let scene = try Scene()
        let response = scene.send(
            "POST", "/api/webhooks/github",
            ["X-GitHub-Event": "ping", "X-Hub-Signature-256": Scene.signature(Self.command)],
            Self.command, state: .broken)
        #expect((400..<500).contains(response.status))
    }

    @Test func `a ping is 200`() throws {
        let response = try Scene().deliver(Data(#"{"zen":"Keep it simple."}"#.utf8), event: "ping")
        #expect(response.status == 200)
        #expect(response.object["task"] is NSNull)
    }

    @Test func `a command is accepted with its task, and its repeats are duplicates with the same`() throws {
        let scene = try Scene()
        let first = scene.deliver(Self.command, guid: "d-1")
        #expect(first.status == 202)
        #expect(Set(first.object.keys) == ["status", "task"])
        #expect(first.object["status"] as? String == "accepted")
        let task = try #require(first.object["task"] as? String)

        for guid in ["d-1", "d-2", "d-3"] {
            let repeated = scene.deliver(Self.command, guid: guid)
            #expect(repeated.status == 202)
            #expect(repeated.object["status"] as? String == "duplicate")
            #expect(repeated.object["task"] as? String == task)
        }
        // A delivery id that is known stays what it was, whatever it carries now.
        let other = scene.deliver(Scene.comment("@porter demo another", id: 77), guid: "d-1")
        #expect(other.object["status"] as? String == "duplicate")
        #expect(other.object["task"] as? String == task)
        #expect(try count(scene) == 1)
        #expect(scene.world.github.faults.calls.isEmpty)
    }

    @Test func `the same delivery from many at once makes one task`() throws {
        let scene = try Scene()
        let site = scene.site
        let body = Self.command
        let fields: Fields = [
            "X-GitHub-Event": "issue_comment", "X-GitHub-Delivery": "d-1",
            "X-Hub-Signature-256": Scene.signature(body),
        ]
        DispatchQueue.concurrentPerform(iterations: 16) { _ in
            _ = site.answer(
                Request(method: "POST", target: "/api/webhooks/github", fields: fields, body: body),
                body: .whole)
        }
        #expect(try count(scene) == 1)
    }

    @Test func `commands without a task are accepted without one`() throws {
        let scene = try Scene()
        for (index, text) in ["help", "status", "stop", "retry", "claud fix", "help me"].enumerated() {
            let response = scene.deliver(Scene.comment("@porter \(text)", id: 100 + index))
            #expect(response.object["status"] as? String == "accepted", "\(text)")
            #expect(response.object["task"] is NSNull)
        }
    }

    @Test func `what asks for nothing is ignored, again on a repeat`() throws {
        let scene = try Scene()
        let ignored: [(String, Data)] = [
            ("no command", Scene.comment("porter, fix it")),
            ("in a sentence", Scene.comment("ask @porter demo fix it")),
            ("edited", Scene.comment("@porter demo fix it", action: "edited")),
            ("deleted", Scene.comment("@porter demo fix it", action: "deleted")),
            ("by a bot", Scene.comment("@porter demo fix it", type: "Bot")),
            ("by an organisation", Scene.comment("@porter demo fix it", type: "Organization")),
            ("quoted", Scene.comment("> @porter demo fix it")),
            ("fenced", Scene.comment("```\n@porter demo fix it\n```")),
            ("indented", Scene.comment("    @porter demo fix it")),
            ("hidden", Scene.comment("<!--\n@porter demo fix it\n-->")),
            ("another name", Scene.comment("@porterhouse demo fix it")),
            (
                "through an App",
                Scene.comment("@porter demo fix it") { $0["performed_via_github_app"] = ["id": 3] }
            ),
            ("without a body", Scene.comment("") { $0["body"] = NSNull() }),
        ]
        for (name, body) in ignored {
            for _ in 0..<2 {
                let response = scene.deliver(body, guid: "same")
                #expect(response.status == 202, "\(name)")
                #expect(response.object["status"] as? String == "ignored", "\(name)")
                #expect(response.object["task"] is NSNull)
            }
        }
        #expect(try scene.world.store.findDelivery("same") == nil)
        #expect(try scene.world.store.countJobs().isEmpty)
    }

    /// Installation and repository events of an account, as GitHub spells them.
    private static func news(of account: [String: Any]) -> [(event: String, body: Data)] {
        let installation: [String: Any] = ["id": 77, "account": account]
        let repository: [String: Any] = [
            "id": 42, "name": "shop", "full_name": "acme/shop", "owner": account,
        ]
        let bare: [String: Any] = ["id": 42, "name": "shop", "full_name": "acme/shop"]
        return [
            ("installation", ["action": "created", "installation": installation]),
            ("installation", ["action": "suspend", "installation": installation]),
            (
                "installation_repositories",
                ["action": "added", "installation": installation, "repositories_added": [bare]]
            ),
            ("repository", ["action": "renamed", "installation": ["id": 77], "repository": repository]),
        ].map { ($0.0, Scene.json($0.1)) }
    }

    @Test(arguments: [["Acme"], ["900"], nil])
    func `of accounts that are not served the installation alone is known, and gets nothing`(
        owners: [String]?
    ) throws {
        let scene = try Scene { $0.owners = owners }
        if owners == nil {
            _ = try scene.world.store.markOnce("app.owner", "900", at: scene.world.now)
        }
        for (index, news) in Self.news(of: ["id": 901, "login": "other"]).enumerated() {
            for _ in 0..<2 {
                let response = scene.deliver(news.body, event: news.event, guid: "other-\(index)")
                #expect(response.status == 202)
                #expect(response.object["status"] as? String == "ignored", "\(news.event)")
            }
            #expect(try scene.world.store.findDelivery("other-\(index)") == nil)
        }
        #expect(try scene.world.store.installationState(77) == "suspended")
        #expect(try scene.rows("repositories") == 0)
        #expect(try scene.rows("audit") == 0)
        for (index, news) in Self.news(of: ["id": 900, "login": "acme"]).enumerated() {
            for status in ["accepted", "duplicate"] {
                let response = scene.deliver(news.body, event: news.event, guid: "acme-\(index)")
                #expect(response.object["status"] as? String == status, "\(news.event)")
            }
        }
        #expect(try scene.world.store.installationState(77) == "suspended")
    }

    @Test func `of an account that is served no more, what was stored before is still a duplicate`() throws {
        let scene = try Scene()
        let news = Self.news(of: ["id": 900, "login": "acme"])
        for (index, news) in news.enumerated() {
            _ = scene.deliver(news.body, event: news.event, guid: "n-\(index)")
        }
        scene.world.change { $0.owners = ["other"] }
        for (index, news) in news.enumerated() {
            let response = scene.deliver(news.body, event: news.event, guid: "n-\(index)")
            #expect(response.object["status"] as? String == "duplicate", "\(news.event)")
        }
    }

    @Test func `a form carries the same payload, and its signature is over the form`() throws {
        let scene = try Scene()
        let json = String(decoding: Self.command, as: UTF8.self)
        let allowed = CharacterSet.alphanumerics
        let encoded = json.addingPercentEncoding(withAllowedCharacters: allowed) ?? ""
        let body = Data("payload=\(encoded)".utf8)

        let response = scene.deliver(
            body, fields: ["Content-Type": "application/x-www-form-urlencoded"])

        #expect(response.object["status"] as? String == "accepted")
        #expect(try count(scene) == 1)
    }

    @Test func `a command spelled with escapes is found all the same`() throws {
        let scene = try Scene()
        let text = String(decoding: Self.command, as: UTF8.self)
            .replacingOccurrences(of: "@porter", with: #"\u0040p\u006frter"#)
        #expect(scene.deliver(Data(text.utf8)).object["status"] as? String == "accepted")
    }

    @Test func `a command with NUL in it is not cut there`() throws {
        let scene = try Scene()
        let response = scene.deliver(Scene.comment("@porter demo one\u{0}two\nthree"))
        let id = try #require((response.object["task"] as? String).flatMap(TaskID.init(rawValue:)))
        #expect(try scene.world.task(id).instructions == "onetwo\nthree")
    }

    @Test func `odd types where fields are expected are 4xx or ignored, never a crash or a task`() throws {
        let scene = try Scene()
        let odd: [Any] = [
            NSNull(), 1, "x", [1], ["a": 1], -1, 1.5, true, "9999999999999999999999",
            Double.greatestFiniteMagnitude,
        ]
        for key in ["comment", "issue", "repository", "action", "sender", "installation"] {
            for value in odd {
                guard
                    var body = try JSONSerialization.jsonObject(with: Self.command) as? [String: Any]
                else { continue }
                body[key] = value
                let response = scene.deliver(Scene.json(body))
                #expect(response.status == 202 || response.status == 400, "\(key) \(value)")
            }
        }
        for key in ["id", "user", "body", "html_url"] {
            for value in odd {
                let response = scene.deliver(Scene.comment("@porter demo x") { $0[key] = value })
                #expect(response.status == 202 || response.status == 400, "\(key) \(value)")
            }
        }
    }

    @Test(arguments: [
        ("comment.id", #""id":4001"#, #""id":1.5"#), ("comment.id", #""id":4001"#, #""id":1e30"#),
        ("comment.id", #""id":4001"#, #""id":"4001""#), ("comment.id", #""id":4001"#, #""id":null"#),
        ("issue.number", #""number":7"#, #""number":99999999999999999999"#),
        ("installation.id", #""id":77"#, #""id":0.5"#), ("repository.id", #""id":42"#, #""id":-0.5"#),
        ("repository.owner.id", #""id":900"#, #""id":1e99"#), ("action", #""created""#, "7"),
    ])
    func `a field of the wrong kind is 400 and named`(name: String, right: String, wrong: String) throws {
        let scene = try Scene()
        let text = String(decoding: Self.command, as: UTF8.self)
        #expect(text.contains(right))
        let response = scene.deliver(Data(text.replacingOccurrences(of: right, with: wrong).utf8))
        #expect(response.status == 400)
        #expect(response.message.contains("`\(name)`"), "\(response.message)")
        #expect(try count(scene) == 0)
    }

    @Test func `a body nested without end is refused and costs no stack`() throws {
        let scene = try Scene()
        let deep = Data((#"{"comment":"@porter","a":"# + String(repeating: "[", count: 200_000)).utf8)
        #expect(scene.deliver(deep).status == 400)
    }

    @Test func `a database that cannot be written is 503, never 2xx`() throws {
        let scene = try Scene()
        try scene.breakDatabase()
        let response = scene.deliver(Self.command)
        #expect(response.status == 503)
        #expect(response.fields["Retry-After"] != nil)
    }

    @Test func `closing an issue is accepted, even when there was nothing to stop`() throws {
        let scene = try Scene()
        guard var body = try JSONSerialization.jsonObject(with: Self.command) as? [String: Any] else {
            return
        }
        body["action"] = "closed"
        body["comment"] = nil
        let first = scene.deliver(Scene.json(body), event: "issues", guid: "close")
        #expect(first.object["status"] as? String == "accepted")
        let second = scene.deliver(Scene.json(body), event: "issues", guid: "close")
        #expect(second.object["status"] as? String == "duplicate")
        body["action"] = "opened"
        let opened = scene.deliver(Scene.json(body), event: "issues", guid: "open")
        #expect(opened.object["status"] as? String == "ignored")
    }

    @Test(arguments: [
        ("issues", "opened", "issue", true), ("pull_request_review_comment", "created", "comment", false),
        ("pull_request_review", "submitted", "review", false),
    ])
    func `an opening text, a comment on a line and a review are commands, too, each by its own number`(
        event: String, action: String, subject: String, isRun: Bool
    ) throws {
        let scene = try Scene()
        var text: [String: Any] = [
            "id": 4001, "number": 7, "title": "Login is flaky", "body": "@porter demo fix it",
            "user": ["id": 1, "login": "maria", "type": "User"], "html_url": "https://github.example/x",
        ]
        func payload(_ action: String) -> Data {
            Scene.json(
                [
                    "action": action, subject: text, "installation": ["id": 77],
                    (isRun ? "unused" : "pull_request"): ["number": 7, "title": "Mend it"],
                    "repository": ["id": 42, "name": "shop", "owner": ["id": 900, "login": "acme"]],
                    "sender": ["id": 1, "login": "maria", "type": "User"],
                ] as [String: Any])
        }

        let first = scene.deliver(payload(action), event: event)
        #expect(first.object["status"] as? String == "accepted")
        #expect((first.object["task"] is String) == isRun)
        let again = scene.deliver(payload(action), event: event)
        #expect(again.object["status"] as? String == "duplicate")
        #expect(again.object["task"] as? String == first.object["task"] as? String)
        // The same number under a comment is another command.
        let comment = scene.deliver(Self.command)
        #expect(comment.object["status"] as? String == "accepted")
        text["id"] = 4002
        let edited = scene.deliver(payload("edited"), event: event)
        #expect(edited.object["status"] as? String == "ignored")
    }
}
