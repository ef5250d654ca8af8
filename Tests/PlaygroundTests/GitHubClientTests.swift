import PlaygroundFace
import Foundation
import Porter
import PorterHTTP
import PorterProcess
import PorterTestSupport
import Testing

@testable import PlaygroundGitHub

/// Every operation of the product's own client, against the real program.
@Suite struct GitHubClientTests {
    private let program: GitHubProgram
    private let github: GitHub
    private let hello = GitHubProgram.hello

    init() throws {
        program = try GitHubProgram()
        github = try program.github()
    }

    @Test func `the App, its installation, the repository and people are as they were seeded`() throws {
        let app = try github.app()
        #expect(app.id == 101)
        #expect(app.slug == "porter-dev")
        #expect(app.owner == Person(id: 9919, login: "octo-team"))
        #expect(app.bot.login == "porter-dev[bot]")
        let installation = try github.installation(31)
        #expect(installation.account.login == "octo-team")
        #expect(!installation.isSuspended)
        let repository = try github.repository(hello)
        #expect(repository.defaultBranch == "main")
        #expect(repository.cloneURL == program.origin + "/octo-team/hello.git")
        let issue = try github.issue(hello, 1)
        #expect(issue.title == "Greet people by name")
        #expect(issue.isOpen)
        #expect(try github.permission(hello, "mona").allowsPush(by: Person(id: 583_232, login: "mona")))
        #expect(try github.permission(hello, "rita").level == "read")
        #expect(try github.permission(hello, "stan").level == "none")
        #expect(try github.permission(hello, "nobody").level == "none")
    }

    @Test func `comments and reactions are made, edited, listed and deleted`() throws {
        let begin = Instant(seconds: Clock.system.now().seconds)
        try program.control(
            "POST", "comments",
            ["repository": "octo-team/hello", "issue": 1, "author": "mona", "body": "@porter codex x"])
        let made = try github.createComment(hello, 1, "**Queued** 'ü' \"\u{1F600}\"")
        #expect(made.body == "**Queued** 'ü' \"\u{1F600}\"")
        #expect(made.isByApp)
        #expect(try github.updateComment(hello, made.id, "**Done**").body == "**Done**")
        #expect(try github.comments(hello, 1, 50).map(\.body) == ["@porter codex x", "**Done**"])
        #expect(try github.ownComments(hello, 1, begin).map(\.id) == [made.id])
        try github.react(hello, .comment(made.id), .eyes)
        try github.react(hello, .comment(made.id), .eyes)
        try github.deleteComment(hello, made.id)
        try github.deleteComment(hello, made.id)
        #expect(try github.ownComments(hello, 1, begin).isEmpty)
    }

    @Test func `more comments than a page holds are all found`() throws {
        for number in 1...205 {
            try program.control(
                "POST", "comments",
                [
                    "repository": "octo-team/hello", "issue": 1, "author": "mona",
                    "body": .string("number \(number)"),
                ])
        }
        let found = try github.comments(hello, 1, 300)
        #expect(found.map(\.body) == (1...205).map { "number \($0)" })
    }

    @Test func `files, branches, comparisons and pull requests are found and made`() throws {
        #expect(try github.file(hello, "AGENTS.md", "main")?.hasPrefix("# For agents") == true)
        #expect(try github.file(hello, "none.md", "main") == nil)
        #expect(try github.branchHead(hello, "porter/none") == nil)
        let token = try github.contentsToken(hello, .write)
        let pushed = try token.secret.reveal { secret in
            try program.git(
                """
                git clone -q $URL c; cd c; git checkout -q -b porter/task_1; echo x > x; git add x
                git commit -q -m 'Add x'; git push -q origin porter/task_1; git rev-parse HEAD
                """, token: secret)
        }
        #expect(try github.branchHead(hello, "porter/task_1") == pushed.text)
        let comparison = try github.compare(hello, "main", "porter/task_1")
        #expect(comparison.commits == 1)
        #expect(comparison.files == 1)
        #expect(comparison.additions == 1)
        #expect(comparison.subjects == ["Add x"])
        #expect(try github.pullRequests(hello, "porter/task_1").isEmpty)
        let draft = GitHub.PullRequestDraft(
            title: "Add x", body: "Closes #1", head: "porter/task_1", base: "main", isDraft: false)
        let pull = try github.createPullRequest(hello, draft)
        #expect(pull.number == 2)
        #expect(pull.headSHA == pushed.text)
        #expect(try github.pullRequests(hello, "porter/task_1") == [pull])
        let error = #expect(throws: GitHubError.self) { try github.createPullRequest(hello, draft) }
        #expect(error?.code == .refused)
        try github.requestReview(hello, pull.number, "mona")
        try github.revoke(token.secret)
        try github.revoke(token.secret)
    }

