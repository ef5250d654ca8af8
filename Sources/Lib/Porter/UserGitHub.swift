/// GitHub on behalf of a person who signed in; the live value is `UserGitHub.live` in `PorterGitHub`.
///
/// Everything that it shows is what that person sees through our App: never more than either of the two may.
package struct UserGitHub: Sendable {
    /// Names the App in sign-ins; nil before there is an App.
    package var clientID: @Sendable () -> String?
    /// Trades the code of a sign-in for the person's tokens.
    ///
    /// - Parameters:
    ///   - verifier: what the challenge of the same sign-in was made from (PKCE).
    ///   - redirect: the address that the sign-in named.
    package var exchange:
        @Sendable (_ code: Secret, _ verifier: Secret, _ redirect: String) throws(OAuthError) -> UserTokens
    /// Trades a refresh token for a new pair; the old pair is dead as soon as GitHub has done it.
    package var refresh: @Sendable (_ token: Secret) throws(OAuthError) -> UserTokens
    /// Whose token it is: `GET /user`.
    package var person: @Sendable (_ token: Secret) throws(GitHubError) -> Person
    /// The App's installations that the person sees: `GET /user/installations`.
    package var installations: @Sendable (_ token: Secret) throws(GitHubError) -> VisibleInstallations
    /// The repositories of an installation that the person sees, with what they may do there.
    package var repositories:
        @Sendable (_ token: Secret, _ installation: Int64) throws(GitHubError) -> [VisibleRepository]
    /// An issue as the person sees it.
    package var issue:
        @Sendable (_ token: Secret, _ repository: RepositoryRef, _ number: Int) throws(GitHubError) ->
            WrittenIssue
    /// Opens an issue in the person's name; not idempotent.
    package var createIssue:
        @Sendable (_ token: Secret, _ repository: RepositoryRef, _ title: String, _ body: String)
            throws(GitHubError) -> WrittenIssue
    /// The person's gists.
    package var gists: Gists
    /// Makes GitHub forget a token that nobody needs any more.
    package var revoke: @Sendable (_ token: Secret) throws(OAuthError) -> Void

    /// All operations at once.
    package init(
        clientID: @escaping @Sendable () -> String?,
        exchange: @escaping @Sendable (Secret, Secret, String) throws(OAuthError) -> UserTokens,
        refresh: @escaping @Sendable (Secret) throws(OAuthError) -> UserTokens,
        person: @escaping @Sendable (Secret) throws(GitHubError) -> Person,
        installations: @escaping @Sendable (Secret) throws(GitHubError) -> VisibleInstallations,
        repositories: @escaping @Sendable (Secret, Int64) throws(GitHubError) -> [VisibleRepository],
        issue: @escaping @Sendable (Secret, RepositoryRef, Int) throws(GitHubError) -> WrittenIssue,
        createIssue:
            @escaping @Sendable (Secret, RepositoryRef, String, String) throws(GitHubError) -> WrittenIssue,
        gists: Gists,
        revoke: @escaping @Sendable (Secret) throws(OAuthError) -> Void
    ) {
        self.clientID = clientID
        self.exchange = exchange
        self.refresh = refresh
        self.person = person
        self.installations = installations
        self.repositories = repositories
        self.issue = issue
        self.createIssue = createIssue
        self.gists = gists
        self.revoke = revoke
    }

    /// What GitHub gives for a code or a refresh token.
    package struct UserTokens: Hashable, Sendable {
        /// Opens the API as the person.
        package let access: Secret
        /// When the access token ends; nil when the App's tokens do not.
        package let accessExpiresAt: Instant?
        /// Brings the next pair, once; nil when the App's tokens do not end.
        package let refresh: Secret?
        /// When the refresh token ends.
        package let refreshExpiresAt: Instant?

        /// A pair, or a token alone.
        package init(
            access: Secret, accessExpiresAt: Instant?, refresh: Secret?, refreshExpiresAt: Instant?
        ) {
            self.access = access
            self.accessExpiresAt = accessExpiresAt
            self.refresh = refresh
            self.refreshExpiresAt = refreshExpiresAt
        }
    }

    /// The installations that a person sees.
    package struct VisibleInstallations: Hashable, Sendable {
        /// What GitHub showed.
        package let list: [GitHub.Installation]
        /// Organisations of which GitHub shows nothing until the person has passed their single sign-on.
        package let hiddenOrganizations: [Int64]

        /// An answer.
        package init(list: [GitHub.Installation], hiddenOrganizations: [Int64] = []) {
            self.list = list
            self.hiddenOrganizations = hiddenOrganizations
        }
    }

    /// A repository that a person sees through an installation.
    package struct VisibleRepository: Hashable, Sendable {
        /// The repository as it is now.
        package let repository: GitHub.Repository
        /// Whether the person can push to it.
        package let canPush: Bool

        /// A repository and what the person may do there.
        package init(repository: GitHub.Repository, canPush: Bool) {
            self.repository = repository
            self.canPush = canPush
        }
    }

    /// An issue with its text.
    package struct WrittenIssue: Hashable, Sendable {
        /// The number in its repository.
        package let number: Int
        /// The title now.
        package let title: String
        /// The text now, Markdown; empty when it has none.
        package let body: String
        /// Whether the number is a pull request's.
        package let isPullRequest: Bool

        /// An issue.
        package init(number: Int, title: String, body: String, isPullRequest: Bool) {
            self.number = number
            self.title = title
            self.body = body
            self.isPullRequest = isPullRequest
        }
    }

    /// Before there is an App: every call is refused.
    package static let notSetUp: UserGitHub = {
        let refused = OAuthError(.refused, word: "not_set_up", message: "no GitHub App is configured")
        @Sendable func failure(_ operation: String) -> GitHubError {
            GitHubError(.unauthorized, operation: operation, message: "no GitHub App is configured")
        }
        return UserGitHub(
            clientID: { nil },
            exchange: { _, _, _ throws(OAuthError) in throw refused },
            refresh: { _ throws(OAuthError) in throw refused },
            person: { _ throws(GitHubError) in throw failure("get the person") },
            installations: { _ throws(GitHubError) in throw failure("list installations") },
            repositories: { _, _ throws(GitHubError) in throw failure("list repositories") },
            issue: { _, _, _ throws(GitHubError) in throw failure("get issue") },
            createIssue: { _, _, _, _ throws(GitHubError) in throw failure("create issue") },
            gists: Gists(
                list: { _ throws(GitHubError) in throw failure("list gists") },
                show: { _, _ throws(GitHubError) in throw failure("get gist") },
                create: { _, _ throws(GitHubError) in throw failure("create gist") },
                edit: { _, _, _ throws(GitHubError) in throw failure("edit gist") }),
            revoke: { _ throws(OAuthError) in throw refused })
    }()
}

/// A failed trade of a code or a refresh token.
package struct OAuthError: Error, Equatable, CustomStringConvertible {
    /// What is certain about it.
    package enum Code: Hashable, Sendable {
        /// GitHub said no; ``OAuthError/word`` says why. It says so with HTTP 200.
        case refused
        /// No connection was made, so nothing can have happened.
        case unreachable
        /// The request went out, and no whole answer came back: it may have happened.
        case uncertain
    }

    /// What is certain about it.
    package let code: Code
    /// GitHub's word for a refusal, `bad_verification_code`; empty for everything else.
    package let word: String
    /// What is known beside it; never a code or a token.
    package let message: String

    /// A failure.
    package init(_ code: Code, word: String = "", message: String) {
        self.code = code
        self.word = word
        self.message = message
    }

    /// One line.
    package var description: String {
        "GitHub gave no token: \(code)" + (word.isEmpty ? "" : " \(word)") + ": \(message)"
    }
}
