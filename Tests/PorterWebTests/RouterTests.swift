import Foundation
import Porter
import PorterHTTP
import PorterStore
import PorterTestSupport
import PorterTestWorld
import PorterWork
import Testing

@testable import PorterWeb

/// The addresses, and the order of checks.
@Suite struct RouterTests {
    @Test func `the table holds the addresses of the contract that exist`() {
        #expect(
            Site.router.routes.map(\.name).sorted() == [
                "DELETE /api/config/fly",
                "DELETE /api/config/provider-credentials/{provider}/{name}",
                "DELETE /api/sessions/{id}", "GET /api/agents", "GET /api/audit",
                "GET /api/auth/diagnostics", "GET /api/auth/github",
                "GET /api/auth/github/callback", "GET /api/auth/github/installed",
                "GET /api/config", "GET /api/config/provider-credentials",
                "GET /api/config/providers", "GET /api/github/installations",
                "GET /api/github/issues/{owner}/{repo}/{number}", "GET /api/github/orgs",
                "GET /api/github/profile", "GET /api/github/repositories",
                "GET /api/github/summary", "GET /api/rate-limit", "GET /api/sessions",
                "GET /api/setup/callback", "GET /api/setup/status", "GET /api/startup/check",
                "GET /api/tasks", "GET /api/tasks/history", "GET /api/tasks/{id}",
                "GET /api/tasks/{id}/log", "GET /api/tasks/{id}/prompt",
                "GET /api/tasks/{id}/status", "GET /healthz", "GET /metrics", "GET /readyz",
                "GET /setup", "PATCH /api/agents/{name}", "PATCH /api/config",
                "PATCH /api/github/repositories/{id}", "POST /api/auth/logout",
                "POST /api/callbacks/claim", "POST /api/callbacks/complete",
                "POST /api/callbacks/credential", "POST /api/callbacks/progress",
                "POST /api/config/validate/{subject}", "POST /api/setup/manifest",
                "POST /api/tasks", "POST /api/tasks/{id}/retry", "POST /api/tasks/{id}/stop",
                "POST /api/webhooks/github", "PUT /api/config/fly",
                "PUT /api/config/provider-credentials", "PUT /api/tasks/{id}/retry",
                "PUT /api/tasks/{id}/stop",
            ])
    }

    @Test(arguments: [
        "/", "/api", "/api/tasks/", "//api/tasks", "/api/tasks/x/y/z", "/healthz/", "/HEALTHZ", "",
        "api/tasks", "*", "/api/%zz", "/api/webhooks/github/", "/%ff",
    ])
    func `what is not in the table is 404`(target: String) throws {
        let response = try Scene().send("GET", target)
        #expect(response.status == 404)
        #expect(response.error == "not_found")
        #expect(!response.message.isEmpty)
    }

    @Test func `another method is 405 with what is allowed, before anybody is asked who they are`() throws {
        let scene = try Scene()
        let routes = Dictionary(grouping: Site.router.routes) { "/" + $0.path.joined(separator: "/") }
        for (target, routes) in routes {
            let own = Set(routes.map(\.method))
            let right = own.contains("GET") ? own.union(["HEAD"]) : own
            for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "X"]
            where !right.contains(method) {
                let response = scene.send(method, target)
                #expect(response.status == 405, "\(method) \(target)")
                #expect(response.fields["Allow"] == right.sorted().joined(separator: ", "), "\(target)")
            }
        }
    }

    /// nginx answers TRACE itself, and must name what Porter would.
    @Test func `nginx knows what each address takes`() throws {
        let text = try Checkout.text("nginx/snippets/http.conf")
        let rules = try text.split(separator: "\n").compactMap { line -> (Regex<AnyRegexOutput>, String)? in
            guard let found = line.firstMatch(of: /^ *"~\^405\\\|\\\|([^"]*)" +"([A-Z, ]+)";$/) else {
                return nil
            }
            return (try Regex("^" + String(found.1)), String(found.2))
        }
        let routes = Dictionary(grouping: Site.router.routes) { "/" + $0.path.joined(separator: "/") }
        for (target, routes) in routes {
            let own = Set(routes.map(\.method))
            let right = (own.contains("GET") ? own.union(["HEAD"]) : own).sorted().joined(separator: ", ")
            let path = target.replacing(/\{[a-z]+\}/, with: "some-name")
            let first = try rules.first { try $0.0.firstMatch(in: path) != nil }
            #expect(first?.1 == right, "\(target)")
        }
    }

    @Test func `without the token a closed address is 401, whatever else is wrong`() throws {
        let scene = try Scene()
        for route in Site.router.routes {
            switch route.door {
            case .open: continue
            case .operatorToken, .worker, .reader: break
            case .person, .admin, .leaving: continue
            }
            let target = "/" + route.path.joined(separator: "/") + "?limit=x&offset=x&search=%ff"
            for fields: Fields in [
                [:], ["Authorization": "Bearer wrong"], ["Authorization": "Basic \(Scene.operatorToken)"],
                ["Authorization": "Bearer "], ["X-Porter-Callback-Token": ""],
                ["Authorization": "Bearer \(Scene.operatorToken)x"],
            ] {
                let response = scene.send(route.method, target, fields, Data("nonsense".utf8))
                #expect(response.status == 401, "\(target)")
                #expect(response.error == "unauthorized")
                #expect(response.fields["WWW-Authenticate"] == "Bearer", "\(target)")
            }
        }
    }

    @Test func `a task that is not there is 404 before its parameters are looked at`() throws {
        let scene = try Scene()
        for id in ["task_01ARZ3NDEKTSV4RRFFQ69G5FAV", "nonsense", "task_", "%00"] {
            for rest in ["", "/status", "/log?offset=-1", "/log?offset=x", "/prompt"] {
                #expect(scene.get("/api/tasks/\(id)\(rest)").status == 404, "\(id)\(rest)")
            }
            #expect(scene.get("/api/tasks/\(id)?x=%zz").status == 404)
        }
    }

    @Test(arguments: [
        ("search=%ff", "search"), ("search=%zz", "search"), ("search=%", "search"),
        ("limit=1&agent=%c3", "agent"),
        ("se%61rch=%ff", "search"), ("%zz=1", "%zz"), ("unknown=%ff", "unknown"),
        ("search=%ff&limit=x", "search"),
    ])
    func `a query that cannot be decoded is 400 with the field named`(query: String, name: String) throws {
        let scene = try Scene()
        let id = try scene.world.ask()
        try scene.world.settle()
        for path in ["", "/history", "/\(id.rawValue)", "/\(id.rawValue)/status", "/\(id.rawValue)/log"] {
            let response = scene.get("/api/tasks\(path)?\(query)")
            #expect(response.status == 400, "\(path)")
            #expect(response.error == "bad_request")
            #expect(response.message.contains("`\(name)`"), "\(response.message)")
        }
        #expect(scene.send("GET", "/api/tasks?\(query)").status == 401)
        #expect(scene.send("GET", "/healthz?\(query)").status == 200)
        let long = scene.get("/api/tasks?\(String(repeating: "x", count: 5000))=%zz")
        #expect(long.status == 400 && long.message.count < 200)
    }

    @Test func `errors have one shape`() throws {
        let scene = try Scene()
        for response in [
            scene.send("GET", "/nowhere"), scene.send("PUT", "/healthz"), scene.send("GET", "/metrics"),
            scene.get("/api/tasks?limit=0"), scene.deliver(Data("[]".utf8)),
        ] {
            #expect(response.status >= 400)
            #expect(Set(response.object.keys) == ["error", "message"])
            #expect(response.fields["Content-Type"] == "application/json; charset=utf-8")
        }
    }

    // Operations

    @Test func `the process answers, and readiness says no reasons to strangers`() throws {
        let scene = try Scene()
        #expect(scene.send("GET", "/healthz").status == 200)
        #expect(scene.send("HEAD", "/healthz").status == 200)
        let ready = scene.send("GET", "/readyz")
        #expect(ready.status == 200)
        #expect(Set(ready.object.keys) == ["status"])
        #expect((scene.get("/readyz").object["checks"] as? [[String: Any]])?.count == 3)
    }

    @Test func `readiness writes the database once in two seconds, and then sees that it cannot`() throws {
        let scene = try Scene()
        let site = scene.site
        func ask() -> Int { site.answer(Request(method: "GET", target: "/readyz"), body: .whole).status }
        func lastWrite() throws -> Instant? { try scene.world.store.findMark("writable")?.at }
        let start = scene.world.now

        #expect(ask() == 200)
        scene.world.time.set(start.adding(milliseconds: WriteCheck.interval - 1))
        #expect(ask() == 200)
        #expect(try lastWrite() == start)
        scene.world.time.set(start.adding(milliseconds: WriteCheck.interval))
        #expect(ask() == 200)
        #expect(try lastWrite() == scene.world.now)

        try scene.breakDatabase()
        #expect(ask() == 200)
        scene.world.time.set(scene.world.now.adding(milliseconds: WriteCheck.interval))
        #expect(ask() == 503)
    }

    @Test func `a clock that was set back makes readiness look again`() throws {
        let scene = try Scene()
        let check = WriteCheck()
        var tries = 0
        for at in [0, 1000, -1, 0, 1998, 1999].map({ scene.world.now.adding(milliseconds: $0) }) {
            _ = check.problem(at: at) { tries += 1 }
        }
        #expect(tries == 3)
    }

    @Test func `without an App, or with one that was refused, Porter is not ready`() throws {
        let scene = try Scene()
        let unready = try Scene()
        unready.world.withoutApp()
        for site in [
            unready.site,
            Site(
                work: scene.world.work, operatorToken: nil, clock: scene.world.time.face,
                appProblem: { "GitHub refused the App's key." }),
        ] {
            let response = site.answer(Request(method: "GET", target: "/readyz"), body: .whole)
            #expect(response.status == 503)
            #expect(!response.text.contains("refused"))
        }
    }

    @Test func `a watchdog that made no pass for five minutes is missed`() throws {
        let scene = try Scene()
        #expect(scene.send("GET", "/readyz").status == 200)
        scene.world.advance(seconds: 301)
        #expect(scene.send("GET", "/readyz").status == 503)
        #expect(scene.get("/readyz").text.contains("porter-watchdog"))
        _ = try scene.world.work.pass()
        #expect(scene.send("GET", "/readyz").status == 200)
    }

    @Test func `metrics count tasks, jobs, deliveries and answers`() throws {
        let scene = try Scene()
        let site = scene.site
        try scene.world.live(until: scene.world.ask())
        _ = site.answer(Request(method: "GET", target: "/nowhere"), body: .whole)
        let response = site.answer(
            Request(
                method: "GET", target: "/metrics",
                fields: ["Authorization": "Bearer \(Scene.operatorToken)"]), body: .whole)

        #expect(response.status == 200)
        #expect(response.fields["Content-Type"]?.hasPrefix("text/plain; version=0.0.4") == true)
        #expect(response.text.contains("porter_tasks{status=\"success\"} 1\n"))
        #expect(response.text.contains("porter_http_responses_total{status=\"4xx\"} 1\n"))
        #expect(response.text.contains("# TYPE porter_jobs gauge\n"))
    }

    @Test func `an instance without an operator's token opens nothing to an empty one`() throws {
        let scene = try Scene()
        for token in [nil, Secret("")] {
            let site = Site(
                work: scene.world.work, operatorToken: token, clock: scene.world.time.face,
                appProblem: { nil })
            for value in ["Bearer ", "Bearer", "Bearer  ", ""] {
                let response = site.answer(
                    Request(method: "GET", target: "/api/tasks", fields: ["Authorization": value]),
                    body: .whole)
                #expect(response.status == 401)
            }
        }
    }
}
