import Foundation
import Porter
import PorterHTTP
import PorterTestWorld
import PorterWork
import Testing

@testable import PorterStore
@testable import PorterWeb

/// `public/openapi.json`: what there is to read about tasks.
@Suite struct TaskRouteTests {
    private static let fields: Set<String> = [
        "id", "status", "reason", "repo_owner", "repo_name", "issue_number", "issue_title", "agent",
        "model", "priority", "created_by", "created_by_id", "branch", "base_branch", "head_sha",
        "pr_number", "pr_url", "comment_url", "status_comment_url", "ending_comment_url", "executor",
        "machine_id", "attempt", "callback_attempts", "progress", "usage", "timeout_s", "created_at",
        "started_at", "finished_at", "published_at", "duration_ms", "error_message",
    ]

    private func tasks(_ response: Response) -> [[String: Any]] {
        response.object["tasks"] as? [[String: Any]] ?? []
    }

    private func ids(_ scene: Scene, _ query: String) -> [String] {
        let response = scene.get("/api/tasks" + query)
        #expect(response.status == 200, "\(query)")
        return tasks(response).compactMap { $0["id"] as? String }
    }

    @Test func `a task has every field, absent ones null, in every state`() throws {
        let scene = try Scene { $0.caps = Caps(perPerson: 1, total: 1) }
        scene.world.crew.change { $0.hangs = .agent }
        let running = try scene.world.ask()
        try scene.world.live(seconds: 15)
        let queued = try scene.world.ask()
        let refused = try scene.world.ask(by: World.rita)
        try scene.world.live(seconds: 15)

        for (id, state) in [(running, "running"), (queued, "queued"), (refused, "failed")] {
            let task = scene.get("/api/tasks/\(id.rawValue)").object
            #expect(Set(task.keys) == Self.fields.union(["events"]), "\(state)")
            #expect(task["status"] as? String == state)
            let usage = try #require(task["usage"] as? [String: Any])
            #expect(Set(usage.keys) == ["input_tokens", "output_tokens", "cost_usd"])
            for shown in [task, scene.get("/api/tasks/\(id.rawValue)/status").object] {
                let progress = try #require(shown["progress"] as? [String: Any])
                #expect(Set(progress.keys) == ["phase", "message", "at"])
                if state != "running" { #expect(progress.values.allSatisfy { $0 is NSNull }) }
            }
            #expect(((task["events"] as? [Any]) ?? []).count > 0)
            #expect((task["created_at"] as? String)?.hasSuffix("Z") == true)
        }
        let task = scene.get("/api/tasks/\(running.rawValue)").object
        let progress = try #require(task["progress"] as? [String: Any])
        #expect(Set(progress.keys) == ["phase", "message", "at"])
        #expect(progress["phase"] as? String == "agent")
        #expect(task["machine_id"] as? String == "m1")
        #expect(scene.get("/api/tasks/\(queued.rawValue)").object["machine_id"] is NSNull)
        let failed = scene.get("/api/tasks/\(refused.rawValue)").object
        #expect((failed["error_message"] as? String)?.isEmpty == false)
        #expect(failed["reason"] as? String == "not_permitted")
        for entry in tasks(scene.get("/api/tasks")) { #expect(Set(entry.keys) == Self.fields) }
    }

    @Test func `an ended task tells times, pull request and comments`() throws {
        let scene = try Scene()
        let id = try scene.world.ask()
        try scene.world.live(until: id)
        let task = scene.get("/api/tasks/\(id.rawValue)").object

        #expect(task["status"] as? String == "success")
        #expect(task["reason"] is NSNull)
        #expect(task["error_message"] is NSNull)
        #expect(task["pr_number"] as? Int == 100)
        #expect((task["duration_ms"] as? Int ?? -1) >= 0)
        for field in [
            "pr_url", "head_sha", "comment_url", "status_comment_url", "ending_comment_url", "started_at",
            "finished_at", "published_at",
        ] {
            #expect((task[field] as? String)?.isEmpty == false, "\(field)")
        }
        let status = scene.get("/api/tasks/\(id.rawValue)/status")
        #expect(Set(status.object.keys) == ["id", "status", "reason", "progress"])
    }

    @Test func `a task whose author's permission is unknown is nowhere`() throws {
        let scene = try Scene()
        scene.world.github.faults.plant(.unreachable, at: "app", times: 3)
        let id = try scene.world.ask()
        try scene.world.settle()

        #expect(ids(scene, "").isEmpty)
        for rest in ["", "/status", "/log", "/prompt"] {
            #expect(scene.get("/api/tasks/\(id.rawValue)\(rest)").status == 404)
        }
    }

    private func many() throws -> (Scene, [TaskID]) {
        let scene = try Scene { $0.caps = Caps(perPerson: 100, total: 0) }
        scene.world.github.change { state in
            state.issues[8] = GitHub.Issue(
                number: 8, title: "Other", isOpen: true, isLocked: false, isPullRequest: false)
        }
        var ids: [TaskID] = []
        for number in 0..<7 {
            ids.append(
                try scene.world.ask(
                    "@porter demo do Number\(number)", by: number % 2 == 0 ? World.maria : World.wim,
                    issue: number < 3 ? 7 : 8))
            scene.world.advance(seconds: 1)
        }
        try scene.world.settle()
        try scene.world.say("@porter stop \(ids[6].rawValue)", issue: 8)
        try scene.world.settle()
        return (scene, ids)
    }

    @Test func `a list is newest first and filtered by each parameter`() throws {
        let (scene, ids) = try many()
        let all = ids.map(\.rawValue)
        let start = Instant(seconds: 1_800_000_000)

        #expect(self.ids(scene, "") == all.reversed())
        #expect(self.ids(scene, "?status=cancelled") == [all[6]])
        #expect(self.ids(scene, "?status=queued,cancelled").count == 7)
        #expect(self.ids(scene, "?status=running").isEmpty)
        #expect(self.ids(scene, "?repo=acme/shop").count == 7)
        #expect(self.ids(scene, "?repo=ACME%2FShop").count == 7)
        #expect(self.ids(scene, "?repo=acme/other").isEmpty)
        #expect(self.ids(scene, "?agent=demo").count == 7)
        #expect(self.ids(scene, "?agent=codex").isEmpty)
        #expect(self.ids(scene, "?created_by=wim") == [5, 3, 1].map { all[$0] })
        #expect(self.ids(scene, "?created_by=WIM") == [5, 3, 1].map { all[$0] })
        #expect(self.ids(scene, "?created_by=2") == [5, 3, 1].map { all[$0] })
        #expect(self.ids(scene, "?created_by=22").isEmpty)
        #expect(self.ids(scene, "?issue=7") == [2, 1, 0].map { all[$0] })
        #expect(self.ids(scene, "?search=number3") == [all[3]])
        #expect(self.ids(scene, "?search=login+is").count == 7)
        #expect(self.ids(scene, "?search=%25").isEmpty)
        #expect(self.ids(scene, "?from=\(start.adding(seconds: 5).iso8601)") == [6, 5].map { all[$0] })
        #expect(self.ids(scene, "?to=\(start.adding(seconds: 1).iso8601)") == [1, 0].map { all[$0] })
        #expect(self.ids(scene, "?issue=8&created_by=maria&status=queued") == [all[4]])
        #expect(tasks(scene.get("/api/tasks/history")).compactMap { $0["id"] as? String } == [all[6]])
        #expect(tasks(scene.get("/api/tasks/history?status=queued")).isEmpty)
    }

    @Test func `pages join without a gap or a double, and the last has no next`() throws {
        let (scene, ids) = try many()
        var seen: [String] = []
        var cursor: String?
        var pages = 0
        repeat {
            let response = scene.get("/api/tasks?limit=3" + (cursor.map { "&cursor=\($0)" } ?? ""))
            seen += tasks(response).compactMap { $0["id"] as? String }
            cursor = response.object["next"] as? String
            #expect(Set(response.object.keys) == ["tasks", "next"])
            pages += 1
        } while cursor != nil && pages < 10
        #expect(pages == 3)
        #expect(seen == ids.map(\.rawValue).reversed())
        #expect(scene.get("/api/tasks?limit=7").object["next"] is NSNull)
    }

    @Test(arguments: [
        "limit=0", "limit=101", "limit=x", "limit=", "limit=-1", "status=paused", "status=", "issue=0",
        "issue=x", "from=yesterday", "to=2026-99-01T00:00:00Z", "cursor=nonsense", "cursor=task_1",
    ])
    func `a parameter that cannot be is 400 and named`(query: String) throws {
        let response = try Scene().get("/api/tasks?\(query)")
        #expect(response.status == 400)
        #expect(response.message.contains("`\(query.prefix { $0 != "=" })`"))
    }

    @Test func `parameters that are too long are 400`() throws {
        let scene = try Scene()
        for name in ["repo", "agent", "created_by", "search"] {
            #expect(scene.get("/api/tasks?\(name)=\(String(repeating: "x", count: 257))").status == 400)
            #expect(scene.get("/api/tasks?\(name)=%00").status == 400)
        }
    }

    @Test func `a log is paged at whole characters and complete at its end`() throws {
        let scene = try Scene()
        let (id, token) = try scene.claimed()
        // Three bytes a character: a page of 65,536 bytes ends inside one.
        let text = "ab" + String(repeating: "€", count: 30_000)
        _ = scene.callback("progress", token, ["phase": "agent", "log": ["offset": 0, "text": text]])

        var whole = ""
        var offset = 0
        for _ in 0..<5 {
            let page = scene.get("/api/tasks/\(id.rawValue)/log?offset=\(offset)")
            #expect(Set(page.object.keys) == ["offset", "next_offset", "text", "complete"])
            #expect(page.object["offset"] as? Int == offset)
            #expect(page.object["complete"] as? Bool == false)
            let piece = try #require(page.object["text"] as? String)
            #expect(!piece.contains("\u{FFFD}"))
            whole += piece
            offset = try #require(page.object["next_offset"] as? Int)
        }
        #expect(whole == text)
        #expect(offset == text.utf8.count)

        _ = scene.callback("complete", token, ["task_id": id.rawValue, "status": "failed"])
        try scene.world.live(seconds: 30)
        let end = scene.get("/api/tasks/\(id.rawValue)/log?offset=\(offset)")
        #expect(end.object["complete"] as? Bool == true)
        #expect(end.object["text"] as? String == "")
        #expect(scene.get("/api/tasks/\(id.rawValue)/log?offset=-1").status == 400)
        #expect(scene.get("/api/tasks/\(id.rawValue)/log?offset=x").status == 400)
        #expect(scene.get("/api/tasks/\(id.rawValue)/log?offset=99999999").object["text"] as? String == "")
    }

    @Test func `a log that is cut at its limit shows no broken character`() throws {
        let scene = try Scene { $0.logLimit = 4 }
        let (id, token) = try scene.claimed()
        _ = scene.callback("progress", token, ["phase": "agent", "log": ["offset": 0, "text": "€€€"]])
        _ = scene.callback("complete", token, ["task_id": id.rawValue, "status": "failed"])
        try scene.world.live(seconds: 30)

        let page = scene.get("/api/tasks/\(id.rawValue)/log")
        #expect(page.object["text"] as? String == "€")
        #expect(page.object["complete"] as? Bool == true)
    }

    @Test func `the prompt shows what the agent was told and what was left out`() throws {
        let scene = try Scene()
        let id = try scene.world.ask("@porter demo mend the login")
        try scene.world.settle()
        let response = scene.get("/api/tasks/\(id.rawValue)/prompt")

        #expect((response.object["prompt"] as? String)?.contains("mend the login") == true)
        #expect(response.object["omissions"] is [Any])
    }

    @Test func `a prompt shows nobody the key that its author wrote into the comment`() throws {
        let scene = try Scene()
        scene.world.work.world.redactor.watch(Secret("maria-canary-0123456789"), of: .person(World.maria.id))
        let id = try scene.world.ask("@porter demo use maria-canary-0123456789 for it")
        try scene.world.settle()
        let prompt = scene.get("/api/tasks/\(id.rawValue)/prompt").object["prompt"] as? String
        #expect(prompt?.contains("for it") == true)
        #expect(prompt?.contains("canary") == false)
    }

    @Test func `no answer shows a secret`() throws {
        let scene = try Scene { policy in
            policy.teamKeys = ["OPENAI_API_KEY": Secret("team-canary")]
        }
        let world = scene.world
        try world.store.saveSecret(
            Secret("stored-canary"), scope: "shared", provider: "amp", name: "AMP_API_KEY",
            sealer: World.sealer, at: world.now)
        let id = try world.ask("@porter codex fix it")
        try world.settle()
        let machine = try #require(world.engine.running.last?.token).reveal { $0 }
        world.crew.change { $0.claims = false }
        let claim = scene.callback("claim", machine, ["nonce": "nonce-canary-1", "protocol": 1])
        let token = try #require(claim.object["callback_token"] as? String)
        for phase in ["clone", "agent", "saving"] { _ = scene.callback("progress", token, ["phase": phase]) }
        _ = scene.callback("credential", token, ["purpose": "push"])
        let secrets =
            [
                "team-canary", "stored-canary", "nonce-canary", machine, token, Scene.webhookSecret,
                Scene.operatorToken, "ghs_canary",
            ]

        func answers() -> [Response] {
            let base = "/api/tasks/\(id.rawValue)"
            return [
                "/api/tasks", "/api/tasks/history", base, base + "/status", base + "/log",
                base + "/prompt", "/readyz", "/metrics", "/healthz",
            ].map(scene.get)
                + [
                    scene.callback("claim", machine, ["nonce": "nonce-other-1", "protocol": 1]),
                    scene.callback("progress", machine, ["phase": "agent"]),
                    scene.callback("complete", token, ["task_id": id.rawValue, "status": "nonsense"]),
                    scene.deliver(Scene.comment("@porter demo x"), fields: ["X-Hub-Signature-256": "no"]),
                ]
        }
        var all = answers()
        _ = scene.callback("complete", token, ["task_id": id.rawValue, "status": "failed"])
        try world.live(seconds: 60)
        all += answers()
        let bodies = all.map { $0.text + $0.fields.pairs.map(\.value).joined() }
        let comments = world.github.seen.ours.map(\.body)
        for secret in secrets {
            for text in bodies + comments {
                #expect(!text.contains(secret), "\(secret) in \(text.prefix(200))")
            }
        }
    }
}
