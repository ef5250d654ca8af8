import FoundationEssentials
import Porter
import PorterHTTP

/// Gists, with a person's token.
extension UserClient {
    private struct GistJSON: Decodable {
        struct File: Decodable {
            let content: String?
            let truncated: Bool?
        }

        let id: String
        let html_url: String?
        let description: String?
        let `public`: Bool?
        let files: [String: File?]?

        var value: UserGitHub.Gist {
            let whole = (files ?? [:]).compactMapValues { file in
                file?.truncated == true ? nil : file?.content
            }
            // What does not say that it is private is not taken for private.
            return UserGitHub.Gist(
                id: id, url: html_url ?? "", description: description ?? "", isPublic: `public` ?? true,
                files: whole)
        }
    }

    private struct GistDraftJSON: Encodable {
        struct File: Encodable {
            let content: String
        }

        let description: String
        let files: [String: File]
        /// Only a new gist says it: GitHub takes no change of it.
        let `public`: Bool?

        init(_ draft: UserGitHub.GistDraft, isNew: Bool) {
            description = draft.description
            files = [draft.file: File(content: draft.text)]
            `public` = isNew ? false : nil
        }
    }

    /// - SeeAlso: <https://docs.github.com/en/rest/gists/gists#list-gists-for-the-authenticated-user>
    func gists(_ token: Secret) throws(GitHubError) -> [UserGitHub.Gist] {
        let operation = "list gists"
        var found: [UserGitHub.Gist] = []
        try pages("/gists?per_page=100", operation, token) { response throws(GitHubError) in
            found += try AppClient.decode([GistJSON].self, response, operation).map(\.value)
        }
        return found
    }

    /// - SeeAlso: <https://docs.github.com/en/rest/gists/gists#get-a-gist>
    func gist(_ token: Secret, _ id: String) throws(GitHubError) -> UserGitHub.Gist {
        let operation = "get gist"
        return try gist(AppClient.Call(operation: operation, path: Self.path(id)), token)
    }

    /// - SeeAlso: <https://docs.github.com/en/rest/gists/gists#create-a-gist>
    func createGist(
        _ token: Secret, _ draft: UserGitHub.GistDraft
    ) throws(GitHubError) -> UserGitHub.Gist {
        try gist(
            AppClient.Call(
                operation: "create gist", method: "POST", path: "/gists",
                body: SureJSON.data(GistDraftJSON(draft, isNew: true))), token)
    }

    /// - SeeAlso: <https://docs.github.com/en/rest/gists/gists#update-a-gist>
    func editGist(
        _ token: Secret, _ id: String, _ draft: UserGitHub.GistDraft
    ) throws(GitHubError) -> UserGitHub.Gist {
        try gist(
            AppClient.Call(
                operation: "edit gist", method: "PATCH", path: Self.path(id),
                body: SureJSON.data(GistDraftJSON(draft, isNew: false))), token)
    }

    private func gist(_ call: AppClient.Call, _ token: Secret) throws(GitHubError) -> UserGitHub.Gist {
        try AppClient.decode(GistJSON.self, self.call(call, token), call.operation).value
    }

    private static func path(_ id: String) -> String { "/gists/\(AppClient.encoded(id))" }

    /// All of them, as ``UserGitHub`` has them.
    var gists: UserGitHub.Gists {
        UserGitHub.Gists(
            list: { token throws(GitHubError) in try self.gists(token) },
            show: { token, id throws(GitHubError) in try self.gist(token, id) },
            create: { token, draft throws(GitHubError) in try self.createGist(token, draft) },
            edit: { token, id, draft throws(GitHubError) in try self.editGist(token, id, draft) })
    }
}
