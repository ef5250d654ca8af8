import Foundation
import Porter
import PorterHTTP
import PorterTestWorld
import PorterWork
import Testing

@testable import PorterStore
@testable import PorterWeb

/// What a signed-in person sees, starts and stops.
@Suite struct ActingTests {
    private let scene: Scene
    private let maria: Browser
    private let rita: Browser
    private let stranger: Browser

    init() throws {
        scene = try Scene()
        (maria, rita, stranger) = (Browser(scene), Browser(scene), Browser(scene))
        // Somebody else is the admin.
        try scene.world.store.setMark(Work.firstAdminMark, to: "999", at: scene.world.now)
        let other = Person(id: 5, login: "otto")
        scene.world.users.change {
            $0.installations[5] = $0.installations[1]
            $0.repositories[5] = []
        }
        try maria.signIn(World.maria)
        try rita.signIn(World.rita)
        try stranger.signIn(other)
    }

    private func list(_ browser: Browser, _ query: String = "") -> [String] {
        let tasks = browser.send("GET", "/api/tasks\(query)").object["tasks"] as? [[String: Any]] ?? []
        return tasks.compactMap { $0["id"] as? String }
    }

    private func task() throws -> TaskID {
        let id = try scene.world.ask()
        try scene.world.settle()
        return id
    }

    private let body: [String: Any] = [
        "repo_owner": "acme", "repo_name": "shop", "issue_number": World.issue, "instructions": "mend it",
        "agent": "demo",
    ]

    @Test func `a person sees the tasks of the repositories that they see on GitHub`() throws {
        let id = try task()
        #expect(list(maria) == [id.rawValue])
        #expect(list(rita) == [id.rawValue])
        #expect(list(stranger).isEmpty)
        #expect(list(maria, "/history").isEmpty)
    }

    @Test func `what somebody does not see is as absent as what is not there`() throws {
        let id = try task()
        for rest in ["", "/status", "/log", "/prompt"] {
            let unseen = stranger.send("GET", "/api/tasks/\(id.rawValue)\(rest)")
            let absent = stranger.send("GET", "/api/tasks/task_01ARZ3NDEKTSV4RRFFQ69G5FAV\(rest)")
            #expect(unseen.status == 404)
            #expect(unseen.text == absent.text)
            #expect(rita.send("GET", "/api/tasks/\(id.rawValue)\(rest)").status == 200)
        }
        for act in ["stop", "retry"] {
            let unseen = stranger.send("POST", "/api/tasks/\(id.rawValue)/\(act)")
            let absent = stranger.send("POST", "/api/tasks/task_01ARZ3NDEKTSV4RRFFQ69G5FAV/\(act)")
            #expect(unseen.status == 404)
            #expect(unseen.text == absent.text)
        }
        let unseen = stranger.send("POST", "/api/tasks", body)
        var made = body
        made["repo_name"] = "made-up"
        #expect(unseen.status == 404)
        #expect(unseen.text == stranger.send("POST", "/api/tasks", made).text)
    }

    @Test func `an admin and the operator see everything`() throws {
        let id = try task()
        scene.world.change { $0.admins = ["otto"] }
        #expect(list(stranger) == [id.rawValue])
        #expect(stranger.send("GET", "/api/tasks/\(id.rawValue)").status == 200)
        #expect(scene.get("/api/tasks/\(id.rawValue)").status == 200)
        // Seeing is not acting.
        #expect(stranger.send("POST", "/api/tasks/\(id.rawValue)/stop").status == 403)
        #expect(stranger.send("POST", "/api/tasks", body).status == 403)
    }

    @Test func `the operator's token starts and stops nothing`() throws {
        let id = try task()
        for target in ["/api/tasks", "/api/tasks/\(id.rawValue)/stop", "/api/tasks/\(id.rawValue)/retry"] {
            let response = scene.send(
                "POST", target,
                ["Authorization": "Bearer \(Scene.operatorToken)", "Origin": "https://porter.example"])
            #expect(response.status == 401)
        }
    }

    @Test func `rights that are too old show nothing, and are asked for again`() throws {
        let id = try task()
        scene.world.users.change { $0.repositories[1] = [] }
        scene.world.advance(seconds: 599)
        #expect(list(maria) == [id.rawValue])
        scene.world.advance(seconds: 1)
        let response = maria.send("GET", "/api/tasks")
        #expect(response.status == 503)
        #expect(response.error == "rights_unknown")
        #expect(response.fields["Retry-After"] == "2")
        #expect(maria.send("GET", "/api/tasks/\(id.rawValue)").status == 503)
        #expect(maria.send("POST", "/api/tasks/\(id.rawValue)/stop").status == 503)

        try scene.world.settle()
        #expect(list(maria).isEmpty)
        #expect(maria.send("GET", "/api/tasks/\(id.rawValue)").status == 404)
    }

