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
    /// The repository as it is now, renamed or not: `GET /repositories/{id}`.
    package var repository: @Sendable (_ repository: RepositoryRef) throws(GitHubError) -> Repository
    /// The issue as it is now.
    package var issue: @Sendable (_ repository: RepositoryRef, _ number: Int) throws(GitHubError) -> Issue
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
    /// Adds the App's reaction to a comment; one that is there already counts as added.
    package var react:
        @Sendable (_ repository: RepositoryRef, _ comment: Int64, _ reaction: Reaction) throws(GitHubError) ->
            Void
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
    /// The open pull requests from that branch of the same repository.
    package var openPullRequests:
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
        repository: @escaping @Sendable (RepositoryRef) throws(GitHubError) -> Repository,
        issue: @escaping @Sendable (RepositoryRef, Int) throws(GitHubError) -> Issue,
        permission: @escaping @Sendable (RepositoryRef, String) throws(GitHubError) -> Permission,
        comments: @escaping @Sendable (RepositoryRef, Int, Int) throws(GitHubError) -> [Comment],
        ownComments: @escaping @Sendable (RepositoryRef, Int, Instant) throws(GitHubError) -> [Comment],
        createComment: @escaping @Sendable (RepositoryRef, Int, String) throws(GitHubError) -> Comment,
        updateComment: @escaping @Sendable (RepositoryRef, Int64, String) throws(GitHubError) -> Comment,
        deleteComment: @escaping @Sendable (RepositoryRef, Int64) throws(GitHubError) -> Void,
        react: @escaping @Sendable (RepositoryRef, Int64, Reaction) throws(GitHubError) -> Void,
        file: @escaping @Sendable (RepositoryRef, String, String) throws(GitHubError) -> String?,
        branchHead: @escaping @Sendable (RepositoryRef, String) throws(GitHubError) -> String?,
        compare: @escaping @Sendable (RepositoryRef, String, String) throws(GitHubError) -> Comparison,
        openPullRequests: @escaping @Sendable (RepositoryRef, String) throws(GitHubError) -> [PullRequest],
        createPullRequest:
            @escaping @Sendable (RepositoryRef, PullRequestDraft) throws(GitHubError) -> PullRequest,
        requestReview: @escaping @Sendable (RepositoryRef, Int, String) throws(GitHubError) -> Void,
        contentsToken: @escaping @Sendable (RepositoryRef, Access) throws(GitHubError) -> Token,
        revoke: @escaping @Sendable (Secret) throws(GitHubError) -> Void
    ) {
        self.app = app
        self.installation = installation
        self.repository = repository
        self.issue = issue
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
        self.openPullRequests = openPullRequests
        self.createPullRequest = createPullRequest
        self.requestReview = requestReview
        self.contentsToken = contentsToken
        self.revoke = revoke
    }
}

extension GitHub {
    /// The App and the account that it acts as.
    package struct App: Hashable, Sendable {
        /// GitHub's numeric id of the App.
        package var id: Int64
        /// The App's name in addresses; its account is `<slug>[bot]`.
        package var slug: String
        /// Who registered the App; without `PORTER_OWNERS` only this account's installations are served.
        package var owner: Person
        /// The account `<slug>[bot]`, author of our comments and commits.
        package var bot: Person

        /// An App and its account.
        package init(id: Int64, slug: String, owner: Person, bot: Person) {
            self.id = id
            self.slug = slug
            self.owner = owner
            self.bot = bot
        }
    }

    /// An account's installation of the App.
    package struct Installation: Hashable, Sendable {
        /// GitHub's numeric id of the installation; a new installation by the same account gets another.
        package var id: Int64
        /// The user or organisation that installed the App.
        package var account: Person
        /// Whether its tokens are refused until somebody unsuspends it.
        package var isSuspended: Bool

        /// An installation as GitHub answered.
        package init(id: Int64, account: Person, isSuspended: Bool) {
            self.id = id
            self.account = account
            self.isSuspended = isSuspended
        }
    }

