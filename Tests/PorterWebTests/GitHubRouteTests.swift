import Foundation
import Porter
import PorterHTTP
import PorterStore
import PorterTestWorld
import PorterWork
import Testing

@testable import PorterStore
@testable import PorterWeb

/// `/api/github/…`, `/api/agents`, `/api/startup/check`, `/api/rate-limit`: nobody asks GitHub for a page.
@Suite struct GitHubRouteTests {
    /// A scene that has looked at GitHub once, with an admin and a person who sees the one repository.
    private func looked() throws -> (scene: Scene, wim: PageClient, maria: PageClient) {
        let scene = try Scene { $0.teamKeys = ["OPENAI_API_KEY": Secret("team-openai-key")] }
        _ = try scene.world.work.pass()
        let wim = try PageClient(scene, World.wim, isAdmin: true)
        let maria = try PageClient(scene)
        try scene.world.store.saveRights(
            person: 1, [Right(repository: 42, canPush: true)], of: [], at: scene.world.now)
        return (scene, wim, maria)
    }

    /// A person who sees nothing on GitHub, as GitHub has just said.
    private func blind(_ scene: Scene) throws -> PageClient {
        let rita = try PageClient(scene, World.rita)
        try scene.world.store.saveRights(person: 3, [], of: [], at: scene.world.now)
        return rita
    }

    @Test func `pages are answered without a call to GitHub`() throws {
        let (scene, wim, _) = try looked()
        let before = scene.world.administration.faults.calls.count + scene.world.github.faults.calls.count
        for target in [
            "summary", "repositories", "installations", "orgs", "profile", "issues/acme/shop/7",
        ] { _ = wim.get("/api/github/\(target)") }
        _ = wim.get("/api/startup/check")
        _ = wim.get("/api/rate-limit")
        let after = scene.world.administration.faults.calls.count + scene.world.github.faults.calls.count
        #expect(after == before)
    }

    @Test func `a person sees what they see on GitHub, an admin all`() throws {
        let (scene, wim, maria) = try looked()
        let rita = try blind(scene)
        func names(_ browser: PageClient) -> [String] {
            let list = browser.get("/api/github/repositories").object["repositories"] as? [[String: Any]]
            return (list ?? []).compactMap { $0["full_name"] as? String }
        }
        #expect(names(wim) == ["acme/shop"])
        #expect(names(maria) == ["acme/shop"])
        #expect(names(rita).isEmpty)
        #expect((rita.get("/api/github/installations").object["installations"] as? [Any])?.isEmpty == true)
        #expect((maria.get("/api/github/orgs").object["orgs"] as? [Any])?.count == 1)
        #expect(maria.get("/api/github/summary").object["enabled_repositories"] as? Int == 1)
        #expect(rita.get("/api/github/summary").object["repositories"] as? Int == 0)
        #expect(maria.get("/api/github/profile").object["login"] as? String == "maria")
        #expect((rita.get("/api/rate-limit").object["limits"] as? [Any])?.isEmpty == true)
        #expect((maria.get("/api/rate-limit").object["limits"] as? [Any])?.count == 1)
    }

