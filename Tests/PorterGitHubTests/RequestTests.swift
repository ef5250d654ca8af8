import Foundation
import Porter
import PorterHTTP
import PorterTestSupport
import Testing

@testable import PorterGitHub

@Suite struct RequestTests {
    /// An answer that suits every operation well enough to send the request.
    private func send(_ operation: Operation) throws -> ScriptedGitHub {
        let wire = ScriptedGitHub([Response(status: operation.status)])
        // An empty body cannot be read; what was sent is all that counts here.
        _ = try? operation.run(wire.github)
        #expect(wire.calls.count == 1)
        return wire
    }

    @Test(arguments: Operation.all)
    func `an operation sends its method, address, fields and body`(_ operation: Operation) throws {
        let request = try #require(try send(operation).calls.first)

        #expect(request.method == operation.method)
        #expect(request.target == ScriptedGitHub.apiURL + operation.target)
        #expect(request.fields["Accept"] == operation.accept)
        #expect(request.fields["User-Agent"] == "Porter/\(Porter.version)")
        #expect(request.fields["X-GitHub-Api-Version"] == "2022-11-28")
        if let body = operation.body {
            #expect(try JSONValue(request.body) == body)
            #expect(request.fields["Content-Type"] == "application/json")
        } else {
            #expect(request.body.isEmpty)
            #expect(request.fields["Content-Type"] == nil)
        }
    }

    @Test(arguments: Operation.all)
    func `an operation's token reaches no more than it needs and has its permission only`(
        _ operation: Operation
    ) throws {
        let wire = try send(operation)

        let request = try #require(wire.calls.first)
        guard let permissions = operation.permissions else {
            #expect(wire.tokenRequests.isEmpty)
            #expect(request.fields["Authorization"]?.hasPrefix("Bearer eyJ") == true)
            return
        }
        let token = try #require(wire.tokenRequests.first)
        #expect(wire.tokenRequests.count == 1)
        #expect(token.method == "POST")
        #expect(token.target == ScriptedGitHub.apiURL + "/app/installations/7/access_tokens")
        #expect(token.fields["Authorization"]?.hasPrefix("Bearer eyJ") == true)
        var wanted = JSONValue.object(["permissions": .object(permissions.mapValues { .string($0) })])
        if operation.isForOneRepository { wanted["repository_ids"] = .array([.integer(1_296_269)]) }
        #expect(try JSONValue(token.body) == wanted)
        #expect(request.fields["Authorization"] == "Bearer ghs_1")
    }

