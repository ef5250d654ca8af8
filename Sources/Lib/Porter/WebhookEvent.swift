/// What a webhook delivery says, as far as Porter acts on it.
///
/// `PorterGitHub` decodes GitHub's JSON into this; `PorterWork` decides.
package enum WebhookEvent: Hashable, Sendable {
    /// Something written that may hold a command: `issue_comment`, `issues` with action `opened`,
    /// `pull_request_review_comment`, `pull_request_review`.
    case comment(CommentEvent)
    /// `issues` with action `closed`.
    case issueClosed(IssueEvent)
    /// `installation`.
    case installation(InstallationChange)
    /// `installation_repositories` and `repository`.
    case repositories([RepositoryChange])
    /// `github_app_authorization` with action `revoked`.
    case authorizationRevoked(Person)
    /// Anything that Porter does not act on.
    case other
}

/// A comment or another text that may hold a command, with its issue as the delivery shows it.
package struct CommentEvent: Hashable, Sendable {
    /// `created`, `edited`, `deleted`; `created` for an opened issue and a submitted review, too.
    package var action: String
    /// What kind of text it is.
    package var source = CommandSource.comment
    /// When it was written, by GitHub's clock; nil when that is not said.
    package var createdAt: Instant?
    /// Whether its words are known not to be those of the first moment; a delivery of `created` has those.
    package var isEdited = false
    /// The installation id is 0 when the delivery names none.
    package var repository: RepositoryRef
    /// The account that the repository belongs to, by which served installations are told.
    package var repositoryOwner: Person
    /// The issue's number in the repository.
    package var issueNumber: Int
    /// The title as the delivery shows it, which a task freezes.
    package var issueTitle: String
    /// The issue's text as the delivery shows it; empty when it has none.
    package var issueBody: String
    /// Whether the number belongs to a pull request.
    package var isPullRequest: Bool
    /// GitHub's numeric id of the text, among those of its kind.
    package var commentID: Int64
    /// The comment's page, for links.
    package var commentURL: String
    /// Markdown as it was written.
    package var body: String
    /// Who wrote the comment, not who edited or deleted it.
    package var author: Person
    /// `User`, `Bot`, `Organization`, `Mannequin`.
    package var authorType: String
    /// Whether it was written through an App, a person's click included.
    package var isByApp: Bool

    /// A comment.
    package init(
        action: String, repository: RepositoryRef, repositoryOwner: Person, issueNumber: Int,
        issueTitle: String, issueBody: String, isPullRequest: Bool, commentID: Int64,
        commentURL: String, body: String, author: Person, authorType: String, isByApp: Bool
    ) {
        self.action = action
        self.repository = repository
        self.repositoryOwner = repositoryOwner
        self.issueNumber = issueNumber
        self.issueTitle = issueTitle
        self.issueBody = issueBody
        self.isPullRequest = isPullRequest
        self.commentID = commentID
        self.commentURL = commentURL
        self.body = body
        self.author = author
        self.authorType = authorType
        self.isByApp = isByApp
    }

    /// The command's name, by which a repeat is known.
    package var commandID: CommandID { CommandID(source, commentID) }
}

/// An issue that something happened to.
package struct IssueEvent: Hashable, Sendable {
    /// Where the issue is; installation id 0 when the delivery names none.
    package var repository: RepositoryRef
    /// The account that the repository belongs to, by which served installations are told.
    package var repositoryOwner: Person
    /// The issue's number in the repository.
    package var issueNumber: Int
    /// When it was closed, by GitHub's clock; nil when that is not said.
    package var closedAt: Instant?

    /// An issue.
    package init(repository: RepositoryRef, repositoryOwner: Person, issueNumber: Int) {
        self.repository = repository
        self.repositoryOwner = repositoryOwner
        self.issueNumber = issueNumber
    }
}

/// What happened to an installation.
package struct InstallationChange: Hashable, Sendable {
    /// The kinds of change, by GitHub's action.
    package enum Change: String, Sendable {
        case created
        case deleted
        case suspended = "suspend"
        case unsuspended = "unsuspend"
        case permissionsAccepted = "new_permissions_accepted"
    }

    /// GitHub's numeric id of the installation.
    package var installationID: Int64
    /// The user or organisation that installed the App.
    package var account: Person
    /// What happened.
    package var change: Change

    /// A change.
    package init(installationID: Int64, account: Person, change: Change) {
        self.installationID = installationID
        self.account = account
        self.change = change
    }
}

/// What is newly known about a repository; nil leaves what was known.
package struct RepositoryChange: Hashable, Sendable {
    /// The repository's id, and its name now.
    package var repository: RepositoryRef
    /// The account that it belongs to now; id 0 when the delivery does not say.
    package var owner: Person
    /// The default branch now; nil leaves what was known.
    package var defaultBranch: String?
    /// Whether it is archived now; nil leaves what was known.
    package var isArchived: Bool?
    /// Whether the App does not reach it any more: removed, deleted.
    package var isRemoved: Bool

    /// A change.
    package init(
        repository: RepositoryRef, owner: Person, defaultBranch: String? = nil,
        isArchived: Bool? = nil, isRemoved: Bool = false
    ) {
        self.repository = repository
        self.owner = owner
        self.defaultBranch = defaultBranch
        self.isArchived = isArchived
        self.isRemoved = isRemoved
    }
}
