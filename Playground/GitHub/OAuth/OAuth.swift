import FoundationEssentials
import PlaygroundFace
import Porter
import PorterCrypto
import PorterHTTP
import Synchronization

/// Signing in at GitHub: the page that asks a person, and the trade of codes and refresh tokens.
///
/// - SeeAlso: <https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-user-access-token-for-a-github-app>
struct OAuth: Sendable {
    let world: World

    static let authorizePath = "/login/oauth/authorize"
    static let tokenPath = "/login/oauth/access_token"

    /// The answer, nil for other addresses.
    func answer(_ request: Request) -> Response? {
        let (path, query) = Target.split(request.target)
        switch (request.method, path) {
        case ("GET", Self.authorizePath): return ask(query)
        case ("POST", Self.authorizePath): return decide(Self.form(request))
        case ("POST", Self.tokenPath): return trade(request)
        default: return SingleSignOnPage(world: world).answer(request)
        }
    }

    // MARK: - The page

    /// What a sign-in asks for, once it was found sound.
    private struct Asked {
        let redirect: String
        let state: String?
        let challenge: String?
    }

    /// Why a sign-in is sent back, or cannot be.
    private enum Wrong: Error {
        case page(String)
        case sentBack(to: String, error: String, words: String, state: String?)

        var response: Response {
            switch self {
            case .page(let words):
                OAuthPage.make("Not found", "<p>\(OAuthPage.escaped(words))</p>", status: 404)
            case .sentBack(let address, let error, let words, let state):
                OAuth.lead(
                    address,
                    [
                        ("error", error), ("error_description", words),
                        ("error_uri", "https://docs.github.com/apps/oauth"), ("state", state),
                    ])
            }
        }
    }

    private func read(_ query: [String: String]) throws(Wrong) -> Asked {
        let app = world.with { $0.app }
        guard query["client_id"] == app.clientID else {
            throw .page("There is no App with that client id.")
        }
        let registered = world.callbackURLs
        let state = query["state"]
        let redirect = query["redirect_uri"] ?? registered[0]
        guard registered.contains(redirect) else {
            throw .sentBack(
                to: registered[0], error: "redirect_uri_mismatch",
                words: "The redirect_uri is not associated with this application.", state: state)
        }
        let challenge = query["code_challenge"]
        if challenge != nil || query["code_challenge_method"] != nil {
            let isRight = challenge?.utf8.count == 43 && query["code_challenge_method"] == "S256"
            guard isRight else {
                throw .sentBack(
                    to: redirect, error: "invalid_request", words: "The code challenge must be S256.",
                    state: state)
            }
        }
        return Asked(redirect: redirect, state: state, challenge: challenge)
    }

    private func ask(_ query: [String: String]) -> Response {
        do throws(Wrong) {
            let asked = try read(query)
            let (slug, people) = world.with { state in
                (
                    state.app.slug,
                    state.accounts.values.filter { $0.kind == .user }.sorted { $0.id < $1.id }.map(\.login)
                )
            }
            let kept = ["client_id", "redirect_uri", "state", "code_challenge", "code_challenge_method"]
                .compactMap { name in query[name].map { (name, $0) } }
            return OAuthPage.make(
                "Authorize \(slug)",
                OAuthPage.form(
                    to: Self.authorizePath, hidden: kept, people: people, chosen: query["login"],
                    buttons: [("authorize", "Authorize \(slug)"), ("cancel", "Cancel")]),
                formsLeadTo: asked.redirect)
        } catch {
            return error.response
        }
    }

    private func decide(_ form: [String: String]) -> Response {
        do throws(Wrong) {
            let asked = try read(form)
            guard form["decision"] == "authorize" else {
                throw .sentBack(
                    to: asked.redirect, error: "access_denied",
                    words: "The user has denied your application access.", state: asked.state)
            }
            let code = try world.with { state throws(Wrong) -> String in
                guard let account = state.account(form["login"] ?? ""), account.kind == .user else {
                    throw .page("There is no such person.")
                }
                let code = State.newSecret("")
                state.oauth.codes[code] = AuthorizationCode(
                    personID: account.id, redirect: asked.redirect, challenge: asked.challenge,
                    expiresAt: state.now.adding(seconds: AuthorizationCode.lifetime))
                return code
            }
            return Self.lead(asked.redirect, [("code", code), ("state", asked.state)])
        } catch {
            return error.response
        }
    }

    private static func lead(_ address: String, _ query: [(String, String?)]) -> Response {
        let pairs = query.compactMap { name, value in value.map { "\(name)=\(Target.encoded($0))" } }
        return Response(
            status: 302,
            fields: ["Location": address + "?" + pairs.joined(separator: "&"), "Cache-Control": "no-store"])
    }

    // MARK: - The trade

    /// A refusal, which GitHub sends with HTTP 200.
    private struct Denied: Error {
        let error: String
        let words: String

