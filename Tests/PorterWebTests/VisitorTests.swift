import Foundation
import Porter
import PorterHTTP
import PorterStore
import PorterTestWorld
import PorterWork
import Testing

@testable import PorterWeb

/// Who a cookie opens a door for.
@Suite struct VisitorTests {
    private func visitor(_ scene: Scene, _ fields: Fields) throws(Failure) -> Visitor {
        try scene.site.visitor(Request(method: "GET", target: "/", fields: fields))
    }

    @Test func `a session's cookie shows who is asking`() throws {
        let scene = try Scene()
        let fields = try scene.signIn(World.maria)

        let visitor = try visitor(scene, fields)

        #expect(visitor.id == World.maria.id)
        #expect(visitor.login == "maria")
        #expect(!visitor.isAdmin)
    }

    @Test func `the first admin and those whom the operator names are admins`() throws {
        let scene = try Scene()
        #expect(try visitor(scene, scene.signIn(World.maria, isAdmin: true)).isAdmin)
        #expect(try !visitor(scene, scene.signIn(World.wim)).isAdmin)

        let named = try Scene { $0.admins = ["WIM", "3"] }
        #expect(try !visitor(named, named.signIn(World.maria, isAdmin: true)).isAdmin)
        #expect(try visitor(named, named.signIn(World.wim)).isAdmin)
        #expect(try visitor(named, named.signIn(World.rita)).isAdmin)
        // Whoever takes a freed login is somebody else.
        #expect(try !visitor(named, named.signIn(Person(id: 99, login: "wim"))).isAdmin)
    }

    @Test(arguments: [
        "", "__Host-porter_session=", "__Host-porter_session", "porter_session=x",
        "__Host-porter_session=made-up", "__host-porter_session=x", "x=__Host-porter_session=1",
    ])
    func `a cookie that opens nothing is 401`(cookie: String) throws {
        let scene = try Scene()
        _ = try scene.signIn()
        #expect(throws: Failure.self) { try visitor(scene, ["Cookie": cookie]) }
    }

    @Test func `a session ends after 7 days without use and after 30 days at most`() throws {
        let scene = try Scene()
        let idle = try scene.signIn()
        scene.world.advance(seconds: 7 * 86_400 - 1)
        #expect(throws: Never.self) { try visitor(scene, idle) }
        scene.world.advance(seconds: 7 * 86_400)
        #expect(throws: Failure.self) { try visitor(scene, idle) }

        let used = try scene.signIn()
        for _ in 0..<29 {
            scene.world.advance(seconds: 86_400)
            #expect(throws: Never.self) { try visitor(scene, used) }
        }
        scene.world.advance(seconds: 86_400)
        #expect(throws: Failure.self) { try visitor(scene, used) }
    }

    @Test func `the session of a deleted person, and one of another instance, are 401`() throws {
        let scene = try Scene()
        let fields = try scene.signIn()
        #expect(throws: Failure.self) { try visitor(Scene(), fields) }

        try scene.world.store.deletePerson(World.maria.id)
        #expect(throws: Failure.self) { try visitor(scene, fields) }
    }

    @Test func `only our own origin may change something`() throws {
        let site = try Scene().site
        func check(_ method: String, _ origin: String?) -> Bool {
            var fields = Fields()
            if let origin { fields["Origin"] = origin }
            do throws(Failure) {
                try site.checkOrigin(Request(method: method, target: "/", fields: fields))
                return true
            } catch {
                return false
            }
        }
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            #expect(check(method, "https://porter.example"))
            for origin in [
                nil, "", "null", "https://porter.example.evil", "http://porter.example",
                "https://evil.example",
                "https://porter.example/", "https://porter.example:443",
                "https://porter.example https://evil",
            ] {
                #expect(!check(method, origin), "\(method) \(origin ?? "none")")
            }
        }
        #expect(check("GET", nil))
    }

    @Test func `an origin is written as browsers write it`() {
        #expect(Site.origin(of: "https://Porter.Example:443") == "https://porter.example")
        #expect(Site.origin(of: "http://127.0.0.1:80") == "http://127.0.0.1")
        #expect(Site.origin(of: "http://127.0.0.1:8443") == "http://127.0.0.1:8443")
        #expect(Site.origin(of: "https://porter.example:80") == "https://porter.example:80")
    }
}
