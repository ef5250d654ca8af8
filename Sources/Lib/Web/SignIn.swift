import FoundationEssentials
import Porter
import PorterCrypto
import PorterHTTP
import PorterStore
import PorterWork

/// Signing in with GitHub: `GET /api/auth/…`.
///
/// The browser's cookie and the one-time state together make the verifier of PKCE, so that nothing of a sign-in
/// rests in the database but digests. A failure leads to `/?error=CODE`, and never to a session.
///
/// - SeeAlso: <https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-user-access-token-for-a-github-app>
extension Site {
    /// The cookie that binds a sign-in to the browser that began it.
    static var signInCookie: String { "__Host-porter_signin" }
    /// Seconds that the browser keeps it: long enough to explain a failure.
    static var signInCookieAge: Int { 3600 }
    /// The cookie that remembers a wish for an installation which an owner has yet to approve.
    static var requestCookie: String { "__Host-porter_requested" }
    /// Bytes of a code or a state at most.
    static var maximumAnswer: Int { 512 }

    static var signInRoutes: [Route] {
        [
            Route("GET", "/api/auth/github", .open) { (site, exchange) throws(Failure) in
                site.leading(exchange) { () throws(SignInRefusal) in try site.beginSignIn(exchange) }
            },
            Route("GET", "/api/auth/github/callback", .open) { (site, exchange) throws(Failure) in
                site.leading(exchange) { () throws(SignInRefusal) in try site.finishSignIn(exchange) }
            },
            Route("GET", "/api/auth/github/installed", .open) { (site, exchange) throws(Failure) in
                site.leading(exchange) { () throws(SignInRefusal) in try site.returnFromInstalling(exchange) }
            },
            Route("GET", "/api/auth/diagnostics", .open) { (site, exchange) throws(Failure) in
                try site.diagnose(exchange)
            },
        ]
    }

    /// Answers with the handler's lead, or with the one to the page that explains the failure.
    private func leading(_ exchange: Exchange, _ handle: () throws(SignInRefusal) -> Response) -> Response {
        // Whoever only looks must not use a sign-in up.
        if exchange.request.method == "HEAD" { return Self.lead("/") }
        do throws(SignInRefusal) {
            return try handle()
        } catch {
            return Self.lead("/?error=\(error.failure.rawValue)")
        }
    }

    private static func lead(_ address: String) -> Response {
        Response(status: 302, fields: ["Location": address, "Cache-Control": "no-store"])
    }

    /// - Parameter failure: what a query that cannot be read means here.
    private func fields(
        _ exchange: Exchange, orElse failure: SignInFailure = .stateInvalid
    ) throws(SignInRefusal) -> [String: String] {
        do throws(Failure) {
            return try exchange.query.fields
        } catch {
            throw SignInRefusal(failure)
        }
    }

    private func beginSignIn(_ exchange: Exchange) throws(SignInRefusal) -> Response {
        let returnTo = try fields(exchange, orElse: .returnInvalid)["return"] ?? "/"
        guard OwnPath.isOne(returnTo) else { throw SignInRefusal(.returnInvalid) }
        return try beginSignIn(exchange, returnTo: returnTo)
    }

    private func beginSignIn(
        _ exchange: Exchange, returnTo: String
    ) throws(SignInRefusal) -> Response {
        let browser = Self.browser(exchange.request) ?? work.world.entropy.token()
        let state = work.world.entropy.token()
        try work.beginSignIn(state: state, browser: browser, returnTo: returnTo)
        let verifier = Self.verifier(browser, state)
        let challenge = verifier.reveal { Base64URL.encode(SHA256.digest(Array($0.utf8))) }
        let query = [
            ("client_id", work.world.users.clientID() ?? ""), ("redirect_uri", work.signInCallback),
            ("state", state.reveal { $0 }), ("code_challenge", challenge), ("code_challenge_method", "S256"),
        ].map { "\($0)=\(Self.escaped($1))" }.joined(separator: "&")
        var response = Self.lead("\(work.policy.githubURL)/login/oauth/authorize?\(query)")
        response.fields.append(
            "Set-Cookie",
            browser.reveal { Cookies.set(Self.signInCookie, $0, seconds: Self.signInCookieAge) })
        return response
    }

