import PlaygroundFace
import Foundation
import Porter
import PorterHTTP
import PorterTestSupport
import Testing

@testable import PlaygroundGitHub

/// What the playground answers and sends, held against GitHub's own descriptions.
@Suite(.needsFixtures) struct GitHubDescriptionTests {
    private static let description = Result {
        APIDescription(try JSONValue(Fixtures.data("github-openapi-subset.json")))
    }

    private let scene: GitHubScene

    init() throws {
        scene = try GitHubScene()
    }

    /// An operation by the description's template, with an address of the playground for it.
    struct Case: Sendable, CustomTestStringConvertible {
        let method: String
        let template: String
        let path: String
        var body: JSON?
        var status = 200
        var isApp = false
        var testDescription: String { "\(method) \(path) \(status)" }
    }

    private static let repo = "/repos/{owner}/{repo}"
    private static let hello = GitHubScene.hello

    static let cases = [
        Case(method: "GET", template: "/app", path: "/app", isApp: true),
        Case(method: "GET", template: "/app/installations", path: "/app/installations", isApp: true),
        Case(
            method: "GET", template: "/app/installations/{installation_id}", path: "/app/installations/31",
            isApp: true),
        Case(
            method: "GET", template: "/app/installations/{installation_id}", path: "/app/installations/9",
            status: 404, isApp: true),
        Case(
            method: "POST", template: "/app/installations/{installation_id}/access_tokens",
            path: "/app/installations/31/access_tokens", body: ["repository_ids": [1_296_269]], status: 201,
            isApp: true),
        Case(
            method: "POST", template: "/app/installations/{installation_id}/access_tokens",
            path: "/app/installations/31/access_tokens", body: ["repository_ids": [7]], status: 422,
            isApp: true),
        Case(method: "GET", template: "/app/hook/config", path: "/app/hook/config", isApp: true),
        Case(
            method: "PATCH", template: "/app/hook/config", path: "/app/hook/config",
            body: ["secret": "another"], isApp: true),
        Case(method: "GET", template: "/app/hook/deliveries", path: "/app/hook/deliveries", isApp: true),
        Case(
            method: "GET", template: "/app/hook/deliveries/{delivery_id}",
            path: "/app/hook/deliveries/{delivery}", isApp: true),
        Case(
            method: "POST", template: "/app/hook/deliveries/{delivery_id}/attempts",
            path: "/app/hook/deliveries/{delivery}/attempts", status: 202, isApp: true),
        Case(method: "GET", template: "/users/{username}", path: "/users/mona"),
        Case(method: "GET", template: "/users/{username}", path: "/users/nobody", status: 404),
        Case(method: "GET", template: "/rate_limit", path: "/rate_limit"),
        Case(method: "GET", template: "/installation/repositories", path: "/installation/repositories"),
        Case(method: "GET", template: "/repositories/{repository_id}", path: "/repositories/1296269"),
        Case(method: "GET", template: repo, path: hello),
        Case(method: "GET", template: repo + "/installation", path: hello + "/installation", isApp: true),
        Case(
            method: "GET", template: repo + "/collaborators/{username}/permission",
            path: hello + "/collaborators/mona/permission"),
        Case(method: "GET", template: repo + "/issues/{issue_number}", path: hello + "/issues/1"),
        Case(method: "GET", template: repo + "/issues/{issue_number}", path: hello + "/issues/2"),
        Case(
            method: "POST", template: repo + "/issues", path: hello + "/issues", body: ["title": "t"],
            status: 201),
        Case(
            method: "PATCH", template: repo + "/issues/{issue_number}", path: hello + "/issues/1",
            body: ["state": "closed"]),
        Case(
            method: "GET", template: repo + "/issues/{issue_number}/comments",
            path: hello + "/issues/1/comments"),
        Case(
            method: "POST", template: repo + "/issues/{issue_number}/comments",
            path: hello + "/issues/1/comments", body: ["body": "b"], status: 201),
        Case(
            method: "POST", template: repo + "/issues/{issue_number}/comments",
            path: hello + "/issues/1/comments", body: ["body": ""], status: 422),
        Case(method: "GET", template: repo + "/issues/comments", path: hello + "/issues/comments"),
        Case(
            method: "GET", template: repo + "/issues/comments", path: hello + "/issues/comments?since=x",
            status: 422),
        Case(method: "GET", template: repo + "/pulls/comments", path: hello + "/pulls/comments"),
        Case(
            method: "POST", template: repo + "/pulls/comments/{comment_id}/reactions",
            path: hello + "/pulls/comments/{review_comment}/reactions", body: ["content": "eyes"],
            status: 201),
        Case(
            method: "GET", template: repo + "/pulls/{pull_number}/reviews", path: hello + "/pulls/2/reviews"),
        Case(
            method: "GET", template: repo + "/issues/comments/{comment_id}",
            path: hello + "/issues/comments/{comment}"),
        Case(
            method: "PATCH", template: repo + "/issues/comments/{comment_id}",
            path: hello + "/issues/comments/{comment}", body: ["body": "b"]),
        Case(
            method: "POST", template: repo + "/issues/comments/{comment_id}/reactions",
            path: hello + "/issues/comments/{comment}/reactions", body: ["content": "eyes"], status: 201),
        Case(
            method: "GET", template: repo + "/issues/comments/{comment_id}/reactions",
            path: hello + "/issues/comments/{comment}/reactions"),
        Case(
            method: "POST", template: repo + "/issues/{issue_number}/reactions",
            path: hello + "/issues/1/reactions", body: ["content": "eyes"], status: 201),
        Case(method: "GET", template: repo + "/contents/{path}", path: hello + "/contents/README.md"),
        Case(method: "GET", template: repo + "/contents/{path}", path: hello + "/contents/"),
        Case(method: "GET", template: repo + "/contents/{path}", path: hello + "/contents/none", status: 404),
        Case(method: "GET", template: repo + "/git/ref/{ref}", path: hello + "/git/ref/heads/main"),
        Case(method: "GET", template: repo + "/branches/{branch}", path: hello + "/branches/main"),
        Case(method: "GET", template: repo + "/compare/{basehead}", path: hello + "/compare/main...work"),
        Case(method: "GET", template: repo + "/pulls", path: hello + "/pulls"),
        Case(method: "GET", template: repo + "/pulls/{pull_number}", path: hello + "/pulls/2"),
        Case(
            method: "POST", template: repo + "/pulls", path: hello + "/pulls",
            body: ["title": "t", "head": "more", "base": "main"], status: 201),
        Case(
            method: "POST", template: repo + "/pulls", path: hello + "/pulls",
            body: ["title": "t", "head": "work", "base": "main"], status: 422),
        Case(
            method: "POST", template: repo + "/pulls/{pull_number}/requested_reviewers",
            path: hello + "/pulls/2/requested_reviewers", body: ["reviewers": ["mona"]], status: 201),
    ]

