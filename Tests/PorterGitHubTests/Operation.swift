import Porter
import PorterTestSupport
import Testing

@testable import PorterGitHub

/// One operation of `GitHub` with everything that it must send, and what GitHub's own example means.
struct Operation: Sendable, CustomTestStringConvertible {
    let name: String
    let method: String
    /// As GitHub's description has it.
    let template: String
    /// Path and query below the API's address.
    let target: String
    var accept = "application/vnd.github+json"
    /// The permissions of the token; nil when the App itself calls.
    let permissions: [String: String]?
    /// Whether the token reaches one repository, or all of the installation.
    var isForOneRepository = true
    /// Whether GitHub's description is among the fixtures.
    var isDescribed = true
    var body: JSONValue?
    /// What GitHub answers when all is well.
    let status: Int
    /// Whether the answer is JSON that the client reads.
    var isRead = true
    /// Does it and tells what came out.
    let run: @Sendable (GitHub) throws(GitHubError) -> String
    /// What comes out of the example in GitHub's description.
    let outcome: String

    var testDescription: String { name }
}

extension Operation {
    static let all = calls + lists

    private static let calls: [Operation] = [
        Operation(
            name: "installation", method: "GET", template: "/app/installations/{installation_id}",
            target: "/app/installations/7", permissions: nil, status: 200,
            run: { (github) throws(GitHubError) in
                let found = try github.installation(7)
                return "\(found.id) \(found.account.id) \(found.account.login) \(found.isSuspended)"
            }, outcome: "1 1 octocat false"),
        Operation(
            name: "deliveries", method: "GET", template: "/app/hook/deliveries",
            target: "/app/hook/deliveries?per_page=100", permissions: nil, status: 200,
            run: { (github) throws(GitHubError) in
                try github.deliveries(.first(unless: nil)).items.map {
                    "\($0.id) \($0.event) \($0.isSuccess)"
                }
                .joined(separator: ",")
            }, outcome: "12345678 issues true,123456789 issues true"),
        Operation(
            name: "delivery", method: "GET", template: "/app/hook/deliveries/{delivery_id}",
            target: "/app/hook/deliveries/12345678", permissions: nil, status: 200,
            run: { (github) throws(GitHubError) in
                let logged = GitHub.LoggedDelivery(
                    id: 12_345_678, guid: "g", event: "issues", action: "opened",
                    deliveredAt: Instant(milliseconds: 0), isSuccess: false)
                // An issue without a number is none that anything could be done about.
                return "\(try github.delivery(logged).event)"
            }, outcome: "other"),
        Operation(
            name: "repository", method: "GET", template: "/repositories/{repository_id}",
            target: "/repositories/1296269", permissions: ["metadata": "read"], status: 200,
            run: { (github) throws(GitHubError) in
                let found = try github.repository(.hello)
                return "\(found.id) \(found.owner.id) \(found.owner.login)/\(found.name) "
                    + "\(found.defaultBranch) \(found.isArchived) \(found.cloneURL)"
            },
            outcome: "1296269 1 octocat/Hello-World master false "
                + "https://github.com/octocat/Hello-World.git"),
        Operation(
            name: "issue", method: "GET", template: "/repos/{owner}/{repo}/issues/{issue_number}",
            target: "/repos/octocat/Hello-World/issues/1347", permissions: ["issues": "read"], status: 200,
            run: { (github) throws(GitHubError) in
                let found = try github.issue(.hello, 1347)
                return "\(found.number) \(found.title) \(found.isOpen) \(found.isLocked) "
                    + "\(found.isPullRequest)"
            }, outcome: "1347 Found a bug true true true"),
        Operation(
            name: "permission", method: "GET",
            template: "/repos/{owner}/{repo}/collaborators/{username}/permission",
            target: "/repos/octocat/Hello-World/collaborators/hubot/permission",
            permissions: ["metadata": "read"], status: 200,
            run: { (github) throws(GitHubError) in
                let found = try github.permission(.hello, "hubot")
                return "\(found.level) \(found.userID ?? 0)"
            }, outcome: "admin 1"),
        Operation(
            name: "comments", method: "GET",
            template: "/repos/{owner}/{repo}/issues/{issue_number}/comments",
            target: "/repos/octocat/Hello-World/issues/3/comments?per_page=100",
            permissions: ["issues": "read"], status: 200,
            run: { (github) throws(GitHubError) in
                try github.comments(.hello, 3, 50).map(\.summary).joined(separator: ",")
            }, outcome: commentOutcome),
        Operation(
            name: "create comment", method: "POST",
            template: "/repos/{owner}/{repo}/issues/{issue_number}/comments",
            target: "/repos/octocat/Hello-World/issues/3/comments", permissions: ["issues": "write"],
            body: .object(["body": .string("Grüße 🦀 \"</script>\"\n")]), status: 201,
            run: { (github) throws(GitHubError) in
                try github.createComment(.hello, 3, "Grüße 🦀 \"</script>\"\n").summary
            }, outcome: commentOutcome),
        Operation(
            name: "edit comment", method: "PATCH",
            template: "/repos/{owner}/{repo}/issues/comments/{comment_id}",
            target: "/repos/octocat/Hello-World/issues/comments/5", permissions: ["issues": "write"],
            body: .object(["body": .string("new")]), status: 200,
            run: { (github) throws(GitHubError) in try github.updateComment(.hello, 5, "new").summary },
            outcome: commentOutcome),
        Operation(
            name: "delete comment", method: "DELETE",
            template: "/repos/{owner}/{repo}/issues/comments/{comment_id}",
            target: "/repos/octocat/Hello-World/issues/comments/5", permissions: ["issues": "write"],
            status: 204, isRead: false,
            run: { (github) throws(GitHubError) in
                try github.deleteComment(.hello, 5)
                return "done"
            }, outcome: "done"),
        Operation(
            name: "react", method: "POST",
            template: "/repos/{owner}/{repo}/issues/comments/{comment_id}/reactions",
            target: "/repos/octocat/Hello-World/issues/comments/5/reactions",
            permissions: ["issues": "write"], body: .object(["content": .string("rocket")]), status: 201,
            run: { (github) throws(GitHubError) in
                try github.react(.hello, .comment(5), .rocket)
                return "done"
            }, outcome: "done"),
        Operation(
            name: "file", method: "GET", template: "/repos/{owner}/{repo}/contents/{path}",
            target: "/repos/octocat/Hello-World/contents/docs/AGENTS.md?ref=main",
            accept: "application/vnd.github.raw+json", permissions: ["contents": "read"], status: 200,
            isRead: false,
            run: { (github) throws(GitHubError) in
                try github.file(.hello, "docs/AGENTS.md", "main") ?? "none"
            }, outcome: ""),
        Operation(
            name: "branch head", method: "GET", template: "/repos/{owner}/{repo}/git/ref/{ref}",
            target: "/repos/octocat/Hello-World/git/ref/heads/featureA",
            permissions: ["contents": "read"], status: 200,
            run: { (github) throws(GitHubError) in try github.branchHead(.hello, "featureA") ?? "none" },
            outcome: "aa218f56b14c9653891f9e74264a383fa43fefbd"),
        Operation(
            name: "compare", method: "GET", template: "/repos/{owner}/{repo}/compare/{basehead}",
            target: "/repos/octocat/Hello-World/compare/main...porter%2Fx",
            permissions: ["contents": "read"], status: 200,
            run: { (github) throws(GitHubError) in
                let found = try github.compare(.hello, "main", "porter/x")
                return "\(found.commits) \(found.files) +\(found.additions) -\(found.deletions) "
                    + "\(found.subjects)"
            }, outcome: "1 1 +103 -21 [\"Fix all the bugs\"]"),
        Operation(
            name: "open pull requests", method: "GET", template: "/repos/{owner}/{repo}/pulls",
            target: "/repos/octocat/Hello-World/pulls?head=octocat%3Anew-topic&state=all&per_page=100",
            permissions: ["pull_requests": "read"], status: 200,
            run: { (github) throws(GitHubError) in
                try github.pullRequests(.hello, "new-topic").map(\.summary).joined(separator: ",")
            }, outcome: pullOutcome),
        Operation(
            name: "create pull request", method: "POST", template: "/repos/{owner}/{repo}/pulls",
            target: "/repos/octocat/Hello-World/pulls",
            permissions: ["contents": "read", "pull_requests": "write"],
            body: .object([
                "title": .string("T"), "body": .string("B"), "head": .string("porter/x"),
                "base": .string("main"), "draft": .bool(true),
            ]), status: 201,
            run: { (github) throws(GitHubError) in
                let draft = GitHub.PullRequestDraft(
                    title: "T", body: "B", head: "porter/x", base: "main", isDraft: true)
                return try github.createPullRequest(.hello, draft).summary
            }, outcome: pullOutcome),
        Operation(
            name: "request review", method: "POST",
            template: "/repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers",
            target: "/repos/octocat/Hello-World/pulls/8/requested_reviewers",
            permissions: ["pull_requests": "write"],
            body: .object(["reviewers": .array([.string("hubot")])]), status: 201,
            run: { (github) throws(GitHubError) in
                try github.requestReview(.hello, 8, "hubot")
                return "done"
            }, outcome: "done"),
    ]

    private static let commentOutcome =
        "1 https://github.com/octocat/Hello-World/issues/1347#issuecomment-1 Me too 1 octocat "
        + "COLLABORATOR false 2011-04-14T16:00:49.000Z"
    private static let pullOutcome =
        "1347 https://github.com/octocat/Hello-World/pull/1347 6dcb09b5b57875f334f61aebed695e2e4193db5e"
}

extension GitHub.Comment {
    var summary: String {
        "\(id) \(url) \(body) \(author.id) \(author.login) \(association) \(isByApp) \(createdAt.iso8601)"
    }
}

extension GitHub.PullRequest {
    var summary: String { "\(number) \(url) \(headSHA)" }
}
