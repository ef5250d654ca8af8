extension GitHub {
    /// A GitHub App as it comes out of a manifest's conversion; GitHub tells the secrets this once.
    ///
    /// - SeeAlso: <https://docs.github.com/en/apps/sharing-github-apps/registering-a-github-app-from-a-manifest>
    package struct ConvertedApp: Sendable {
        /// GitHub's numeric id of the App.
        package var id: Int64
        /// The App's name in addresses.
        package var slug: String
        /// The App's page.
        package var url: String
        /// Who owns it.
        package var owner: Person
        /// Names the App in the browser's sign-in.
        package var clientID: String
        /// Proves that a sign-in is the App's own.
        package var clientSecret: Secret
        /// What deliveries are signed with; nil when GitHub made none.
        package var webhookSecret: Secret?
        /// The private key in PEM.
        package var privateKey: Secret

        /// All that a conversion answers with.
        package init(
            id: Int64, slug: String, url: String, owner: Person, clientID: String, clientSecret: Secret,
            webhookSecret: Secret?, privateKey: Secret
        ) {
            self.id = id
            self.slug = slug
            self.url = url
            self.owner = owner
            self.clientID = clientID
            self.clientSecret = clientSecret
            self.webhookSecret = webhookSecret
            self.privateKey = privateKey
        }
    }

    /// What the App asks for and is told of, as GitHub has it.
    package struct AppDetails: Sendable {
        /// The App's name in addresses.
        package var slug: String
        /// The account that owns it.
        package var owner: Person
        /// Permission names with their levels: `["contents": "write"]`.
        package var permissions: [String: String]
        /// The events that it has subscribed to.
        package var events: [String]

        /// What `GET /app` says.
        package init(slug: String, owner: Person, permissions: [String: String], events: [String]) {
            self.slug = slug
            self.owner = owner
            self.permissions = permissions
            self.events = events
        }
    }

    /// An installation with everything that pages show of it.
    package struct InstallationDetails: Hashable, Sendable {
        /// GitHub's numeric id of the installation.
        package var id: Int64
        /// The account that installed the App.
        package var account: Person
        /// `User` or `Organization`.
        package var accountType: String
        /// `all` or `selected`.
        package var selection: String
        /// What its owner granted: permission names with their levels.
        package var permissions: [String: String]
        /// Whether its tokens are refused.
        package var isSuspended: Bool
        /// Its page, where its owner changes it.
        package var url: String

        /// An installation as GitHub lists it.
        package init(
            id: Int64, account: Person, accountType: String, selection: String,
            permissions: [String: String], isSuspended: Bool, url: String
        ) {
            self.id = id
            self.account = account
            self.accountType = accountType
            self.selection = selection
            self.permissions = permissions
            self.isSuspended = isSuspended
            self.url = url
        }
    }

    /// How many calls are left in GitHub's hour.
    package struct RateLimit: Codable, Hashable, Sendable {
        /// Calls an hour.
        package var limit: Int
        /// Calls left.
        package var remaining: Int
        /// When the count begins anew, in Unix seconds.
        package var reset: Int64

        /// A count as GitHub tells it.
        package init(limit: Int, remaining: Int, reset: Int64) {
            self.limit = limit
            self.remaining = remaining
            self.reset = reset
        }
    }
}

/// What Porter asks of GitHub about its App itself: set-up, checks, and the background refresh.
///
/// The live value is `AppAdministration.live` in the module `PorterGitHub`. All but ``convert`` authenticate as the
/// App.
package struct AppAdministration: Sendable {
    /// Turns a manifest's code into an App; GitHub takes a code once: `POST /app-manifests/{code}/conversions`.
    package var convert: @Sendable (_ code: Secret) throws(GitHubError) -> GitHub.ConvertedApp
    /// The App as it is now: `GET /app`.
    package var details: @Sendable () throws(GitHubError) -> GitHub.AppDetails
    /// Where deliveries go: `GET /app/hook/config`.
    package var hookURL: @Sendable () throws(GitHubError) -> String?
    /// Sets what deliveries are signed with: `PATCH /app/hook/config`; the same twice does nothing more.
    package var setHookSecret: @Sendable (_ secret: Secret) throws(GitHubError) -> Void
    /// All installations: `GET /app/installations`.
    package var installations: @Sendable () throws(GitHubError) -> [GitHub.InstallationDetails]
    /// The repositories that an installation reaches: `GET /installation/repositories`.
    package var repositories: @Sendable (_ installation: Int64) throws(GitHubError) -> [GitHub.Repository]
    /// What is left of an installation's hour: `GET /rate_limit`, which costs nothing.
    package var rateLimit: @Sendable (_ installation: Int64) throws(GitHubError) -> GitHub.RateLimit

    /// All operations at once.
    package init(
        convert: @escaping @Sendable (Secret) throws(GitHubError) -> GitHub.ConvertedApp,
        details: @escaping @Sendable () throws(GitHubError) -> GitHub.AppDetails,
        hookURL: @escaping @Sendable () throws(GitHubError) -> String?,
        setHookSecret: @escaping @Sendable (Secret) throws(GitHubError) -> Void,
        installations: @escaping @Sendable () throws(GitHubError) -> [GitHub.InstallationDetails],
        repositories: @escaping @Sendable (Int64) throws(GitHubError) -> [GitHub.Repository],
        rateLimit: @escaping @Sendable (Int64) throws(GitHubError) -> GitHub.RateLimit
    ) {
        self.convert = convert
        self.details = details
        self.hookURL = hookURL
        self.setHookSecret = setHookSecret
        self.installations = installations
        self.repositories = repositories
        self.rateLimit = rateLimit
    }

    /// One that reaches nobody: every operation is refused as unreachable.
    package static let none = AppAdministration(
        convert: { _ throws(GitHubError) in throw nobody("convert a manifest") },
        details: { () throws(GitHubError) in throw nobody("get the App") },
        hookURL: { () throws(GitHubError) in throw nobody("get the webhook") },
        setHookSecret: { _ throws(GitHubError) in throw nobody("set the webhook's secret") },
        installations: { () throws(GitHubError) in throw nobody("list installations") },
        repositories: { _ throws(GitHubError) in throw nobody("list repositories") },
        rateLimit: { _ throws(GitHubError) in throw nobody("get the rate limit") })

    private static func nobody(_ operation: String) -> GitHubError {
        GitHubError(.unreachable, operation: operation, message: "there is no GitHub here")
    }
}
