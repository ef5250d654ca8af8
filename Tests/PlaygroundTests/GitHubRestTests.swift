import PlaygroundFace
import Foundation
import Porter
import PorterHTTP
import PorterTestSupport
import Testing

@testable import PlaygroundGitHub

@Suite struct GitHubRestTests {
    private let scene: GitHubScene
    private let token: String
    private let issue = GitHubScene.hello + "/issues/1"

    init() throws {
        scene = try GitHubScene()
        token = try scene.token()
    }

    private func get(_ path: String, _ fields: Fields = Fields()) -> Response {
        scene.call("GET", path, as: token, fields)
    }

    private func post(_ path: String, _ body: JSON) -> Response {
        scene.call("POST", path, body, as: token)
    }

    // MARK: - How to ask

    @Test func `a request needs a user agent`() {
        #expect(get(issue, ["User-Agent": ""]).status == 403)
    }

    @Test func `an unknown version of the API and an unknown media type are refused`() {
        #expect(get(issue, ["X-GitHub-Api-Version": "2022-11-28"]).status == 200)
        #expect(get(issue, ["X-GitHub-Api-Version": "2020-01-01"]).status == 400)
        #expect(get(issue, ["Accept": "text/html"]).status == 415)
        #expect(get(issue, ["Accept": "*/*"]).status == 200)
    }

    @Test func `nobody and a wrong token are 401`() {
        let nobody = scene.call("GET", issue, as: nil)
        #expect(nobody.status == 401)
        #expect(nobody.message == "Requires authentication")
        #expect(scene.call("GET", issue, as: "ghs_wrong").message == "Bad credentials")
    }

    @Test func `a body is a JSON object or nothing`() {
        func send(_ text: String, _ type: String) -> Int {
            scene.site.answer(
                Request(
                    method: "POST", target: "/api/v3\(issue)/comments",
                    fields: ["User-Agent": "t", "Authorization": "Bearer \(token)", "Content-Type": type],
                    body: Data(text.utf8))
            ).status
        }
        #expect(send(#"{"body":"x"}"#, "application/json") == 201)
        #expect(send(#"{"body":"x""#, "application/json") == 400)
        #expect(send(#"["x"]"#, "application/json") == 400)
        #expect(send("body=x", "application/x-www-form-urlencoded") == 415)
    }

    @Test func `every answer says what is left of the hour, and its own name`() {
        let (first, second) = (get(issue), get(issue + "9"))
        for response in [first, second] {
            #expect(response.fields["X-RateLimit-Limit"] == "5000")
            #expect(response.fields["X-GitHub-Request-Id"]?.count == 24)
        }
        #expect(first.fields["X-RateLimit-Remaining"] == "4999")
        #expect(second.fields["X-RateLimit-Remaining"] == "4998")
        #expect(get("/rate_limit").json["rate"]["remaining"] == 4998)
    }

    @Test func `what is not there is 404`() {
        for path in ["/nothing", "/repos/octo-team/nothing", GitHubScene.hello + "/issues/99", issue + "x"] {
            #expect(get(path).status == 404)
        }
    }

    // MARK: - Lists

    @Test func `a list comes in pages that Link joins`() throws {
        for number in 1...5 { _ = try scene.comment("number \(number)") }
        var found: [String] = []
        var next: String? = issue + "/comments?per_page=2"
        var pages = 0
        while let path = next, pages < 9 {
            let response = get(path.replacing(GitHubScene.origin + "/api/v3", with: ""))
            found += response.json.array.compactMap { $0["body"].string }
            let links = (response.fields["Link"] ?? "").split(separator: ",")
            next = links.first { $0.contains("rel=\"next\"") }.map {
                String($0.split(separator: "<")[$0.hasPrefix(" ") ? 1 : 0].prefix { $0 != ">" })
            }
            pages += 1
        }
        #expect(pages == 3)
        #expect(found == (1...5).map { "number \($0)" })
    }

    @Test func `since is compared with whole seconds of the last change`() throws {
        let first = try scene.comment("first")
        scene.time.advance(milliseconds: 10_900)
        let second = try scene.comment("second")
        func ids(_ since: String) -> [Int64] {
            get(issue + "/comments?since=\(since)").json.array.compactMap { $0["id"].int }
        }
        #expect(ids("2026-11-24T12:00:00Z") == [first, second])
        #expect(ids("2026-11-24T12:00:10.000Z") == [second])
        #expect(ids("2026-11-24T12:00:10.500Z") == [])
        scene.time.advance(seconds: 10)
        scene.control("PATCH", "comments/\(first)", ["body": "edited"])
        #expect(ids("2026-11-24T12:00:11Z") == [first])
        #expect(get(issue + "/comments?since=yesterday").status == 422)
    }

