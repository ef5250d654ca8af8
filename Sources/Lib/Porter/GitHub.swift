/// What Porter asks of GitHub; the live value is `GitHub.live` in the module `PorterGitHub`.
///
/// Every operation authenticates as the App's installation, with a token that is narrowed to the one
/// repository and to the permission that the operation needs. Ids, not names, say what is meant; the
/// names in a ``RepositoryRef`` make the address.
package struct GitHub: Sendable {
    /// The App itself: `GET /app`, and the account that it comments as.
    package var app: @Sendable () throws(GitHubError) -> App
    /// What the installation is now: `GET /app/installations/{id}`.
    package var installation: @Sendable (_ id: Int64) throws(GitHubError) -> Installation
    /// All installations of the App: `GET /app/installations`.
    package var installations: @Sendable (_ look: Look) throws(GitHubError) -> Page<Installation>
    /// The repositories that an installation reaches: `GET /installation/repositories`.
    package var repositories:
        @Sendable (_ installation: Int64, _ look: Look) throws(GitHubError) -> Page<Repository>
    /// The log of deliveries, newest first: `GET /app/hook/deliveries`; GitHub keeps three days.
    package var deliveries: @Sendable (_ look: Look) throws(GitHubError) -> Page<LoggedDelivery>
    /// What a delivery of the log said: `GET /app/hook/deliveries/{id}`.
    package var delivery: @Sendable (_ delivery: LoggedDelivery) throws(GitHubError) -> LoggedPayload
    /// The repository as it is now, renamed or not: `GET /repositories/{id}`.
    package var repository: @Sendable (_ repository: RepositoryRef) throws(GitHubError) -> Repository
    /// The issue as it is now.
    package var issue: @Sendable (_ repository: RepositoryRef, _ number: Int) throws(GitHubError) -> Issue
    /// What was changed in the repository at or after the moment, the least recently changed first.
    package var contents:
        @Sendable (_ repository: RepositoryRef, _ list: ContentList, _ since: Instant, _ look: Look)
            throws(GitHubError) -> Page<Content>
    /// The submitted reviews of a pull request, oldest first: `GET …/pulls/{number}/reviews`.
    package var reviews:
        @Sendable (_ repository: RepositoryRef, _ pullRequest: Int, _ look: Look) throws(GitHubError) ->
            Page<Content>
    /// What the person may do: `GET …/collaborators/{login}/permission`; 404 is `.none`.
    package var permission:
        @Sendable (_ repository: RepositoryRef, _ login: String) throws(GitHubError) -> Permission
    /// The issue's comments, oldest first, at most so many (the newest are kept when there are more).
    package var comments:
        @Sendable (_ repository: RepositoryRef, _ issue: Int, _ most: Int) throws(GitHubError) -> [Comment]
    /// The comments of our App on the issue that were made or edited at or after the moment, oldest first.
    package var ownComments:
        @Sendable (_ repository: RepositoryRef, _ issue: Int, _ since: Instant) throws(GitHubError) ->
            [Comment]
    /// Posts a comment; not idempotent, so that a lost answer must be looked up before a second try.
    package var createComment:
        @Sendable (_ repository: RepositoryRef, _ issue: Int, _ body: String) throws(GitHubError) -> Comment
    /// Replaces the text of a comment of ours; nobody is notified of it.
    package var updateComment:
        @Sendable (_ repository: RepositoryRef, _ comment: Int64, _ body: String) throws(GitHubError) ->
            Comment
    /// Deletes a comment of ours; one that is gone already counts as deleted.
    package var deleteComment:
        @Sendable (_ repository: RepositoryRef, _ comment: Int64) throws(GitHubError) -> Void
    /// Adds the App's reaction; one that is there already counts as added.
    package var react:
        @Sendable (_ repository: RepositoryRef, _ target: ReactionTarget, _ reaction: Reaction)
            throws(GitHubError) -> Void
    /// A file of at most 1 MB as text, nil when there is none.
    package var file:
        @Sendable (_ repository: RepositoryRef, _ path: String, _ branch: String) throws(GitHubError) ->
            String?
    /// The commit that the branch points at, nil when there is no such branch.
    package var branchHead:
        @Sendable (_ repository: RepositoryRef, _ branch: String) throws(GitHubError) -> String?
    /// What lies between two commits or branches.
    package var compare:
        @Sendable (_ repository: RepositoryRef, _ base: String, _ head: String) throws(GitHubError) ->
            Comparison
    /// The pull requests from that branch of the same repository, closed and merged ones included.
    package var pullRequests:
        @Sendable (_ repository: RepositoryRef, _ head: String) throws(GitHubError) -> [PullRequest]
    /// Opens a pull request; `.refused` when one from that branch is open or nothing lies between the two.
    package var createPullRequest:
        @Sendable (_ repository: RepositoryRef, _ draft: PullRequestDraft) throws(GitHubError) -> PullRequest
    /// Asks the person for a review; `.refused` when GitHub does not allow it, as for the author.
    package var requestReview:
        @Sendable (_ repository: RepositoryRef, _ pullRequest: Int, _ login: String) throws(GitHubError) ->
            Void
    /// A fresh token for one repository's contents, never one from a cache.
    package var contentsToken:
        @Sendable (_ repository: RepositoryRef, _ access: Access) throws(GitHubError) -> Token
    /// Revokes a token; one that GitHub no longer knows counts as revoked.
    package var revoke: @Sendable (_ token: Secret) throws(GitHubError) -> Void

    /// All operations at once, as the live value and the tests make it.
    package init(
        app: @escaping @Sendable () throws(GitHubError) -> App,
        installation: @escaping @Sendable (Int64) throws(GitHubError) -> Installation,
        installations: @escaping @Sendable (Look) throws(GitHubError) -> Page<Installation>,
        repositories: @escaping @Sendable (Int64, Look) throws(GitHubError) -> Page<Repository>,
        deliveries: @escaping @Sendable (Look) throws(GitHubError) -> Page<LoggedDelivery>,
        delivery: @escaping @Sendable (LoggedDelivery) throws(GitHubError) -> LoggedPayload,
        repository: @escaping @Sendable (RepositoryRef) throws(GitHubError) -> Repository,
        issue: @escaping @Sendable (RepositoryRef, Int) throws(GitHubError) -> Issue,
        contents:
            @escaping @Sendable (RepositoryRef, ContentList, Instant, Look) throws(GitHubError) ->
            Page<Content>,
        reviews: @escaping @Sendable (RepositoryRef, Int, Look) throws(GitHubError) -> Page<Content>,
        permission: @escaping @Sendable (RepositoryRef, String) throws(GitHubError) -> Permission,
        comments: @escaping @Sendable (RepositoryRef, Int, Int) throws(GitHubError) -> [Comment],
        ownComments: @escaping @Sendable (RepositoryRef, Int, Instant) throws(GitHubError) -> [Comment],
        createComment: @escaping @Sendable (RepositoryRef, Int, String) throws(GitHubError) -> Comment,
        updateComment: @escaping @Sendable (RepositoryRef, Int64, String) throws(GitHubError) -> Comment,
        deleteComment: @escaping @Sendable (RepositoryRef, Int64) throws(GitHubError) -> Void,
        react: @escaping @Sendable (RepositoryRef, ReactionTarget, Reaction) throws(GitHubError) -> Void,
        file: @escaping @Sendable (RepositoryRef, String, String) throws(GitHubError) -> String?,
        branchHead: @escaping @Sendable (RepositoryRef, String) throws(GitHubError) -> String?,
        compare: @escaping @Sendable (RepositoryRef, String, String) throws(GitHubError) -> Comparison,
        pullRequests: @escaping @Sendable (RepositoryRef, String) throws(GitHubError) -> [PullRequest],
        createPullRequest:
            @escaping @Sendable (RepositoryRef, PullRequestDraft) throws(GitHubError) -> PullRequest,
        requestReview: @escaping @Sendable (RepositoryRef, Int, String) throws(GitHubError) -> Void,
        contentsToken: @escaping @Sendable (RepositoryRef, Access) throws(GitHubError) -> Token,
        revoke: @escaping @Sendable (Secret) throws(GitHubError) -> Void
    ) {
        self.app = app
        self.installation = installation
        self.installations = installations
        self.repositories = repositories
        self.deliveries = deliveries
        self.delivery = delivery
        self.repository = repository
        self.issue = issue
        self.contents = contents
        self.reviews = reviews
        self.permission = permission
        self.comments = comments
        self.ownComments = ownComments
        self.createComment = createComment
        self.updateComment = updateComment
        self.deleteComment = deleteComment
        self.react = react
        self.file = file
        self.branchHead = branchHead
        self.compare = compare
        self.pullRequests = pullRequests
        self.createPullRequest = createPullRequest
        self.requestReview = requestReview
        self.contentsToken = contentsToken
        self.revoke = revoke
    }
}
