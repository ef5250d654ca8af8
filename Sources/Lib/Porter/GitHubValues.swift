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
        /// The https address for git, without a credential.
        package var cloneURL: String

        /// A repository as GitHub answered.
        package init(
            id: Int64, owner: Person, name: String, defaultBranch: String, isArchived: Bool,
            cloneURL: String
        ) {
            self.id = id
            self.owner = owner
            self.name = name
            self.defaultBranch = defaultBranch
            self.isArchived = isArchived
            self.cloneURL = cloneURL
        }
    }

    /// An issue as GitHub shows it now.
    package struct Issue: Hashable, Sendable {
        /// The number in the repository, what people write after `#`.
        package var number: Int
        /// The title now, which may differ from the one that a task has frozen.
        package var title: String
        /// The text now; empty when it has none.
        package var body = ""
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
        /// Commits that the base has and the head has not: 0 when the head contains the base; nil when GitHub does not
        /// say.
        package var missing: Int?

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
