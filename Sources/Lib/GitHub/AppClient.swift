import FoundationEssentials
import Porter
import PorterCrypto
import PorterHTTP
import Synchronization

/// Authenticates as the App and its installations, and calls.
final class AppClient: Sendable {
    /// GitHub cuts requests off after 10 s; a little more for the way.
    static let limits = Transport.Limits(total: .seconds(15), maximumBodyBytes: 16 * 1024 * 1024)
    /// Seconds before its expiry at which a cached token is not used any more.
    static let tokenMargin = 300
    /// Pages of a list at most.
    static let mostPages = 30
    /// Pages of a list that must be known whole, because what it leaves out counts as gone.
    static let mostPagesOfWhole = 100
    /// Seconds for which the App's own account is remembered; then GitHub is asked whether it still knows it.
    static let appAge = 300

    private let transport: Transport
    let apiURL: String
    /// The App's number at this moment; nil while there is no App.
    let appID: @Sendable () -> String?
    private let sign: @Sendable ([UInt8]) throws -> [UInt8]
    let clock: Clock
    private let tokens = Mutex<[TokenScope: GitHub.Token]>([:])
    let knownApp = Mutex<KnownApp?>(nil)

    /// The App, and until when it need not be asked for.
    struct KnownApp {
        let app: GitHub.App
        /// Set-up may give Porter another App while it runs.
        let appID: String?
        let until: Instant
    }

    /// What a token opens.
    struct TokenScope: Hashable {
        let installation: Int64
        /// The one repository; nil for all that the installation reaches.
        let repository: Int64?
        let permissions: [String: String]

        /// One repository.
        init(_ repository: RepositoryRef, _ permissions: [String: String]) {
            installation = repository.installationID
            self.repository = repository.id
            self.permissions = permissions
        }

        /// All repositories of the installation.
        init(installation: Int64, _ permissions: [String: String]) {
            self.installation = installation
            repository = nil
            self.permissions = permissions
        }
    }

    init(
        transport: Transport, apiURL: String, appID: @escaping @Sendable () -> String?,
        sign: @escaping @Sendable ([UInt8]) throws -> [UInt8], clock: Clock
    ) {
        self.transport = transport
        self.apiURL = apiURL
        self.appID = appID
        self.sign = sign
        self.clock = clock
    }

    /// What one call asks.
    struct Call {
        var operation: String
        var method = "GET"
        /// Path and query below the API's address, each component encoded already; or a whole address of
        /// the API, as `Link` gives it.
        var path: String
        var body: Data?
        var accept = "application/vnd.github+json"
        /// The `ETag` of what is known: an answer 304 says that it still holds, and costs no rate limit.
        var known: String?
    }

    /// Calls as the App itself, by a fresh JSON web token.
    ///
    /// - SeeAlso: <https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app>
    func callAsApp(_ call: Call) throws(GitHubError) -> Response {
        do {
            return try send(call, authorization: "Bearer \(try webToken(call.operation))")
        } catch {
            // What was known of an App that is refused is known no longer.
            if error.code == .unauthorized { knownApp.withLock { $0 = nil } }
            throw error
        }
    }

    /// Calls with a token of the installation that reaches this repository with these permissions only.
    ///
    /// A cached token that GitHub does not accept any more is replaced once.
    func call(
        _ call: Call, in repository: RepositoryRef, _ permissions: [String: String]
    ) throws(GitHubError) -> Response {
        try self.call(call, with: TokenScope(repository, permissions))
    }

    /// Calls with a token of that scope.
    func call(_ call: Call, with scope: TokenScope) throws(GitHubError) -> Response {
        let (token, wasCached) = try cachedToken(scope)
        do {
            return try send(call, authorization: token.secret.reveal { "Bearer \($0)" })
        } catch {
            guard error.code == .unauthorized, wasCached else { throw error }
            tokens.withLock { $0[scope] = nil }
            let (fresh, _) = try cachedToken(scope)
            return try send(call, authorization: fresh.secret.reveal { "Bearer \($0)" })
        }
    }

    /// Reads a list page by page, along the `Link` field, on the API's own address only.
    ///
    /// - Parameters:
    ///   - mustBeWhole: whether a list without an end is an error; else its first pages are taken for what there is.
    ///   - send: sends the call of a page.
    ///   - take: reads a page.
    /// - Throws: whatever a page throws; `.refused` when a list that must be whole has more than
    ///   ``mostPagesOfWhole`` pages.
    func walk(
        _ first: Call, mustBeWhole: Bool = false, _ send: (Call) throws(GitHubError) -> Response,
        _ take: (Response) throws(GitHubError) -> Void
    ) throws(GitHubError) {
        var call = first
        let most = mustBeWhole ? Self.mostPagesOfWhole : Self.mostPages
        for _ in 0..<most {
            let response = try send(call)
            try take(response)
            guard let next = next(response) else { return }
            call.path = next
        }
        guard mustBeWhole else { return }
        throw GitHubError(
            .refused, operation: first.operation, message: "the list has more than \(most) pages")
    }

    /// The address of the next page; nil when there is none on the API's own address.
    func next(_ response: Response) -> String? {
        Self.link("next", response).flatMap { $0.hasPrefix(apiURL + "/") ? $0 : nil }
    }

