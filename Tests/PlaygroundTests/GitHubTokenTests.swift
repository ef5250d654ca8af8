import PlaygroundFace
import Foundation
import Porter
import PorterHTTP
import PorterTestSupport
import Testing

@testable import PlaygroundGitHub

@Suite struct GitHubTokenTests {
    private let scene: GitHubScene
    private static let path = "/app/installations/31/access_tokens"

    init() throws {
        scene = try GitHubScene()
    }

    private func repository(_ name: String) -> Int64? {
        scene.control(
            "POST", "repositories", ["owner": "octo-team", "name": .string(name), "files": ["a": "b"]]
        )
        .json["id"].int
    }

    @Test func `a token is what was asked for, and metadata`() throws {
        let made = try scene.app(
            "POST", Self.path, ["repository_ids": [1_296_269], "permissions": ["contents": "read"]])
        #expect(made.status == 201)
        #expect(made.json["permissions"] == ["contents": "read", "metadata": "read"])
        #expect(made.json["repositories"].array.map { $0["full_name"] } == ["octo-team/hello"])
        #expect(made.json["expires_at"].string == "2026-11-24T13:00:00Z")
        #expect(made.json["token"].string?.hasPrefix("ghs_") == true)
    }

    /// Narrowings that are no narrowings.
    static let wider: [JSON] = [
        ["permissions": ["administration": "read"]], ["permissions": ["metadata": "write"]],
        ["repository_ids": [1_296_270]], ["repository_ids": [1_296_269, 7]], ["repositories": ["else"]],
        ["repository_ids": ["hello"]], ["permissions": "all"],
    ]

    @Test(arguments: wider)
    func `a token never reaches further than its installation`(_ body: JSON) throws {
        #expect(try scene.app("POST", Self.path, body).status == 422)
        #expect(try scene.effects("token.created").isEmpty)
    }

    @Test func `a token opens its repositories alone`() throws {
        let other = try #require(repository("other"))
        let narrow = try scene.token(["repository_ids": [.int(other)]])
        #expect(scene.call("GET", "/repos/octo-team/other", as: narrow).status == 200)
        #expect(scene.call("GET", GitHubScene.hello, as: narrow).status == 404)
        #expect(scene.call("GET", "/repositories/1296269", as: narrow).status == 404)
        let wide = try scene.token()
        #expect(scene.call("GET", "/repos/octo-team/other", as: wide).status == 200)
        #expect(scene.call("GET", GitHubScene.hello, as: wide).status == 200)
        #expect(scene.call("GET", "/repos/other-org/else", as: wide).status == 404)
        let listed = scene.call("GET", "/installation/repositories", as: narrow)
        #expect(listed.json["repositories"].array.map { $0["name"] } == ["other"])
    }

    @Test func `a token is over after an hour, and when it was revoked`() throws {
        let token = try scene.token()
        scene.time.advance(seconds: 3599)
        #expect(scene.call("GET", GitHubScene.hello, as: token).status == 200)
        scene.time.advance(seconds: 1)
        let late = scene.call("GET", GitHubScene.hello, as: token)
        #expect(late.status == 401)
        #expect(late.message == "Bad credentials")

        let second = try scene.token()
        #expect(scene.call("DELETE", "/installation/token", as: second).status == 204)
        #expect(scene.call("GET", GitHubScene.hello, as: second).status == 401)
        #expect(scene.call("DELETE", "/installation/token", as: second).status == 401)
        #expect(try scene.effects("token.revoked").count == 1)
    }

    @Test func `a suspended installation gives no token, and its tokens are dead`() throws {
        let token = try scene.token()
        scene.control("POST", "installations/31/suspend")
        #expect(try scene.app("POST", Self.path, [:]).status == 403)
        #expect(scene.call("GET", GitHubScene.hello, as: token).status == 401)
        #expect(try scene.app("GET", "/app/installations/31").json["suspended_at"].string != nil)
        scene.control("POST", "installations/31/unsuspend")
        #expect(scene.call("GET", GitHubScene.hello, as: token).status == 200)
    }

    @Test func `an installation that is gone is not found`() throws {
        let token = try scene.token()
        scene.control("POST", "installations/31/delete")
        #expect(try scene.app("POST", Self.path, [:]).status == 404)
        #expect(try scene.app("GET", "/app/installations/31").status == 404)
        #expect(scene.call("GET", GitHubScene.hello, as: token).status == 401)
    }

    @Test func `the effect log and the state name a token and never show it`() throws {
        let token = try scene.token(["repository_ids": [1_296_269], "permissions": ["issues": "write"]])
        #expect(
            scene.call("POST", GitHubScene.hello + "/issues/1/comments", ["body": "x"], as: token).status
                == 201)
        let made = try #require(try scene.effects("token.created").first)
        #expect(made["repositories"] == [1_296_269])
        #expect(made["permissions"] == ["issues": "write", "metadata": "read"])
        let comment = try #require(try scene.effects("comment.created").first)
        #expect(comment["token"] == made["token"])
        let shown = [
            String(decoding: scene.control("GET", "state").body, as: UTF8.self),
            String(decoding: scene.control("GET", "effects").body, as: UTF8.self),
        ]
        #expect(!shown.contains { $0.contains(token) || $0.contains("ghs_") })
    }
}
