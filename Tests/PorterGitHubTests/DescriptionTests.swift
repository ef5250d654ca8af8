import Foundation
import Porter
import PorterHTTP
import PorterTestSupport
import Testing

@testable import PorterGitHub

/// What Porter sends and reads, held against GitHub's own description of its API.
@Suite(.needsFixtures) struct DescriptionTests {
    private static let description = Result {
        APIDescription(try JSONValue(Fixtures.data("github-openapi-subset.json")))
    }

    private func described(_ method: String, _ template: String) throws -> APIDescription.Operation {
        try #require(
            try Self.description.get().operation(method, template),
            "GitHub describes no \(method) \(template)")
    }

    @Test(arguments: Operation.all.filter(\.isDescribed))
    func `an operation is as GitHub describes it`(_ operation: Operation) throws {
        let described = try described(operation.method, operation.template)
        let wire = ScriptedGitHub([Response(status: operation.status)])
        _ = try? operation.run(wire.github)
        let request = try #require(wire.calls.first)

        let target = request.target.dropFirst(ScriptedGitHub.apiURL.count)
        #expect(APIDescription.mismatch(target, operation.template) == nil)
        #expect(described.describes(operation.status))
        let query = target.split(separator: "?").dropFirst().joined().split(separator: "&")
        let names = Set(query.compactMap { $0.split(separator: "=").first.map(String.init) })
        #expect(names.isSubset(of: described.queryNames))
        #expect(request.body.isEmpty == (operation.body == nil))
        if !request.body.isEmpty {
            let schema = try #require(described.body)
            #expect(try schema.problems(JSONValue(request.body)) == [])
        }
    }

    @Test func `a request for a token is as GitHub describes it, and so is its revocation`() throws {
        let create = try described("POST", "/app/installations/{installation_id}/access_tokens")
        let wire = ScriptedGitHub([Response(status: 204)])
        let token = try wire.github.contentsToken(.hello, .write)
        try wire.github.revoke(token.secret)

        let schema = try #require(create.body)
        #expect(try schema.problems(JSONValue(try #require(wire.tokenRequests.first).body)) == [])
        #expect(try described("DELETE", "/installation/token").describes(204))
        #expect(wire.calls.map(\.method) == ["DELETE"])
        #expect(wire.calls.map(\.target) == [ScriptedGitHub.apiURL + "/installation/token"])
        #expect(wire.calls.first?.fields["Authorization"] == "Bearer ghs_1")
    }

    @Test func `the checker finds what is wrong with a request`() throws {
        let pulls = try #require(try described("POST", "/repos/{owner}/{repo}/pulls").body)
        let good = JSONValue.object(["head": .string("h"), "base": .string("b"), "draft": .bool(true)])
        var wrong = good
        wrong["draft"] = .string("yes")
        var poor = good
        poor["base"] = nil
        let reactions = try #require(
            try described("POST", "/repos/{owner}/{repo}/issues/comments/{comment_id}/reactions").body)

        #expect(pulls.problems(good) == [])
        #expect(pulls.problems(wrong) == ["$.draft: a string is not boolean"])
        #expect(pulls.problems(poor) == ["$: base is missing"])
        #expect(reactions.problems(.object(["content": .string("shrug")])).count == 1)
    }

    // GitHub's examples; then the poorest answers that its description allows; then null for everything
    // optional, which it does not allow and GitHub sends at times.
    @Test(arguments: Operation.all.filter { $0.isRead && $0.isDescribed })
    func `GitHub's example is read for what it says`(_ operation: Operation) throws {
        let described = try described(operation.method, operation.template)
        let examples = described.examples(operation.status)
        let example = try #require(examples.values.first)

        let wire = ScriptedGitHub([.json(operation.status, example)])

        #expect(try operation.run(wire.github) == operation.outcome)
        #expect(wire.unused == 0)
    }

    @Test(arguments: Operation.all.filter { $0.isRead && $0.isDescribed }, JSONSchema.Thinning.allCases)
    func `an answer without its optional fields is read all the same`(
        _ operation: Operation, _ thinning: JSONSchema.Thinning
    ) throws {
        let described = try described(operation.method, operation.template)
        let schema = try #require(described.answer(operation.status))
        for (name, example) in described.examples(operation.status) {
            let thin = schema.thinned(example, thinning)
            let wire = ScriptedGitHub([.json(operation.status, thin)])

            #expect(throws: Never.self, "\(name), \(thinning)") { _ = try operation.run(wire.github) }
        }
    }

    @Test(arguments: JSONSchema.Thinning.allCases)
    func `the App, its account and a token are read without their optional fields`(
        _ thinning: JSONSchema.Thinning
    ) throws {
        func thin(_ method: String, _ template: String, _ status: Int) throws -> JSONValue {
            let operation = try described(method, template)
            let example = try #require(operation.examples(status).values.first)
            return try #require(operation.answer(status)).thinned(example, thinning)
        }
        let token = try thin("POST", "/app/installations/{installation_id}/access_tokens", 201)
        let wire = ScriptedGitHub(
            [
                .json(200, try thin("GET", "/app", 200)),
                .json(200, try thin("GET", "/users/{username}", 200)),
            ], tokenAnswer: { _, _ in .json(201, token) })

        let app = try wire.github.app()

        #expect(app.slug == "octoapp")
        #expect(app.owner == Person(id: 1, login: "github"))
        #expect(app.bot == Person(id: 1, login: "octocat"))
        let made = try wire.github.contentsToken(.hello, .read)
        #expect(made.expiresAt.iso8601 == "2016-07-11T22:14:10.000Z")
        #expect(made.secret.reveal { $0 } == "ghs_16C7e42F292c6912E7710c838347Ae178B4a")
    }
}