    @Test func `no page's request calls GitHub`() throws {
        let id = try task()
        let before = (scene.world.users.faults.calls.count, scene.world.github.faults.calls.count)
        scene.world.advance(seconds: 500)
        for target in [
            "/api/tasks", "/api/tasks/history", "/api/tasks/\(id.rawValue)", "/api/sessions",
            "/api/auth/diagnostics", "/api/tasks/\(id.rawValue)/log",
        ] {
            #expect(maria.send("GET", target).status == 200)
        }
        #expect(scene.world.users.faults.calls.count == before.0)
        #expect(scene.world.github.faults.calls.count == before.1)
    }

    @Test func `somebody whose token GitHub does not renew is asked to sign in again`() throws {
        scene.world.users.faults.plant(.refused("bad_refresh_token"), at: "refresh")
        scene.world.advance(seconds: 28_800)
        #expect(maria.send("GET", "/api/tasks").status == 503)
        try scene.world.settle()
        let response = maria.send("GET", "/api/tasks")
        #expect(response.status == 401)
        #expect(response.error == "sign_in_again")
        #expect(response.object["action"] as? String == "/api/auth/github")
        try maria.signIn()
        #expect(maria.send("GET", "/api/tasks").status == 200)
    }

    @Test func `a session that GitHub would not renew can still be ended`() throws {
        scene.world.users.faults.plant(.refused("bad_refresh_token"), at: "refresh")
        scene.world.advance(seconds: 28_800)
        _ = maria.send("GET", "/api/tasks")
        try scene.world.settle()
        #expect(maria.send("GET", "/api/tasks").error == "sign_in_again")

        #expect(maria.send("POST", "/api/auth/logout").status == 204)

        #expect(!maria.hasSession)
        #expect(maria.send("GET", "/api/tasks").error == "unauthorized")
    }

    // MARK: - Starting

    @Test func `a task under an issue is admitted as a comment's would be`() throws {
        let response = maria.send("POST", "/api/tasks", body)
        #expect(response.status == 201)
        #expect(response.object["status"] as? String == "queued")
        #expect(response.object["created_by"] as? String == "maria")
        #expect(response.object["issue_title"] as? String == "Login is flaky")
        #expect(response.object["comment_url"] is NSNull)
        let id = try #require(TaskID(rawValue: response.object["id"] as? String ?? ""))

        try scene.world.live(until: id)
        #expect(try scene.world.flaws(id).filter { $0 != "no rocket" } == [])
        #expect(try scene.world.task(id).state == .success)
        let prompt = try scene.world.store.findPrompt(id)?.text
        #expect(prompt?.contains("mend it") == true)
        #expect(scene.world.github.seen.pulls.first?.draft.body.contains("on Porter's pages") == true)
    }

    @Test func `without an issue one is opened in the person's name first`() throws {
        var body = body
        body["issue_number"] = nil
        body["instructions"] = "\n  Mend the login.\nIt fails each Monday.\n"
        let response = maria.send("POST", "/api/tasks", body)
        #expect(response.status == 201)
        #expect(response.object["issue_number"] as? Int == 201)
        let opened = scene.world.users.seen.opened
        #expect(opened.map(\.person) == [World.maria])
        #expect(opened.first?.title == "Mend the login.")
        #expect(opened.first?.body == body["instructions"] as? String)
    }

    @Test func `whoever can only read starts nothing`() throws {
        let response = rita.send("POST", "/api/tasks", body)
        #expect(response.status == 403)
        #expect(scene.world.users.faults.count("issue") == 0)
    }

    private static let wrong: [(String, any Sendable)] = [
        ("repo_owner", ""), ("repo_name", String(repeating: "x", count: 101)),
        ("issue_number", 0), ("issue_number", -1), ("issue_number", 1 << 40), ("issue_number", "seven"),
        ("issue_number", 1.5), ("issue_number", 8), ("instructions", String(repeating: "x", count: 65_001)),
        ("instructions", 7), ("agent", "clod"), ("agent", ["codex"]), ("model", "--help"), ("model", "a b"),
        ("priority", "urgent"), ("base_branch", "-x"), ("base_branch", "a..b"), ("timeout_s", 59),
        ("timeout_s", 3601), ("timeout_s", "10m"), ("draft", "yes"),
    ]

    @Test(arguments: wrong)
    func `a field that cannot be is 422 and named`(field: String, value: any Sendable) throws {
        var body = body
        body[field] = value
        let response = maria.send("POST", "/api/tasks", body)
        #expect(response.status == 422, "\(response.text)")
        #expect(response.message.contains("`\(field)`"))
        #expect(list(maria).isEmpty)
        #expect(scene.world.users.seen.opened.isEmpty)
    }

