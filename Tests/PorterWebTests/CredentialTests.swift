import Foundation
import Porter
import PorterHTTP
import PorterStore
import PorterTestWorld
import PorterWork
import Testing

@testable import PorterWeb

/// `/api/config/provider-credentials`, `/api/config/fly`, `/api/config/providers`.
@Suite struct CredentialTests {
    private static let key = "sk-canary-0123456789"

    private func put(
        _ browser: PageClient, _ name: String = "OPENAI_API_KEY", _ value: String = key,
        scope: String = ""
    ) -> Response {
        browser.send(
            "PUT", "/api/config/provider-credentials\(scope)",
            ["provider": "openai", "name": name, "value": value])
    }

    @Test(
        arguments: [
            (
                "PUT", "/api/config/provider-credentials",
                [
                    "provider": "openai", "name": "OPENAI_API_KEY", "value": "sk-long-enough",
                    "scope": "shared",
                ]
            ),
            ("PUT", "/api/config/fly", ["token": "fo1_long_enough", "app": "app", "regoin": "ams"]),
            ("POST", "/api/config/validate/provider", ["provider": "openai", "x": "y"]),
            ("POST", "/api/auth/logout", ["all": "true"]),
        ] as [(String, String, [String: String])])
    func `a field that is not known is refused by its name`(
        method: String, path: String, body: [String: String]
    )
        throws
    {
        let scene = try Scene()
        let response = try PageClient(scene).send(method, path, body)
        #expect(response.status == 422, "\(response.text)")
        #expect(response.message.contains("is not known here"), "\(response.message)")
        #expect(try scene.world.store.listSecrets(scope: "person:1").isEmpty)
    }

    @Test(arguments: ["Host: evil", "X-Team: a\nContent-Length: 5", "transfer-encoding: chunked"])
    func `headers that HTTP itself sets are no headers of a gateway`(value: String) throws {
        let scene = try Scene()
        let wim = try PageClient(scene, World.wim, isAdmin: true)
        let response = wim.send(
            "PUT", "/api/config/provider-credentials?scope=shared",
            ["provider": "openai", "name": "OPENAI_CUSTOM_HEADERS", "value": value])
        #expect(response.status == 422)
        #expect(response.message.contains("which HTTP itself sets"))
    }

    @Test func `a key goes in and never comes out`() throws {
        let scene = try Scene()
        let maria = try PageClient(scene)
        #expect(put(maria).status == 204)
        let response = maria.get("/api/config/provider-credentials")
        let listed = try #require((response.object["credentials"] as? [[String: Any]])?.first)
        #expect(listed["provider"] as? String == "openai")
        #expect(listed["name"] as? String == "OPENAI_API_KEY")
        #expect(listed["scope"] as? String == "user")
        #expect(listed["configured"] as? Bool == true)
        #expect(listed["updated_at"] as? String == scene.world.now.iso8601)
        for target in [
            "/api/config", "/api/config/provider-credentials", "/api/config/providers", "/api/agents",
            "/api/startup/check",
        ] { #expect(!maria.get(target).text.contains("canary")) }
        let keys = try scene.world.work.keys(of: World.maria).values
        #expect(keys == ["OPENAI_API_KEY": Secret(Self.key)])
    }

    @Test func `a key is its owner's, and the team's is for admins`() throws {
        let scene = try Scene()
        let (maria, wim) = (try PageClient(scene), try PageClient(scene, World.wim, isAdmin: true))
        _ = put(maria)
        #expect(
            (wim.get("/api/config/provider-credentials").object["credentials"] as? [Any])?.isEmpty == true)
        #expect(put(maria, scope: "?scope=shared").status == 403)
        #expect(put(wim, scope: "?scope=shared").status == 204)
        #expect(wim.send("DELETE", "/api/config/provider-credentials/openai/OPENAI_API_KEY").status == 404)
        #expect(maria.send("DELETE", "/api/config/provider-credentials/openai/OPENAI_API_KEY").status == 204)
        #expect(maria.send("DELETE", "/api/config/provider-credentials/openai/OPENAI_API_KEY").status == 404)
        #expect(try scene.world.work.keys(of: World.maria).owners == ["OPENAI_API_KEY": .team])
    }

    @Test func `it is told whether a key of the team's would take one's own key's place`() throws {
        let scene = try Scene()
        let (maria, wim) = (try PageClient(scene), try PageClient(scene, World.wim, isAdmin: true))
        func wouldBeUsed() throws -> Bool? {
            let providers = maria.get("/api/config/providers").object["providers"] as? [[String: Any]]
            let openai = try #require(providers?.first { $0["name"] as? String == "openai" })
            return (openai["configured"] as? [String: Any])?["shared_key"] as? Bool
        }
        #expect(try wouldBeUsed() == false)
        // An address of the team's is no key.
        #expect(put(wim, "OPENAI_BASE_URL", "https://gateway.example", scope: "?scope=shared").status == 204)
        #expect(try wouldBeUsed() == false)
        #expect(put(wim, scope: "?scope=shared").status == 204)
        #expect(try wouldBeUsed() == true)
        #expect(put(maria).status == 204)
        #expect(try wouldBeUsed() == true)
    }

