extension UserGitHub {
    /// A person's gists, by their own token; the App needs the account permission `gists` to change any.
    ///
    /// - SeeAlso: <https://docs.github.com/en/rest/gists/gists>
    package struct Gists: Sendable {
        /// All gists of the person, the newest first, without what is in their files.
        package var list: @Sendable (_ token: Secret) throws(GitHubError) -> [Gist]
        /// One gist with what is in its files.
        package var show: @Sendable (_ token: Secret, _ id: String) throws(GitHubError) -> Gist
        /// Makes a private gist; not idempotent.
        package var create: @Sendable (_ token: Secret, _ draft: GistDraft) throws(GitHubError) -> Gist
        /// Puts description and file as the draft has them; other files stay.
        package var edit:
            @Sendable (_ token: Secret, _ id: String, _ draft: GistDraft) throws(GitHubError) -> Gist

        /// All operations at once.
        package init(
            list: @escaping @Sendable (Secret) throws(GitHubError) -> [Gist],
            show: @escaping @Sendable (Secret, String) throws(GitHubError) -> Gist,
            create: @escaping @Sendable (Secret, GistDraft) throws(GitHubError) -> Gist,
            edit: @escaping @Sendable (Secret, String, GistDraft) throws(GitHubError) -> Gist
        ) {
            self.list = list
            self.show = show
            self.create = create
            self.edit = edit
        }
    }

    /// A gist as GitHub shows it.
    package struct Gist: Hashable, Sendable {
        /// GitHub's id, hexadecimal digits.
        package let id: String
        /// The page for people.
        package let url: String
        /// The line above the files; empty when there is none.
        package let description: String
        /// Whether everybody can find it; the others are read by whoever knows the address.
        package let isPublic: Bool
        /// What is in the files, by name; without those that the answer does not show whole.
        package let files: [String: String]

        /// A gist.
        package init(id: String, url: String, description: String, isPublic: Bool, files: [String: String]) {
            self.id = id
            self.url = url
            self.description = description
            self.isPublic = isPublic
            self.files = files
        }
    }

    /// What a gist is to be: one file under one line.
    package struct GistDraft: Hashable, Sendable {
        /// The line above the file.
        package let description: String
        /// The file's name.
        package let file: String
        /// The whole file.
        package let text: String

        /// A draft.
        package init(description: String, file: String, text: String) {
            self.description = description
            self.file = file
            self.text = text
        }
    }
}