    @Test func `an admin switches a repository off and on, and a command finds it so`() throws {
        let (scene, wim, maria) = try looked()
        #expect(maria.send("PATCH", "/api/github/repositories/42", ["enabled": false]).status == 403)
        let rita = try blind(scene)
        #expect(rita.send("PATCH", "/api/github/repositories/42", ["enabled": false]).status == 404)
        #expect(wim.send("PATCH", "/api/github/repositories/43", ["enabled": false]).status == 404)
        let off = wim.send("PATCH", "/api/github/repositories/42", ["enabled": false])
        #expect(off.object["served"] as? Bool == false)
        let refused = try scene.world.ask("@porter demo one")
        try scene.world.settle()
        #expect(try scene.world.task(refused).reason == .repositoryNotEnabled)
        #expect(
            wim.send("PATCH", "/api/github/repositories/42", ["enabled": true]).object["served"] as? Bool
                == true)
        #expect(try scene.world.store.listAudit(AuditFilter(limit: 1)).first?.entry.detail == "switched on")
    }

    @Test func `a repository has a default agent of its own`() throws {
        let (scene, wim, _) = try looked()
        let changed = wim.send("PATCH", "/api/github/repositories/42", ["default_agent": "codex"])
        #expect(changed.object["default_agent"] as? String == "codex")
        #expect(wim.send("PATCH", "/api/github/repositories/42", ["timeout_s": 90]).status == 422)
        #expect(wim.send("PATCH", "/api/github/repositories/42", ["enabled": "no"]).status == 422)
        let id = try scene.world.ask("@porter fix it")
        try scene.world.settle()
        #expect(try scene.world.task(id).agent == "codex")
    }

    @Test func `an issue is shown with its tasks, and an unseen one is as if there were none`() throws {
        let (scene, _, maria) = try looked()
        let id = try scene.world.ask("@porter demo one")
        try scene.world.live(until: id)
        let issue = maria.get("/api/github/issues/ACME/shop/7").object
        #expect(issue["title"] as? String == "Login is flaky")
        #expect(issue["state"] as? String == "open")
        #expect((issue["tasks"] as? [[String: Any]])?.first?["id"] as? String == id.rawValue)
        let rita = try blind(scene)
        #expect(
            rita.get("/api/github/issues/acme/shop/7").text == rita.get("/api/github/issues/acme/no/7").text)
        for target in ["acme/shop/8", "acme/shop/0", "acme/shop/x", "acme/other/7"] {
            #expect(maria.get("/api/github/issues/\(target)").status == 404)
        }
    }

    @Test func `a repository of an account that is not served says so`() throws {
        let scene = try Scene { $0.owners = ["acme"] }
        _ = try scene.world.work.pass()
        let wim = try PageClient(scene, World.wim, isAdmin: true)
        func first() throws -> [String: Any] {
            let list = wim.get("/api/github/repositories").object["repositories"] as? [[String: Any]]
            return try #require(list?.first)
        }
        #expect(try first()["served"] as? Bool == true)
        // The installation moves to an account that the operator does not name.
        try scene.world.store.write("move the installation") {
            _ = try $0.run("UPDATE installations SET account_id = 555, account_login = 'elsewhere'")
        }
        #expect(try first()["served"] as? Bool == false)
        #expect((try first()["problem"] as? String)?.contains("does not serve") == true)
    }

    @Test func `a suspended installation is said to be so, with the page where that is lifted`() throws {
        let (scene, _, maria) = try looked()
        try scene.world.store.write("suspend the installation") {
            _ = try $0.run("UPDATE installations SET state = 'suspended'")
        }
        let checks = try #require(maria.get("/api/startup/check").object["checks"] as? [[String: Any]])
        let check = try #require(checks.first { $0["name"] as? String == "installation" })
        #expect((check["message"] as? String)?.contains("is suspended") == true)
        #expect((check["action"] as? String)?.hasPrefix("https://") == true, "\(check)")
    }

    @Test func `a page made for somebody else gets and changes nothing`() throws {
        let scene = try Scene()
        let maria = try PageClient(scene)
        for own in ["1", "17", "x"] {
            let status = own == "1" ? 200 : 409
            #expect(
                maria.send("PATCH", "/api/config", ["draft": true], with: ["X-Porter-Person": own]).status
                    == status)
            #expect(maria.send("GET", "/api/tasks", [:], with: ["X-Porter-Person": own]).status == status)
        }
    }

    @Test func `agents are listed, switched and guided`() throws {
        let (scene, wim, maria) = try looked()
        #expect(maria.send("PATCH", "/api/agents/codex", ["enabled": false]).status == 403)
        #expect(wim.send("PATCH", "/api/agents/cursor", ["enabled": false]).status == 404)
        #expect(
            wim.send("PATCH", "/api/agents/codex", ["enabled": false]).object["enabled"] as? Bool == false)
        let refused = try scene.world.ask("@porter codex one")
        try scene.world.settle()
        #expect(try scene.world.task(refused).reason == .agentDisabled)
        let changed = wim.send("PATCH", "/api/agents/codex", ["enabled": true, "guidance": "Use tabs."])
        #expect(changed.object["guidance"] as? String == "Use tabs.")
        #expect(changed.object["usable"] as? Bool == true)
        let long = wim.send("PATCH", "/api/agents/codex", ["guidance": String(repeating: "x", count: 8001)])
        #expect(long.status == 422 && long.message.contains("8000") && long.message.contains("8001"))
        for body: [String: Any] in [["enabled": 1], ["guidance": 1], ["guidance": "a\u{0}b"], ["name": "x"]] {
            #expect(wim.send("PATCH", "/api/agents/codex", body).status == 422)
        }
        let agents = try #require(maria.get("/api/agents").object["agents"] as? [[String: Any]])
        #expect(agents.first { $0["name"] as? String == "codex" }?["guidance"] as? String == "Use tabs.")
        #expect(agents.first { $0["name"] as? String == "claude" }?["usable"] as? Bool == false)
    }

    @Test func `what keeps a first command from working is said, each with its fix`() throws {
        let (scene, _, maria) = try looked()
        #expect(maria.get("/api/startup/check").object["ready"] as? Bool == true)
        let rita = try blind(scene)
        #expect(rita.get("/api/startup/check").text.contains("You see none"))
        let bare = try Scene()
        bare.world.withoutApp()
        bare.world.advance(seconds: 400)
        let response = try PageClient(bare).get("/api/startup/check")
        let checks = try #require(response.object["checks"] as? [[String: Any]])
        let bad = checks.filter { $0["ok"] as? Bool == false }.compactMap { $0["name"] as? String }
        #expect(bad == ["github_app", "installation", "watchdog"])
        for check in checks { #expect((check["message"] as? String)?.isEmpty == false) }
    }
}

