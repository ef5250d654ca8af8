import Porter

/// The manifest from which GitHub makes Porter's App.
///
/// - SeeAlso: <https://docs.github.com/en/apps/sharing-github-apps/registering-a-github-app-from-a-manifest>
package struct AppManifest: Hashable, Sendable, Encodable {
    /// Where deliveries go.
    package struct Hook: Hashable, Sendable, Encodable {
        /// The webhook's address; the secret is GitHub's to make and never in here.
        package let url: String
        /// Whether deliveries are sent.
        package let active: Bool
    }

    /// Characters of an App's name that GitHub takes.
    package static let maximumName = 34

    /// Unique among all Apps; GitHub lets the person change it on its page.
    package let name: String
    /// Porter's own address.
    package let url: String
    /// The webhook.
    package let hook_attributes: Hook
    /// Where GitHub sends the person back with the code.
    package let redirect_url: String
    /// Where sign-in comes back to.
    package let callback_urls: [String]
    /// Where a person comes after installing the App.
    package let setup_url: String
    /// What the App is, for people.
    package let description: String
    /// Whether accounts other than the owner's can install it.
    package let `public`: Bool
    /// Whether installing asks for sign-in at once.
    package let request_oauth_on_install: Bool
    /// Whether a person comes back after changing an installation, too.
    package let setup_on_update: Bool
    /// What the App may do.
    package let default_permissions: [String: String]
    /// What it is told of.
    ///
    /// Events about installations and authorisations arrive unasked and must not be here.
    package let default_events: [String]

    /// What Porter needs, and what it cannot do without each.
    package static let neededPermissions = [
        "contents": "write", "issues": "write", "metadata": "read", "pull_requests": "write",
    ]
    /// What a later Porter can use, as a marked choice: to add it later needs every installation's approval.
    package static let optionalPermissions = ["checks": "read", "statuses": "write"]
    /// What copies of people's settings in gists of theirs need, as a marked choice: an account permission, to which
    /// each person agrees.
    package static let gistPermissions = ["gists": "write"]
    /// What Porter is told of.
    package static let neededEvents = [
        "issue_comment", "issues", "pull_request", "pull_request_review", "pull_request_review_comment",
        "repository",
    ]

    /// The manifest of a Porter at that address.
    ///
    /// - Parameters:
    ///   - owner: the organisation that is to own the App; nil is the person's own account.
    ///   - withChecks: whether it asks for ``optionalPermissions``.
    ///   - withGists: whether it asks for ``gistPermissions``.
    ///   - isPublic: whether other accounts are to be served as well.
    package init(publicURL: String, owner: String?, withChecks: Bool, withGists: Bool, isPublic: Bool) {
        let host = publicURL.split(separator: "/").last.map(String.init) ?? "porter"
        let wanted = "Porter \(owner ?? host)".filter {
            $0.isASCII && ($0.isLetter || $0.isNumber || "-. ".contains($0))
        }
        name = String(wanted.prefix(Self.maximumName))
        url = publicURL
        hook_attributes = Hook(url: publicURL + "/api/webhooks/github", active: true)
        redirect_url = publicURL + "/api/setup/callback"
        callback_urls = [publicURL + "/api/auth/github/callback"]
        setup_url = publicURL + "/api/auth/github/installed"
        description = "Runs coding agents on issues, from a comment to a pull request."
        self.public = isPublic
        request_oauth_on_install = false
        setup_on_update = true
        default_permissions = Self.neededPermissions
            .merging(withChecks ? Self.optionalPermissions : [:]) { $1 }
            .merging(withGists ? Self.gistPermissions : [:]) { $1 }
        default_events = Self.neededEvents
    }
}
