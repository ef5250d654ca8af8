package import Porter
package import PorterStore

/// A Fly app as it is set now: the one place that knows where its name, region and token come from.
///
/// The environment's stands over the team's in the settings, whole: what it leaves out is not taken from there.
package struct FlyApp: Equatable, Sendable {
    /// What the environment says of the team's app.
    package struct Given: Equatable, Sendable {
        let app: String?
        let token: Secret?
        let region: String?

        /// Nil when the environment names neither an app nor a token: then the settings count.
        package init?(app: String?, token: Secret?, region: String?) {
            guard app != nil || token != nil else { return nil }
            self.app = app
            self.token = token
            self.region = region
        }
    }

    private enum Source: Equatable, Sendable {
        case environment(Secret?)
        case settings(scope: String)
    }

    /// The app in which machines are made; empty when the environment gives a token alone.
    package let name: String
    /// Where Fly puts them; nil leaves that to Fly.
    package let region: String?
    private let source: Source

    /// Whether there is all that Fly needs.
    package var isComplete: Bool {
        switch source {
        case .environment(let token): !name.isEmpty && token != nil
        case .settings: !name.isEmpty
        }
    }

    /// The app of a scope; nil when there is none.
    ///
    /// - Parameter given: what the environment says of the team's.
    package static func find(
        _ scope: SettingsScope, _ given: Given?, _ store: Database
    ) throws(StoreError) -> FlyApp? {
        if scope == .shared, let given { return FlyApp(given) }
        return try store.findFly(scope: scope.name).map { entry in
            FlyApp(name: entry.app, region: entry.region, source: .settings(scope: scope.name))
        }
    }

    /// The environment's app.
    package init(_ given: Given) {
        self.init(name: given.app ?? "", region: given.region, source: .environment(given.token))
    }

    private init(name: String, region: String?, source: Source) {
        self.name = name
        self.region = region
        self.source = source
    }

    /// The token that opens the app; nil when there is none.
    ///
    /// - Throws: ``StoreError`` with `.corrupt` when the stored one does not open.
    package func token(_ store: Database, _ sealer: Sealer) throws(StoreError) -> Secret? {
        switch source {
        case .environment(let token): token
        case .settings(let scope): try store.openFlyToken(scope: scope, sealer: sealer)
        }
    }
}

extension Work {
    /// The Fly app of a scope, as it is set now.
    package func flyApp(of scope: SettingsScope) throws(StoreError) -> FlyApp? {
        try FlyApp.find(scope, operatorsPolicy.givenFly, store)
    }
}
