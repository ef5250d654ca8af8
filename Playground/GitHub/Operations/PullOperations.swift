import PlaygroundFace
import Porter
import PorterHTTP

/// Operations on pull requests; only branches of the same repository are offered here.
///
/// - SeeAlso: <https://docs.github.com/en/rest/pulls/pulls>
enum PullOperations {
    static func list(_ call: Call) throws(Refusal) -> Response {
        let wanted = call.query["state"] ?? "open"
        guard ["open", "closed", "all"].contains(wanted) else {
            throw .validation("PullRequest", field: "state", code: "invalid")
        }
        let owner = call.world.with { $0.owner(call.repository) }
        // A head without its owner matches nothing in particular, and GitHub then ignores it.
        let head = call.query["head"].flatMap { $0.contains(":") ? $0 : nil }
        let found = call.world.with { state in
            state.issues.values
                .filter { issue in
                    guard issue.repositoryID == call.repository.id, let pull = issue.pull else {
                        return false
                    }
                    let isWanted = wanted == "all" || issue.isOpen == (wanted == "open")
                    let isHead = head.map { $0 == "\(owner):\(pull.head)" } ?? true
                    return isWanted && isHead && (call.query["base"].map { $0 == pull.base } ?? true)
                }
                .sorted { $0.number > $1.number }
                .map { state.json(pull: $0) }
        }
        return try call.page(found)
    }

    static func show(_ call: Call) throws(Refusal) -> Response {
        let issue = try find(call)
        let size = call.git.size(issue)
        return .gitHub(call.world.with { $0.json(pull: issue, size) })
    }

    static func create(_ call: Call) throws(Refusal) -> Response {
        let title = try call.text("title")
        let owner = call.world.with { $0.owner(call.repository) }
        let head = try branch(try call.text("head"), owner)
        let base = try call.text("base")
        let body = call.body["body"].string ?? ""
        guard body.unicodeScalars.count <= Issue.mostCharacters else {
            throw .validation(
                "PullRequest", field: "body",
                "body is too long (maximum is \(Issue.mostCharacters) characters)")
        }
        let git = call.git
        guard let baseSHA = git.head(base) else {
            throw .validation("PullRequest", field: "base", code: "invalid")
        }
        guard let headSHA = git.head(head) else {
            throw .validation("PullRequest", field: "head", code: "invalid")
        }
        guard git.mergeBase(baseSHA, headSHA) != nil else {
            throw .validation("PullRequest", "The \(head) branch has no history in common with \(base)")
        }
        guard git.count(from: baseSHA, to: headSHA) > 0 else {
            throw .validation("PullRequest", "No commits between \(base) and \(head)")
        }
        let pull = Pull(
            id: call.world.with { $0.newID() }, head: head, base: base, headSHA: headSHA, baseSHA: baseSHA,
            isDraft: call.body["draft"].bool ?? false)
        let issue = try open(call, title, body, pull, owner)
        let size = git.size(issue)
        return .gitHub(call.world.with { $0.json(pull: issue, size) }, 201)
    }

    /// A pull request that is open already for the branch is refused in the same step that opens a new one.
    private static func open(
        _ call: Call, _ title: String, _ body: String, _ pull: Pull, _ owner: String
    ) throws(Refusal) -> Issue {
        let world = call.world
        let size = call.git.size(pull)
        return try world.with { state throws(Refusal) in
            let isThere = state.issues.values.contains { issue in
                issue.repositoryID == call.repository.id && issue.isOpen && issue.pull?.head == pull.head
                    && issue.pull?.base == pull.base
            }
            guard !isThere else {
                throw Refusal.validation(
                    "PullRequest", "A pull request already exists for \(owner):\(pull.head).")
            }
            return world.openPull(
                &state, call.repository, title, body, pull, size, by: call.botID(state), token: call.token.id)
        }
    }

    /// - SeeAlso: <https://docs.github.com/en/rest/pulls/review-requests#request-reviewers-for-a-pull-request>
    static func requestReviewers(_ call: Call) throws(Refusal) -> Response {
        let found = try find(call)
        let logins = (call.body["reviewers"].array).compactMap(\.string)
        let world = call.world
        return .gitHub(
            try world.with { state throws(Refusal) in
                guard var issue = state.issues[found.key] else { throw Refusal.notFound }
                for login in logins {
                    guard let account = state.account(login),
                        call.repository.collaborators[account.id, default: .none] > .none
                    else {
                        throw Refusal.unprocessable(
                            """
                            Reviews may only be requested from collaborators. One or more of the users or \
                            teams you specified is not a collaborator of the \
                            \(state.fullName(call.repository)) repository.
                            """)
                    }
                    guard account.id != issue.authorID else {
                        throw Refusal.unprocessable("Review cannot be requested from pull request author.")
                    }
                    issue = world.requestReview(&state, issue, from: account, token: call.token.id)
                }
                return state.json(pull: issue)
            }, 201)
    }

    private static func find(_ call: Call) throws(Refusal) -> Issue {
        try call.world.with { state throws(Refusal) in
            let issue = try call.issue(state)
            guard issue.pull != nil else { throw Refusal.notFound }
            return issue
        }
    }

    /// The branch that a head names, with or without this repository's owner in front.
    private static func branch(_ head: String, _ owner: String) throws(Refusal) -> String {
        guard let colon = head.firstIndex(of: ":") else { return head }
        guard head[..<colon].lowercased() == owner.lowercased() else {
            throw .validation("PullRequest", field: "head", code: "invalid")
        }
        return String(head[head.index(after: colon)...])
    }
}