        static let credentials = Denied(
            error: "incorrect_client_credentials",
            words: "The client_id and/or client_secret passed are incorrect.")
        static let code = Denied(
            error: "bad_verification_code", words: "The code passed is incorrect or expired.")
        static let redirect = Denied(
            error: "redirect_uri_mismatch",
            words: "The redirect_uri MUST match the registered callback URL for this application.")
        static let refresh = Denied(
            error: "bad_refresh_token", words: "The refresh token passed is incorrect or expired.")
        static let grant = Denied(error: "unsupported_grant_type", words: "The grant type is not supported.")
    }

    private func trade(_ request: Request) -> Response {
        let fields: [String: String]
        if request.fields["Content-Type"]?.hasPrefix("application/json") == true {
            fields = JSON(request.body)?.object?.compactMapValues(\.string) ?? [:]
        } else {
            fields = Self.form(request)
        }
        let secret = world.clientSecret
        let result = world.with { state -> Result<UserToken, Denied> in
            do throws(Denied) {
                guard fields["client_id"] == state.app.clientID, fields["client_secret"] == secret else {
                    throw .credentials
                }
                switch fields["grant_type"] {
                case nil, "authorization_code": return .success(try Self.redeem(fields, &state))
                case "refresh_token": return .success(try Self.refresh(fields, &state))
                default: throw .grant
                }
            } catch {
                return .failure(error)
            }
        }
        let isRefresh = fields["grant_type"] == "refresh_token"
        switch result {
        case .success(let token):
            let login = world.with { $0.accounts[token.personID]?.login ?? "ghost" }
            world.effects.append(
                isRefresh ? "oauth.refreshed" : "oauth.exchanged", actor: login, ["token": .int(token.id)])
            var answer: JSON = [
                "access_token": .string(token.access), "scope": "", "token_type": "bearer",
            ]
            if world.with({ $0.oauth.isExpiring }) {
                let seconds = (token.accessExpiresAt - world.with { $0.now }) / 1000
                answer =
                    answer + [
                        "expires_in": .int(seconds), "refresh_token": .string(token.refresh),
                        "refresh_token_expires_in": .int(UserToken.refreshLifetime),
                    ]
            }
            return Self.answer(answer, request)
        case .failure(let denied):
            world.effects.append(
                "oauth.denied", actor: "nobody",
                ["error": .string(denied.error), "refresh": .bool(isRefresh)])
            return Self.answer(
                [
                    "error": .string(denied.error), "error_description": .string(denied.words),
                    "error_uri": "https://docs.github.com/apps/oauth",
                ], request)
        }
    }

    private static func redeem(
        _ fields: [String: String], _ state: inout State
    ) throws(Denied) -> UserToken {
        guard let name = fields["code"], let code = state.oauth.codes[name], !code.isUsed,
            state.now < code.expiresAt
        else { throw .code }
        if let redirect = fields["redirect_uri"], redirect != code.redirect { throw .redirect }
        // A code that was shown with a wrong verifier is lost.
        state.oauth.codes[name]?.isUsed = true
        if let challenge = code.challenge {
            let made = fields["code_verifier"].map { Base64URL.encode(SHA256.digest(Array($0.utf8))) }
            guard made == challenge else { throw .code }
        }
        return state.makeUserToken(code.personID)
    }

    private static func refresh(
        _ fields: [String: String], _ state: inout State
    ) throws(Denied) -> UserToken {
        let found = state.oauth.tokens.values.first { $0.refresh == fields["refresh_token"] && !$0.isDead }
        guard let found, state.now < found.refreshExpiresAt, state.oauth.isExpiring else { throw .refresh }
        state.oauth.tokens[found.access]?.isDead = true
        return state.makeUserToken(found.personID)
    }

    /// As JSON when that was asked for, else as a form.
    private static func answer(_ json: JSON, _ request: Request) -> Response {
        if request.fields["Accept"]?.contains("json") == true { return .gitHub(json) }
        let pairs = (json.object ?? [:]).sorted { $0.key < $1.key }.map { name, value in
            "\(name)=\(Target.encoded(value.string ?? value.text))"
        }
        return Response(
            status: 200, fields: ["Content-Type": "application/x-www-form-urlencoded; charset=utf-8"],
            body: Data(pairs.joined(separator: "&").utf8))
    }

    /// The fields of a form.
    static func form(_ request: Request) -> [String: String] {
        Target.split("/?" + String(decoding: request.body, as: UTF8.self)).query
    }
}

extension World {
    /// What the App shows beside its client id.
    var clientSecret: String { registration.withLock { $0.clientSecret } }

    /// Where sign-ins may lead back to, the first by default.
    var callbackURLs: [String] {
        if let registered = with({ $0.app.callbackURLs }) { return registered }
        guard options.callbackURLs.isEmpty else { return options.callbackURLs }
        let authority = options.webhookURL.split(separator: "/", maxSplits: 3).prefix(2)
        return [authority.joined(separator: "//") + "/api/auth/github/callback"]
    }
}