    @Test func `the App is asked for by name, and so is the account that it acts as`() throws {
        let wire = ScriptedGitHub([.json(200, Sample.app), .json(200, Sample.bot)])

        let app = try wire.github.app()

        #expect(
            app
                == GitHub.App(
                    id: 4242, slug: "porter", owner: Person(id: 9, login: "acme"),
                    bot: Person(id: 77, login: "porter[bot]")))
        #expect(
            wire.calls.map(\.target) == [
                ScriptedGitHub.apiURL + "/app", ScriptedGitHub.apiURL + "/users/porter%5Bbot%5D",
            ])
    }

    @Test func `own comments are asked for in whole seconds, and only the App's count`() throws {
        func comment(_ id: Int64, by author: Int64, at time: String) -> JSONValue {
            .object([
                "id": .integer(id), "user": .object(["id": .integer(author)]),
                "created_at": .string(time), "updated_at": .string("2026-01-02T04:00:00Z"),
            ])
        }
        let wire = ScriptedGitHub([
            .json(200, Sample.app), .json(200, Sample.bot),
            .json(
                200,
                .array([
                    comment(1, by: 77, at: "2026-01-02T03:04:04Z"),
                    comment(2, by: 78, at: "2026-01-02T03:04:05Z"),
                    comment(3, by: 77, at: "2026-01-02T03:04:05Z"),
                ])),
        ])

        // GitHub keeps seconds: a comment made in the second of the moment must be seen.
        let since = ScriptedGitHub.start.adding(milliseconds: 900)
        let found = try wire.github.ownComments(.hello, 3, since)

        #expect(found.map(\.id) == [1, 3])
        #expect(
            wire.calls.last?.target == ScriptedGitHub.apiURL
                + "/repos/octocat/Hello-World/issues/3/comments?per_page=100&since=2026-01-02T03%3A04%3A05Z")
    }

    @Test func `names with special characters stay one component of the path`() throws {
        let odd = RepositoryRef(installationID: 7, id: 1, owner: "a/b?c#d%e", name: "-rf ö&x=\"🦀\n")
        let wire = ScriptedGitHub([.json(200, .object(["permission": .string("read")]))])

        _ = try wire.github.permission(odd, "../we ird;[bot]+'")

        #expect(
            wire.calls.first?.target == ScriptedGitHub.apiURL
                + "/repos/a%2Fb%3Fc%23d%25e/-rf%20%C3%B6%26x%3D%22%F0%9F%A6%80%0A/collaborators/"
                + "..%2Fwe%20ird%3B%5Bbot%5D%2B%27/permission")
    }

    @Test(arguments: [
        ("feature/a", "heads/feature/a"), ("fix #12?", "heads/fix%20%2312%3F"), ("50%", "heads/50%25"),
        ("🦀/ö", "heads/%F0%9F%A6%80/%C3%B6"), ("-x", "heads/-x"), ("a//b", "heads/a//b"),
        ("a&b=c+d", "heads/a%26b%3Dc%2Bd"),
    ])
    func `a branch's slashes separate, everything else is encoded`(branch: String, path: String) throws {
        let wire = ScriptedGitHub([.refusal(404, "Not Found")])

        #expect(try wire.github.branchHead(.hello, branch) == nil)

        #expect(
            wire.calls.first?.target == "\(ScriptedGitHub.apiURL)/repos/octocat/Hello-World/git/ref/\(path)")
    }

    @Test(arguments: ["..", ".", "../../../../user", "a/../../b", "a/./b", ""])
    func `a branch that would climb out of its path does not exist, and nobody is asked`(
        branch: String
    ) throws {
        let wire = ScriptedGitHub()

        #expect(try wire.github.branchHead(.hello, branch) == nil)

        #expect(wire.recorder.requests.isEmpty)
    }

    @Test func `a file's branch goes into the query, encoded`() throws {
        let wire = ScriptedGitHub([Response(status: 200, body: Data("text".utf8))])

        let text = try wire.github.file(.hello, "a b/AGENTS.md", "f/ö#&")

        #expect(text == "text")
        #expect(
            wire.calls.first?.target == ScriptedGitHub.apiURL
                + "/repos/octocat/Hello-World/contents/a%20b/AGENTS.md?ref=f%2F%C3%B6%23%26")
    }

    @Test func `a folder in a file's place is no file`() throws {
        let wire = ScriptedGitHub([.json(200, .array([]))])

        #expect(try wire.github.file(.hello, "docs", "main") == nil)
    }

    @Test func `both ends of a comparison are encoded whole`() throws {
        let wire = ScriptedGitHub([.json(200, .object([:]))])

        _ = try wire.github.compare(.hello, "a/b#", "porter/ö?")

        #expect(
            wire.calls.first?.target == ScriptedGitHub.apiURL
                + "/repos/octocat/Hello-World/compare/a%2Fb%23...porter%2F%C3%B6%3F")
    }

    @Test func `a comment of 65,536 characters is sent, one more is refused here`() throws {
        let longest = String(repeating: "🦀", count: 65_536)
        let wire = ScriptedGitHub([.json(201, Sample.comment)])

        _ = try wire.github.createComment(.hello, 3, longest)
        let error = failure { () throws(GitHubError) in
            _ = try wire.github.createComment(.hello, 3, longest + "x")
        }

        #expect(error?.code == .refused)
        #expect(error?.message == "the comment is longer than 65536 characters")
        #expect(wire.calls.count == 1)
    }

    @Test func `what is gone already counts as deleted and as revoked`() throws {
        for status in [404, 410] {
            try ScriptedGitHub([.refusal(status, "gone")]).github.deleteComment(.hello, 5)
        }
        for status in [401, 404] {
            try ScriptedGitHub([.refusal(status, "gone")]).github.revoke(Secret("ghs_old"))
        }
    }

    @Test func `what does not exist is an answer where the caller asks whether it does`() throws {
        let missing = Response.refusal(404, "Not Found")

        #expect(try ScriptedGitHub([missing]).github.file(.hello, "AGENTS.md", "main") == nil)
        #expect(try ScriptedGitHub([missing]).github.branchHead(.hello, "x") == nil)
        let empty = Response.refusal(409, "Git Repository is empty.")
        #expect(try ScriptedGitHub([empty]).github.branchHead(.hello, "main") == nil)
        let stranger = try ScriptedGitHub([missing]).github.permission(.hello, "nobody")
        #expect(stranger == GitHub.Permission(level: "none", userID: nil))
        #expect(!stranger.allowsPush(by: Person(id: 1, login: "nobody")))
    }

    @Test(arguments: [
        #"{"permission": "write"}"#, #"{"permission": "write", "user": null}"#,
        #"{"permission": "write", "user": {"login": "maria"}}"#,
        #"{"permission": "write", "user": {"id": 1}}"#,
    ])
    func `a permission is read whatever is told about its person`(body: String) throws {
        let github = ScriptedGitHub([Response(status: 200, body: Data(body.utf8))]).github
        #expect(try github.permission(.hello, "maria").allowsPush(by: Person(id: 1, login: "maria")))
    }

    @Test func `a pull request of another branch is not taken for the one that was asked for`() throws {
        func pull(_ number: Int64, _ branch: String) -> JSONValue {
            .object([
                "number": .integer(number),
                "head": .object(["ref": .string(branch), "sha": .string("s")]),
            ])
        }
        let wire = ScriptedGitHub([.json(200, .array([pull(1, "porter/xy"), pull(2, "porter/x")]))])

        #expect(try wire.github.pullRequests(.hello, "porter/x").map(\.number) == [2])
    }
}
