import PlaygroundFace
import Foundation
import Porter
import PorterHTTP
import PorterTestSupport
import Testing

@testable import PlaygroundGitHub

@Suite struct GitHubPullTests {
    private let scene: GitHubScene
    private let token: String
    private let pulls = GitHubScene.hello + "/pulls"

    init() throws {
        scene = try GitHubScene()
        token = try scene.token()
        try scene.push("work", ["a.txt": "one\ntwo"])
    }

    private func open(_ change: JSON = [:]) -> Response {
        let body: JSON = ["title": "A file", "head": "work", "base": "main", "body": "Closes #1"]
        return scene.call("POST", pulls, body + change, as: token)
    }

    private func words(_ response: Response) -> String? {
        response.json["errors"].array.first?["message"].string
    }

    @Test func `a pull request is opened by the bot, and shown on the issue that it closes`() throws {
        let made = open()
        #expect(made.status == 201)
        #expect(made.json["number"] == 2)
        #expect(made.json["user"]["login"].string == "porter-dev[bot]")
        #expect(made.json["commits"] == 1)
        #expect(made.json["additions"] == 2)
        let page = scene.control("GET", "issue?owner=octo-team&repo=hello&number=1").json
        #expect(page["linked"].array.map { $0["number"] } == [2])
        let effect = try #require(try scene.effects("pull.created").first)
        #expect(effect["head"].string == "work")
        #expect(effect["closes"] == [1])
        #expect(effect["body"].string == "Closes #1")
    }

    @Test func `a second one for the same branches is refused in GitHub's words`() {
        #expect(open().status == 201)
        let again = open()
        #expect(again.status == 422)
        #expect(words(again) == "A pull request already exists for octo-team:work.")
        scene.control("POST", "issues/octo-team/hello/2/close")
        #expect(open().status == 201)
    }

    @Test func `many at once for the same branches open one`() async {
        let statuses = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<8 { group.addTask { open().status } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(statuses.sorted() == [201] + Array(repeating: 422, count: 7))
    }

    @Test func `a branch without a commit of its own is refused in GitHub's words`() {
        let response = open(["head": "main"])
        #expect(response.status == 422)
        #expect(words(response) == "No commits between main and main")
    }

    @Test(arguments: [("head", "nothing"), ("base", "nothing"), ("head", "other-org:work")])
    func `a branch that is not there is an invalid field`(field: String, name: String) {
        let response = open([field: .string(name)])
        #expect(response.status == 422)
        let error = response.json["errors"].array.first
        #expect(error?["field"].string == field)
        #expect(error?["code"].string == "invalid")
    }

    @Test func `a draft is one, and the owner may stand before the branch`() {
        let made = open(["draft": true, "head": "octo-team:work"])
        #expect(made.status == 201)
        #expect(made.json["draft"] == true)
    }

    @Test func `a list is narrowed by branch and state`() throws {
        try scene.push("more", ["b.txt": "b"])
        #expect(open().status == 201)
        #expect(open(["head": "more"]).status == 201)
        func numbers(_ query: String) -> [Int64] {
            (scene.call("GET", pulls + query, as: token).json.array).compactMap { $0["number"].int }
        }
        #expect(numbers("") == [3, 2])
        #expect(numbers("?head=octo-team:work&state=open") == [2])
        #expect(numbers("?head=other-org:work") == [])
        scene.control("POST", "issues/octo-team/hello/2/close")
        #expect(numbers("?head=octo-team:work&state=open") == [])
        #expect(numbers("?head=octo-team%3Awork&state=all") == [2])
    }

    @Test func `a review is asked from collaborators, and not from the author`() throws {
        #expect(open().status == 201)
        let path = pulls + "/2/requested_reviewers"
        let asked = scene.call("POST", path, ["reviewers": ["mona"]], as: token)
        #expect(asked.status == 201)
        #expect(asked.json["requested_reviewers"].array.map { $0["login"].string } == ["mona"])
        for login in ["stan", "nobody", "porter-dev[bot]"] {
            #expect(scene.call("POST", path, ["reviewers": [.string(login)]], as: token).status == 422)
        }
        scene.control("POST", "people", ["login": "ghostly"])
        #expect(
            scene.call("POST", pulls + "/1/requested_reviewers", ["reviewers": []], as: token).status == 404)
        #expect(try scene.effects("review.requested").map { $0["reviewer"].string } == ["mona"])
    }

    @Test(arguments: [
        ("Closes #1", [1]), ("fixes: #12 and resolves #3.", [12, 3]), ("See #1", []), ("closes#1", []),
        ("Close #1 close #1", [1]),
    ])
    func `closing keywords are found as GitHub finds them`(text: String, numbers: [Int]) {
        #expect(ClosingKeyword.numbers(in: text) == numbers)
    }
}
