import FoundationEssentials
package import Porter
package import PorterHTTP

/// Calls GitHub with a person's token, and trades codes and refresh tokens for tokens.
struct UserClient: Sendable {
    /// GitHub's pages, where tokens are given.
    let webURL: String
    let credentials: @Sendable () -> UserGitHub.Credentials?
    let transport: Transport
    /// Only the way to send is used; the App does not authenticate here.
    let api: AppClient

    /// The fields of GitHub's answer; with HTTP 200 in any case, `error` says that it is a refusal.
    private struct Answer: Decodable {
        let access_token: String?
        @JSONNumber var expires_in: Int64?
        let refresh_token: String?
        @JSONNumber var refresh_token_expires_in: Int64?
        let error: String?
        let error_description: String?
    }

    /// Asks for tokens.
    ///
    /// - Parameter fields: of the form, beside the App's own.
    /// - SeeAlso: <https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-user-access-token-for-a-github-app>
    func tokens(_ fields: [(String, Secret)]) throws(OAuthError) -> UserGitHub.UserTokens {
        let app = try app()
        let all = [("client_id", Secret(app.clientID)), ("client_secret", app.clientSecret)] + fields
        let form = all.map { name, value in name + "=" + value.reveal(AppClient.encoded) }
        let request = Request(
            method: "POST", target: webURL + "/login/oauth/access_token",
            fields: [
                "Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded",
                "User-Agent": "Porter/\(Porter.version)",
            ], body: Data(form.joined(separator: "&").utf8))
        let response = try send(request)
        guard let answer = try? JSONDecoder().decode(Answer.self, from: response.body) else {
            // GitHub knows no App of that id, and has a page for that.
            if response.status == 404 {
                throw OAuthError(.refused, word: "unknown_client", message: "GitHub knows no such App")
            }
            throw OAuthError(.uncertain, message: "the answer (\(response.status)) is no JSON")
        }
        if let word = answer.error {
            throw OAuthError(
                .refused, word: String(word.prefix(100)),
                message: String((answer.error_description ?? "").prefix(300)))
        }
        guard (200..<300).contains(response.status), let access = answer.access_token, !access.isEmpty else {
            throw OAuthError(.uncertain, message: "the answer (\(response.status)) holds no token")
        }
        let now = api.clock.now()
        func moment(_ seconds: Int64?) -> Instant? { seconds.map { now.adding(milliseconds: $0 * 1000) } }
        return UserGitHub.UserTokens(
            access: Secret(access), accessExpiresAt: moment(answer.expires_in),
            refresh: answer.refresh_token.map { Secret($0) },
            refreshExpiresAt: moment(answer.refresh_token_expires_in))
    }

    /// - SeeAlso: <https://docs.github.com/en/rest/apps/oauth-applications#delete-an-app-token>
    func revoke(_ token: Secret) throws(OAuthError) {
        let app = try app()
        let pair = app.clientSecret.reveal { "\(app.clientID):\($0)" }
        let response = try send(
            Request(
                method: "DELETE",
                target: "\(api.apiURL)/applications/\(AppClient.encoded(app.clientID))/token",
                fields: [
                    "Accept": "application/vnd.github+json", "Content-Type": "application/json",
                    "Authorization": "Basic " + Data(pair.utf8).base64EncodedString(),
                    "User-Agent": "Porter/\(Porter.version)", "X-GitHub-Api-Version": "2022-11-28",
                ], body: token.reveal { SureJSON.data(["access_token": $0]) }))
        guard [204, 404, 422].contains(response.status) else {
            throw OAuthError(.refused, message: "the answer is \(response.status)")
        }
    }

    private func app() throws(OAuthError) -> UserGitHub.Credentials {
        guard let app = credentials() else {
            throw OAuthError(.refused, word: "not_set_up", message: "no GitHub App is configured")
        }
        return app
    }

    private func send(_ request: Request) throws(OAuthError) -> Response {
        do {
            return try transport.send(request, AppClient.limits)
        } catch {
            let isCertain = error.code == .unreachable || error.code == .notAllowed
            throw OAuthError(isCertain ? .unreachable : .uncertain, message: error.description)
        }
    }

    // MARK: - As the person

    func person(_ token: Secret) throws(GitHubError) -> Person {
        let operation = "get the person"
        return try AppClient.decode(
            UserJSON.self, call(AppClient.Call(operation: operation, path: "/user"), token), operation
        ).person
    }

    private struct InstallationsJSON: Decodable {
        let installations: [InstallationJSON]
    }

    /// - SeeAlso: <https://docs.github.com/en/rest/apps/installations#list-app-installations-accessible-to-the-user-access-token>
    func installations(_ token: Secret) throws(GitHubError) -> UserGitHub.VisibleInstallations {
        let operation = "list installations"
        var found: [GitHub.Installation] = []
        var hidden: [Int64] = []
        try pages("/user/installations?per_page=100", operation, token) { response throws(GitHubError) in
            let page = try AppClient.decode(InstallationsJSON.self, response, operation)
            found += page.installations.map(\.value)
            hidden += SingleSignOn(response).hidden
        }
        return UserGitHub.VisibleInstallations(list: found, hiddenOrganizations: hidden)
    }

    private struct RepositoriesJSON: Decodable {
        let repositories: [Seen]

