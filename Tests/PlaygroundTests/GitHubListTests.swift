import PlaygroundFace
import Foundation
import Porter
import PorterHTTP
import PorterTestSupport
import Testing

@testable import PlaygroundGitHub

/// Lists of what was written, conditional requests, and things of the past.
@Suite struct GitHubListTests {
    private let scene: GitHubScene
    private let token: String
    private static let comments = GitHubScene.hello + "/issues/comments"

    init() throws {
        scene = try GitHubScene()
        token = try scene.token()
    }

    private func get(_ path: String, known: String? = nil) -> Response {
        var fields = Fields()
        if let known { fields["If-None-Match"] = known }
        return scene.call("GET", path, as: token, fields)
    }

    private func bodies(_ path: String) -> [String] { get(path).json.array.compactMap { $0["body"].string } }

    private func say(_ text: String, ago: Int64 = 0) {
        let made = scene.control(
            "POST", "comments",
            [
                "repository": "octo-team/hello", "issue": 1, "author": "mona", "body": .string(text),
                "age_s": .int(ago), "wait": true,
            ])
        #expect(made.status == 201)
    }

    @Test func `comments are listed by creation or change, since a moment, either way`() throws {
        say("old", ago: 600)
        say("middle", ago: 300)
        say("new")
        let old = try #require(get(Self.comments).json.array.first?["id"].int)
        scene.control("PATCH", "comments/\(old)", ["body": "old, edited"])

        #expect(bodies(Self.comments) == ["old, edited", "middle", "new"])
        #expect(bodies(Self.comments + "?sort=created&direction=desc") == ["new", "middle", "old, edited"])
        #expect(bodies(Self.comments + "?sort=updated&direction=asc") == ["middle", "old, edited", "new"])
        // Of comments the direction counts only beside a sort.
        #expect(bodies(Self.comments + "?direction=desc") == ["old, edited", "middle", "new"])
        let since = scene.time.now.adding(seconds: -60).shown
        #expect(bodies(Self.comments + "?since=\(since)") == ["old, edited", "new"])
        #expect(bodies(Self.comments + "?per_page=2&page=2") == ["new"])
        for query in ["since=yesterday", "sort=size", "sort=updated&direction=up"] {
            #expect(get(Self.comments + "?" + query).status == 422)
        }
    }

    @Test func `issues are listed with pull requests, closed ones only if they are asked for`() throws {
        let issues = GitHubScene.hello + "/issues"
        try scene.push("work", ["a.txt": "a"])
        _ = scene.call(
            "POST", GitHubScene.hello + "/pulls", ["title": "t", "head": "work", "base": "main"], as: token)
        scene.control("POST", "issues", ["repository": "octo-team/hello", "title": "three"])
        scene.control("POST", "issues/octo-team/hello/3/close")
        func numbers(_ query: String) -> [Int64] {
            get(issues + query).json.array.compactMap { $0["number"].int }
        }

        #expect(numbers("") == [2, 1])
        #expect(numbers("?state=closed") == [3])
        #expect(numbers("?state=all&sort=updated&direction=asc") == [1, 2, 3])
        #expect(get(issues + "?state=all").json.array.count { !$0["pull_request"].isNull } == 1)
        #expect(get(issues + "?state=some").status == 422)
        scene.control("PATCH", "repositories/octo-team/hello", ["has_issues": false])
        #expect(get(issues).status == 410)
    }

    @Test func `a list that has not changed is 304, without a body and free`() throws {
        say("one")
        let first = get(Self.comments)
        let tag = try #require(first.fields["ETag"])

        let second = get(Self.comments, known: tag)
        #expect(second.status == 304 && second.body.isEmpty)
        #expect(second.fields["ETag"] == tag)
        #expect(
            second.fields["X-RateLimit-Remaining"] == first.fields["X-RateLimit-Remaining"])
        #expect(get(Self.comments, known: "\"x\", \(tag)").status == 304)

        say("two")
        let third = get(Self.comments, known: tag)
        #expect(third.status == 200 && third.fields["ETag"] != tag)
    }

    @Test func `the log of deliveries has a tag, too, and forgets what is older than it reaches`() throws {
        say("old", ago: 4 * 86_400)
        say("recent", ago: 2 * 86_400)
        let log = try scene.app("GET", "/app/hook/deliveries")
        let tag = try #require(log.fields["ETag"])
        #expect(log.json.array.count == 1)
        let credential = try scene.webToken()
        let again = scene.call("GET", "/app/hook/deliveries", as: credential, ["If-None-Match": tag])
        #expect(again.status == 304)

        scene.control("POST", "log", ["reach_s": .int(5 * 86_400)])
        #expect(try scene.app("GET", "/app/hook/deliveries").json.array.count == 2)
        scene.control("POST", "log", ["reach_s": 60])
        let id = try #require(log.json.array.first?["id"].int)
        #expect(try scene.app("GET", "/app/hook/deliveries").json.array.isEmpty)
        #expect(try scene.app("GET", "/app/hook/deliveries/\(id)").status == 404)
    }

    @Test func `what happened a while ago says so everywhere`() throws {
        say("old", ago: 4000)
        let then = scene.time.now.adding(seconds: -4000)
        #expect(get(Self.comments).json.array.first?["created_at"].string == then.shown)
        let delivered = try scene.app("GET", "/app/hook/deliveries").json.array.first?["delivered_at"].string
        #expect(delivered == then.iso8601)
        say("new")
        #expect(get(Self.comments).json.array.last?["created_at"].string == scene.time.now.shown)
    }

    @Test func `reviews and comments on lines are listed, and touch their pull request`() throws {
        try scene.push("work", ["a.txt": "a"])
        _ = scene.call(
            "POST", GitHubScene.hello + "/pulls", ["title": "t", "head": "work", "base": "main"], as: token)
        scene.time.advance(seconds: 50)
        scene.review("nice")

        #expect(bodies(GitHubScene.hello + "/pulls/2/reviews") == ["nice"])
        #expect(bodies(GitHubScene.hello + "/pulls/comments") == ["nice"])
        #expect(get(GitHubScene.hello + "/issues/1").json["pull_request"].isNull)
        #expect(get(GitHubScene.hello + "/pulls/1/reviews").status == 404)
        let updated = get(GitHubScene.hello + "/issues/2").json["updated_at"].string
        #expect(updated == scene.time.now.shown)
    }
}