    /// A repository as GitHub shows it now.
    package struct Repository: Hashable, Sendable {
        /// GitHub's numeric id of the repository; stays through renames and transfers.
        package var id: Int64
        /// The user or organisation that it belongs to now.
        package var owner: Person
        /// The name without its owner, as it is now.
        package var name: String
        /// Where a run starts and its pull request goes, unless `--base` names another.
        package var defaultBranch: String
        /// Whether nothing can be pushed: archived, or disabled by GitHub.
        package var isArchived: Bool
        /// Whether strangers cannot see it; true when GitHub does not say.
        package var isPrivate: Bool
        /// The https address for git, without a credential.
        package var cloneURL: String

        /// A repository as GitHub answered.
        package init(
            id: Int64, owner: Person, name: String, defaultBranch: String, isArchived: Bool,
            isPrivate: Bool, cloneURL: String
        ) {
            self.id = id
            self.owner = owner
            self.name = name
            self.defaultBranch = defaultBranch
            self.isArchived = isArchived
            self.isPrivate = isPrivate
            self.cloneURL = cloneURL
        }
    }

    /// An issue as GitHub shows it now.
    package struct Issue: Hashable, Sendable {
        /// The number in the repository, what people write after `#`.
        package var number: Int
        /// The title now, which may differ from the one that a task has frozen.
        package var title: String
        /// Whether it is not closed.
        package var isOpen: Bool
        /// Whether comments are locked, for Porter as well.
        package var isLocked: Bool
        /// Whether the number belongs to a pull request, which GitHub counts among the issues.
        package var isPullRequest: Bool

        /// An issue as GitHub answered.
        package init(
            number: Int, title: String, isOpen: Bool, isLocked: Bool, isPullRequest: Bool
        ) {
            self.number = number
            self.title = title
            self.isOpen = isOpen
            self.isLocked = isLocked
            self.isPullRequest = isPullRequest
        }
    }

    /// What a person may do in a repository, and whose answer it is.
    package struct Permission: Hashable, Sendable {
        /// `admin`, `write`, `read` or `none`.
        package var level: String
        /// The id of the account that GitHub answered about, when it said so.
        package var userID: Int64?

        /// An answer about the account of that id.
        package init(level: String, userID: Int64?) {
            self.level = level
            self.userID = userID
        }

        /// Whether the person of that id can push.
        package func allowsPush(by person: Person) -> Bool {
            (level == "write" || level == "admin") && (userID == nil || userID == person.id)
        }
    }

    /// A comment on an issue.
    package struct Comment: Hashable, Sendable {
        /// GitHub's numeric id, unique among the comments on issues.
        package var id: Int64
        /// The comment's page, for links.
        package var url: String
        /// Markdown as it was written, hidden comments included.
        package var body: String
        /// Who wrote it; id 0 and `ghost` when the account is gone.
        package var author: Person
        /// `OWNER`, `MEMBER`, `COLLABORATOR`, `CONTRIBUTOR`, `NONE`, …; a hint, not a permission.
        package var association: String
        /// Whether a program wrote it: through an App, or from a bot's account.
        package var isByApp: Bool
        /// When it was posted, by GitHub's clock.
        package var createdAt: Instant
        /// When it was last edited; the time of posting if never.
        package var updatedAt: Instant

        /// A comment as GitHub answered.
        package init(
            id: Int64, url: String, body: String, author: Person, association: String,
            isByApp: Bool, createdAt: Instant, updatedAt: Instant
        ) {
            self.id = id
            self.url = url
            self.body = body
            self.author = author
            self.association = association
            self.isByApp = isByApp
            self.createdAt = createdAt
            self.updatedAt = updatedAt
        }
    }

    /// A reaction that Porter uses.
    package enum Reaction: String, Sendable {
        case eyes
        case rocket
        case confused
    }

    /// How far a contents token reaches.
    package enum Access: String, Sendable {
        case read
        case write
    }

