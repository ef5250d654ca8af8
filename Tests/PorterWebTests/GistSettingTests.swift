import Foundation
import Porter
import PorterHTTP
import PorterStore
import PorterTestWorld
import PorterWork
import Testing

@testable import PorterWeb

/// `gist_mirror` of `/api/config`, and what the answer says of the gist.
@Suite struct GistSettingTests {
    private func gist(_ response: Response) throws -> [String: Any] {
        try #require(response.object["gist"] as? [String: Any])
    }

    @Test func `it is off by default, a person's alone, and true or false`() throws {
        let scene = try Scene()
        let wim = try PageClient(scene, World.wim, isAdmin: true)
        let shown = wim.get("/api/config")
        #expect(shown.object["gist_mirror"] is NSNull)
        #expect(try gist(shown)["state"] as? String == "off")
        #expect(try gist(shown)["url"] is NSNull)
        let team = wim.get("/api/config?scope=shared").object
        #expect(team["gist"] == nil && team["gist_mirror"] == nil)
        let refused = wim.send("PATCH", "/api/config?scope=shared", ["gist_mirror": true])
        #expect(refused.error == "unknown_setting")
        #expect(wim.send("PATCH", "/api/config", ["gist_mirror": "yes"]).status == 422)
        #expect(try scene.world.store.countJobs() == [:])
    }

    @Test func `turned on it is waited for, and the answer tells what became of it`() throws {
        let scene = try Scene()
        // Nobody has stored a token for maria here.
        let maria = try PageClient(scene)
        let turned = maria.send("PATCH", "/api/config", ["gist_mirror": true])
        #expect(turned.status == 200)
        #expect(try gist(turned)["state"] as? String == "waiting")
        try scene.world.settle()

        let told = try gist(maria.get("/api/config"))
        #expect(told["state"] as? String == "failed")
        #expect(told["at"] as? String == scene.world.now.iso8601)
        #expect((told["message"] as? String)?.contains("sign in again") == true)
        // Nothing else is any different.
        #expect(maria.send("PATCH", "/api/config", ["draft": true]).object["draft"] as? Bool == true)
    }

    @Test func `what becomes of the gist does not hold up who saves`() throws {
        let scene = try Scene()
        let maria = try PageClient(scene)
        let tag = try #require(
            maria.send("PATCH", "/api/config", ["gist_mirror": true]).fields["ETag"])
        try scene.world.settle()
        let again = maria.get("/api/config")
        #expect(again.fields["ETag"] == tag)
        let saved = maria.send("PATCH", "/api/config", ["draft": true], with: ["If-Match": tag])
        #expect(saved.status == 200)
    }

    @Test func `a change of another's or of the team's settings writes nobody's gist`() throws {
        let scene = try Scene()
        let (maria, wim) = (try PageClient(scene), try PageClient(scene, World.wim, isAdmin: true))
        _ = maria.send("PATCH", "/api/config", ["gist_mirror": true])
        try scene.world.settle()
        _ = wim.send("PATCH", "/api/config", ["draft": true])
        _ = wim.send("PATCH", "/api/config?scope=shared", ["draft": true])
        _ = maria.send("PATCH", "/api/config", [:])
        #expect(try scene.world.store.countJobs() == [:])
        #expect(
            wim.send("PATCH", "/api/config", ["draft": 7]).status == 422)
        _ = maria.send("PATCH", "/api/config", ["draft": true])
        #expect(try scene.world.store.countJobs() == ["mirror": 1])
    }
}
