/// The same as the decoder makes of a payload, from the members alone.
extension Payload {
    /// The names of all members that are read here, at any depth.
    enum Member: String, CaseIterable {
        case account, action, archived, author_association, body, changes, closed_at, comment, created_at
        case default_branch, full_name, html_url, id, installation, issue, login, name, number, old_issue,
            owner
        case performed_via_github_app, pull_request, repositories, repositories_added, repositories_removed
        case repository, review, sender, slug, submitted_at, title, type, updated_at, user

        /// By their lengths, of which most names of a delivery have none.
        private static let byLength: [[(letters: [UInt8], member: Member)]] = {
            let longest = allCases.map { $0.rawValue.utf8.count }.max() ?? 0
            return (0...longest).map { length in
                allCases.filter { $0.rawValue.utf8.count == length }.map { (Array($0.rawValue.utf8), $0) }
            }
        }()

        /// The member of that name; nil when nobody reads it.
        static func named(_ letters: UnsafeRawBufferPointer) -> Member? {
            guard letters.count < byLength.count else { return nil }
            return byLength[letters.count].first { $0.letters.elementsEqual(letters) }?.member
        }
    }

    /// - Throws: ``JSONTree/Unusual`` when the decoder has to decide.
    init(_ tree: JSONTree.Members) throws(JSONTree.Unusual) {
        self.init(
            action: try tree.text(.action),
            repository: try tree.object(.repository, Repository.init),
            issue: try tree.object(.issue, Issue.init),
            pull_request: try tree.object(.pull_request, Issue.init),
            comment: try tree.object(.comment, CommentJSON.init),
            review: try tree.object(.review, ReviewJSON.init),
            changes: try tree.object(.changes, Changes.init),
            installation: try tree.object(.installation, Installation.init),
            sender: try tree.object(.sender, CommentJSON.Author.init),
            repositories: try tree.list(.repositories, Repository.init),
            repositories_added: try tree.list(.repositories_added, Repository.init),
            repositories_removed: try tree.list(.repositories_removed, Repository.init))
    }
}

extension Payload.Repository {
    fileprivate init(_ tree: JSONTree.Members) throws(JSONTree.Unusual) {
        self.init(
            id: try tree.number(.id), name: try tree.text(.name), full_name: try tree.text(.full_name),
            owner: try tree.object(.owner, UserJSON.init), default_branch: try tree.text(.default_branch),
            archived: try tree.flag(.archived))
    }
}

extension Payload.Issue {
    fileprivate init(_ tree: JSONTree.Members) throws(JSONTree.Unusual) {
        guard let number = Int(exactly: try tree.number(.number)) else { throw JSONTree.Unusual() }
        self.init(
            id: try tree.whole(.id), number: number, title: try tree.text(.title), body: try tree.text(.body),
            html_url: try tree.text(.html_url), user: try tree.object(.user, CommentJSON.Author.init),
            performed_via_github_app: try tree.object(.performed_via_github_app, CommentJSON.Through.init),
            created_at: try tree.text(.created_at), closed_at: try tree.text(.closed_at),
            pull_request: tree[.pull_request].map { _ in PullMark() })
    }
}

extension Payload.Changes {
    fileprivate init(_ tree: JSONTree.Members) throws(JSONTree.Unusual) {
        self.init(old_issue: tree[.old_issue].map { _ in Mark() })
    }
}

extension Payload.Installation {
    fileprivate init(_ tree: JSONTree.Members) throws(JSONTree.Unusual) {
        self.init(id: try tree.number(.id), account: try tree.object(.account, UserJSON.init))
    }
}

extension UserJSON {
    fileprivate init(_ tree: JSONTree.Members) throws(JSONTree.Unusual) {
        self.init(id: try tree.number(.id), login: try tree.text(.login), slug: try tree.text(.slug))
    }
}

extension CommentJSON {
    fileprivate init(_ tree: JSONTree.Members) throws(JSONTree.Unusual) {
        self.init(
            id: try tree.number(.id), html_url: try tree.text(.html_url), body: try tree.text(.body),
            user: try tree.object(.user, Author.init),
            author_association: try tree.text(.author_association),
            performed_via_github_app: try tree.object(.performed_via_github_app, Through.init),
            created_at: try tree.text(.created_at), updated_at: try tree.text(.updated_at))
    }
}

extension CommentJSON.Author {
    fileprivate init(_ tree: JSONTree.Members) throws(JSONTree.Unusual) {
        self.init(id: try tree.whole(.id), login: try tree.text(.login), type: try tree.text(.type))
    }
}

extension CommentJSON.Through {
    fileprivate init(_ tree: JSONTree.Members) throws(JSONTree.Unusual) {
        self.init(id: try tree.whole(.id))
    }
}

extension ReviewJSON {
    fileprivate init(_ tree: JSONTree.Members) throws(JSONTree.Unusual) {
        self.init(
            id: try tree.number(.id), html_url: try tree.text(.html_url), body: try tree.text(.body),
            user: try tree.object(.user, CommentJSON.Author.init), submitted_at: try tree.text(.submitted_at))
    }
}
