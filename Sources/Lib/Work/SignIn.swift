package import Porter
import PorterStore

/// Why somebody was not let in, and where they can mend it.
package struct SignInRefusal: Error, Hashable, Sendable {
    /// What is wrong.
    package let failure: SignInFailure
    /// A page of GitHub's on which it can be mended; nil when there is none.
    package let action: String?

    /// A refusal.
    package init(_ failure: SignInFailure, action: String? = nil) {
        self.failure = failure
        self.action = action
    }
}

/// What came back from GitHub with the browser.
package struct SignInAnswer: Sendable {
    /// The one-time state, as it came back; nil when it did not.
    package var state: Secret?
    /// What the browser's own cookie holds; nil when it has none.
    package var browser: Secret?
    /// The code that brings the tokens.
    package var code: Secret?
    /// GitHub's word when it gave no code.
    package var error: String?
    /// What the challenge of this sign-in was made from.
    package var verifier: Secret
    /// Whether somebody asked for an installation from this browser that an owner has yet to approve.
    package var hasRequestedInstallation: Bool
    /// The session that the browser had before, which ends.
    package var formerSession: Secret?
    /// Where the request came from.
    package var address: String?
    /// What the browser calls itself.
    package var userAgent: String?

    /// An answer.
    package init(
        state: Secret?, browser: Secret?, code: Secret?, error: String?, verifier: Secret,
        hasRequestedInstallation: Bool, formerSession: Secret?, address: String?, userAgent: String?
    ) {
        self.state = state
        self.browser = browser
        self.code = code
        self.error = error
        self.verifier = verifier
        self.hasRequestedInstallation = hasRequestedInstallation
        self.formerSession = formerSession
        self.address = address
        self.userAgent = userAgent
    }
}

/// Somebody is signed in.
package struct SignedIn: Sendable {
    /// The cookie's value.
    package let cookie: Secret
    /// The page of ours that they asked for.
    package let returnTo: String
}

extension Work {
    /// Where GitHub sends people back to.
    package var signInCallback: String { policy.publicURL + "/api/auth/github/callback" }

    /// Remembers a sign-in that begins.
    package func beginSignIn(state: Secret, browser: Secret, returnTo: String) throws(SignInRefusal) {
        guard world.users.clientID() != nil else {
            // Stored keys that do not open are no reason to set Porter up once more.
            guard case .broken = world.app.standing() else { throw SignInRefusal(.notSetUp) }
            throw SignInRefusal(.keysClosed)
        }
        try letting { () throws(StoreError) in
            try store.beginSignIn(
                state: world.digest(state), browser: world.digest(browser), returnTo: returnTo, at: now)
        }
    }

    /// Lets somebody in, or says why not.
    ///
    /// The state is used up whatever comes of it. Nothing of the person is stored before everything has been found
    /// right, and then all of it in one transaction.
    package func finishSignIn(_ answer: SignInAnswer) throws(SignInRefusal) -> SignedIn {
        let attempt = try take(answer)
        do throws(SignInRefusal) {
            return try admit(answer, attempt)
        } catch {
            if let state = answer.state {
                try letting { () throws(StoreError) in
                    try store.failSignIn(
                        state: world.digest(state), error.failure.rawValue, action: error.action, at: now)
                }
            }
            throw error
        }
    }

    private func take(_ answer: SignInAnswer) throws(SignInRefusal) -> SignInAttempt {
        guard let state = answer.state, !state.isEmpty else { throw SignInRefusal(.stateInvalid) }
        let taken = try letting { () throws(StoreError) in
            try store.takeSignIn(
                state: world.digest(state), browser: answer.browser.map(world.digest), at: now)
        }
        switch taken {
        case .success(let attempt): return attempt
        case .failure(.unknown), .failure(.foreign): throw SignInRefusal(.stateInvalid)
        case .failure(.used): throw SignInRefusal(.stateUsed)
        case .failure(.expired): throw SignInRefusal(.stateExpired)
        }
    }

    private func admit(
        _ answer: SignInAnswer, _ attempt: SignInAttempt
    ) throws(SignInRefusal) -> SignedIn {
        if let word = answer.error {
            log(.notice, "sign-in refused by GitHub", ["error": String(word.prefix(100).filter(\.isASCII))])
            throw SignInRefusal(SignInFailure(gitHubWord: word))
        }
        guard let code = answer.code, !code.isEmpty else { throw SignInRefusal(.codeRefused) }
        let tokens: UserGitHub.UserTokens
        do throws(OAuthError) {
            tokens = try world.users.exchange(code, answer.verifier, signInCallback)
        } catch {
            log(.notice, "sign-in failed", ["error": "\(error)"])
            throw SignInRefusal(error.code == .refused ? SignInFailure(gitHubWord: error.word) : .unreachable)
        }
        do throws(SignInRefusal) {
            return try admit(tokens, answer, attempt)
        } catch {
            forget(tokens.access)
            throw error
        }
    }

