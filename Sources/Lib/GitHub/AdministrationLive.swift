import FoundationEssentials
import Porter
import PorterHTTP

extension AppAdministration {
    /// The operations over the client that ``GitHub`` uses, too.
    static func live(_ client: AppClient) -> AppAdministration {
        AppAdministration(
            convert: { code throws(GitHubError) in try client.convert(code) },
            details: { () throws(GitHubError) in try client.details() },
            hookURL: { () throws(GitHubError) in try client.hookURL() },
            setHookSecret: { secret throws(GitHubError) in try client.setHookSecret(secret) },
            installations: { () throws(GitHubError) in try client.installations() },
            repositories: { id throws(GitHubError) in try client.repositories(of: id) },
            rateLimit: { id throws(GitHubError) in try client.rateLimit(of: id) })
    }
}

extension AppClient {
    /// - SeeAlso: <https://docs.github.com/en/rest/apps/apps#create-a-github-app-from-a-manifest>
    func convert(_ code: Secret) throws(GitHubError) -> GitHub.ConvertedApp {
        let operation = "convert a manifest"
        let path = code.reveal { "/app-manifests/\(Self.encoded($0))/conversions" }
        // The code itself is the credential.
        let response = try send(Call(operation: operation, method: "POST", path: path), authorization: nil)
        let app = try Self.decode(ConvertedAppJSON.self, response, operation)
        guard let slug = app.slug ?? app.html_url?.split(separator: "/").last.map(String.init) else {
            throw GitHubError(.uncertain, operation: operation, message: "the App has no name")
        }
        return GitHub.ConvertedApp(
            id: app.id, slug: slug, url: app.html_url ?? "", owner: app.owner.person,
            clientID: app.client_id, clientSecret: Secret(app.client_secret),
            webhookSecret: app.webhook_secret.map(Secret.init), privateKey: Secret(app.pem))
    }

    /// - SeeAlso: <https://docs.github.com/en/rest/apps/apps#get-the-authenticated-app>
    func details() throws(GitHubError) -> GitHub.AppDetails {
        let operation = "get the App"
        let app = try Self.decode(
            AppDetailsJSON.self, callAsApp(Call(operation: operation, path: "/app")), operation)
        return GitHub.AppDetails(
            slug: app.slug ?? "", owner: app.owner.person, permissions: app.permissions ?? [:],
            events: app.events ?? [])
    }

    /// - SeeAlso: <https://docs.github.com/en/rest/apps/webhooks#get-a-webhook-configuration-for-an-app>
    func hookURL() throws(GitHubError) -> String? {
        let operation = "get the webhook"
        return try Self.decode(
            HookJSON.self, callAsApp(Call(operation: operation, path: "/app/hook/config")), operation
        ).url
    }

    /// - SeeAlso: <https://docs.github.com/en/rest/apps/webhooks#update-a-webhook-configuration-for-an-app>
    func setHookSecret(_ secret: Secret) throws(GitHubError) {
        _ = try callAsApp(
            Call(
                operation: "set the webhook's secret", method: "PATCH", path: "/app/hook/config",
                body: secret.reveal { SureJSON.data(["secret": $0]) }))
    }

    /// - SeeAlso: <https://docs.github.com/en/rest/apps/apps#list-installations-for-the-authenticated-app>
    func installations() throws(GitHubError) -> [GitHub.InstallationDetails] {
        let operation = "list installations"
        var found: [GitHub.InstallationDetails] = []
        let first = Call(operation: operation, path: "/app/installations?per_page=100")
        try walk(first, mustBeWhole: true) { call throws(GitHubError) in
            try callAsApp(call)
        } _: { response throws(GitHubError) in
            found += try Self.decode([InstallationDetailsJSON].self, response, operation).map(\.value)
        }
        return found
    }

    /// - SeeAlso: <https://docs.github.com/en/rest/apps/installations#list-repositories-accessible-to-the-app-installation>
    func repositories(of installation: Int64) throws(GitHubError) -> [GitHub.Repository] {
        let operation = "list repositories"
        let token = try installationToken(installation)
        defer { try? revoke(token) }
        var found: [GitHub.Repository] = []
        let first = Call(operation: operation, path: "/installation/repositories?per_page=100")
        try walk(first, mustBeWhole: true) { call throws(GitHubError) in
            try send(call, authorization: token.reveal { "Bearer \($0)" })
        } _: { response throws(GitHubError) in
            found += try Self.decode(RepositoryListJSON.self, response, operation).repositories
                .compactMap(\.repository?.value)
        }
        return found
    }

    /// - SeeAlso: <https://docs.github.com/en/rest/rate-limit/rate-limit#get-rate-limit-status-for-the-authenticated-user>
    func rateLimit(of installation: Int64) throws(GitHubError) -> GitHub.RateLimit {
        let operation = "get the rate limit"
        let token = try installationToken(installation)
        defer { try? revoke(token) }
        let response = try send(
            Call(operation: operation, path: "/rate_limit"), authorization: token.reveal { "Bearer \($0)" })
        return try Self.decode(RateLimitJSON.self, response, operation).resources.core
    }

    /// A token for reading what every repository of the installation is called, and nothing else.
    private func installationToken(_ installation: Int64) throws(GitHubError) -> Secret {
        let operation = "create installation token"
        let response = try callAsApp(
            Call(
                operation: operation, method: "POST",
                path: "/app/installations/\(installation)/access_tokens",
                body: SureJSON.data(["permissions": ["metadata": "read"]])))
        return Secret(try Self.decode(BareTokenJSON.self, response, operation).token)
    }
}

private struct ConvertedAppJSON: Decodable {
    let id: Int64
    let slug: String?
    let html_url: String?
    let owner: UserJSON
    let client_id: String
    let client_secret: String
    let webhook_secret: String?
    let pem: String
}

private struct AppDetailsJSON: Decodable {
    let slug: String?
    let owner: UserJSON
    let permissions: [String: String]?
    let events: [String]?
}

private struct HookJSON: Decodable {
    let url: String?
}

private struct BareTokenJSON: Decodable {
    let token: String
}

private struct RateLimitJSON: Decodable {
    struct Resources: Decodable {
        let core: GitHub.RateLimit
    }

    let resources: Resources
}

private struct InstallationDetailsJSON: Decodable {
    struct Account: Decodable {
        let id: Int64
        let login: String?
        let slug: String?
        let type: String?
    }

    let id: Int64
    let account: Account?
    let target_id: Int64?
    let target_type: String?
    let repository_selection: String?
    let permissions: [String: String]?
    let suspended_at: String?
    let html_url: String?

    var value: GitHub.InstallationDetails {
        GitHub.InstallationDetails(
            id: id,
            account: Person(
                id: account?.id ?? target_id ?? 0, login: account?.login ?? account?.slug ?? "ghost"),
            accountType: target_type ?? account?.type ?? "User", selection: repository_selection ?? "all",
            permissions: permissions ?? [:], isSuspended: suspended_at != nil, url: html_url ?? "")
    }
}
