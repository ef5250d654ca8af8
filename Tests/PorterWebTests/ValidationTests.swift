import Foundation
import Porter
import PorterHTTP
import PorterStore
import PorterTestWorld
import PorterWork
import Synchronization
import Testing

@testable import PorterWeb

/// `POST /api/config/validate/…`: really asks, and says in words what to do.
@Suite struct ValidationTests {
    /// A provider that answers one thing and notes what it was asked.
    private final class Provider: Sendable {
        let asked = Mutex<[Request]>([])

        func transport(_ status: Int, _ body: String = #"{"data": []}"#) -> Transport {
            Transport { request, _ throws(TransportError) in
                self.asked.withLock { $0.append(request) }
                return Response(status: status, body: Data(body.utf8))
            }
        }
    }

    private func scene(_ transport: Transport) throws -> Scene {
        var scene = try Scene()
        scene.probes.transport = transport
        return scene
    }

    private func checks(_ response: Response) -> [String: (ok: Bool, message: String)] {
        let list = response.object["checks"] as? [[String: Any]] ?? []
        return Dictionary(
            uniqueKeysWithValues: list.map { check in
                (
                    check["name"] as? String ?? "",
                    (check["ok"] as? Bool ?? false, check["message"] as? String ?? "")
                )
            })
    }

    private func save(_ name: String, _ value: String, _ provider: String, _ scope: String, _ scene: Scene)
        throws
    {
        try scene.world.store.saveSecret(
            Secret(value), scope: scope, provider: provider, name: name, sealer: World.sealer,
            at: scene.world.now)
    }

