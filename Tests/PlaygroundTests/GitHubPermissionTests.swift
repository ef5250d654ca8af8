import PlaygroundFace
import Foundation
import Porter
import PorterHTTP
import PorterTestSupport
import Testing

@testable import PlaygroundGitHub

/// An operation with the one permission that it needs.
struct GitHubNeed: Sendable, CustomTestStringConvertible {
    let method: String
    let path: String
    let permission: String
    let level: String
    var body: JSON?
    var status = 200

    var testDescription: String { "\(method) \(path)" }

    static let all = [
        GitHubNeed(method: "GET", path: "/issues/1", permission: "issues", level: "read"),
        GitHubNeed(
            method: "PATCH", path: "/issues/1", permission: "issues", level: "write", body: ["title": "t"]),
        GitHubNeed(
            method: "POST", path: "/issues", permission: "issues", level: "write", body: ["title": "t"],
            status: 201),
        GitHubNeed(method: "GET", path: "/issues/1/comments", permission: "issues", level: "read"),
        GitHubNeed(
            method: "POST", path: "/issues/1/comments", permission: "issues", level: "write",
            body: ["body": "b"], status: 201),
        GitHubNeed(method: "GET", path: "/issues/comments/{comment}", permission: "issues", level: "read"),
        GitHubNeed(
            method: "PATCH", path: "/issues/comments/{comment}", permission: "issues", level: "write",
            body: ["body": "b"]),
        GitHubNeed(
            method: "DELETE", path: "/issues/comments/{comment}", permission: "issues", level: "write",
            status: 204),
        GitHubNeed(
            method: "GET", path: "/issues/comments/{comment}/reactions", permission: "issues", level: "read"),
        GitHubNeed(
            method: "POST", path: "/issues/comments/{comment}/reactions", permission: "issues",
            level: "write", body: ["content": "eyes"], status: 201),
        GitHubNeed(method: "GET", path: "/issues/1/reactions", permission: "issues", level: "read"),
        GitHubNeed(
            method: "POST", path: "/issues/1/reactions", permission: "issues", level: "write",
            body: ["content": "eyes"], status: 201),
        GitHubNeed(method: "GET", path: "/contents/README.md", permission: "contents", level: "read"),
        GitHubNeed(method: "GET", path: "/git/ref/heads/main", permission: "contents", level: "read"),
        GitHubNeed(method: "GET", path: "/branches/main", permission: "contents", level: "read"),
        GitHubNeed(method: "GET", path: "/compare/main...work", permission: "contents", level: "read"),
        GitHubNeed(method: "GET", path: "/pulls", permission: "pull_requests", level: "read"),
        GitHubNeed(method: "GET", path: "/pulls/2", permission: "pull_requests", level: "read"),
        GitHubNeed(
            method: "POST", path: "/pulls", permission: "pull_requests", level: "write",
            body: ["title": "t", "head": "more", "base": "main"], status: 201),
        GitHubNeed(
            method: "POST", path: "/pulls/2/requested_reviewers", permission: "pull_requests",
            level: "write", body: ["reviewers": ["mona"]], status: 201),
    ]
}

@Suite struct GitHubPermissionTests {
    private let scene: GitHubScene
    private let comment: Int64

    init() throws {
        scene = try GitHubScene()
        comment = try scene.comment()
        try scene.push("work", ["a.txt": "a"])
        try scene.push("more", ["b.txt": "b"])
        let opened = scene.call(
            "POST", GitHubScene.hello + "/pulls", ["title": "t", "head": "work", "base": "main"],
            as: try scene.token())
        #expect(opened.json["number"].int == 2)
    }

    private func call(_ need: GitHubNeed, _ permissions: [String: String]) throws -> Response {
        let token = try scene.token(["permissions": .object(permissions.mapValues(JSON.string))])
        let path = GitHubScene.hello + need.path.replacing("{comment}", with: String(comment))
        return scene.call(need.method, path, need.body, as: token)
    }

    @Test(arguments: GitHubNeed.all)
    func `an operation is done with its permission`(_ need: GitHubNeed) throws {
        #expect(try call(need, [need.permission: need.level]).status == need.status)
    }

    @Test(arguments: GitHubNeed.all)
    func `an operation is refused with all other permissions`(_ need: GitHubNeed) throws {
        var others = App.permissions
        others[need.permission] = nil
        let response = try call(need, others)
        #expect(response.status == 403)
        #expect(response.message == "Resource not accessible by integration")
        #expect(response.fields["X-Accepted-GitHub-Permissions"]?.contains(need.level) == true)
    }

    @Test(arguments: GitHubNeed.all.filter { $0.level == "write" })
    func `a permission to read changes nothing`(_ need: GitHubNeed) throws {
        var permissions = App.permissions
        permissions[need.permission] = "read"
        #expect(try call(need, permissions).status == 403)
    }

    @Test func `a pull request's comments open to both permissions, an issue's to one`() throws {
        let token = try scene.token(["permissions": ["pull_requests": "write"]])
        let path = GitHubScene.hello + "/issues"
        #expect(scene.call("POST", path + "/2/comments", ["body": "b"], as: token).status == 201)
        #expect(scene.call("POST", path + "/1/comments", ["body": "b"], as: token).status == 403)
    }

    @Test func `a public repository is read by anybody's token and changed by its own`() throws {
        scene.control("PATCH", "repositories/other-org/else", ["private": false])
        let token = try scene.token()
        #expect(scene.call("GET", "/repos/other-org/else/issues/1", as: token).status == 200)
        let comments = "/repos/other-org/else/issues/1/comments"
        #expect(scene.call("POST", comments, ["body": "b"], as: token).status == 403)
    }
}