    @Test func `what is wrong is told as the client tells it`() throws {
        func code(_ body: () throws -> Void) -> GitHubError.Code? {
            do { try body() } catch { return (error as? GitHubError)?.code }
            return nil
        }
        #expect(code { _ = try github.issue(hello, 99) } == .notFound)
        try program.control("POST", "issues/octo-team/hello/1/lock")
        #expect(code { _ = try github.createComment(hello, 1, "x") } == .gone)
        try program.control("POST", "issues/octo-team/hello/1/delete")
        #expect(code { _ = try github.issue(hello, 1) } == .gone)
        try program.control("PATCH", "repositories/octo-team/hello", ["name": "hallo"])
        #expect(try github.repository(hello).name == "hallo")
        try program.control("POST", "installations/31/suspend")
        #expect(try github.installation(31).isSuspended)
        #expect(code { _ = try github.contentsToken(hello, .read) } == .forbidden)
        try program.control("POST", "installations/31/delete")
        let gone = #expect(throws: GitHubError.self) { try github.contentsToken(hello, .read) }
        #expect(gone?.status == 404)
    }

    /// Bad days, as the client sees them.
    struct BadDay: Sendable, CustomTestStringConvertible {
        let fault: JSON
        let code: GitHubError.Code?
        let isDone: Bool
        var testDescription: String { fault["kind"].string ?? "" }

        static let all = [
            BadDay(fault: ["kind": "refuse"], code: .uncertain, isDone: false),
            BadDay(fault: ["kind": "lost_before", "seconds": 0], code: .uncertain, isDone: false),
            BadDay(fault: ["kind": "lost_after"], code: .uncertain, isDone: true),
            BadDay(fault: ["kind": "truncated"], code: .uncertain, isDone: true),
            BadDay(fault: ["kind": "html"], code: .uncertain, isDone: false),
            BadDay(fault: ["kind": "status", "status": 500], code: .uncertain, isDone: false),
            BadDay(fault: ["kind": "slow", "seconds": 1], code: nil, isDone: true),
        ]
    }

    @Test(arguments: BadDay.all)
    func `a bad day happens once, and did what it says`(_ day: BadDay) throws {
        _ = try github.createComment(hello, 1, "before")
        try program.control(
            "POST", "faults", day.fault + ["method": "POST", "path": "/repos/*/issues/*/comments"])
        var code: GitHubError.Code?
        do { _ = try github.createComment(hello, 1, "during") } catch { code = error.code }
        #expect(code == day.code)
        _ = try github.createComment(hello, 1, "after")
        let found = try github.comments(hello, 1, 50).map(\.body)
        #expect(found == (day.isDone ? ["before", "during", "after"] : ["before", "after"]))
    }

    @Test(arguments: ["secondary_limit", "retry_after"])
    func `a limit is told with its time`(kind: String) throws {
        try program.control("POST", "faults", ["kind": .string(kind), "seconds": 7, "path": "*/issues/1"])
        let now = Clock.system.now()
        let error = #expect(throws: GitHubError.self) { try github.issue(hello, 1) }
        guard case .rateLimited(let until) = error?.code else {
            Testing.Issue.record("\(String(describing: error))")
            return
        }
        #expect((6000...12_000).contains(until - now))
    }
}