    /// A token of the installation.
    package struct Token: Hashable, Sendable {
        /// The token itself; opens one repository for one purpose.
        package var secret: Secret
        /// When GitHub stops accepting it, an hour after it was made.
        package var expiresAt: Instant

        /// A token as GitHub gave it.
        package init(secret: Secret, expiresAt: Instant) {
            self.secret = secret
            self.expiresAt = expiresAt
        }
    }

    /// The commits and files between two points.
    package struct Comparison: Hashable, Sendable {
        /// Commits that the head has and the base has not.
        package var commits: Int
        /// Changed files, as many as GitHub lists: at most 300.
        package var files: Int
        /// Added lines in the listed files.
        package var additions: Int
        /// Removed lines in the listed files.
        package var deletions: Int
        /// The subject lines of the commits, oldest first, at most 20.
        package var subjects: [String]

        /// What lies between two points.
        package init(commits: Int, files: Int, additions: Int, deletions: Int, subjects: [String]) {
            self.commits = commits
            self.files = files
            self.additions = additions
            self.deletions = deletions
            self.subjects = subjects
        }
    }

    /// A pull request.
    package struct PullRequest: Hashable, Sendable {
        /// The number in the repository, shared with the issues.
        package var number: Int
        /// Its page, for links.
        package var url: String
        /// The commit that its branch points at, 40 hexadecimal digits.
        package var headSHA: String

        /// A pull request as GitHub answered.
        package init(number: Int, url: String, headSHA: String) {
            self.number = number
            self.url = url
            self.headSHA = headSHA
        }
    }

    /// A pull request that is to be opened.
    package struct PullRequestDraft: Hashable, Sendable {
        /// One line of plain text.
        package var title: String
        /// Markdown, with the keyword that closes the issue.
        package var body: String
        /// The branch with the work, in the same repository.
        package var head: String
        /// The branch that it is to go into.
        package var base: String
        /// Whether it is opened as not yet ready for review.
        package var isDraft: Bool

        /// A pull request that nobody has opened yet.
        package init(title: String, body: String, head: String, base: String, isDraft: Bool) {
            self.title = title
            self.body = body
            self.head = head
            self.base = base
            self.isDraft = isDraft
        }
    }
}

/// A failed call to GitHub.
package struct GitHubError: Error, Equatable, CustomStringConvertible {
    /// What the caller can do about it.
    package enum Code: Hashable, Sendable {
        /// There is no such thing, or the token may not see it (404).
        case notFound
        /// It was there and is gone: a deleted issue, issues switched off, a locked one (410, 403 locked).
        case gone
        /// The credentials were refused (401).
        case unauthorized
        /// The App lacks a permission, or the installation is suspended (403).
        case forbidden
        /// GitHub asks to wait until the moment (403 or 429).
        case rateLimited(until: Instant)
        /// GitHub understood and refused (422, 409, 405, 400); the message says why.
        case refused
        /// No connection was made, so nothing can have happened.
        case unreachable
        /// The request went out, and no whole answer came back: it may have happened (timeout, 5xx, HTML).
        case uncertain
    }

    /// What the caller can do about it.
    package let code: Code
    /// What was tried, a verb phrase: `create comment`.
    package let operation: String
    /// GitHub's status, absent when no answer arrived.
    package let status: Int?
    /// GitHub's own words, or the transport's; never a token.
    package let message: String
    /// GitHub's `X-GitHub-Request-Id`, for its support.
    package let requestID: String?

    /// A failure of the operation.
    package init(
        _ code: Code, operation: String, status: Int? = nil, message: String = "",
        requestID: String? = nil
    ) {
        self.code = code
        self.operation = operation
        self.status = status
        self.message = message
        self.requestID = requestID
    }

    /// One line: operation, code, status, GitHub's words, request id.
    package var description: String {
        var text = "GitHub could not \(operation): \(code)"
        if let status { text += " (\(status))" }
        if !message.isEmpty { text += ": \(message)" }
        if let requestID { text += " [request \(requestID)]" }
        return text
    }
}
