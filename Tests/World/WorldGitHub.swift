package import Porter
import Synchronization

/// GitHub in memory: one repository with issues, comments, reactions, branches and pull requests.
package final class WorldGitHub: Sendable {
    /// Everything that a person could see there, and the tokens that were given.
    package struct State: Sendable {
        package var app = GitHub.App(
            id: 55, slug: "porter", owner: Person(id: 900, login: "acme"),
            bot: Person(id: 901, login: "porter[bot]"))
        package var isSuspended = false
        /// The log of deliveries, oldest first.
        package var log: [(logged: GitHub.LoggedDelivery, payload: GitHub.LoggedPayload)] = []
        /// Whether the App may read it.
        package var isLogReadable = true
        /// Entries of a list on a page.
        package var pageSize = 100
        /// What people wrote, whether a delivery told of it or not; see ``World/write(_:comment:by:issue:)``.
        package var contents: [GitHub.Content] = []
        /// Whether the repository has a list of issues.
        package var hasIssues = true
        package var otherInstallations: [GitHub.Installation] = []
        /// Answers that nothing has changed, which cost no rate limit.
        package var unchanged = 0
        /// Nil when the App does not reach it.
        package var repository: GitHub.Repository? = GitHub.Repository(
            id: 42, owner: Person(id: 900, login: "acme"), name: "shop", defaultBranch: "trunk",
            isArchived: false, cloneURL: "https://github.example/acme/shop.git")
        package var issues = [
            World.issue: GitHub.Issue(
                number: World.issue, title: "Login is flaky", isOpen: true, isLocked: false,
                isPullRequest: false)
        ]
        package var permissions = [
            "maria": GitHub.Permission(level: "write", userID: 1),
            "wim": GitHub.Permission(level: "admin", userID: 2),
            "rita": GitHub.Permission(level: "read", userID: 3),
        ]
        package var comments: [GitHub.Comment] = []
        package var deleted: [Int64] = []
        package var edits: [(id: Int64, body: String)] = []
        package var reactions: [Int64: [GitHub.Reaction]] = [:]
        /// Commits below a branch's head.
        package var buried: [String: Set<String>] = [:]
        package var branches = ["trunk": "0000000000000000000000000000000000000000"]
        package var pulls: [(pull: GitHub.PullRequest, draft: GitHub.PullRequestDraft)] = []
        package var reviews: [(pull: Int, login: String)] = []
        package var files = ["AGENTS.md": "Run the tests."]
        package var tokens: [(secret: Secret, access: GitHub.Access)] = []
        package var revoked: [Secret] = []
        var nextID: Int64 = 5000

        /// The comments of Porter, oldest first.
        package var ours: [GitHub.Comment] { comments.filter { $0.author.id == app.bot.id } }
    }

    package let faults = Faults()
    private let state = Mutex(State())
    private let watch = Mutex<@Sendable () -> Instant>({ Instant(seconds: 0) })

    /// A GitHub whose clock stands still until somebody gives it one.
    package init() {}

    /// Its clock.
    package var now: @Sendable () -> Instant {
        get { watch.withLock { $0 } }
        set { watch.withLock { $0 = newValue } }
    }

    /// What is there now.
    package var seen: State { state.withLock { $0 } }

    /// Changes what is there.
    package func change(_ body: (inout State) -> Void) {
        state.withLock { body(&$0) }
    }

    /// Tokens that GitHub still accepts.
    package var liveTokens: [Secret] {
        state.withLock { state in state.tokens.map(\.secret).filter { !state.revoked.contains($0) } }
    }

    private func call<T>(
        _ operation: String, _ effect: (inout State) throws(GitHubError) -> T
    ) throws(GitHubError) -> T {
        func failure(_ code: GitHubError.Code, _ words: String) -> GitHubError {
            GitHubError(code, operation: operation, message: words)
        }
        let fault = faults.next(operation)
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

    private static func missing(_ operation: String) -> GitHubError {
        GitHubError(.notFound, operation: operation, status: 404, message: "Not Found")
    }

    /// The face that the rules see.
    package var face: GitHub {
        GitHub(
            app: { () throws(GitHubError) in try self.call("app") { $0.app } },
            installation: { (id) throws(GitHubError) in
                try self.call("installation") {
                    GitHub.Installation(id: id, account: $0.app.owner, isSuspended: $0.isSuspended)
                }
            },
            installations: { (look) throws(GitHubError) in
                try self.call("installations") { state in
                    let installation = GitHub.Installation(
                        id: 77, account: state.app.owner, isSuspended: state.isSuspended)
                    return state.page([installation] + state.otherInstallations, look, at: self.now())
                }
            },
            repositories: { (installation, look) throws(GitHubError) in
                try self.call("repositories") { state in
                    let found = installation == 77 ? [state.repository].compactMap { $0 } : []
                    return state.page(found, look, at: self.now())
                }
            },
            deliveries: { (look) throws(GitHubError) in
                try self.call("deliveries") { (state) throws(GitHubError) in
                    guard state.isLogReadable else { throw Self.missing("list deliveries") }
                    return state.page(state.log.reversed().map(\.logged), look, at: self.now())
                }
            },
            delivery: { (logged) throws(GitHubError) in
                try self.call("delivery") { (state) throws(GitHubError) in
                    guard let entry = state.log.first(where: { $0.logged.id == logged.id }) else {
                        throw Self.missing("get delivery")
                    }
                    return entry.payload
                }
            },
            repository: { (_) throws(GitHubError) in
                try self.call("repository") { (state) throws(GitHubError) in
                    guard let repository = state.repository else { throw Self.missing("find repository") }
                    return repository
                }
            },
            issue: { (_, number) throws(GitHubError) in
                try self.call("issue") { (state) throws(GitHubError) in
                    guard let issue = state.issues[number] else { throw Self.missing("find issue") }
                    return issue
                }
            },
            contents: { (_, list, since, look) throws(GitHubError) in
                try self.call("contents") { (state) throws(GitHubError) in
                    guard state.repository != nil else { throw Self.missing("list contents") }
                    guard list != .issues || state.hasIssues else {
                        throw GitHubError(.gone, operation: "list contents", status: 410, message: "Gone")
                    }
                    return state.page(state.listed(list, since: since), look, at: self.now())
                }
            },
            reviews: { (_, pull, look) throws(GitHubError) in
                try self.call("reviews") { state in
                    let found = state.contents.filter { $0.id.source == .review && $0.issueNumber == pull }
                    return state.page(found.sorted { $0.createdAt < $1.createdAt }, look, at: self.now())
                }
            },
            permission: { (_, login) throws(GitHubError) in
                try self.call("permission") {
                    $0.permissions[login] ?? GitHub.Permission(level: "none", userID: nil)
                }
            },
            comments: { (_, _, most) throws(GitHubError) in
                try self.call("comments") { Array($0.comments.suffix(most)) }
            },
            ownComments: { (_, _, since) throws(GitHubError) in
                try self.call("ownComments") { $0.ours.filter { $0.createdAt >= since } }
            },
            createComment: { (_, issue, body) throws(GitHubError) in
                try self.call("createComment") { (state) throws(GitHubError) in
                    try self.create(body, on: issue, &state)
                }
            },
            updateComment: { (_, id, body) throws(GitHubError) in
                try self.call("updateComment") { (state) throws(GitHubError) in
                    guard let index = state.comments.firstIndex(where: { $0.id == id }) else {
                        throw Self.missing("update comment")
                    }
                    state.comments[index].body = body
                    state.comments[index].updatedAt = self.now()
                    state.edits.append((id, body))
                    return state.comments[index]
                }
            },
            deleteComment: { (_, id) throws(GitHubError) in
                try self.call("deleteComment") { state in
                    state.comments.removeAll { $0.id == id }
                    state.deleted.append(id)
                }
            },
            react: { (_, target, reaction) throws(GitHubError) in
                try self.call("react") { state in
                    let key = state.key(of: target)
                    if state.reactions[key, default: []].contains(reaction) { return }
                    state.reactions[key, default: []].append(reaction)
                }
            },
            file: { (_, path, _) throws(GitHubError) in try self.call("file") { $0.files[path] } },
            branchHead: { (_, branch) throws(GitHubError) in
                try self.call("branchHead") { $0.branches[branch] }
            },
            compare: { (_, base, head) throws(GitHubError) in
                try self.call("compare") { state in
                    let start = state.branches[base] ?? base
                    let same = start == state.branches[head]
                    var comparison = GitHub.Comparison(
                        commits: same ? 0 : 1, files: same ? 0 : 2, additions: same ? 0 : 10,
                        deletions: same ? 0 : 1, subjects: same ? [] : ["Wait for the session"])
                    comparison.missing = same || state.buried[head, default: []].contains(start) ? 0 : 1
                    return comparison
                }
            },
            pullRequests: { (_, head) throws(GitHubError) in
                try self.call("pullRequests") { $0.pulls.filter { $0.draft.head == head }.map(\.pull) }
            },
            createPullRequest: { (_, draft) throws(GitHubError) in
                try self.call("createPullRequest") { (state) throws(GitHubError) in
                    guard !state.pulls.contains(where: { $0.draft.head == draft.head }) else {
                        throw GitHubError(
                            .refused, operation: "create pull request", status: 422,
                            message: "A pull request already exists for acme:\(draft.head).")
                    }
                    let number = 100 + state.pulls.count
                    let pull = GitHub.PullRequest(
                        number: number, url: "https://github.example/acme/shop/pull/\(number)",
                        headSHA: state.branches[draft.head] ?? "")
                    state.pulls.append((pull, draft))
                    return pull
                }
            },
            requestReview: { (_, pull, login) throws(GitHubError) in
                try self.call("requestReview") { state in
                    if !state.reviews.contains(where: { $0 == (pull, login) }) {
                        state.reviews.append((pull, login))
                    }
                }
            },
            contentsToken: { (_, access) throws(GitHubError) in
                try self.call("contentsToken") { state in
                    let secret = Secret("ghs_canary_\(access.rawValue)_\(state.tokens.count)")
                    state.tokens.append((secret, access))
                    return GitHub.Token(secret: secret, expiresAt: self.now().adding(seconds: 3600))
                }
            },
            revoke: { (token) throws(GitHubError) in
                try self.call("revoke") { $0.revoked.append(token) }
            })
    }

    private func create(
        _ body: String, on issue: Int, _ state: inout State
    ) throws(GitHubError) -> GitHub.Comment {
        guard state.issues[issue] != nil else { throw Self.missing("create comment") }
        state.nextID += 1
        let comment = GitHub.Comment(
            id: state.nextID, url: "https://github.example/acme/shop/issues/\(issue)#c\(state.nextID)",
            body: body, author: state.app.bot, association: "NONE", isByApp: true, createdAt: now(),
            updatedAt: now())
        state.comments.append(comment)
        return comment
    }
}