    /// A fresh token of that scope.
    func token(_ scope: TokenScope) throws(GitHubError) -> GitHub.Token {
        let operation = "create installation token"
        let response: Response
        do {
            response = try callAsApp(
                Call(
                    operation: operation, method: "POST",
                    path: "/app/installations/\(scope.installation)/access_tokens",
                    body: SureJSON.data(
                        TokenRequest(
                            repository_ids: scope.repository.map { [$0] }, permissions: scope.permissions))))
        } catch {
            // A missing installation or permission must not look like what the token was for is missing.
            guard [.notFound, .gone, .refused].contains(error.code) else { throw error }
            throw GitHubError(
                .forbidden, operation: operation, status: error.status, message: error.message,
                requestID: error.requestID)
        }
        let answer = try Self.decode(TokenAnswer.self, response, operation)
        guard let expiresAt = Instant(iso8601: answer.expires_at) else {
            throw GitHubError(.uncertain, operation: operation, message: "no time of expiry")
        }
        return GitHub.Token(secret: Secret(answer.token), expiresAt: expiresAt)
    }

    /// Sends with any authorization and reads refusals.
    ///
    /// - Parameter authorization: nil for the one call that needs none.
    func send(_ call: Call, authorization: String?) throws(GitHubError) -> Response {
        var request = Request(
            method: call.method, target: call.path.hasPrefix("/") ? apiURL + call.path : call.path,
            fields: [
                "Accept": call.accept, "User-Agent": "Porter/\(Porter.version)",
                "X-GitHub-Api-Version": "2022-11-28",
            ], body: call.body ?? Data())
        if let authorization { request.fields["Authorization"] = authorization }
        if call.body != nil { request.fields["Content-Type"] = "application/json" }
        if let known = call.known { request.fields["If-None-Match"] = known }
        for _ in 0...Self.mostRedirects {
            let response: Response
            do {
                response = try transport.send(request, Self.limits)
            } catch {
                let isCertain = error.code == .unreachable || error.code == .notAllowed
                throw GitHubError(
                    isCertain ? .unreachable : .uncertain, operation: call.operation,
                    message: error.description)
            }
            // A renamed repository, on the API's own address only. What writes is repeated as it is, and nothing had
            // been done: that is what 307 and 308 say.
            let isMoved =
                [307, 308].contains(response.status)
                || call.method == "GET" && [301, 302].contains(response.status)
            if isMoved, let location = response.fields["Location"], location.hasPrefix(apiURL + "/") {
                request.target = location
                continue
            }
            if (200..<300).contains(response.status), !Refusal.isPage(response) { return response }
            if response.status == 304, call.known != nil { return response }
            throw Refusal.error(
                response, call.operation, hiding: authorization?.dropFirst("Bearer ".count) ?? "",
                now: clock.now())
        }
        throw GitHubError(.refused, operation: call.operation, message: "redirected in a circle")
    }

    /// Redirects that one call follows at most.
    static let mostRedirects = 3

    private func cachedToken(
        _ scope: TokenScope
    ) throws(GitHubError) -> (GitHub.Token, wasCached: Bool) {
        let soon = clock.now().adding(seconds: Self.tokenMargin)
        let cached = tokens.withLock { tokens in
            tokens = tokens.filter { $0.value.expiresAt > soon }
            return tokens[scope]
        }
        if let cached { return (cached, true) }
        let fresh = try token(scope)
        tokens.withLock { $0[scope] = fresh }
        return (fresh, false)
    }

    /// Ten minutes at most, begun a minute ago in case the clocks differ.
    private func webToken(_ operation: String) throws(GitHubError) -> String {
        guard let appID = appID() else {
            throw GitHubError(.unauthorized, operation: operation, message: "Porter has no GitHub App yet")
        }
        let now = clock.now().seconds
        let header = Base64URL.encode(Data(#"{"alg":"RS256","typ":"JWT"}"#.utf8))
        let claims = #"{"exp":\#(now + 540),"iat":\#(now - 60),"iss":"\#(appID)"}"#
        let message = header + "." + Base64URL.encode(Data(claims.utf8))
        do {
            return message + "." + Base64URL.encode(try sign(Array(message.utf8)))
        } catch {
            throw GitHubError(.unauthorized, operation: operation, message: "the App's key cannot sign")
        }
    }

    /// The address under that relation.
    ///
    /// - SeeAlso: <https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api>
    static func link(_ relation: String, _ response: Response) -> String? {
        guard let field = response.fields["Link"] else { return nil }
        for part in field.split(separator: ",") {
            guard part.contains("rel=\"\(relation)\""), let start = part.firstIndex(of: "<"),
                let end = part.firstIndex(of: ">"), start < end
            else { continue }
            return String(part[part.index(after: start)..<end])
        }
        return nil
    }

    /// Reads an answer; one that is cut or of another form says nothing for certain.
    static func decode<T: Decodable>(
        _ type: T.Type, _ response: Response, _ operation: String
    ) throws(GitHubError) -> T {
        do {
            return try JSONDecoder().decode(type, from: response.body)
        } catch {
            throw GitHubError(
                .uncertain, operation: operation, status: response.status,
                message: "the answer is no such JSON",
                requestID: response.fields["X-GitHub-Request-Id"])
        }
    }

    /// One component of a path.
    static func encoded(_ component: String) -> String {
        var text = ""
        for byte in component.utf8 {
            switch byte {
            case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                text.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                text += "%" + [byte].hexadecimal.uppercased()
            }
        }
        return text
    }
}

private struct TokenRequest: Encodable {
    let repository_ids: [Int64]?
    let permissions: [String: String]
}

private struct TokenAnswer: Decodable {
    let token: String
    let expires_at: String
}
