import Foundation
import PlaygroundFace
import Porter
import PorterGitHub
import PorterHTTP
import PorterTestSupport
import Testing

@testable import PlaygroundGitHub

/// Gists of people who signed in, as strict as GitHub's.
@Suite struct GitHubGistTests {
    private static let draft = UserGitHub.GistDraft(description: "Settings", file: "a.json", text: "{}\n")

    private let scene: GitHubScene
    private let mona: Secret
    private let rita: Secret

    init() throws {
        scene = try GitHubScene()
        mona = Self.token(of: 583_232, scene)
        rita = Self.token(of: 583_233, scene)
    }

    /// A token as a sign-in gives it.
    private static func token(of person: Int64, _ scene: GitHubScene) -> Secret {
        scene.world.with { state in
            let id = state.newID()
            let access = "ghu_\(id)"
            state.oauth.tokens[access] = UserToken(
                id: id, personID: person, access: access, refresh: "ghr_\(id)",
                accessExpiresAt: state.now.adding(seconds: 3600),
                refreshExpiresAt: state.now.adding(seconds: 7200))
            return Secret(access)
        }
    }

    private var gists: UserGitHub.Gists {
        let site = scene.site
        return UserGitHub.live(
            transport: Transport { request, _ throws(TransportError) in
                var request = request
                request.target = String(request.target.dropFirst(GitHubScene.origin.count))
                return site.answer(request)
            }, webURL: GitHubScene.origin, apiURL: GitHubScene.origin + "/api/v3",
            credentials: { nil }, clock: scene.time.clock
        ).gists
    }

    @Test func `Porter's own client makes one, finds it, reads it and edits it`() throws {
        let made = try gists.create(mona, Self.draft)
        #expect(!made.isPublic)
        #expect(made.files == ["a.json": "{}\n"])
        #expect(try gists.list(mona).map(\.id) == [made.id])
        #expect(try gists.list(mona).first?.files == [:])
        #expect(try gists.show(mona, made.id) == made)

        let second = try gists.create(mona, Self.draft)
        #expect(try gists.list(mona).map(\.id) == [second.id, made.id])
        let other = UserGitHub.GistDraft(description: "Mine", file: "b.json", text: "[]\n")
        let edited = try gists.edit(mona, made.id, other)
        #expect(edited.description == "Mine")
        #expect(edited.files == ["a.json": "{}\n", "b.json": "[]\n"])
        #expect(try scene.effects("gist.created").count == 2)
        #expect(try scene.effects("gist.edited").map { $0["actor"].string } == ["mona"])
    }

    @Test func `nobody lists or edits another's`() throws {
        let made = try gists.create(mona, Self.draft)
        #expect(try gists.list(rita) == [])
        let error = #expect(throws: GitHubError.self) { try gists.edit(rita, made.id, Self.draft) }
        #expect(error?.code == .notFound)
        #expect(try gists.show(rita, made.id) == made)
        let unknown = #expect(throws: GitHubError.self) { try gists.show(mona, "0") }
        #expect(unknown?.code == .notFound)
        #expect(scene.call("GET", "/gists", as: try scene.token()).status == 403)
        #expect(scene.call("GET", "/gists", as: nil).status == 401)
    }

    @Test func `without the account permission nothing is written`() throws {
        let made = try gists.create(mona, Self.draft)
        scene.control("PUT", "sign-ins", ["gists": false])
        for call in [
            { _ = try gists.create(mona, Self.draft) }, { _ = try gists.edit(mona, made.id, Self.draft) },
        ] {
            let error = #expect(throws: GitHubError.self) { try call() }
            #expect(error?.code == .forbidden)
            #expect(error?.message == "Resource not accessible by integration")
        }
        #expect(try gists.list(mona).count == 1)
    }

    @Test func `a gist without files, or with an empty one, is refused`() throws {
        let credential = mona.reveal { $0 }
        for body: JSON in [[:], ["files": [:]], ["files": "a"], ["files": ["a": ["content": ""]]]] {
            #expect(scene.call("POST", "/gists", body, as: credential).status == 422)
        }
    }

    @Test(.needsFixtures) func `answers are as GitHub describes them`() throws {
        let description = APIDescription(try JSONValue(Fixtures.data("github-openapi-subset.json")))
        let credential = mona.reveal { $0 }
        let body: JSON = ["description": "d", "public": false, "files": ["a.json": ["content": "{}"]]]
        let made = scene.call("POST", "/gists", body, as: credential)
        let id = try #require(made.json["id"].string)
        let cases = [
            ("POST", "/gists", made, 201),
            ("GET", "/gists/{gist_id}", scene.call("GET", "/gists/\(id)", as: credential), 200),
            ("PATCH", "/gists/{gist_id}", scene.call("PATCH", "/gists/\(id)", body, as: credential), 200),
            ("GET", "/gists/{gist_id}", scene.call("GET", "/gists/0", as: credential), 404),
        ]
        for (method, template, response, status) in cases {
            #expect(response.status == status)
            let schema = try #require(description.operation(method, template)?.answer(status))
            #expect(try schema.problems(JSONValue(response.body)) == [], "\(method) \(template)")
        }
    }
}
