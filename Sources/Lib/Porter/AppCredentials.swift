/// What Porter needs to act as its GitHub App: from the environment, or from the set-up page.
///
/// It is a class because each delivery asks for them: five texts are handed on as one reference.
package final class AppCredentials: Sendable {
    /// The App's number, digits only.
    package let id: String
    /// PEM with real line breaks; signs the App's JSON web tokens.
    package let privateKey: Secret
    /// Names the App in the browser's sign-in; not the App's number.
    package let clientID: String
    /// Proves to GitHub that the sign-in is the App's own.
    package let clientSecret: Secret
    /// The key of the HMAC that GitHub signs deliveries with.
    package let webhookSecret: Secret

    /// The five values.
    package init(
        id: String, privateKey: Secret, clientID: String, clientSecret: Secret, webhookSecret: Secret
    ) {
        self.id = id
        self.privateKey = privateKey
        self.clientID = clientID
        self.clientSecret = clientSecret
        self.webhookSecret = webhookSecret
    }

    /// Every value that nobody may see.
    package var secrets: [Secret] { [privateKey, clientSecret, webhookSecret] }
}

/// Where the App's credentials are looked up, each time they are needed: set-up changes them while programs run.
package struct AppSource: Sendable {
    /// What there is at this moment.
    package enum Standing: Sendable {
        /// Nobody has set Porter up yet.
        case missing
        /// The App's own, from the environment or from set-up.
        case ready(AppCredentials)
        /// Something is stored that cannot be opened; the words say what and how to mend it.
        case broken(String)
    }

    /// Looks.
    package var standing: @Sendable () -> Standing
    /// Whether the environment gives them, so that set-up is not offered.
    package var isFixed: Bool

    /// A source that asks the closure.
    package init(isFixed: Bool, standing: @escaping @Sendable () -> Standing) {
        self.isFixed = isFixed
        self.standing = standing
    }

    /// One that always gives the same.
    package static func fixed(_ credentials: AppCredentials?) -> AppSource {
        AppSource(isFixed: credentials != nil) { credentials.map(Standing.ready) ?? .missing }
    }

    /// The credentials, nil while there are none that can be used.
    package var credentials: AppCredentials? {
        if case .ready(let credentials) = standing() { credentials } else { nil }
    }

    /// Whether there is an App, usable or not: then nobody is asked to make one.
    package var isSetUp: Bool {
        if case .missing = standing() { false } else { true }
    }
}
