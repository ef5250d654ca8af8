package import Porter
import Testing

extension GitHub {
    /// A GitHub whose every operation is a failure of the test: a test names what it expects to be called.
    package static var unimplemented: GitHub {
        GitHub(
            app: { () throws(GitHubError) in throw refuse("app") },
            installation: { _ throws(GitHubError) in throw refuse("installation") },
            installations: { _ throws(GitHubError) in throw refuse("installations") },
            repositories: { _, _ throws(GitHubError) in throw refuse("repositories") },
            deliveries: { _ throws(GitHubError) in throw refuse("deliveries") },
            delivery: { _ throws(GitHubError) in throw refuse("delivery") },
            repository: { _ throws(GitHubError) in throw refuse("repository") },
            issue: { _, _ throws(GitHubError) in throw refuse("issue") },
            contents: { _, _, _, _ throws(GitHubError) in throw refuse("contents") },
            reviews: { _, _, _ throws(GitHubError) in throw refuse("reviews") },
            permission: { _, _ throws(GitHubError) in throw refuse("permission") },
            comments: { _, _, _ throws(GitHubError) in throw refuse("comments") },
            ownComments: { _, _, _ throws(GitHubError) in throw refuse("ownComments") },
            createComment: { _, _, _ throws(GitHubError) in throw refuse("createComment") },
            updateComment: { _, _, _ throws(GitHubError) in throw refuse("updateComment") },
            deleteComment: { _, _ throws(GitHubError) in throw refuse("deleteComment") },
            react: { _, _, _ throws(GitHubError) in throw refuse("react") },
            file: { _, _, _ throws(GitHubError) in throw refuse("file") },
            branchHead: { _, _ throws(GitHubError) in throw refuse("branchHead") },
            compare: { _, _, _ throws(GitHubError) in throw refuse("compare") },
            pullRequests: { _, _ throws(GitHubError) in throw refuse("pullRequests") },
            createPullRequest: { _, _ throws(GitHubError) in throw refuse("createPullRequest") },
            requestReview: { _, _, _ throws(GitHubError) in throw refuse("requestReview") },
            contentsToken: { _, _ throws(GitHubError) in throw refuse("contentsToken") },
            revoke: { _ throws(GitHubError) in throw refuse("revoke") })
    }

    private static func refuse(_ operation: String) -> GitHubError {
        recordUnstubbed("GitHub.\(operation)")
        return GitHubError(.refused, operation: operation, message: "not stubbed by the test")
    }
}

extension Machines {
    /// An engine whose every operation is a failure of the test.
    package static var unimplemented: Machines {
        Machines(
            create: { _ throws(MachinesError) in throw refuse("create") },
            find: { _ throws(MachinesError) in throw refuse("find") },
            list: { _, _, _ throws(MachinesError) in throw refuse("list") },
            destroy: { _ throws(MachinesError) in throw refuse("destroy") })
    }

    private static func refuse(_ operation: String) -> MachinesError {
        recordUnstubbed("Machines.\(operation)")
        return MachinesError(.refused, operation: operation, message: "not stubbed by the test")
    }
}

private func recordUnstubbed(_ name: String) {
    Issue.record("\(name) was called, but the test did not stub it")
}
