import Porter
import PorterHTTP
import PorterTestWorld
import Testing

@testable import PorterStore
@testable import PorterWeb

/// What a session may be used for, and from which pages.
@Suite struct OriginTests {
    @Test func `ids of other people's sessions are as absent as made-up ones`() throws {
        let scene = try Scene()
        let (maria, wim) = (Browser(scene), Browser(scene))
        try maria.signIn()
        try wim.signIn(World.wim)
        let list = wim.send("GET", "/api/sessions").object["sessions"] as? [[String: Any]]
        let foreign = try #require(list?.first?["id"] as? String)

        let answers = [foreign, String(repeating: "0", count: 32), "nonsense", "%00"].map {
            maria.send("DELETE", "/api/sessions/\($0)")
        }
        #expect(answers.map(\.status) == [404, 404, 404, 404])
        #expect(Set(answers.map(\.text)).count == 1)
        #expect(wim.send("GET", "/api/sessions").status == 200)
    }

    @Test(arguments: [nil, "null", "https://evil.example", "https://porter.example.evil.example"])
    func `another site's page changes nothing`(origin: String?) throws {
        let scene = try Scene()
        let id = try scene.world.ask()
        try scene.world.settle()
        let browser = Browser(scene)
        try browser.signIn()
        var fields = browser.fields
        fields["Origin"] = origin
        for (method, target) in [
            ("POST", "/api/auth/logout"), ("DELETE", "/api/sessions/x"), ("POST", "/api/tasks"),
            ("POST", "/api/tasks/\(id.rawValue)/stop"), ("PUT", "/api/tasks/\(id.rawValue)/retry"),
        ] {
            let response = scene.send(method, target, fields)
            #expect(response.status == 403, "\(method) \(target)")
            #expect(response.error == "origin")
        }
        #expect(browser.send("GET", "/api/sessions").status == 200)
        #expect(try scene.world.task(id).stopRequestedAt == nil)
    }

    @Test(arguments: ["/api/auth/logout", "/api/tasks/x/stop", "/api/tasks/x/retry"])
    func `a GET that would change something is 405`(target: String) throws {
        let browser = Browser(try Scene())
        try browser.signIn()
        #expect(browser.send("GET", target).status == 405)
        #expect(browser.send("GET", "/api/sessions").status == 200)
    }

    @Test func `a forged origin without a session is 401`() throws {
        let response = try Scene().send("POST", "/api/auth/logout", ["Origin": "https://porter.example"])
        #expect(response.status == 401)
        #expect(response.object["action"] as? String == "/api/auth/github")
    }
}
