import Foundation
import Porter
import PorterHTTP
import PorterTestSupport
import Testing

@testable import PorterGitHub

@Suite struct PagingTests {
    private func page(_ ids: ClosedRange<Int64>, next: String? = nil) -> Response {
        let comments = ids.map { JSONValue.object(["id": .integer($0)]) }
        let link = next.map { ["Link": "<\($0)>; rel=\"next\", <https://x.example/9>; rel=\"last\""] }
        return .json(200, .array(comments), link ?? [:])
    }

    @Test func `all pages are read, in order, and the newest are kept`() throws {
        let base = ScriptedGitHub.apiURL + "/repositories/1296269/issues/3/comments?per_page=100"
        let wire = ScriptedGitHub([
            page(1...100, next: base + "&page=2"), page(101...200, next: base + "&page=3"), page(201...205),
        ])

        let found = try wire.github.comments(.hello, 3, 50)

        #expect(found.map(\.id) == Array(156...205))
        #expect(wire.calls.dropFirst().map(\.target) == [base + "&page=2", base + "&page=3"])
        #expect(Set(wire.calls.map { $0.fields["Authorization"] }) == ["Bearer ghs_1"])
        #expect(wire.tokenRequests.count == 1)
    }

    @Test(arguments: [
        "https://evil.example.org/api/v3/x", "http://github.example.org/api/v3/x",
        "https://github.example.org/other", "https://github.example.org/api/v3evil/x",
        "https://github.example.org/api/v3@evil.example.org/x",
        "https://github.example.org.evil.example.org/api/v3/x", "/api/v3/x", "",
    ])
    func `a next page elsewhere is not fetched`(next: String) throws {
        let wire = ScriptedGitHub([page(1...2, next: next)])

        #expect(try wire.github.comments(.hello, 3, 50).count == 2)

        #expect(wire.calls.count == 1)
    }

    @Test func `a list that never ends is left after 30 pages`() throws {
        let next = ScriptedGitHub.apiURL + "/again"
        let wire = ScriptedGitHub((0..<31).map { _ in page(1...1, next: next) })

        _ = try wire.github.comments(.hello, 3, 50)

        #expect(wire.calls.count == 30)
    }

    @Test func `a list that goes on after its last page is not taken for the whole`() throws {
        let next = ScriptedGitHub.apiURL + "/again"
        let pages = (0..<101).map { _ in
            Response.json(200, .array([]), ["Link": "<\(next)>; rel=\"next\""])
        }
        let wire = ScriptedGitHub(pages)

        let error = failure { () throws(GitHubError) in _ = try wire.administration.installations() }

        #expect(error?.code == .refused)
        #expect(error?.message.contains("100 pages") == true)
        #expect(wire.recorder.requests.count == 100)
    }

    @Test(arguments: [
        "<A>; rel=\"next\"", "<B>; rel=\"prev\", <A>; rel=\"next\"", "<A>; rel=\"next\"; title=\"x\"",
        "<A>;rel=\"next\",<C>;rel=\"last\"",
    ])
    func `the next page is found wherever it stands in the field`(link: String) {
        #expect(AppClient.link("next", Response(status: 200, fields: ["Link": link])) == "A")
    }

    @Test(arguments: ["", ",", "<>", "A; rel=\"next\"", ">A<; rel=\"next\"", "<A>; rel=\"nextish\""])
    func `a field without a next page has none`(link: String) {
        #expect(AppClient.link("next", Response(status: 200, fields: ["Link": link])) == nil)
    }

    @Test(arguments: [301, 302, 307, 308])
    func `a renamed repository is followed for reading, on the API's own address`(status: Int) throws {
        let there = ScriptedGitHub.apiURL + "/repositories/1296269/issues/3"
        let wire = ScriptedGitHub([
            .refusal(status, "Moved Permanently", ["Location": there]), .json(200, Sample.issue),
        ])

        #expect(try wire.github.issue(.hello, 3).number == 3)

        #expect(wire.calls.last?.target == there)
        #expect(wire.calls.last?.fields["Authorization"] == "Bearer ghs_1")
    }

    @Test(arguments: [
        "https://evil.example.org/x", "http://github.example.org/api/v3/x",
        "https://github.example.org/login", "//evil.example.org/api/v3/", "",
    ])
    func `credentials follow no redirect to another address`(location: String) throws {
        let wire = ScriptedGitHub([.refusal(302, "Found", ["Location": location])])

        let error = failure { () throws(GitHubError) in _ = try wire.github.issue(.hello, 3) }

        #expect(error?.code == .refused)
        #expect(wire.calls.count == 1)
    }

    @Test(arguments: [307, 308])
    func `a write to a renamed repository is repeated where it went`(status: Int) throws {
        let there = ScriptedGitHub.apiURL + "/repositories/1296269/issues/3/comments"
        let wire = ScriptedGitHub([
            .refusal(status, "Moved", ["Location": there]), .json(201, Sample.comment),
        ])

        _ = try wire.github.createComment(.hello, 3, "text")

        #expect(wire.calls.map(\.method) == ["POST", "POST"])
        #expect(wire.calls.last?.target == there)
        #expect(wire.calls.first?.body == wire.calls.last?.body)
    }

    @Test(arguments: [
        (301, ScriptedGitHub.apiURL + "/repositories/1296269/issues/3/comments"),
        (302, ScriptedGitHub.apiURL + "/repositories/1296269/issues/3/comments"),
        (307, "https://evil.example.org/api/v3/x"), (308, ""),
    ])
    func `a write follows no redirect that may read instead, or leads elsewhere`(
        status: Int, location: String
    ) throws {
        let wire = ScriptedGitHub([.refusal(status, "Moved", ["Location": location])])

        let error = failure { () throws(GitHubError) in
            _ = try wire.github.createComment(.hello, 3, "text")
        }

        #expect(error?.code == .refused)
        #expect(error?.status == status)
        #expect(wire.calls.count == 1)
    }

    @Test func `redirects in a circle end`() throws {
        let moved = Response.refusal(301, "Moved", ["Location": ScriptedGitHub.apiURL + "/round"])
        let wire = ScriptedGitHub((0..<5).map { _ in moved })

        let error = failure { () throws(GitHubError) in _ = try wire.github.issue(.hello, 3) }

        #expect(error?.code == .refused)
        #expect(wire.calls.count == 4)
    }
}