    @Test(arguments: ["repo_owner", "repo_name", "instructions"])
    func `a field that must be there is named`(field: String) throws {
        var body = body
        body[field] = nil
        let response = maria.send("POST", "/api/tasks", body)
        #expect(response.status == 422)
        #expect(response.message.contains("`\(field)`"))
    }

    /// The contract's order: "404 object (unseen and absent alike), 403 permission, 400/422 body" at the end.
    @Test(arguments: wrong.filter { !$0.0.hasPrefix("repo_") })
    func `whether the repository is there and may be pushed to comes before the other fields`(
        field: String, value: any Sendable
    ) throws {
        var body = body
        body[field] = value
        #expect(rita.send("POST", "/api/tasks", body).status == 403)
        #expect(stranger.send("POST", "/api/tasks", body).status == 404)
        body[field] = nil
        body["instructions"] = nil
        #expect(rita.send("POST", "/api/tasks", body).status == 403)
        #expect(stranger.send("POST", "/api/tasks", body).status == 404)
    }

    @Test(arguments: ["retry", "stop"])
    func `who may not act is told before the query is looked at`(act: String) throws {
        let id = try task()
        let path = "/api/tasks/\(id.rawValue)/\(act)?a=%ff"
        #expect(stranger.send("POST", path).status == 404)
        #expect(rita.send("POST", path).status == 403)
        #expect(maria.send("POST", path).status == 400)
    }

    @Test(arguments: ["", "[]", "null", "7", "{", "\u{FEFF}x"])
    func `a body that is no object is 400`(text: String) throws {
        let response = scene.send("POST", "/api/tasks", maria.fields, Data(text.utf8))
        #expect(response.status == 400)
    }

    @Test func `empty instructions make no issue, and are enough under one`() throws {
        var body = body
        body["instructions"] = "  \n"
        #expect(maria.send("POST", "/api/tasks", body).status == 201)
        body["issue_number"] = nil
        #expect(maria.send("POST", "/api/tasks", body).status == 422)
    }

    @Test func `GitHub that does not answer starts nothing, and says what may have happened`() throws {
        var body = body
        body["issue_number"] = nil
        for (fault, words) in [
            (Faults.Kind.unreachable, "nothing was done"), (.uncertainAfter, "may have been opened"),
        ] {
            scene.world.users.faults.plant(fault, at: "createIssue")
            let response = maria.send("POST", "/api/tasks", body)
            #expect(response.status == 503)
            #expect(response.message.contains(words))
        }
        #expect(list(maria).isEmpty)
    }

    // MARK: - Stopping and trying again

    @Test func `a running task is stopped once, and by whom is told`() throws {
        scene.world.crew.change { $0.hangs = .agent }
        let id = try task()
        try scene.world.live(seconds: 5)
        let path = "/api/tasks/\(id.rawValue)/stop"
        #expect(rita.send("POST", path).status == 403)
        #expect(maria.send("POST", path).status == 202)
        #expect(maria.send("PUT", path).status == 200)
        try scene.world.live(until: id)
        #expect(try scene.world.task(id).state == .cancelled)
        #expect(try scene.world.task(id).detail == "Stopped by maria.")
        #expect(maria.send("POST", path).status == 409)
        let entries = try scene.world.store.listAudit(AuditFilter(limit: 10)).map(\.entry)
            .filter { $0.action == "task.stopped" }
        #expect(entries.map(\.subject) == [id.rawValue])
        #expect(entries.map(\.address) == ["192.0.2.7"])
    }

    @Test func `an ended task is tried again as it was, by whoever asks now`() throws {
        scene.world.crew.change { $0.outcome = .failed }
        let id = try scene.world.ask(
            "@porter demo --priority=high --timeout=2m mend the login", by: World.wim)
        try scene.world.settle()
        let path = "/api/tasks/\(id.rawValue)/retry"
        #expect(maria.send("POST", path).status == 409)
        try scene.world.live(until: id)
        #expect(rita.send("PUT", path).status == 403)

        for method in ["POST", "PUT"] {
            let response = maria.send(method, path)
            #expect(response.status == 201)
            #expect(response.object["id"] as? String != id.rawValue)
            #expect(response.object["created_by"] as? String == "maria")
            #expect(response.object["priority"] as? String == "high")
            #expect(response.object["timeout_s"] as? Int == 120)
            #expect(response.object["agent"] as? String == "demo")
        }
        try scene.world.live(seconds: 600)
        // The first look finds rights that are too old, and has them asked for.
        _ = list(maria)
        try scene.world.settle()
        #expect(list(maria).count == 3)
    }

    @Test func `what a stranger asked for is nobody's to try again`() throws {
        let id = try scene.world.ask(by: World.rita)
        try scene.world.settle()
        #expect(try scene.world.task(id).reason == .notPermitted)
        let response = maria.send("POST", "/api/tasks/\(id.rawValue)/retry")
        #expect(response.status == 409)
        #expect(response.error == "not_permitted")
    }
}
