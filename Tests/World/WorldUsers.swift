package import Porter
import Synchronization

/// GitHub in memory as people who sign in see it: codes, tokens that end and are renewed once, what each person
/// sees.
package final class WorldUsers: Sendable {
    /// A person's pair.
    package struct Pair: Hashable, Sendable {
        package let person: Person
        package let access: String
        package let refresh: String
        package let expiresAt: Instant?
        package var isDead = false
    }

    /// Everything that GitHub knows about people here.
    package struct State: Sendable {
        /// Nil before there is an App.
        package var clientID: String? = "Iv1.world"
        /// Codes that can be traded, with their person and the verifier that belongs to them.
        package var codes: [String: (person: Person, verifier: String?)] = [:]
        package var pairs: [Pair] = []
        /// Seconds that an access token lives; nil for ever.
        package var lifetime: Int? = 28_800
        package var installations: [Int64: UserGitHub.VisibleInstallations] = [:]
        package var repositories: [Int64: [UserGitHub.VisibleRepository]] = [:]
        /// Issues that people opened, oldest first.
        package var opened: [(person: Person, title: String, body: String)] = []
        package var issues: [Int: UserGitHub.WrittenIssue] = [
            World.issue: UserGitHub.WrittenIssue(
                number: World.issue, title: "Login is flaky", body: "It fails each Monday.",
                isPullRequest: false)
        ]
        /// Gists by their owner's id, the oldest first.
        package var gists: [Int64: [UserGitHub.Gist]] = [:]
        /// Whether the App may write people's gists.
        package var allowsGists = true
        /// Pairs that were given for a refresh token.
        package var renewals = 0
        /// Access tokens that were given back.
        package var revoked: [String] = []
        var serial = 0
    }

    package let faults = Faults()
    private let state = Mutex(State())
    private let watch = Mutex<@Sendable () -> Instant>({ Instant(seconds: 0) })

    /// The repository of the world, as somebody sees it.
    package static func shop(canPush: Bool) -> UserGitHub.VisibleRepository {
        UserGitHub.VisibleRepository(
            repository: GitHub.Repository(
                id: 42, owner: Person(id: 900, login: "acme"), name: "shop", defaultBranch: "trunk",
                isArchived: false, cloneURL: "https://github.example/acme/shop.git"), canPush: canPush)
    }

    init() {
        let acme = GitHub.Installation(id: 77, account: Person(id: 900, login: "acme"), isSuspended: false)
        state.withLock { state in
            for (person, canPush) in [(World.maria, true), (World.wim, true), (World.rita, false)] {
                state.installations[person.id] = UserGitHub.VisibleInstallations(list: [acme])
                state.repositories[person.id] = [Self.shop(canPush: canPush)]
            }
        }
    }

    var now: @Sendable () -> Instant {
        get { watch.withLock { $0 } }
        set { watch.withLock { $0 = newValue } }
    }

    /// What is there now.
    package var seen: State { state.withLock { $0 } }

    /// Changes what is there.
    package func change(_ body: (inout State) -> Void) {
        state.withLock { body(&$0) }
    }

    /// Lets the person agree to a sign-in, and gives the code that GitHub sends back with the browser.
    package func agree(_ person: Person, verifier: String? = nil) -> String {
        state.withLock { state in
            state.serial += 1
            let code = "code-\(state.serial)"
            state.codes[code] = (person, verifier)
            return code
        }
    }

    private static func make(_ person: Person, _ state: inout State, _ now: Instant) -> UserGitHub.UserTokens
    {
        state.serial += 1
        let expiresAt = state.lifetime.map { now.adding(seconds: $0) }
        let pair = Pair(
            person: person, access: "ghu_canary_\(state.serial)", refresh: "ghr_canary_\(state.serial)",
            expiresAt: expiresAt)
        state.pairs.append(pair)
        return UserGitHub.UserTokens(
            access: Secret(pair.access), accessExpiresAt: expiresAt,
            refresh: expiresAt == nil ? nil : Secret(pair.refresh),
            refreshExpiresAt: expiresAt == nil ? nil : now.adding(seconds: 15_811_200))
    }

    private func trade<T>(
        _ operation: String, _ effect: (inout State) throws(OAuthError) -> T
    ) throws(OAuthError) -> T {
        let fault = faults.next(operation)
        switch fault {
        case .refused(let word): throw OAuthError(.refused, word: word, message: "planted")
        case .unreachable: throw OAuthError(.unreachable, message: "no connection")
        case .uncertainBefore: throw OAuthError(.uncertain, message: "no answer")
        default: break
        }
        let result = try state.withLock { (state) throws(OAuthError) in try effect(&state) }
        if fault == .uncertainAfter { throw OAuthError(.uncertain, message: "the answer was lost") }
        return result
    }

    private func call<T>(
        _ operation: String, _ token: Secret, _ effect: (inout State, Person) throws(GitHubError) -> T
    ) throws(GitHubError) -> T {
        func failure(_ code: GitHubError.Code, _ words: String) -> GitHubError {
            GitHubError(code, operation: operation, message: words)
        }
        let fault = faults.next(operation)
        switch fault {
        case .refused(let words): throw failure(.forbidden, words)
        case .unreachable: throw failure(.unreachable, "no connection")
        case .uncertainBefore: throw failure(.uncertain, "no answer")
        case .rateLimited(let until): throw failure(.rateLimited(until: until), "slow down")
        case .github(let code): throw failure(code, "planted")
        case .machines, .uncertainAfter, nil: break
        }
        let now = now()
        let result = try state.withLock { (state) throws(GitHubError) in
            let pair = token.reveal { access in state.pairs.first { $0.access == access && !$0.isDead } }
            guard let pair, pair.expiresAt.map({ now < $0 }) ?? true else {
                throw failure(.unauthorized, "Bad credentials")
            }
            return try effect(&state, pair.person)
        }
        if fault == .uncertainAfter { throw failure(.uncertain, "the answer was lost") }
        return result
    }

    /// The face that the rules see.
    package var face: UserGitHub {
        UserGitHub(
            clientID: { self.seen.clientID },
            exchange: { (code, verifier, _) throws(OAuthError) in
                let now = self.now()
                return try self.trade("exchange") { (state) throws(OAuthError) in
                    guard let found = code.reveal({ state.codes.removeValue(forKey: $0) }),
                        found.verifier.map({ $0 == verifier.reveal { $0 } }) ?? true
                    else { throw OAuthError(.refused, word: "bad_verification_code", message: "gone") }
                    return Self.make(found.person, &state, now)
                }
            },
            refresh: { (token) throws(OAuthError) in
                let now = self.now()
                return try self.trade("refresh") { (state) throws(OAuthError) in
                    let index = token.reveal { refresh in
                        state.pairs.firstIndex { $0.refresh == refresh && !$0.isDead }
                    }
                    guard let index else {
                        throw OAuthError(.refused, word: "bad_refresh_token", message: "incorrect or expired")
                    }
                    state.pairs[index].isDead = true
                    state.renewals += 1
                    return Self.make(state.pairs[index].person, &state, now)
                }
            },
            person: { (token) throws(GitHubError) in try self.call("person", token) { $1 } },
            installations: { (token) throws(GitHubError) in
                try self.call("installations", token) { state, person in
                    state.installations[person.id] ?? UserGitHub.VisibleInstallations(list: [])
                }
            },
            repositories: { (token, _) throws(GitHubError) in
                try self.call("repositories", token) { state, person in
                    state.repositories[person.id] ?? []
                }
            },
            issue: { (token, _, number) throws(GitHubError) in
                try self.call("issue", token) { (state, _) throws(GitHubError) in
                    guard let issue = state.issues[number] else {
                        throw GitHubError(.notFound, operation: "get issue")
                    }
                    return issue
                }
            },
            createIssue: { (token, _, title, body) throws(GitHubError) in
                try self.call("createIssue", token) { state, person in
                    state.opened.append((person, title, body))
                    return UserGitHub.WrittenIssue(
                        number: 200 + state.opened.count, title: title, body: body, isPullRequest: false)
                }
            },
            gists: gists,
            revoke: { (token) throws(OAuthError) in
                try self.trade("revoke") { state in
                    let access = token.reveal { $0 }
                    state.revoked.append(access)
                    for index in state.pairs.indices where state.pairs[index].access == access {
                        state.pairs[index].isDead = true
                    }
                }
            })
    }

    private var gists: UserGitHub.Gists {
        UserGitHub.Gists(
            list: { (token) throws(GitHubError) in
                try self.call("listGists", token) { state, person in
                    state.gists[person.id, default: []].reversed().map {
                        UserGitHub.Gist(
                            id: $0.id, url: $0.url, description: $0.description, isPublic: $0.isPublic,
                            files: [:])
                    }
                }
            },
            show: { (token, id) throws(GitHubError) in
                try self.call("showGist", token) { (state, person) throws(GitHubError) in
                    guard let gist = state.gists[person.id]?.first(where: { $0.id == id }) else {
                        throw GitHubError(.notFound, operation: "get gist")
                    }
                    return gist
                }
            },
            create: { (token, draft) throws(GitHubError) in
                try self.call("createGist", token) { (state, person) throws(GitHubError) in
                    try Self.checkGists(state)
                    state.serial += 1
                    let id = "9157\(state.serial)"
                    let gist = UserGitHub.Gist(
                        id: id, url: "https://gist.github.example/\(person.login)/\(id)",
                        description: draft.description, isPublic: false, files: [draft.file: draft.text])
                    state.gists[person.id, default: []].append(gist)
                    return gist
                }
            },
            edit: { (token, id, draft) throws(GitHubError) in
                try self.call("editGist", token) { (state, person) throws(GitHubError) in
                    try Self.checkGists(state)
                    guard let index = state.gists[person.id]?.firstIndex(where: { $0.id == id }),
                        let old = state.gists[person.id]?[index]
                    else { throw GitHubError(.notFound, operation: "edit gist") }
                    let gist = UserGitHub.Gist(
                        id: id, url: old.url, description: draft.description, isPublic: old.isPublic,
                        files: old.files.merging([draft.file: draft.text]) { $1 })
                    state.gists[person.id]?[index] = gist
                    return gist
                }
            })
    }

    private static func checkGists(_ state: State) throws(GitHubError) {
        guard !state.allowsGists else { return }
        throw GitHubError(
            .forbidden, operation: "create gist", status: 403,
            message: "Resource not accessible by integration")
    }
}