    @Test func `without a key nobody is asked`() throws {
        let provider = Provider()
        let maria = try PageClient(scene(provider.transport(200)))
        let response = maria.send("POST", "/api/config/validate/openai")
        #expect(response.status == 200)
        #expect(response.object["ok"] as? Bool == false)
        #expect(checks(response)["key"]?.message.contains("OPENAI_API_KEY") == true)
        #expect(provider.asked.withLock { $0.isEmpty })
        #expect(maria.send("POST", "/api/config/validate/nobody").status == 404)
        #expect(
            maria.send("POST", "/api/config/validate/provider", ["provider": "nobody"]).status == 422)
    }

    @Test func `the cheapest call goes out with the person's key`() throws {
        let provider = Provider()
        let scene = try scene(provider.transport(200))
        try save("ANTHROPIC_API_KEY", "sk-ant-canary-1", "anthropic", "user:1", scene)
        let response = try PageClient(scene).send(
            "POST", "/api/config/validate/provider", ["provider": "anthropic"])
        #expect(response.object["ok"] as? Bool == true)
        let request = try #require(provider.asked.withLock { $0.first })
        #expect(request.target == "https://api.anthropic.com/v1/models?limit=1")
        #expect(request.fields["x-api-key"] == "sk-ant-canary-1")
        #expect(request.fields["anthropic-version"] == "2023-06-01")
        #expect(!response.text.contains("canary"))
    }

    @Test func `a gateway gets the call, with the team's headers`() throws {
        let provider = Provider()
        let scene = try scene(provider.transport(200))
        try save("OPENAI_API_KEY", "sk-canary-team", "openai", "shared", scene)
        try save("OPENAI_BASE_URL", "https://gateway.example/v1/", "openai", "shared", scene)
        try save("OPENAI_CUSTOM_HEADERS", "X-Team: blue\nX-Pass: canary", "openai", "shared", scene)
        let wim = try PageClient(scene, World.wim, isAdmin: true)
        let response = wim.send("POST", "/api/config/validate/openai?scope=shared")
        #expect(response.object["ok"] as? Bool == true)
        let request = try #require(provider.asked.withLock { $0.first })
        #expect(request.target == "https://gateway.example/v1/models")
        #expect(request.fields["X-Team"] == "blue")
        #expect(request.fields["Authorization"] == "Bearer sk-canary-team")
        #expect(try PageClient(scene).send("POST", "/api/config/validate/openai?scope=shared").status == 403)
    }

    @Test(arguments: [
        (401, "refuses the key"), (403, "refuses the key"), (429, "no credit or quota"), (404, "right"),
        (500, "Try again"), (529, "Try again"), (418, "418"), (200, "not like"),
    ])
    func `each answer is told in words with the next step`(status: Int, words: String) throws {
        let body = status == 200 ? "<html>" : #"{"error": {"message": "no, sk-canary-12345"}}"#
        let scene = try scene(Provider().transport(status, body))
        try save("OPENAI_API_KEY", "sk-canary-12345", "openai", "user:1", scene)
        let response = try PageClient(scene).send("POST", "/api/config/validate/openai")
        let check = try #require(checks(response)["answer"])
        #expect(!check.ok)
        #expect(check.message.contains(words), "\(check.message)")
        #expect(!response.text.contains("sk-canary"))
    }

    @Test(arguments: [
        (TransportError.Code.notAllowed, "may not be called"), (.unreachable, "PORTER_PRIVATE_HOSTS"),
        (.interrupted, "in time"), (.tooLarge, "address"),
    ])
    func `an address that cannot be reached is told apart`(code: TransportError.Code, words: String) throws {
        let scene = try scene(
            Transport { _, _ throws(TransportError) in throw TransportError(code, "no") })
        try save("OPENAI_API_KEY", "sk-canary-12345", "openai", "user:1", scene)
        let response = try PageClient(scene).send("POST", "/api/config/validate/openai")
        #expect(checks(response)["address"]?.message.contains(words) == true)
        #expect(response.object["ok"] as? Bool == false)
    }

    @Test func `GitHub is asked for credentials, webhook, permissions, events and installations`() throws {
        let scene = try Scene()
        let maria = try PageClient(scene)
        #expect(maria.send("POST", "/api/config/validate/github").object["ok"] as? Bool == true)
        scene.world.administration.change { state in
            state.hookURL = "https://old.example/hook"
            state.details.permissions["issues"] = "read"
            state.details.events = ["issues"]
            state.installations[0].permissions["contents"] = "read"
        }
        let found = checks(maria.send("POST", "/api/config/validate/github"))
        #expect(found["credentials"]?.ok == true)
        #expect(found["webhook"]?.message.contains("https://old.example/hook") == true)
        #expect(found["permissions"]?.message.contains("issues: write") == true)
        #expect(found["events"]?.message.contains("issue_comment") == true)
        #expect(found["installation"]?.message.contains("acme") == true)
        #expect(found.values.count { !$0.ok } == 4)
        scene.world.administration.faults.plant(.github(.unauthorized), at: "details")
        #expect(
            checks(maria.send("POST", "/api/config/validate/github"))["credentials"]?.message
                .contains("refuses") == true)
        scene.world.withoutApp()
        #expect(checks(maria.send("POST", "/api/config/validate/github"))["credentials"]?.ok == false)
    }

    @Test(
        arguments: [
            (nil, true, "takes the token"), (401, false, "refuses the token"),
            (403, false, "not for the app"),
            (404, false, "knows no app"), (500, false, "did not answer as it should"),
        ] as [(Int?, Bool, String)])
    func `Fly's answer to app and token is told apart`(status: Int?, isGood: Bool, words: String) throws {
        var scene = try Scene()
        scene.probes.fly = { app, _ throws(MachinesError) in
            guard let status else { return }
            let code: MachinesError.Code = status == 401 || status == 403 ? .unauthorized : .refused
            throw MachinesError(code, operation: "list machines", status: status, message: "words")
        }
        let maria = try PageClient(scene)
        #expect(maria.send("POST", "/api/config/validate/fly").object["ok"] as? Bool == false)
        _ = maria.send("PUT", "/api/config/fly", ["token": "fly-canary-token", "app": "my-runs"])
        let response = maria.send("POST", "/api/config/validate/fly")
        #expect(response.object["ok"] as? Bool == isGood)
        #expect(response.text.contains(words), "\(response.text)")
        #expect(!response.text.contains("canary"))
    }
}
