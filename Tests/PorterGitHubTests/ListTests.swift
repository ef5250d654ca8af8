import Foundation
import Porter
import PorterHTTP
import PorterTestSupport
import Testing

@testable import PorterGitHub

/// Lists that are walked page by page.
@Suite struct ListTests {
    private static let since = Instant(seconds: 1_767_323_045)

    private func issue(_ number: Int64, _ more: [String: JSONValue] = [:]) -> JSONValue {
        .object(
            [
                "id": .integer(900 + number), "number": .integer(number), "title": .string("T"),
                "user": .object(["id": .integer(8), "login": .string("p"), "type": .string("User")]),
                "state": .string("open"), "created_at": .string("2026-01-02T03:04:05Z"),
                "updated_at": .string("2026-01-02T03:05:05Z"),
            ].merging(more) { $1 })
    }

    @Test func `a known list is asked for with its tag, and an unchanged one is no failure`() throws {
        let wire = ScriptedGitHub([Response(status: 304)])

        let page = try wire.github.contents(.hello, .issues, Self.since, .first(unless: "W/\"x\""))

        #expect(page.isUnchanged && page.items.isEmpty && page.next == nil)
        #expect(wire.calls.first?.fields["If-None-Match"] == "W/\"x\"")
    }

    @Test func `304 for what was never known is a failure`() throws {
        let wire = ScriptedGitHub([Response(status: 304)])

        let error = failure { () throws(GitHubError) in
            _ = try wire.github.deliveries(.first(unless: nil))
        }

        #expect(error?.code == .refused)
    }

    @Test func `a page has its tag and the address of the next, which is asked for without a tag`() throws {
        let next = ScriptedGitHub.apiURL + "/repositories/1296269/issues?page=2"
        let wire = ScriptedGitHub([
            .json(200, .array([issue(1)]), ["ETag": "\"a\"", "Link": "<\(next)>; rel=\"next\""]),
            .json(200, .array([])),
        ])

        let page = try wire.github.contents(.hello, .issues, Self.since, .first(unless: nil))
        #expect(page.tag == "\"a\"" && page.next == next)
        _ = try wire.github.contents(.hello, .issues, Self.since, .next(next))

        #expect(wire.calls.last?.target == next)
        #expect(wire.calls.allSatisfy { $0.fields["If-None-Match"] == nil })
    }

    @Test(arguments: ["https://evil.example.org/api/v3/x", "/app/installations?page=2", ""])
    func `a page elsewhere is not fetched`(page: String) throws {
        let wire = ScriptedGitHub([])

        let error = failure { () throws(GitHubError) in _ = try wire.github.installations(.next(page)) }

        #expect(error?.code == .refused)
        #expect(wire.calls.isEmpty)
    }

    @Test func `an issue is read for what it is, open or closed, a pull request or by an App`() throws {
        let wire = ScriptedGitHub([
            .json(
                200,
                .array([
                    issue(1),
                    issue(2, ["state": .string("closed"), "closed_at": .string("2026-01-02T03:05:00Z")]),
                    // Opened again: GitHub clears the time, and it would not count.
                    issue(3, ["closed_at": .string("2026-01-02T03:05:00Z")]),
                    issue(4, ["pull_request": .object([:])]),
                    issue(5, ["performed_via_github_app": .object(["id": .integer(1)])]),
                    issue(6, ["user": .null, "body": .null, "title": .null]),
                ]))
        ])

        let found = try wire.github.contents(.hello, .issues, Self.since, .first(unless: nil)).items

        #expect(found.map(\.issueNumber) == [1, 2, 3, 4, 5, 6])
        #expect(found.map(\.id) == (1...6).map { CommandID(.opening, 900 + $0) })
        #expect(
            found.map { $0.issue?.closedAt?.iso8601 } == [
                nil, "2026-01-02T03:05:00.000Z", nil, nil, nil, nil,
            ])
        #expect(found.map { $0.issue?.isPullRequest } == [false, false, false, true, false, false])
        #expect(found.map(\.isByApp) == [false, false, false, false, true, false])
        #expect(found[5].author == Person(id: 0, login: "ghost") && found[5].body == "")
        // The list cannot tell an edit from a comment.
        #expect(found.allSatisfy { !$0.isEdited && $0.updatedAt > $0.createdAt })
    }

    @Test func `a comment whose times differ was edited`() throws {
        func comment(_ id: Int64, updated: String) -> JSONValue {
            .object([
                "id": .integer(id), "issue_url": .string("https://api.example/repos/o/r/issues/3"),
                "created_at": .string("2026-01-02T03:04:05Z"), "updated_at": .string(updated),
            ])
        }
        let wire = ScriptedGitHub([
            .json(
                200,
                .array([
                    comment(1, updated: "2026-01-02T03:04:05Z"), comment(2, updated: "2026-01-02T03:04:06Z"),
                ]))
        ])

        let found = try wire.github.contents(.hello, .comments, Self.since, .first(unless: nil)).items

        #expect(found.map(\.isEdited) == [false, true])
        #expect(found.map(\.issueNumber) == [3, 3])
    }

    @Test func `a review that is not submitted is nobody's but its author's`() throws {
        let wire = ScriptedGitHub([
            .json(
                200,
                .array([
                    .object(["id": .integer(1), "body": .string("@porter x"), "state": .string("PENDING")])
                ]))
        ])

        #expect(try wire.github.reviews(.hello, 3, .first(unless: nil)).items.isEmpty)
    }

    @Test func `a token for all repositories is another than that for one`() throws {
        let list = JSONValue.object(["repositories": .array([])])
        let wire = ScriptedGitHub([
            .json(200, list), .json(200, .object(["id": .integer(1)])), .json(200, list),
        ])

        _ = try wire.github.repositories(7, .first(unless: nil))
        _ = try? wire.github.repository(.hello)
        _ = try wire.github.repositories(7, .first(unless: nil))

        #expect(wire.tokenRequests.count == 2)
    }
}