    // MARK: - Comments, reactions, issues

    @Test func `a comment by a token is the bot's, through the App`() {
        let made = post(issue + "/comments", ["body": "hello"])
        #expect(made.status == 201)
        #expect(made.json["user"]["login"].string == "porter-dev[bot]")
        #expect(made.json["user"]["type"].string == "Bot")
        #expect(made.json["performed_via_github_app"]["id"] == 101)
    }

    @Test func `a person's comment is the person's alone`() throws {
        let id = try scene.comment()
        let shown = get("\(GitHubScene.hello)/issues/comments/\(id)")
        #expect(shown.json["user"]["type"].string == "User")
        #expect(shown.json["performed_via_github_app"] == JSON.null)
    }

    @Test func `a comment is neither empty nor longer than 65,536 characters`() {
        #expect(
            post(issue + "/comments", ["body": .string(String(repeating: "é", count: 65_536))]).status == 201)
        let long = post(issue + "/comments", ["body": .string(String(repeating: "a", count: 65_537))])
        #expect(long.status == 422)
        #expect(
            long.json["errors"].array.first?["message"].string
                == "Body is too long (maximum is 65536 characters)")
        #expect(post(issue + "/comments", ["body": " "]).status == 422)
        #expect(post(issue + "/comments", [:]).status == 422)
        #expect(post(issue + "/comments", ["body": 1]).status == 422)
    }

    @Test func `a reaction is 201 the first time and 200 when it is there`() throws {
        let path = "\(GitHubScene.hello)/issues/comments/\(try scene.comment())/reactions"
        let first = post(path, ["content": "eyes"])
        #expect(first.status == 201)
        let again = post(path, ["content": "eyes"])
        #expect(again.status == 200)
        #expect(again.json["id"] == first.json["id"])
        #expect(post(path, ["content": "rocket"]).status == 201)
        #expect(post(path, ["content": "shrug"]).status == 422)
        #expect(get(path).json.array.count == 2)
        #expect(try scene.effects("reaction.created").count == 2)
        #expect(post(issue + "/reactions", ["content": "eyes"]).status == 201)
        #expect(post(issue + "/reactions", ["content": "eyes"]).status == 200)
    }

    @Test func `a deleted comment is gone`() throws {
        let path = "\(GitHubScene.hello)/issues/comments/\(try scene.comment())"
        #expect(scene.call("DELETE", path, as: token).status == 204)
        #expect(get(path).status == 404)
        #expect(scene.call("DELETE", path, as: token).status == 404)
    }

    @Test func `a locked issue takes nothing new`() throws {
        let comment = "\(GitHubScene.hello)/issues/comments/\(try scene.comment())"
        scene.control("POST", "issues/octo-team/hello/1/lock")
        let refused = post(issue + "/comments", ["body": "x"])
        #expect(refused.status == 403)
        #expect(refused.message == "Unable to create comment because issue is locked.")
        #expect(post(comment + "/reactions", ["content": "eyes"]).status == 403)
        #expect(scene.call("PATCH", comment, ["body": "x"], as: token).status == 403)
        #expect(get(issue).json["locked"] == true)
        scene.control("POST", "issues/octo-team/hello/1/unlock")
        #expect(post(issue + "/comments", ["body": "x"]).status == 201)
    }

    @Test func `a deleted issue is 410, and a closed one is open to comments`() {
        scene.control("POST", "issues/octo-team/hello/1/close")
        #expect(get(issue).json["state"].string == "closed")
        #expect(post(issue + "/comments", ["body": "x"]).status == 201)
        scene.control("POST", "issues/octo-team/hello/1/delete")
        #expect(get(issue).status == 410)
        #expect(post(issue + "/comments", ["body": "x"]).status == 410)
    }

    // MARK: - Repositories

    @Test func `an archived repository is read-only`() {
        scene.control("PATCH", "repositories/octo-team/hello", ["archived": true])
        #expect(get(issue).status == 200)
        #expect(post(issue + "/comments", ["body": "x"]).status == 403)
        #expect(get(GitHubScene.hello).json["archived"] == true)
    }

    @Test func `a renamed repository is found by id, and its old name leads there`() throws {
        scene.control("PATCH", "repositories/octo-team/hello", ["name": "hallo"])
        #expect(get("/repositories/1296269").json["full_name"].string == "octo-team/hallo")
        #expect(get("/repos/octo-team/hallo/contents/README.md").status == 200)
        let moved = get(issue + "/comments?per_page=5")
        #expect(moved.status == 301)
        let location = try #require(moved.fields["Location"])
        #expect(location == "\(GitHubScene.origin)/api/v3/repositories/1296269/issues/1/comments?per_page=5")
        #expect(get(location.replacing(GitHubScene.origin + "/api/v3", with: "")).status == 200)
        #expect(post(issue + "/comments", ["body": "x"]).status == 307)
    }

    @Test(arguments: [
        ("hubert", "admin", "admin"), ("mona", "write", "write"), ("rita", "read", "read"),
        ("stan", "none", "none"),
    ])
    func `people have the rights that they were given`(login: String, level: String, role: String) {
        let shown = get("\(GitHubScene.hello)/collaborators/\(login)/permission")
        #expect(shown.status == 200)
        #expect(shown.json["permission"].string == level)
        #expect(shown.json["role_name"].string == role)
        #expect(shown.json["user"]["login"].string == login)
    }

    @Test func `maintain shows as write, triage as read, and who is no person as 404`() {
        let path = "\(GitHubScene.hello)/collaborators/"
        for (level, shown) in [("maintain", "write"), ("triage", "read")] {
            scene.control(
                "PUT", "permissions",
                ["repository": "octo-team/hello", "login": "stan", "level": .string(level)])
            #expect(get(path + "stan/permission").json["permission"].string == shown)
            #expect(get(path + "stan/permission").json["role_name"].string == level)
        }
        #expect(get(path + "nobody/permission").status == 404)
        #expect(get(path + "helper%5Bbot%5D/permission").status == 404)
        #expect(get(path + "octo-team/permission").status == 404)
    }

    @Test func `contents are a file, its bytes, a folder or 404`() throws {
        let path = GitHubScene.hello + "/contents"
        let file = get(path + "/AGENTS.md")
        let lines = try #require(file.json["content"].string)
        #expect(lines.split(separator: "\n").allSatisfy { $0.count <= 60 })
        let text = try #require(Data(base64Encoded: lines.replacing("\n", with: "")))
        #expect(String(decoding: text, as: UTF8.self).hasPrefix("# For agents"))
        let raw = get(path + "/AGENTS.md", ["Accept": "application/vnd.github.raw+json"])
        #expect(raw.body == text)
        #expect(raw.fields["Content-Type"]?.contains("raw") == true)
        let names = get(path).json.array.compactMap { $0["name"].string }
        #expect(names == ["AGENTS.md", "README.md", "greet.py", "test_greet.py"])
        #expect(get(path + "/nothing.md").status == 404)
        #expect(get(path + "/AGENTS.md?ref=nowhere").status == 404)
        #expect(get(path + "/AGENTS.md?ref=HEAD~1").status == 404)
    }

    @Test func `an empty repository has no branches: 409`() {
        scene.control("POST", "repositories", ["owner": "octo-team", "name": "empty"])
        #expect(get("/repos/octo-team/empty/git/ref/heads/main").status == 409)
        #expect(get(GitHubScene.hello + "/git/ref/heads/none").status == 404)
        #expect(get(GitHubScene.hello + "/branches/none").status == 404)
    }

    @Test func `a comparison counts commits, files and lines`() throws {
        try scene.push("work/it", ["a.txt": "one\ntwo", "README.md": "short"])
        let shown = get(GitHubScene.hello + "/compare/main...work%2Fit").json
        #expect(shown["status"].string == "ahead")
        #expect(shown["ahead_by"] == 1)
        #expect(shown["total_commits"] == 1)
        #expect(shown["commits"].array.first?["commit"]["message"].string == "Change on work/it")
        let files = shown["files"].array
        #expect(files.map { $0["filename"].string } == ["README.md", "a.txt"])
        #expect(files.map { $0["status"].string } == ["modified", "added"])
        #expect(files.map { $0["additions"].int } == [1, 2])
        #expect(get(GitHubScene.hello + "/compare/main...nothing").status == 404)
        #expect(get(GitHubScene.hello + "/compare/work/it...main").json["status"].string == "behind")
    }
}
