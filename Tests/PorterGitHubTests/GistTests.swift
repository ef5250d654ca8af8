import Foundation
import Porter
import PorterHTTP
import PorterTestSupport
import Testing

@testable import PorterGitHub

/// A person's gists: what is sent, and what is read of GitHub's answers.
///
/// GitHub's description, as it is kept here, has no `GET /gists`; that one follows its page of documentation alone.
@Suite struct GistTests {
    private static let api = "https://github.example.org/api/v3"
    private static let draft = UserGitHub.GistDraft(
        description: "Settings", file: "a.json", text: "{\"a\": 1}\n")
    private static let token = Secret("ghu_canary")

    private static func users(_ recorder: TransportRecorder) -> UserGitHub {
        .live(
            transport: recorder.transport, webURL: "https://github.example.org", apiURL: api,
            credentials: { nil }, clock: Clock { Instant(seconds: 1_767_323_045) })
    }

    private static func answer(_ text: String, _ status: Int = 200, _ fields: Fields = [:]) -> Response {
        Response(status: status, fields: fields, body: Data(text.utf8))
    }

    private static let gist = """
        {"id": "aa5a", "html_url": "https://gist.github.com/aa5a", "description": null, "public": false,
         "files": {"a.json": {"content": "{}", "truncated": false}, "long": {"content": "x", "truncated": true}}}
        """

    @Test func `a new gist is private, and an edit leaves that as it is`() throws {
        let recorder = TransportRecorder { _, _ in Self.answer(Self.gist, 201) }
        let gists = Self.users(recorder).gists
        let made = try gists.create(Self.token, Self.draft)
        _ = try gists.edit(Self.token, "aa5a", Self.draft)

        #expect(
            made
                == UserGitHub.Gist(
                    id: "aa5a", url: "https://gist.github.com/aa5a", description: "", isPublic: false,
                    files: ["a.json": "{}"]))
        let sent = recorder.requests
        #expect(sent.map(\.method) == ["POST", "PATCH"])
        #expect(sent.map(\.target) == [Self.api + "/gists", Self.api + "/gists/aa5a"])
        #expect(sent.allSatisfy { $0.fields["Authorization"] == "Bearer ghu_canary" })
        let file = JSONValue.object(["a.json": .object(["content": .string(Self.draft.text)])])
        #expect(
            try JSONValue(sent[0].body)
                == .object([
                    "description": .string("Settings"), "files": file, "public": .bool(false),
                ]))
        #expect(
            try JSONValue(sent[1].body) == .object(["description": .string("Settings"), "files": file]))
    }

    @Test(.needsFixtures) func `what is sent and read is as GitHub describes it`() throws {
        let description = APIDescription(try JSONValue(Fixtures.data("github-openapi-subset.json")))
        let create = try #require(description.operation("POST", "/gists"))
        let edit = try #require(description.operation("PATCH", "/gists/{gist_id}"))
        let show = try #require(description.operation("GET", "/gists/{gist_id}"))
        let examples = try [(create, 201), (edit, 200), (show, 200)].map { operation, status in
            Response.json(status, try #require(operation.examples(status).values.first))
        }
        let recorder = TransportRecorder { request, _ in
            examples[["POST": 0, "PATCH": 1][request.method] ?? 2]
        }
        let gists = Self.users(recorder).gists

        for gist in [
            try gists.create(Self.token, Self.draft), try gists.edit(Self.token, "aa5a", Self.draft),
            try gists.show(Self.token, "aa5a"),
        ] {
            #expect(gist.id == "aa5a315d61ae9438b18d")
            #expect(gist.url == "https://gist.github.com/aa5a315d61ae9438b18d")
            #expect(gist.description == "Hello World Examples")
        }
        for (request, operation) in zip(recorder.requests, [create, edit]) {
            #expect(try #require(operation.body).problems(JSONValue(request.body)) == [])
        }
    }

    @Test func `a list is read to its last page, and what does not say that it is private is public`() throws
    {
        let recorder = TransportRecorder { request, _ in
            let isFirst = !request.target.contains("page=2")
            let next: Fields = ["Link": "<\(Self.api)/gists?per_page=100&page=2>; rel=\"next\""]
            return Self.answer(
                isFirst ? "[\(Self.gist)]" : #"[{"id": "2", "files": {"b": null}}]"#, 200,
                isFirst ? next : [:])
        }
        let found = try Self.users(recorder).gists.list(Self.token)
        #expect(found.map(\.id) == ["aa5a", "2"])
        #expect(found.map(\.isPublic) == [false, true])
        #expect(
            recorder.requests.map(\.target)
                == [Self.api + "/gists?per_page=100", Self.api + "/gists?per_page=100&page=2"])
    }

    @Test func `a refusal shows GitHub's words and never the token`() throws {
        let recorder = TransportRecorder { _, _ in
            Self.answer(#"{"message": "Resource not accessible by integration ghu_canary"}"#, 403)
        }
        let gists = Self.users(recorder).gists
        let error = #expect(throws: GitHubError.self) { try gists.create(Self.token, Self.draft) }
        #expect(error?.code == .forbidden)
        #expect(error?.description.contains("canary") == false)
    }

    @Test func `before there is an App every call is refused`() {
        let gists = UserGitHub.notSetUp.gists
        let calls: [() throws -> Void] = [
            { _ = try gists.list(Self.token) }, { _ = try gists.show(Self.token, "1") },
            { _ = try gists.create(Self.token, Self.draft) },
            { _ = try gists.edit(Self.token, "1", Self.draft) },
        ]
        for call in calls {
            let error = #expect(throws: GitHubError.self) { try call() }
            #expect(error?.code == .unauthorized)
        }
    }
}