    @Test func `on a Fly app of one's own no key of the team's takes one's own key's place`() throws {
        let scene = try Scene { $0.engine.name = "fly" }
        scene.world.allowOwnEngines()
        let (maria, wim) = (try PageClient(scene), try PageClient(scene, World.wim, isAdmin: true))
        #expect(put(wim, scope: "?scope=shared").status == 204)
        func told() -> String { maria.get("/api/config/providers").text }
        #expect(told().contains(#""shared_key":true"#))

        let fly = ["token": "FlyV1 fm2_canary-token", "app": "my-runs"]
        #expect(maria.send("PUT", "/api/config/fly", fly).status == 204)

        #expect(!told().contains(#""shared_key":true"#))
        #expect(told().contains(#""shared":true"#))
    }

    @Test func `what is no key is refused by its field`() throws {
        let maria = try PageClient(Scene())
        func refused(_ provider: String, _ name: String, _ value: String) -> (Int, String) {
            let response = maria.send(
                "PUT", "/api/config/provider-credentials",
                ["provider": provider, "name": name, "value": value])
            return (response.status, response.message)
        }
        #expect(refused("nobody", "OPENAI_API_KEY", "x").1.contains("`provider`"))
        #expect(refused("openai", "LD_PRELOAD", "x").1.contains("`name`"))
        #expect(refused("openai", "OPENAI_API_KEY", "  \n").1.contains("`value` is empty"))
        #expect(refused("openai", "OPENAI_API_KEY", "a\u{0}b").0 == 422)
        #expect(refused("openai", "OPENAI_API_KEY", "a\nb").0 == 422)
        let long = refused("openai", "OPENAI_API_KEY", String(repeating: "x", count: 8193))
        #expect(long.1.contains("8192") && long.1.contains("8193"))
        #expect(maria.send("PUT", "/api/config/provider-credentials", ["provider": "openai"]).status == 422)
    }

    @Test func `spaces that copying brings along are taken off`() throws {
        let scene = try Scene()
        _ = put(try PageClient(scene), "OPENAI_API_KEY", " \(Self.key)\r\n")
        #expect(try scene.world.work.keys(of: World.maria).values["OPENAI_API_KEY"] == Secret(Self.key))
    }

