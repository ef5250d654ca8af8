import Porter
import PorterTestSupport

@testable import PorterGitHub

extension Operation {
    private static let since =
        "sort=updated&direction=asc&since=2026-01-02T03%3A04%3A05Z&per_page=100"

    /// What is walked page by page, and reactions on what is found there.
    static let lists: [Operation] = [
        Operation(
            name: "installations", method: "GET", template: "/app/installations",
            target: "/app/installations?per_page=100", permissions: nil, status: 200,
            run: { (github) throws(GitHubError) in
                try github.installations(.first(unless: nil)).items
                    .map { "\($0.id) \($0.account.login) \($0.isSuspended)" }.joined(separator: ",")
            }, outcome: "1 octocat false"),
        Operation(
            name: "repositories", method: "GET", template: "/installation/repositories",
            target: "/installation/repositories?per_page=100", permissions: ["metadata": "read"],
            isForOneRepository: false, status: 200,
            run: { (github) throws(GitHubError) in
                try github.repositories(7, .first(unless: nil)).items
                    .map { "\($0.id) \($0.owner.login)/\($0.name) \($0.isArchived)" }.joined(separator: ",")
            }, outcome: "1296269 octocat/Hello-World false"),
        Operation(
            name: "issues since", method: "GET", template: "/repos/{owner}/{repo}/issues",
            target: "/repos/octocat/Hello-World/issues?state=all&\(since)",
            permissions: ["issues": "read"], isDescribed: false, status: 200,
            run: { (github) throws(GitHubError) in try github.listed(.issues) }, outcome: ""),
        Operation(
            name: "comments since", method: "GET", template: "/repos/{owner}/{repo}/issues/comments",
            target: "/repos/octocat/Hello-World/issues/comments?\(since)",
            permissions: ["issues": "read"], status: 200,
            run: { (github) throws(GitHubError) in try github.listed(.comments) },
            outcome: "comment 1 #1347 Me too octocat User false 2011-04-14T16:00:49.000Z false"),
        Operation(
            name: "review comments since", method: "GET", template: "/repos/{owner}/{repo}/pulls/comments",
            target: "/repos/octocat/Hello-World/pulls/comments?\(since)",
            permissions: ["pull_requests": "read"], status: 200,
            run: { (github) throws(GitHubError) in try github.listed(.reviewComments) },
            outcome: "reviewComment 10 #1 Great stuff! octocat User false 2011-04-14T16:00:49.000Z false"),
        Operation(
            name: "reviews", method: "GET", template: "/repos/{owner}/{repo}/pulls/{pull_number}/reviews",
            target: "/repos/octocat/Hello-World/pulls/12/reviews?per_page=100",
            permissions: ["pull_requests": "read"], status: 200,
            run: { (github) throws(GitHubError) in
                try github.reviews(.hello, 12, .first(unless: nil)).items.map(\.summary)
                    .joined(separator: ",")
            },
            outcome: "review 80 #12 Here is the body for the review. octocat User false "
                + "2019-11-17T17:43:43.000Z false"),
        Operation(
            name: "react to a review comment", method: "POST",
            template: "/repos/{owner}/{repo}/pulls/comments/{comment_id}/reactions",
            target: "/repos/octocat/Hello-World/pulls/comments/5/reactions",
            permissions: ["pull_requests": "write"], body: .object(["content": .string("eyes")]), status: 201,
            run: { (github) throws(GitHubError) in
                try github.react(.hello, .reviewComment(5), .eyes)
                return "done"
            }, outcome: "done"),
        Operation(
            name: "react to an issue", method: "POST",
            template: "/repos/{owner}/{repo}/issues/{issue_number}/reactions",
            target: "/repos/octocat/Hello-World/issues/3/reactions",
            permissions: ["issues": "write"], body: .object(["content": .string("eyes")]), status: 201,
            run: { (github) throws(GitHubError) in
                try github.react(.hello, .issue(3), .eyes)
                return "done"
            }, outcome: "done"),
    ]
}

extension GitHub {
    fileprivate func listed(_ list: ContentList) throws(GitHubError) -> String {
        // 2026-01-02T03:04:05.678Z, of which GitHub takes whole seconds.
        let moment = Instant(milliseconds: 1_767_323_045_678)
        return try contents(.hello, list, moment, .first(unless: nil)).items.map(\.summary)
            .joined(separator: ",")
    }
}

extension GitHub.Content {
    var summary: String {
        "\(id.source) \(id.number) #\(issueNumber) \(body) \(author.login) \(authorType) \(isByApp) "
            + "\(createdAt.iso8601) \(isEdited)"
    }
}
