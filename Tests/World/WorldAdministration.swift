package import Porter
import Synchronization

/// GitHub about the App itself, in memory.
package final class WorldAdministration: Sendable {
    /// What GitHub knows of the App.
    package struct State: Sendable {
        /// Codes that can still be converted.
        package var codes: Set<String> = ["code-1"]
        /// What a conversion says is the webhook's secret.
        package var hookSecret: Secret? = Secret("hook-secret-canary")
        /// The secret that deliveries are signed with now.
        package var presentHookSecret: Secret?
        package var hookURL: String? = "https://porter.example/api/webhooks/github"
        package var details = GitHub.AppDetails(
            slug: "porter", owner: Person(id: 900, login: "acme"),
            permissions: [
                "contents": "write", "issues": "write", "metadata": "read", "pull_requests": "write",
            ],
            events: [
                "issue_comment", "issues", "pull_request", "pull_request_review",
                "pull_request_review_comment", "repository",
            ])
        package var installations = [
            GitHub.InstallationDetails(
                id: 77, account: Person(id: 900, login: "acme"), accountType: "Organization",
                selection: "all",
                permissions: [
                    "contents": "write", "issues": "write", "metadata": "read", "pull_requests": "write",
                ], isSuspended: false,
                url: "https://github.example/organizations/acme/settings/installations/77")
        ]
        package var repositories: [Int64: [GitHub.Repository]] = [
            77: [
                GitHub.Repository(
                    id: 42, owner: Person(id: 900, login: "acme"), name: "shop", defaultBranch: "trunk",
                    isArchived: false, cloneURL: "https://github.example/acme/shop.git")
            ]
        ]
        package var rateLimit = GitHub.RateLimit(limit: 5000, remaining: 4321, reset: 1_800_000_600)
    }

    package let faults = Faults()
    private let state = Mutex(State())

    init() {}

    /// What is there now.
    package var seen: State { state.withLock { $0 } }

    /// Changes what is there.
    package func change(_ body: (inout State) -> Void) {
        state.withLock { body(&$0) }
    }

    private func call<T>(
        _ operation: String, _ effect: (inout State) throws(GitHubError) -> T
    ) throws(GitHubError) -> T {
        let fault = faults.next(operation)
        func failure(_ code: GitHubError.Code, _ words: String) -> GitHubError {
            GitHubError(code, operation: operation, message: words)
        }
        switch fault {
        case .refused(let words): throw failure(.refused, words)
        case .unreachable: throw failure(.unreachable, "no connection")
        case .uncertainBefore: throw failure(.uncertain, "no answer")
        case .rateLimited(let until): throw failure(.rateLimited(until: until), "slow down")
        case .github(let code): throw failure(code, "planted")
        case .machines, .uncertainAfter, nil: break
        }
        let result = try state.withLock { (state) throws(GitHubError) in try effect(&state) }
        if fault == .uncertainAfter { throw failure(.uncertain, "the answer was lost") }
        return result
    }

    /// The face that the rules see.
    package var face: AppAdministration {
        AppAdministration(
            convert: { (code) throws(GitHubError) in
                try self.call("convert") { (state) throws(GitHubError) in
                    guard state.codes.remove(code.reveal { $0 }) != nil else {
                        throw GitHubError(
                            .notFound, operation: "convert a manifest", status: 404, message: "Not Found")
                    }
                    state.presentHookSecret = state.hookSecret
                    return GitHub.ConvertedApp(
                        id: 5001, slug: "porter-acme", url: "https://github.example/apps/porter-acme",
                        owner: Person(id: 900, login: "acme"), clientID: "Iv23.converted",
                        clientSecret: Secret("converted-client-secret"), webhookSecret: state.hookSecret,
                        privateKey: Secret("converted-private-key"))
                }
            },
            details: { () throws(GitHubError) in try self.call("details") { $0.details } },
            hookURL: { () throws(GitHubError) in try self.call("hookURL") { $0.hookURL } },
            setHookSecret: { (secret) throws(GitHubError) in
                try self.call("setHookSecret") { $0.presentHookSecret = secret }
            },
            installations: { () throws(GitHubError) in
                try self.call("installations") { $0.installations }
            },
            repositories: { (id) throws(GitHubError) in
                try self.call("repositories") { $0.repositories[id] ?? [] }
            },
            rateLimit: { (_) throws(GitHubError) in try self.call("rateLimit") { $0.rateLimit } })
    }
}