    private func prepare() throws -> (comment: Int64, token: String) {
        let comment = try scene.comment()
        let token = try scene.token()
        try scene.push("work", ["a.txt": "a"])
        try scene.push("more", ["b.txt": "b"])
        let opened = scene.call(
            "POST", Self.hello + "/pulls",
            ["title": "t", "head": "work", "base": "main", "body": "Closes #1"],
            as: token)
        #expect(opened.status == 201)
        scene.control("POST", "ping", ["wait": true])
        scene.review()
        return (comment, token)
    }

    @Test(arguments: cases)
    func `an answer is as GitHub describes it`(_ example: Case) throws {
        let (comment, token) = try prepare()
        let delivery = scene.world.with { $0.deliveries.first { $0.outcome != nil }?.id ?? 0 }
        let path = example.path.replacing("{comment}", with: String(comment))
            .replacing("{delivery}", with: String(delivery))
            .replacing(
                "{review_comment}", with: String(scene.world.with { $0.reviewComments.keys.first ?? 0 }))
        let credential = example.isApp ? try scene.webToken() : token
        let response = scene.call(example.method, path, example.body, as: credential)
        #expect(response.status == example.status)
        let operation = try #require(
            try Self.description.get().operation(example.method, example.template),
            "GitHub describes no \(example.template)")
        let schema = try #require(operation.answer(example.status))
        #expect(try schema.problems(JSONValue(response.body)) == [])
    }

    // MARK: - Payloads

    /// An event with what makes it happen.
    struct Event: Sendable, CustomTestStringConvertible {
        let name: String
        let action: String
        let make: @Sendable (GitHubScene) throws -> Void
        var testDescription: String { "\(name).\(action)" }

        init(_ name: String, _ action: String, _ make: @escaping @Sendable (GitHubScene) throws -> Void) {
            self.name = name
            self.action = action
            self.make = make
        }
    }

    static let events = [
        Event("issue_comment", "created") { _ = try $0.comment() },
        Event("issue_comment", "edited") {
            $0.control("PATCH", "comments/\(try $0.comment())", ["body": "x"])
        },
        Event("issue_comment", "deleted") { $0.control("DELETE", "comments/\(try $0.comment())") },
        Event("issues", "opened") {
            $0.control("POST", "issues", ["repository": "octo-team/hello", "title": "t", "body": "b"])
        },
        Event("installation", "suspend") { $0.control("POST", "installations/31/suspend") },
        Event("installation", "deleted") { $0.control("POST", "installations/31/delete") },
        Event("installation_repositories", "added") {
            $0.control("POST", "repositories", ["owner": "octo-team", "name": "n"])
        },
        Event("installation_repositories", "removed") {
            $0.control("PATCH", "installations/31", ["repositories": []])
        },
        Event("repository", "renamed") {
            $0.control("PATCH", "repositories/octo-team/hello", ["name": "n"])
        },
        Event("repository", "archived") {
            $0.control("PATCH", "repositories/octo-team/hello", ["archived": true])
        },
        Event("repository", "deleted") { $0.control("DELETE", "repositories/octo-team/hello") },
    ]

    @Test func `each entry of the list of issues is as GitHub describes an issue`() throws {
        let (_, token) = try prepare()
        let listed = scene.call("GET", Self.hello + "/issues?state=all", as: token)
        let operation = try #require(
            try Self.description.get().operation("GET", Self.repo + "/issues/{issue_number}"))
        let schema = try #require(operation.answer(200))

        #expect(listed.json.array.count == 2)
        for issue in listed.json.array { #expect(try schema.problems(JSONValue(issue.data)) == []) }
    }

    @Test(arguments: ["pull_request_review.submitted", "pull_request_review_comment.created"])
    func `what is said of a review is as GitHub describes it`(name: String) throws {
        _ = try prepare()
        let delivery = try #require(
            scene.world.with { state in
                state.deliveries.last { "\($0.event).\($0.action ?? "")" == name }
            })
        let document = try JSONValue(Fixtures.data("webhooks/_schemas_current/\(name).schema.json"))
        #expect(JSONSchema(document, in: document).problems(try JSONValue(delivery.payload)) == [])
    }

    @Test(arguments: events)
    func `a payload is as GitHub describes it`(_ event: Event) throws {
        try event.make(scene)
        let delivery = try #require(
            scene.world.with { state in
                state.deliveries.last { $0.event == event.name && $0.action == event.action }
            })
        let document = try JSONValue(
            Fixtures.data("webhooks/_schemas_current/\(event.name).\(event.action).schema.json"))
        #expect(JSONSchema(document, in: document).problems(try JSONValue(delivery.payload)) == [])
    }

    @Test func `a payload has every member that a recorded one has`() throws {
        let recorded = try JSONValue(
            Fixtures.data("webhooks/issue_comment/created.with-installation.payload.json"))
        _ = try scene.comment()
        let ours = try JSONValue(try #require(scene.world.with { $0.deliveries.last?.payload }))
        #expect(Set(recorded.members.keys).subtracting(ours.members.keys) == [])
        for part in ["issue", "comment", "repository", "sender", "installation"] {
            let wanted = Set((recorded[part]?.members ?? [:]).keys)
            let missing = wanted.subtracting((ours[part]?.members ?? [:]).keys)
            // Only a pull request has a word about drafts here.
            #expect(missing.subtracting(["draft"]) == [], "in \(part)")
        }
    }
}