/// `/setup`, `/api/setup/…`.
@Suite struct SetUpRouteTests {
    private func bare() throws -> Scene {
        let scene = try Scene()
        scene.world.withoutApp()
        return scene
    }

    private func manifest(_ scene: Scene, _ body: [String: Any]) -> Response {
        scene.send("POST", "/api/setup/manifest", ["Content-Type": "application/json"], Scene.json(body))
    }

    private func token(_ scene: Scene) throws -> String {
        try #require(try scene.world.work.offerSetUp()).reveal { $0 }
    }

    @Test func `another site's page is refused, an unknown field too, and the token stays good`() throws {
        let scene = try bare()
        let good = try token(scene)
        let body = Scene.json(["token": good])
        let foreign = scene.send(
            "POST", "/api/setup/manifest",
            ["Content-Type": "application/json", "Origin": "https://evil.example"], body)
        #expect(foreign.status == 403)
        #expect(foreign.error == "origin")
        #expect(manifest(scene, ["token": good, "ownr": "acme"]).status == 422)
        let own = scene.send(
            "POST", "/api/setup/manifest",
            ["Content-Type": "application/json", "Origin": scene.world.work.policy.publicURL], body)
        #expect(own.status == 200)
    }

    @Test func `the page may send its form to GitHub, and is gone once Porter is set up`() throws {
        let scene = try bare()
        let page = scene.send("GET", "/setup")
        #expect(page.status == 200)
        #expect(page.fields["X-Accel-Redirect"] == "/setup/index.html")
        #expect(
            page.fields["Content-Security-Policy"]?.contains("form-action 'self' https://github.example;")
                == true)
        #expect(try Scene().send("GET", "/setup").status == 404)
        #expect(try Scene().send("GET", "/api/setup/status").status == 404)
        #expect(try manifest(Scene(), ["token": "x"]).status == 404)
        #expect(try Scene().send("GET", "/api/setup/callback?code=a&state=b").status == 404)
    }

    @Test func `a token brings the manifest and where to send it`() throws {
        let scene = try bare()
        #expect(scene.send("GET", "/api/setup/status").object["stage"] as? String == "closed")
        let response = try manifest(scene, ["token": token(scene), "owner": "acme"])
        #expect(response.status == 200)
        let state = try #require(response.object["state"] as? String)
        #expect(
            response.object["action"] as? String
                == "https://github.example/organizations/acme/settings/apps/new?state=\(state)")
        let made = try #require(response.object["manifest"] as? [String: Any])
        #expect((made["hook_attributes"] as? [String: Any])?["secret"] == nil)
        #expect(made["redirect_url"] as? String == "https://porter.example/api/setup/callback")
        let status = scene.send("GET", "/api/setup/status").object
        #expect(status["stage"] as? String == "sent")
        #expect(status["owner"] as? String == "acme")
        let own = try manifest(scene, ["token": token(scene)])
        #expect(
            (own.object["action"] as? String)?.hasPrefix("https://github.example/settings/apps/new?") == true)
    }

    @Test func `a token that is wrong, used or old is refused in words`() throws {
        let scene = try bare()
        #expect(manifest(scene, ["token": "wrong"]).error == "setup_token")
        let good = try token(scene)
        #expect(manifest(scene, ["token": good, "owner": "no/such"]).status == 422)
        #expect(manifest(scene, ["token": good]).status == 200)
        #expect(manifest(scene, ["token": good]).status == 401)
        let old = try token(scene)
        scene.world.advance(seconds: 3601)
        #expect(manifest(scene, ["token": old]).error == "setup_token_expired")
        #expect(manifest(scene, [:]).status == 422)
        #expect(manifest(scene, ["token": 7]).status == 422)
    }

    /// GitHub: alphanumeric characters or single hyphens, and no hyphen at the beginning or the end.
    @Test(arguments: [
        "-acme", "acme-", "ac--me", "ac_me", "acmé", "a/b", "a b", String(repeating: "a", count: 40),
    ])
    func `a name that no organisation can have is refused by its field, and leaves the token good`(
        name: String
    ) throws {
        let scene = try bare()
        let good = try token(scene)
        let refused = manifest(scene, ["token": good, "owner": name])
        #expect(refused.status == 422)
        #expect(refused.message.contains("`owner`"))
        #expect(manifest(scene, ["token": good, "owner": "Acme-2"]).status == 200)
    }

    @Test func `whoever has no good token is told so before anything else is looked at`() throws {
        let scene = try bare()
        let good = try token(scene)
        #expect(manifest(scene, ["token": "wrong", "owner": "no/such"]).error == "setup_token")
        #expect(manifest(scene, ["token": "wrong", "owner": 7]).error == "setup_token")
        #expect(manifest(scene, ["token": good, "owner": 7]).status == 422)
        scene.world.advance(seconds: 3601)
        #expect(manifest(scene, ["token": good, "owner": "no/such"]).error == "setup_token_expired")
    }

    @Test func `whoever only looks uses neither the code nor the state up`() throws {
        let scene = try bare()
        let state = try #require(try manifest(scene, ["token": token(scene)]).object["state"] as? String)
        let target = "/api/setup/callback?code=code-1&state=\(state)"

        let look = scene.send("HEAD", target)

        #expect(look.status == 302)
        #expect(look.fields["Location"] == "/setup")
        #expect(scene.world.administration.faults.count("convert") == 0)
        #expect(scene.send("GET", "/api/setup/status").object["stage"] as? String == "sent")
        #expect(scene.send("GET", target).status == 302)
        #expect(scene.world.work.world.app.isSetUp)
        #expect(scene.send("HEAD", target).status == 404)
    }

    @Test func `the code becomes an App, and the person is led to its installation`() throws {
        let scene = try bare()
        #expect(scene.send("POST", "/api/webhooks/github").status == 503)
        #expect(scene.send("GET", "/readyz").status == 503)
        let state = try #require(try manifest(scene, ["token": token(scene)]).object["state"] as? String)
        let response = scene.send("GET", "/api/setup/callback?code=code-1&state=\(state)")
        #expect(response.status == 302)
        #expect(
            response.fields["Location"] == "https://github.example/apps/porter-acme/installations/new")
        #expect(scene.send("GET", "/api/setup/status").status == 404)
        let repeated = scene.send("GET", "/api/setup/callback?code=code-1&state=\(state)")
        #expect(repeated.status == 404)
        #expect(scene.send("GET", "/readyz").status == 200)
        let body = Data(#"{"zen": "x"}"#.utf8)
        let signed = scene.deliver(
            body, event: "ping",
            fields: ["X-Hub-Signature-256": Scene.signature(body, secret: "hook-secret-canary")])
        #expect(signed.status == 200)
        let everything = scene.send("GET", "/api/setup/status").text + response.text + repeated.text
        #expect(!everything.contains("converted-"))
    }

    @Test func `a state that is not right is refused, for a program in words and for a browser on the page`()
        throws
    {
        let scene = try bare()
        _ = try manifest(scene, ["token": token(scene)])
        #expect(scene.send("GET", "/api/setup/callback?code=code-1&state=foreign").status == 403)
        #expect(scene.send("GET", "/api/setup/callback?code=code-1").status == 400)
        #expect(scene.send("GET", "/api/setup/callback").status == 400)
        let browser = scene.send(
            "GET", "/api/setup/callback?code=code-1&state=foreign", ["Accept": "text/html,*/*"])
        #expect(browser.status == 302)
        #expect(browser.fields["Location"] == "/setup?error=setup_state")
        #expect(!scene.world.work.world.app.isSetUp)
    }
}
