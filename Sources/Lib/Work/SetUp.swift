import FoundationEssentials
package import Porter
package import PorterStore

/// The App's credentials as set-up stores them, all in one sealed value.
package struct AppRecord: Codable, Sendable {
    let id: Int64
    let slug: String
    let url: String
    let ownerID: Int64
    let ownerLogin: String
    let clientID: String
    let clientSecret: String
    let webhookSecret: String
    let privateKey: String

    init(_ app: GitHub.ConvertedApp, webhookSecret: Secret) {
        id = app.id
        slug = app.slug
        url = app.url
        ownerID = app.owner.id
        ownerLogin = app.owner.login
        clientID = app.clientID
        clientSecret = app.clientSecret.reveal { $0 }
        self.webhookSecret = webhookSecret.reveal { $0 }
        privateKey = app.privateKey.reveal { $0 }
    }

    /// Reads a record; nil when the text is none.
    package init?(_ secret: Secret) {
        let record = secret.reveal { try? JSONDecoder().decode(AppRecord.self, from: Data($0.utf8)) }
        guard let record else { return nil }
        self = record
    }

    /// The record as text, to be sealed.
    var secret: Secret { Secret(SureJSON.text(self)) }

    /// What is needed to act as the App.
    package var credentials: AppCredentials {
        AppCredentials(
            id: String(id), privateKey: Secret(privateKey), clientID: clientID,
            clientSecret: Secret(clientSecret), webhookSecret: Secret(webhookSecret))
    }
}

/// Why a step of set-up was not taken; each has a code and says what to do.
package enum SetUpFailure: Error, Equatable {
    /// Porter has an App.
    case finished(installation: String?)
    /// The token is not the one that `porterctl setup-url` printed last, or it was used.
    case token
    /// The token's time is over.
    case tokenExpired
    /// The state is not the one that was given out, or it was used with another code.
    case state
    /// The state's time is over.
    case stateExpired
    /// GitHub refused the code: it was used, or its hour is over.
    case code(String)
    /// GitHub did not answer, or with an error of its own.
    case github(String)
    /// The database could not be used.
    case store(StoreError)
}

extension Work {
    /// Seconds for which a token of `porterctl setup-url` is good.
    package static var setUpTokenLife: Int { 3600 }
    /// Seconds in which a person has to come back from GitHub; a code is good for as long.
    package static var setUpStateLife: Int { 3600 }

    /// Offers set-up with a fresh token, in place of any that was given out before.
    ///
    /// - Returns: nil when Porter has an App.
    package func offerSetUp() throws(StoreError) -> Secret? {
        guard !world.app.isSetUp else { return nil }
        let token = world.entropy.token()
        let isOffered = try store.offerSetUp(
            tokenDigest: world.digest(token), until: now.adding(seconds: Self.setUpTokenLife), at: now)
        return isOffered ? token : nil
    }

    /// Refuses a token that would not begin anything, and leaves a good one as it is.
    package func checkSetUpToken(_ token: Secret) throws(SetUpFailure) {
        guard !world.app.isSetUp else { throw .finished(installation: nil) }
        try Self.accept(
            try stored { () throws(StoreError) in
                try store.checkSetUp(tokenDigest: world.digest(token), at: now)
            })
    }

    private static func accept(_ result: SetUpResult) throws(SetUpFailure) {
        switch result {
        case .advanced: return
        case .unknown: throw .token
        case .expired: throw .tokenExpired
        case .finished: throw .finished(installation: nil)
        }
    }

    /// Uses a token up for a manifest.
    ///
    /// - Parameter owner: the organisation that is to own the App; nil is the person's own account.
    /// - Returns: the state under which GitHub will send the person back.
    package func beginManifest(token: Secret, owner: String?) throws(SetUpFailure) -> Secret {
        guard !world.app.isSetUp else { throw .finished(installation: nil) }
        let state = world.entropy.token()
        let result = try stored { () throws(StoreError) in
            try store.beginManifest(
                tokenDigest: world.digest(token), stateDigest: world.digest(state), owner: owner,
                until: now.adding(seconds: Self.setUpStateLife), at: now)
        }
        try Self.accept(result)
        return state
    }

    /// Turns the code that GitHub sent back into an App, and keeps it before anything is shown.
    ///
    /// Each step is on disk before the next: the state with the code, the App sealed, and that GitHub knows the
    /// webhook's secret. After a death or a lost answer the same address may be asked for again; whether GitHub still
    /// takes the code is then GitHub's to say.
    ///
    /// - Returns: the App's page for installing it.
    package func convertManifest(code: Secret, state: Secret) throws(SetUpFailure) -> String {
        if world.app.isSetUp { throw .finished(installation: try installationPage()) }
        let begun = try stored { () throws(StoreError) in
            try store.beginConversion(
                stateDigest: world.digest(state), codeDigest: world.digest(code), at: now)
        }
        switch begun {
        case .advanced: break
        case .unknown: throw .state
        case .expired: throw .stateExpired
        case .finished: throw .finished(installation: try installationPage())
        }
        world.moment("setup.converting")
        let app: GitHub.ConvertedApp
        do throws(GitHubError) {
            app = try world.administration.convert(code)
        } catch {
            log(.warning, "set-up: GitHub did not convert the manifest", ["error": "\(error)"])
            let isRefused = error.code == .notFound || error.code == .refused || error.code == .gone
            throw isRefused ? .code(error.message) : .github(error.message)
        }
        world.moment("setup.converted")
        for secret in [app.clientSecret, app.privateKey, app.webhookSecret].compactMap({ $0 }) {
            world.redactor.watch(secret)
        }
        let record = AppRecord(app, webhookSecret: app.webhookSecret ?? world.entropy.token())
        try stored { () throws(StoreError) in
            try store.finishConversion(
                record.secret, slug: app.slug, owner: app.owner, ownerMark: Self.ownerMark,
                isComplete: app.webhookSecret != nil, sealer: world.sealer, at: now)
        }
        log(.notice, "set-up: GitHub App stored", ["app": app.slug, "owner": app.owner.login])
        world.moment("setup.stored")
        completeSetUp()
        return installationPage(of: app.slug)
    }

    /// Tells GitHub the webhook's secret, if it does not know it yet; what fails is done by the next pass.
    package func completeSetUp() {
        do {
            guard try store.setUpProgress()?.stage == .stored, let app = world.app.credentials else { return }
            world.moment("setup.hook.calling")
            try world.administration.setHookSecret(app.webhookSecret)
            world.moment("setup.hook.called")
            try store.finishSetUp(at: now)
            log(.notice, "set-up: done")
        } catch {
            log(.warning, "set-up: GitHub does not know the webhook's secret yet", ["error": "\(error)"])
        }
    }

    /// The page on which the App is installed; nil when the App did not come from set-up.
    private func installationPage() throws(SetUpFailure) -> String? {
        let progress = try stored { () throws(StoreError) in try store.setUpProgress() }
        return progress?.slug.map(installationPage)
    }

    private func installationPage(of slug: String) -> String {
        "\(policy.githubURL)/apps/\(slug)/installations/new"
    }

    private func stored<T>(_ body: () throws(StoreError) -> T) throws(SetUpFailure) -> T {
        do throws(StoreError) {
            return try body()
        } catch {
            throw .store(error)
        }
    }
}