    private func admit(
        _ tokens: UserGitHub.UserTokens, _ answer: SignInAnswer, _ attempt: SignInAttempt
    ) throws(SignInRefusal) -> SignedIn {
        let app = try asking { () throws(GitHubError) in try world.github.app() }
        let person = try asking { () throws(GitHubError) in try world.users.person(tokens.access) }
        try letting { () throws(StoreError) in
            try learnOwner(app)
        }
        guard try letting({ () throws(StoreError) in try isAllowed(person) }) else {
            throw SignInRefusal(.notAllowed)
        }
        let visible = try asking { () throws(GitHubError) in try world.users.installations(tokens.access) }
        do throws(SignInRefusal) {
            try check(visible, app)
        } catch {
            let isWaiting = error.failure == .notInstalled && answer.hasRequestedInstallation
            throw isWaiting ? SignInRefusal(.installationRequested) : error
        }
        let seen = try asking { () throws(GitHubError) in try rights(tokens.access, visible) }
        if seen.rights.isEmpty, let refusal = seen.refusal { throw self.refusal(refusal) }
        return try keep(
            person, tokens, seen, answer, attempt,
            mayBeFirst: visible.list.contains { $0.account.id == app.owner.id })
    }

    /// Whether the person sees an installation that is served and works.
    private func check(
        _ visible: UserGitHub.VisibleInstallations, _ app: GitHub.App
    ) throws(SignInRefusal) {
        let served = visible.list.filter { isServed($0.account) }
        if served.contains(where: { !$0.isSuspended }) { return }
        if !served.isEmpty { throw SignInRefusal(.suspended) }
        for organization in visible.hiddenOrganizations {
            let known = try letting { () throws(StoreError) in try store.findAccount(organization) }
            if let known, isServed(known) {
                throw SignInRefusal(.singleSignOn, action: "\(policy.githubURL)/orgs/\(known.login)/sso")
            }
        }
        throw SignInRefusal(
            .notInstalled, action: "\(policy.githubURL)/apps/\(app.slug)/installations/new")
    }

    private func keep(
        _ person: Person, _ tokens: UserGitHub.UserTokens, _ seen: SeenRights, _ answer: SignInAnswer,
        _ attempt: SignInAttempt, mayBeFirst: Bool
    ) throws(SignInRefusal) -> SignedIn {
        let sealed: SealedUserTokens
        do throws(Sealer.Failure) {
            sealed = try SealedUserTokens(tokens, person: person.id, sealer: world.sealer)
        } catch {
            log(.error, "a token cannot be sealed", ["error": "\(error)"])
            throw SignInRefusal(.unavailable)
        }
        let cookie = world.entropy.token()
        let news = NewSignIn(
            person: person, session: SessionID(entropy: world.entropy), cookie: world.digest(cookie),
            formerCookie: answer.formerSession.map(world.digest), tokens: sealed, rights: seen.rights,
            repositories: seen.repositories, address: answer.address, userAgent: answer.userAgent)
        try letting { () throws(StoreError) in
            // Before the transaction, because an operator's list pins whom it names.
            let isNamed = try policy.admins.map { (list) throws(StoreError) in try names(list, person) }
            try store.signIn(
                news, admin: isNamed.map { $0 ? .named : .notNamed } ?? (mayBeFirst ? .firstIfNone : .keep),
                mark: Self.firstAdminMark, at: now)
        }
        log(.notice, "signed in", ["person": "\(person.id)", "login": person.login])
        return SignedIn(cookie: cookie, returnTo: attempt.returnTo)
    }

    /// A token that was given for nothing is given back, as far as that is possible now.
    private func forget(_ token: Secret) {
        do throws(OAuthError) {
            try world.users.revoke(token)
        } catch {
            log(.info, "a token could not be given back", ["error": "\(error)"])
        }
    }

    private func letting<T>(_ body: () throws(StoreError) -> T) throws(SignInRefusal) -> T {
        do throws(StoreError) {
            return try body()
        } catch {
            log(.error, "sign-in not stored", ["error": "\(error)"])
            throw SignInRefusal(.unavailable)
        }
    }

    private func asking<T>(_ body: () throws(GitHubError) -> T) throws(SignInRefusal) -> T {
        do throws(GitHubError) {
            return try body()
        } catch {
            log(.notice, "sign-in failed", ["error": "\(error)"])
            throw refusal(error)
        }
    }

    private func refusal(_ error: GitHubError) -> SignInRefusal {
        if let page = error.singleSignOn {
            // Nobody is led anywhere but to the organisation's page at GitHub.
            return SignInRefusal(
                .singleSignOn, action: page.hasPrefix(policy.githubURL + "/orgs/") ? page : nil)
        }
        if error.isAddressRefused { return SignInRefusal(.addressRefused) }
        if error.isSuspension { return SignInRefusal(.suspended) }
        switch error.code {
        case .unreachable, .uncertain, .rateLimited: return SignInRefusal(.unreachable)
        case .unauthorized, .forbidden, .notFound, .gone, .refused: return SignInRefusal(.misconfigured)
        }
    }
}

extension SignInFailure {
    /// What GitHub's word for a refused sign-in means.
    ///
    /// - SeeAlso: <https://docs.github.com/en/apps/oauth-apps/maintaining-oauth-apps/troubleshooting-oauth-app-access-token-request-errors>
    init(gitHubWord word: String) {
        switch word {
        case "access_denied": self = .accessDenied
        case "application_suspended": self = .suspended
        case "unverified_user_email": self = .unverifiedEmail
        case "redirect_uri_mismatch", "incorrect_client_credentials", "unknown_client", "not_set_up":
            self = .misconfigured
        default: self = .codeRefused
        }
    }
}