    @Test
    func `where keys are sent is decided by admins, for the team, and only to addresses that may be called`()
        throws
    {
        let scene = try Scene()
        let (maria, wim) = (try PageClient(scene), try PageClient(scene, World.wim, isAdmin: true))
        #expect(put(maria, "OPENAI_BASE_URL", "https://evil.example").status == 403)
        #expect(put(wim, "OPENAI_BASE_URL", "https://gateway.example").status == 403)
        #expect(put(wim, "OPENAI_BASE_URL", "https://gateway.example", scope: "?scope=shared").status == 204)
        for address in ["http://gateway.example", "file:///etc/passwd", "gateway", "https://u:p@host"] {
            #expect(put(wim, "OPENAI_BASE_URL", address, scope: "?scope=shared").status == 422)
        }
        #expect(
            put(wim, "OPENAI_CUSTOM_HEADERS", "X-Team: a\nX-Other: b", scope: "?scope=shared").status == 204)
        #expect(put(wim, "OPENAI_CUSTOM_HEADERS", "no header", scope: "?scope=shared").status == 422)
    }

    @Test func `a saved key is blotted out of whatever is answered later`() throws {
        let scene = try Scene()
        let maria = try PageClient(scene)
        _ = put(maria)
        _ = maria.send("PATCH", "/api/config", ["default_model": "x-\(Self.key)"])
        #expect(!maria.get("/api/config").text.contains(Self.key))
    }

    @Test func `a Fly app is stored whole, shown without its token, and removed`() throws {
        let scene = try Scene()
        let maria = try PageClient(scene)
        let saved = maria.send(
            "PUT", "/api/config/fly", ["token": "FlyV1 fm2_canary-token", "app": "my-runs", "region": "ams"])
        #expect(saved.status == 204)
        let fly = try #require(maria.get("/api/config").object["fly"] as? [String: Any])
        #expect(fly["app"] as? String == "my-runs")
        #expect(fly["region"] as? String == "ams")
        #expect(fly["configured"] as? Bool == true)
        #expect(!maria.get("/api/config").text.contains("canary"))
        #expect(
            try scene.world.store.openFlyToken(scope: "user:1", sealer: World.sealer)
                == Secret("FlyV1 fm2_canary-token"))
        #expect(maria.send("DELETE", "/api/config/fly").status == 204)
        #expect(maria.send("DELETE", "/api/config/fly").status == 404)
        for (token, app) in [("", "a"), ("t", "My App"), ("t", ""), ("t", String(repeating: "a", count: 64))]
        {
            #expect(maria.send("PUT", "/api/config/fly", ["token": token, "app": app]).status == 422)
        }
        #expect(
            maria.send("PUT", "/api/config/fly", ["token": "t", "app": "a", "region": "AMS!"]).status == 422)
    }

    @Test func `a Fly app with a machine at work is kept, and a new token for it is taken`() throws {
        let scene = try Scene { $0.engine.name = "fly" }
        scene.world.allowOwnEngines()
        let maria = try PageClient(scene)
        func put(_ token: String, _ app: String) -> Response {
            maria.send("PUT", "/api/config/fly", ["token": token, "app": app])
        }
        #expect(put("fly-canary-one", "my-runs").status == 204)
        scene.world.crew.change { $0.hangs = .agent }
        let id = try scene.world.ask(by: World.maria)
        try scene.world.live(seconds: 5)

        let changed = put("fly-canary-two", "other-runs")
        #expect(changed.status == 409)
        #expect(changed.error == "fly_in_use")
        for word in ["my-runs", "stop", "token"] { #expect(changed.message.contains(word)) }
        #expect(maria.send("DELETE", "/api/config/fly").error == "fly_in_use")
        let fly = maria.get("/api/config").object["fly"] as? [String: Any]
        #expect(fly?["app"] as? String == "my-runs")
        let token = { try scene.world.store.openFlyToken(scope: "user:1", sealer: World.sealer) }
        #expect(try token() == Secret("fly-canary-one"))
        #expect(put("fly-canary-two", "my-runs").status == 204)
        #expect(try token() == Secret("fly-canary-two"))
        // It is nobody else's business.
        let wim = try PageClient(scene, World.wim, isAdmin: true)
        for app in ["team-runs", "other-runs"] {
            let body = ["token": "fly-canary-three", "app": app]
            #expect(wim.send("PUT", "/api/config/fly?scope=shared", body).status == 204)
        }

        #expect(maria.send("POST", "/api/tasks/\(id.rawValue)/stop").status == 202)
        try scene.world.live(until: id)
        try scene.world.live(seconds: 60)
        #expect(put("fly-canary-two", "other-runs").status == 204)
        #expect(maria.send("DELETE", "/api/config/fly").status == 204)
    }

    @Test func `an app whose machines cannot be looked after any more is let go a day after the end`() throws
    {
        let scene = try Scene { $0.engine.name = "fly" }
        scene.world.allowOwnEngines()
        let maria = try PageClient(scene)
        let body = ["token": "fly-canary-one", "app": "my-runs"]
        #expect(maria.send("PUT", "/api/config/fly", body).status == 204)
        scene.world.crew.change { $0.hangs = .agent }
        let id = try scene.world.ask(by: World.maria)
        try scene.world.live(seconds: 5)
        for call in ["find", "list", "destroy"] {
            scene.world.engine.faults.plant(.machines(.unauthorized), at: call, times: 100_000)
        }
        try scene.world.live(until: id)
        #expect(maria.send("DELETE", "/api/config/fly").status == 409)
        scene.world.advance(seconds: Database.flyHold)
        #expect(try PageClient(scene).send("DELETE", "/api/config/fly").status == 204)
    }

    @Test func `the team's Fly app makes the engine ready`() throws {
        let scene = try Scene { policy in
            policy.engine.name = "fly"
            policy.engine.isConfigured = false
            policy.hasWorkerImage = true
        }
        let wim = try PageClient(scene, World.wim, isAdmin: true)
        #expect(!scene.world.work.policy.engine.isConfigured)
        _ = wim.send(
            "PUT", "/api/config/fly?scope=shared", ["token": "tok-canary", "app": "runs", "region": "ams"])
        #expect(scene.world.work.policy.engine.isConfigured)
        #expect(scene.world.work.policy.engine.region == "ams")
    }

    @Test func `keys and their removal are in the record, without the keys`() throws {
        let scene = try Scene()
        let maria = try PageClient(scene)
        _ = put(maria)
        _ = maria.send("DELETE", "/api/config/provider-credentials/openai/OPENAI_API_KEY")
        let entries = try scene.world.store.listAudit(AuditFilter(limit: 5)).map(\.entry)
        #expect(entries.map(\.action) == ["key.removed", "key.saved"])
        #expect(entries.allSatisfy { $0.subject == "user:1 openai/OPENAI_API_KEY" })
    }
}
