import Foundation
import Porter
import PorterHTTP
import PorterTestSupport
import Testing

@testable import PorterGitHub

@Suite struct RefusalTests {
    private static let now = ScriptedGitHub.start

    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let response: Response
        let code: GitHubError.Code

        init(_ name: String, _ response: Response, _ code: GitHubError.Code) {
            self.name = name
            self.response = response
            self.code = code
        }

        var testDescription: String { name }
    }

    private static func html(_ status: Int) -> Response {
        Response(
            status: status, fields: ["Content-Type": "text/html"],
            body: Data("<html><body>Who are you?</body></html>".utf8))
    }

    private static func wait(_ seconds: Int) -> GitHubError.Code {
        .rateLimited(until: now.adding(seconds: seconds))
    }

    private static func limited(_ fields: [String: String], status: Int = 403) -> Response {
        .refusal(status, "API rate limit exceeded for installation ID 1.", fields)
    }

    private static let secondary =
        "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."

    // api-notes.md, sections 0 and B3: `retry-after`, else the reset of an exhausted limit, else a minute.
    static let waits: [Case] = [
        Case("retry-after", .refusal(403, secondary, ["Retry-After": "30"]), wait(30)),
        Case("429 with retry-after", .refusal(429, secondary, ["Retry-After": "7"]), wait(7)),
        Case(
            "retry-after before the reset",
            limited([
                "Retry-After": "5", "X-RateLimit-Remaining": "0",
                "X-RateLimit-Reset": "\(now.seconds + 900)",
            ]), wait(5)),
        Case(
            "exhausted, with its reset",
            limited(["X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "\(now.seconds + 900)"]), wait(900)),
        Case(
            "429, exhausted",
            limited(
                ["x-ratelimit-remaining": "0", "x-ratelimit-reset": "\(now.seconds + 61)"], status: 429),
            wait(61)),
        Case("exhausted without a reset", limited(["X-RateLimit-Remaining": "0"]), wait(60)),
        Case(
            "a reset that is past",
            limited(["X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "\(now.seconds - 5)"]), wait(60)),
        Case("secondary without a time", .refusal(403, secondary), wait(60)),
        Case("429 without a word", Response(status: 429), wait(60)),
        Case("429 in HTML", html(429), wait(60)),
        Case("retry-after is no number", .refusal(403, secondary, ["Retry-After": "soon"]), wait(60)),
        Case("retry-after is negative", .refusal(429, secondary, ["Retry-After": "-5"]), wait(60)),
        Case(
            "retry-after is absurd", .refusal(429, secondary, ["Retry-After": "9223372036854775807"]),
            wait(86_400)),
        Case(
            "a reset that is absurd",
            limited(["X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "9223372036854775807"]),
            wait(86_400)),
    ]

    static let refusals: [Case] = [
        Case("401", .refusal(401, "Bad credentials"), .unauthorized),
        Case("permission", .refusal(403, "Resource not accessible by integration"), .forbidden),
        Case(
            "permission, while the limit is far",
            .refusal(403, "Must have admin rights", ["X-RateLimit-Remaining": "4990"]), .forbidden),
        Case("suspended", .refusal(403, "This installation has been suspended"), .forbidden),
        Case("locked issue", .refusal(403, "Unable to create comment because issue is locked."), .gone),
        Case("404", .refusal(404, "Not Found"), .notFound),
        Case("404 with an empty body", Response(status: 404), .notFound),
        Case("410", .refusal(410, "This issue was deleted"), .gone),
        Case("400", .refusal(400, "Problems parsing JSON"), .refused),
        Case("405", .refusal(405, "Pull Request is not mergeable"), .refused),
        Case("409", .refusal(409, "Git Repository is empty."), .refused),
        Case("422", .refusal(422, "Validation Failed"), .refused),
        Case("a redirect without an address", Response(status: 302), .refused),
        Case("304 that nobody asked for", Response(status: 304), .refused),
    ]

    // It may have happened: timeout, 5xx, HTML, an answer that is cut.
    static let uncertain: [Case] =
        [408, 500, 502, 503, 504, 520].map { Case("\($0)", html($0), .uncertain) } + [
            Case("500 in JSON", .refusal(500, "Server Error"), .uncertain),
            Case("HTML with 200", html(200), .uncertain), Case("HTML with 201", html(201), .uncertain),
            Case("HTML with 401", html(401), .uncertain), Case("HTML with 403", html(403), .uncertain),
            Case("HTML with 404", html(404), .uncertain),
            Case("an empty body", Response(status: 201), .uncertain),
            Case(
                "cut JSON", Response(status: 201, body: Data(#"{"id":5,"body":"te"#.utf8)), .uncertain),
            Case("JSON of another form", .json(201, .array([])), .uncertain),
            Case("not UTF-8", Response(status: 201, body: Data([0xff, 0xfe, 0])), .uncertain),
        ]

    @Test(arguments: waits + refusals + uncertain)
    func `an answer means what GitHub documents`(_ example: Case) throws {
        let wire = ScriptedGitHub([example.response])

        let error = failure { () throws(GitHubError) in
            _ = try wire.github.createComment(.hello, 3, "text")
        }

        #expect(error?.code == example.code)
        #expect(error?.status == example.response.status)
        #expect(error?.operation == "create comment")
    }

    // The same in operations whose answer is not needed, and in those that take 404 for an answer.
    @Test(arguments: Operation.all.filter { $0.name != "file" })
    func `a page of a proxy is no success of any operation`(_ operation: Operation) throws {
        for status in [200, 201, 204, 404, 410, 409] {
            let wire = ScriptedGitHub([Self.html(status)])

            let error = failure { () throws(GitHubError) in _ = try operation.run(wire.github) }

            #expect(error?.code == .uncertain, "\(status)")
        }
    }

    @Test func `a page of a proxy is no file`() throws {
        let wire = ScriptedGitHub([Self.html(200)])

        let error = failure { () throws(GitHubError) in
            _ = try wire.github.file(.hello, "AGENTS.md", "main")
        }

        #expect(error?.code == .uncertain)
    }

    @Test func `a page of a proxy does not revoke a token`() throws {
        for status in [200, 401, 404] {
            let wire = ScriptedGitHub([Self.html(status)])

            let error = failure { () throws(GitHubError) in try wire.github.revoke(Secret("ghs_x")) }

            #expect(error?.code == .uncertain, "\(status)")
        }
    }

    @Test(arguments: [
        (TransportError.Code.unreachable, GitHubError.Code.unreachable), (.notAllowed, .unreachable),
        (.interrupted, .uncertain), (.tooLarge, .uncertain), (.cancelled, .uncertain),
    ])
    func `a call without an answer is certain only when nothing was sent`(
        given: TransportError.Code, code: GitHubError.Code
    ) throws {
        let recorder = TransportRecorder { request, _ throws(TransportError) in
            if request.target.hasSuffix("/access_tokens") {
                return ScriptedGitHub.token(1, expiresAt: Self.now.adding(seconds: 3600))
            }
            throw TransportError(given, "words")
        }
        let github = GitHub.live(
            transport: recorder.transport, apiURL: ScriptedGitHub.apiURL, appID: "1",
            sign: { _ in [] }, clock: Clock { Self.now })

        let error = failure { () throws(GitHubError) in _ = try github.issue(.hello, 3) }

        #expect(error?.code == code)
        #expect(error?.status == nil)
        #expect(recorder.requests.count == 2)
    }

    @Test func `an error tells GitHub's words, its details and the request's id`() throws {
        let details = JSONValue.object([
            "message": .string("Validation Failed"),
            "errors": .array([
                .object([
                    "resource": .string("PullRequest"), "code": .string("custom"),
                    "message": .string("A pull request already exists for octocat:x."),
                ]),
                .object(["field": .string("head"), "code": .string("invalid")]), .string("plain words"),
            ]),
        ])
        let wire = ScriptedGitHub([.json(422, details, ["X-GitHub-Request-Id": "C0DE:1"])])

        let error = failure { () throws(GitHubError) in
            _ = try wire.github.createComment(.hello, 3, "text")
        }

        #expect(
            error?.description
                == "GitHub could not create comment: refused (422): Validation Failed; "
                + "A pull request already exists for octocat:x.; head invalid; plain words "
                + "[request C0DE:1]")
    }

    @Test func `an error shows no token, even where an answer repeats it`() throws {
        let echo = "your header was: Bearer ghs_1, token ghs_1"
        let wire = ScriptedGitHub([.refusal(403, echo, ["X-GitHub-Request-Id": "ghs_1"])])

        let error = try #require(
            failure { () throws(GitHubError) in _ = try wire.github.issue(.hello, 3) })

        #expect(error.code == .forbidden)
        #expect(!"\(error) \(error.message) \(String(reflecting: error))".contains("ghs_1"))
    }

    @Test func `words of a stranger are cut at 500 characters`() throws {
        let wire = ScriptedGitHub([.refusal(422, String(repeating: "x", count: 10_000))])

        let error = failure { () throws(GitHubError) in _ = try wire.github.issue(.hello, 3) }

        #expect(error?.message.count == 500)
    }

    @Suite(.needsFixtures) struct Recorded {
        @Test func `every refusal in the collection is read for what it says`() throws {
            let cases = try JSONValue(Fixtures.data("github-errors.json")).elements
            #expect(cases.count > 25)
            for example in cases {
                guard case .integer(let status)? = example["status"], status >= 300,
                    let body = example["body"], let name = example["case"]?.text
                else { continue }
                let fields = example["headers"]?.members.compactMapValues(\.text) ?? [:]
                let wire = ScriptedGitHub([.json(Int(status), body, fields.filter { $0.key != "location" })])

                let error = failure { () throws(GitHubError) in
                    _ = try wire.github.createComment(.hello, 3, "text")
                }

                let expected: GitHubError.Code =
                    switch (name, status) {
                    // The recorded reset lies in the past.
                    case ("primary rate limit", _), ("secondary rate limit", _),
                        ("secondary rate limit without retry-after", _):
                        .rateLimited(until: ScriptedGitHub.start.adding(seconds: 60))
                    case (_, 401): .unauthorized
                    case (_, 403): .forbidden
                    case (_, 404): .notFound
                    case (_, 410): .gone
                    default: .refused
                    }
                #expect(error?.code == expected, "\(name)")
                if let words = body["message"]?.text { #expect(error?.message.hasPrefix(words) == true) }
            }
        }
    }
}