    private func finishSignIn(_ exchange: Exchange) throws(SignInRefusal) -> Response {
        let fields = try fields(exchange)
        let request = exchange.request
        func answer(_ name: String) throws(SignInRefusal) -> Secret? {
            guard let text = fields[name], !text.isEmpty else { return nil }
            guard text.utf8.count <= Self.maximumAnswer else { throw SignInRefusal(.stateInvalid) }
            return Secret(text)
        }
        let cookies = Cookies(request)
        let state = try answer("state")
        let browser = Self.browser(request)
        let former = cookies[Self.sessionCookie]
        let signedIn = try work.finishSignIn(
            SignInAnswer(
                state: state, browser: browser, code: try answer("code"), error: fields["error"],
                verifier: Self.verifier(browser ?? Secret(""), state ?? Secret("")),
                hasRequestedInstallation: cookies[Self.requestCookie] != nil,
                formerSession: former.map { Secret($0) }, address: request.peer,
                userAgent: request.fields["User-Agent"].map { String($0.storable.prefix(200)) }))
        var response = Self.lead(signedIn.returnTo)
        response.fields.append(
            "Set-Cookie",
            signedIn.cookie.reveal { Cookies.set(Self.sessionCookie, $0, seconds: Session.longest) })
        response.fields.append("Set-Cookie", Cookies.set(Self.signInCookie, "", seconds: 0))
        if cookies[Self.requestCookie] != nil {
            response.fields.append("Set-Cookie", Cookies.set(Self.requestCookie, "", seconds: 0))
        }
        return response
    }

    /// Where GitHub sends people after an installation; what it says in the address is believed of nobody.
    private func returnFromInstalling(_ exchange: Exchange) throws(SignInRefusal) -> Response {
        guard try fields(exchange)["setup_action"] == "request" else {
            return try beginSignIn(exchange, returnTo: "/")
        }
        var response = Self.lead("/?error=\(SignInFailure.installationRequested.rawValue)")
        response.fields.append(
            "Set-Cookie", Cookies.set(Self.requestCookie, "1", seconds: Session.longest))
        return response
    }

    /// Why this browser is not signed in, in words, and what to do.
    private func diagnose(_ exchange: Exchange) throws(Failure) -> Response {
        let query = try exchange.query.fields
        let browser = Self.browser(exchange.request)
        let isSignedIn: Bool
        do throws(Failure) {
            _ = try visitor(exchange.request)
            isSignedIn = true
        } catch {
            guard error.status == 401 else { throw error }
            isSignedIn = false
        }
        let last = try reading { () throws(StoreError) in
            try browser.flatMap { (value) throws(StoreError) in
                try work.world.store.findFailedSignIn(browser: work.world.digest(value))
            }
        }
        var isBroken = false
        if case .broken = work.world.app.standing() { isBroken = true }
        let word =
            query["error"]
            ?? (isBroken ? SignInFailure.keysClosed.rawValue : isSignedIn ? nil : last?.failure)
        let problem = word.flatMap(SignInFailure.init(rawValue:)).map { failure in
            JSON.object([
                "error": .string(failure.rawValue), "message": .string(failure.sentence),
                "action": .text(last?.failure == failure.rawValue ? last?.action : nil),
            ])
        }
        // The next try leads to the page that the last one was to lead to.
        let again = "/api/auth/github" + (last.map { "?return=\(Self.escaped($0.returnTo))" } ?? "")
        return .json(
            200,
            .object([
                "set_up": .bool(isBroken || work.world.users.clientID() != nil),
                "signed_in": .bool(isSignedIn), "sign_in_url": .string(again),
                "github_url": .string(work.policy.githubURL), "problem": problem ?? .null,
            ]))
    }

    /// What the browser's sign-in cookie holds, if it is one that we made.
    private static func browser(_ request: Request) -> Secret? {
        guard let value = Cookies(request)[signInCookie], value.utf8.count == 64,
            value.utf8.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) })
        else { return nil }
        return Secret(value)
    }

    /// The verifier of PKCE: 43 characters that only the browser and we together can make.
    ///
    /// - SeeAlso: <https://www.rfc-editor.org/rfc/rfc7636#section-4.1>
    static func verifier(_ browser: Secret, _ state: Secret) -> Secret {
        browser.reveal { browser in
            state.reveal { state in
                Secret(Base64URL.encode(SHA256.digest(Array("porter pkce\n\(browser)\n\(state)".utf8))))
            }
        }
    }

    /// A value of a query.
    static func escaped(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default: result += "%" + [byte].hexadecimal.uppercased()
            }
        }
        return result
    }
}