        struct Seen: Decodable {
            struct Permissions: Decodable {
                let push: Bool?
                let maintain: Bool?
                let admin: Bool?
            }

            let repository: RepositoryJSON
            let permissions: Permissions?

            private enum CodingKeys: String, CodingKey {
                case permissions
            }

            init(from decoder: any Decoder) throws {
                repository = try RepositoryJSON(from: decoder)
                permissions = try decoder.container(keyedBy: CodingKeys.self)
                    .decodeIfPresent(Permissions.self, forKey: .permissions)
            }
        }
    }

    /// - SeeAlso: <https://docs.github.com/en/rest/apps/installations#list-repositories-accessible-to-the-user-access-token>
    func repositories(
        _ token: Secret, _ installation: Int64
    ) throws(GitHubError) -> [UserGitHub.VisibleRepository] {
        let operation = "list repositories"
        var found: [UserGitHub.VisibleRepository] = []
        let path = "/user/installations/\(installation)/repositories?per_page=100"
        try pages(path, operation, token) { response throws(GitHubError) in
            let page = try AppClient.decode(RepositoriesJSON.self, response, operation)
            found += page.repositories.map { seen in
                let may = seen.permissions
                return UserGitHub.VisibleRepository(
                    repository: seen.repository.value,
                    canPush: may?.push == true || may?.maintain == true || may?.admin == true)
            }
        }
        return found
    }

    private struct WrittenIssueJSON: Decodable {
        struct PullMark: Decodable {}

        let number: Int
        let title: String?
        let body: String?
        let pull_request: PullMark?

        var value: UserGitHub.WrittenIssue {
            UserGitHub.WrittenIssue(
                number: number, title: title ?? "", body: body ?? "", isPullRequest: pull_request != nil)
        }
    }

    /// - SeeAlso: <https://docs.github.com/en/rest/issues/issues#get-an-issue>
    func issue(
        _ token: Secret, _ place: RepositoryRef, _ number: Int
    ) throws(GitHubError) -> UserGitHub.WrittenIssue {
        let operation = "get issue"
        let call = AppClient.Call(operation: operation, path: "/repositories/\(place.id)/issues/\(number)")
        return try AppClient.decode(WrittenIssueJSON.self, self.call(call, token), operation).value
    }

    private struct NewIssueJSON: Encodable {
        let title: String
        let body: String
    }

    /// - SeeAlso: <https://docs.github.com/en/rest/issues/issues#create-an-issue>
    func createIssue(
        _ token: Secret, _ place: RepositoryRef, _ title: String, _ body: String
    ) throws(GitHubError) -> UserGitHub.WrittenIssue {
        let operation = "create issue"
        let call = AppClient.Call(
            operation: operation, method: "POST", path: "/repositories/\(place.id)/issues",
            body: SureJSON.data(NewIssueJSON(title: title, body: body)))
        return try AppClient.decode(WrittenIssueJSON.self, self.call(call, token), operation).value
    }

    func call(_ call: AppClient.Call, _ token: Secret) throws(GitHubError) -> Response {
        try token.reveal { (text) throws(GitHubError) in
            try api.send(call, authorization: "Bearer \(text)")
        }
    }

    func pages(
        _ path: String, _ operation: String, _ token: Secret,
        _ each: (Response) throws(GitHubError) -> Void
    ) throws(GitHubError) {
        try api.walk(
            AppClient.Call(operation: operation, path: path),
            { page throws(GitHubError) in try call(page, token) }, each)
    }
}

extension UserGitHub {
    /// What the App shows when it asks for people's tokens.
    package struct Credentials: Sendable {
        let clientID: String
        let clientSecret: Secret

        /// The App's client id and its secret.
        package init(clientID: String, clientSecret: Secret) {
            self.clientID = clientID
            self.clientSecret = clientSecret
        }
    }

    /// GitHub as people who signed in with that App see it.
    ///
    /// - Parameters:
    ///   - webURL: GitHub's pages, without a slash at its end.
    ///   - apiURL: GitHub's API, without a slash at its end.
    ///   - credentials: of the App that there is now; nil before there is one.
    package static func live(
        transport: Transport, webURL: String, apiURL: String,
        credentials: @escaping @Sendable () -> Credentials?, clock: Clock
    ) -> UserGitHub {
        let api = AppClient(
            transport: transport, apiURL: apiURL, appID: { nil }, sign: { _ in [] }, clock: clock)
        let client = UserClient(
            webURL: webURL, credentials: credentials, transport: transport, api: api)
        return UserGitHub(
            clientID: { credentials()?.clientID },
            exchange: { code, verifier, redirect throws(OAuthError) in
                try client.tokens([
                    ("code", code), ("code_verifier", verifier), ("redirect_uri", Secret(redirect)),
                ])
            },
            refresh: { token throws(OAuthError) in
                try client.tokens([("grant_type", Secret("refresh_token")), ("refresh_token", token)])
            },
            person: { token throws(GitHubError) in try client.person(token) },
            installations: { token throws(GitHubError) in try client.installations(token) },
            repositories: { token, id throws(GitHubError) in try client.repositories(token, id) },
            issue: { token, place, number throws(GitHubError) in try client.issue(token, place, number) },
            createIssue: { token, place, title, body throws(GitHubError) in
                try client.createIssue(token, place, title, body)
            },
            gists: client.gists,
            revoke: { token throws(OAuthError) in try client.revoke(token) })
    }
}
