package import Porter
package import PorterHTTP

/// GitHub over REST: the live value of the domain's `GitHub`, the webhook's signature and its decoding.
///
/// `AppClient` knows how to authenticate and to read GitHub's refusals; the operations below say what is
/// asked and with which permission. Version 2022-11-28 of the API.
extension GitHub {
    /// The operations of the App at that address.
    ///
    /// - Parameters:
    ///   - apiURL: without a slash at its end, `https://api.github.com` or `https://HOST/api/v3`.
    ///   - appID: the App's number at that moment; nil while there is no App.
    ///   - sign: RS256 with the App's private key.
    package static func live(
        transport: Transport, apiURL: String, appID: @escaping @Sendable () -> String?,
        sign: @escaping @Sendable ([UInt8]) throws -> [UInt8], clock: Clock
    ) -> (github: GitHub, administration: AppAdministration) {
        let client = AppClient(
            transport: transport, apiURL: apiURL, appID: appID, sign: sign, clock: clock)
        return (GitHub(client), .live(client))
    }

    /// The operations of the App whose number never changes.
    package static func live(
        transport: Transport, apiURL: String, appID: String,
        sign: @escaping @Sendable ([UInt8]) throws -> [UInt8], clock: Clock
    ) -> GitHub {
        live(transport: transport, apiURL: apiURL, appID: { appID }, sign: sign, clock: clock).github
    }
}

extension GitHub {
    fileprivate init(_ client: AppClient) {
        self.init(
            app: { () throws(GitHubError) in try client.app() },
            installation: { id throws(GitHubError) in try client.installation(id) },
            installations: { look throws(GitHubError) in try client.installations(look) },
            repositories: { id, look throws(GitHubError) in try client.repositories(of: id, look) },
            deliveries: { look throws(GitHubError) in try client.deliveries(look) },
            delivery: { logged throws(GitHubError) in try client.delivery(logged) },
            repository: { place throws(GitHubError) in try client.repository(place) },
            issue: { place, number throws(GitHubError) in try client.issue(place, number) },
            contents: { place, list, since, look throws(GitHubError) in
                try client.contents(place, list, since: since, look)
            },
            reviews: { place, number, look throws(GitHubError) in
                try client.reviews(place, number, look)
            },
            permission: { place, login throws(GitHubError) in try client.permission(place, login) },
            comments: { place, issue, most throws(GitHubError) in
                try client.comments(place, issue, most: most)
            },
            ownComments: { place, issue, since throws(GitHubError) in
                try client.ownComments(place, issue, since: since)
            },
            createComment: { place, issue, body throws(GitHubError) in
                try client.createComment(place, issue, body)
            },
            updateComment: { place, comment, body throws(GitHubError) in
                try client.updateComment(place, comment, body)
            },
            deleteComment: { place, comment throws(GitHubError) in
                try client.deleteComment(place, comment)
            },
            react: { place, target, reaction throws(GitHubError) in
                try client.react(place, target, reaction)
            },
            file: { place, path, branch throws(GitHubError) in try client.file(place, path, branch) },
            branchHead: { place, branch throws(GitHubError) in try client.branchHead(place, branch) },
            compare: { place, base, head throws(GitHubError) in try client.compare(place, base, head) },
            pullRequests: { place, head throws(GitHubError) in
                try client.pullRequests(place, head)
            },
            createPullRequest: { place, draft throws(GitHubError) in
                try client.createPullRequest(place, draft)
            },
            requestReview: { place, number, login throws(GitHubError) in
                try client.requestReview(place, number, login)
            },
            contentsToken: { place, access throws(GitHubError) in
                try client.contentsToken(place, access)
            },
            revoke: { token throws(GitHubError) in try client.revoke(token) })
    }
}
