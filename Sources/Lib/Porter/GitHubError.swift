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
    /// The page of the organisation whose single sign-on the person must pass first; only with `.forbidden`.
    package let singleSignOn: String?

    /// A failure of the operation.
    package init(
        _ code: Code, operation: String, status: Int? = nil, message: String = "",
        requestID: String? = nil, singleSignOn: String? = nil
    ) {
        self.code = code
        self.operation = operation
        self.status = status
        self.message = message
        self.requestID = requestID
        self.singleSignOn = singleSignOn
    }

    /// Whether an organisation's list of allowed addresses keeps Porter's out.
    ///
    /// GitHub has no code for it, only these words.
    ///
    /// - SeeAlso: <https://docs.github.com/en/enterprise-cloud@latest/organizations/keeping-your-organization-secure/managing-security-settings-for-your-organization/managing-allowed-ip-addresses-for-your-organization>
    package var isAddressRefused: Bool { code == .forbidden && message.contains("IP allow list") }

    /// Whether the person's account, or what they reach for, is suspended.
    package var isSuspension: Bool {
        (code == .forbidden || code == .unauthorized) && message.lowercased().contains("suspended")
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
