import Foundation
import GRDB
import Porter
import PorterHTTP
import PorterTestWorld
import PorterWork
import Testing

@testable import PorterStore
@testable import PorterWeb

/// Signing in, as it must not go: each leads to `/?error=CODE`, never to a session, and stores nothing.
@Suite struct SignInRefusalTests {
    // MARK: - The state

    @Test func `a missing state`() throws {
        let browser = Browser(try Scene())
        _ = try browser.begin()
        let code = browser.scene.world.users.agree(World.maria)
        try expectRefusal(browser.comeBack(["code": code]), "state_invalid", browser)
        try expectRefusal(browser.comeBack(["code": code, "state": ""]), "state_invalid", browser)
    }

    @Test func `a made-up state`() throws {
        let browser = Browser(try Scene())
        _ = try browser.begin()
        let code = browser.scene.world.users.agree(World.maria)
        let made = String(repeating: "0", count: 64)
        try expectRefusal(browser.comeBack(["code": code, "state": made]), "state_invalid", browser)
    }

    @Test func `a state of another browser, which stays good for its own`() throws {
        let scene = try Scene()
        let (victim, attacker) = (Browser(scene), Browser(scene))
        let state = try victim.begin()["state"] ?? ""
        _ = try attacker.begin()
        let code = scene.world.users.agree(World.maria)

        try expectRefusal(attacker.comeBack(["code": code, "state": state]), "state_invalid", attacker)
        #expect(victim.comeBack(["code": code, "state": state]).fields["Location"] == "/")
    }

    @Test func `a state without the browser's cookie`() throws {
        let browser = Browser(try Scene())
        let state = try browser.begin()["state"] ?? ""
        browser.keep(Site.signInCookie, nil)
        let code = browser.scene.world.users.agree(World.maria)
        try expectRefusal(browser.comeBack(["code": code, "state": state]), "state_invalid", browser)
    }

    @Test(arguments: ["", "x", String(repeating: "g", count: 64), String(repeating: "A", count: 64)])
    func `a browser's cookie that is none of ours`(value: String) throws {
        let browser = Browser(try Scene())
        let state = try browser.begin()["state"] ?? ""
        browser.keep(Site.signInCookie, value)
        let code = browser.scene.world.users.agree(World.maria)
        try expectRefusal(browser.comeBack(["code": code, "state": state]), "state_invalid", browser)
    }

    @Test func `a state that was used`() throws {
        let browser = Browser(try Scene())
        let state = try browser.begin()["state"] ?? ""
        let users = browser.scene.world.users
        let kept = browser.cookies[Site.signInCookie]
        browser.comeBack(["code": users.agree(World.maria), "state": state])
        browser.keep(Site.sessionCookie, nil)
        browser.keep(Site.signInCookie, kept)

        let again = browser.comeBack(["code": users.agree(World.maria), "state": state])
        #expect(again.signInError == "state_used")
        #expect(!browser.hasSession)
    }

    @Test func `a state whose sign-in failed is used up too`() throws {
        let browser = Browser(try Scene())
        let state = try browser.begin()["state"] ?? ""
        try expectRefusal(
            browser.comeBack(["error": "access_denied", "state": state]), "access_denied", browser)
        let code = browser.scene.world.users.agree(World.maria)
        try expectRefusal(browser.comeBack(["code": code, "state": state]), "state_used", browser)
    }

    @Test func `a state that took ten minutes`() throws {
        let browser = Browser(try Scene())
        let state = try browser.begin()["state"] ?? ""
        browser.scene.world.advance(seconds: 600)
        let code = browser.scene.world.users.agree(World.maria)
        try expectRefusal(browser.comeBack(["code": code, "state": state]), "state_expired", browser)
    }

    @Test func `a state of nine minutes is good`() throws {
        let browser = Browser(try Scene())
        let state = try browser.begin()["state"] ?? ""
        browser.scene.world.advance(seconds: 599)
        browser.comeBack(["code": browser.scene.world.users.agree(World.maria), "state": state])
        #expect(browser.hasSession)
    }

    @Test func `a state of another instance`() throws {
        let (here, elsewhere) = (Browser(try Scene()), Browser(try Scene { $0.mention = "other" }))
        let state = try elsewhere.begin()["state"] ?? ""
        // Both worlds draw the same numbers; only what is stored here counts.
        here.keep(Site.signInCookie, elsewhere.cookies[Site.signInCookie])
        let code = here.scene.world.users.agree(World.maria)
        try expectRefusal(here.comeBack(["code": code, "state": state]), "state_invalid", here)
    }

    @Test(arguments: [513, 100_000])
    func `a state or a code of unreasonable length`(length: Int) throws {
        let browser = Browser(try Scene())
        let state = try browser.begin()["state"] ?? ""
        let long = String(repeating: "a", count: length)
        try expectRefusal(browser.comeBack(["code": "c", "state": long]), "state_invalid", browser)
        try expectRefusal(browser.comeBack(["code": long, "state": state]), "state_invalid", browser)
    }

    @Test(arguments: ["state=%ff&code=c", "state=%zz", "%ff=1&state=x&code=y", "state=%00&code=%00"])
    func `a query that is no text`(query: String) throws {
        let browser = Browser(try Scene())
        _ = try browser.begin()
        try expectRefusal(browser.send("GET", "/api/auth/github/callback?\(query)"), "state_invalid", browser)
    }

    @Test func `a look at the address uses nothing up`() throws {
        let browser = Browser(try Scene())
        let state = try browser.begin()["state"] ?? ""
        let code = browser.scene.world.users.agree(World.maria)
        let look = browser.send("HEAD", "/api/auth/github/callback?code=\(code)&state=\(state)")
        #expect(look.fields["Location"] == "/")
        #expect(!browser.hasSession)
        browser.comeBack(["code": code, "state": state])
        #expect(browser.hasSession)
    }

    // MARK: - The code

    @Test func `no code`() throws {
        let browser = Browser(try Scene())
        let state = try browser.begin()["state"] ?? ""
        try expectRefusal(browser.comeBack(["state": state]), "code_refused", browser)
    }

    @Test func `a code that GitHub does not know`() throws {
        let browser = Browser(try Scene())
        let state = try browser.begin()["state"] ?? ""
        try expectRefusal(
            browser.comeBack(["code": "made-up", "state": state]), "code_refused", browser,
            calls: ["exchange"])
    }

    @Test func `a code that was traded before`() throws {
        let scene = try Scene()
        let (first, second) = (Browser(scene), Browser(scene))
        let code = scene.world.users.agree(World.maria)
        first.comeBack(["code": code, "state": try first.begin()["state"] ?? ""])
        #expect(first.hasSession)
        let again = second.comeBack(["code": code, "state": try second.begin()["state"] ?? ""])
        #expect(again.signInError == "code_refused")
        #expect(!second.hasSession)
    }

    @Test func `a code of another sign-in, whose verifier is another`() throws {
        let scene = try Scene()
        let (victim, attacker) = (Browser(scene), Browser(scene))
        let asked = try victim.begin()
        let verifier = Site.verifier(
            Secret(victim.cookies[Site.signInCookie] ?? ""), Secret(asked["state"] ?? ""))
        let code = scene.world.users.agree(World.maria, verifier: verifier.reveal { $0 })
        let mine = try attacker.begin()
        try expectRefusal(
            attacker.comeBack(["code": code, "state": mine["state"] ?? ""]), "code_refused", attacker,
            calls: ["exchange"])
    }

    @Test(arguments: [
        ("access_denied", "access_denied"), ("application_suspended", "suspended"),
        ("redirect_uri_mismatch", "misconfigured"), ("something_new", "code_refused"),
        ("<script>alert(1)</script>", "code_refused"),
    ])
    func `an error that GitHub sends along`(word: String, code: String) throws {
        let browser = Browser(try Scene())
        let state = try browser.begin()["state"] ?? ""
        try expectRefusal(
            browser.comeBack(["error": word, "error_description": "no", "state": state]), code, browser)
    }

    @Test(arguments: [
        ("bad_verification_code", "code_refused"), ("incorrect_client_credentials", "misconfigured"),
        ("redirect_uri_mismatch", "misconfigured"), ("unverified_user_email", "unverified_email"),
        ("unknown_client", "misconfigured"), ("unsupported_grant_type", "code_refused"),
    ])
    func `an error that GitHub answers the trade with`(word: String, code: String) throws {
        let browser = Browser(try Scene())
        browser.scene.world.users.faults.plant(.refused(word), at: "exchange")
        let state = try browser.begin()["state"] ?? ""
        let response = browser.comeBack(["code": "c", "state": state])
        try expectRefusal(response, code, browser, calls: ["exchange"])
    }

    // MARK: - Who may not

    @Test func `no installation that the person sees`() throws {
        let browser = Browser(try Scene())
        let response = try browser.signIn(Person(id: 4, login: "stan"))
        try expectRefusal(response, "not_installed", browser, calls: ["exchange", "person", "installations"])
        #expect(
            problem(browser)["action"] as? String == "https://github.example/apps/porter/installations/new")
    }

    @Test func `an installation of an account that is not served`() throws {
        let browser = Browser(try Scene { $0.owners = ["somebody-else"] })
        let response = try browser.signIn()
        try expectRefusal(response, "not_installed", browser, calls: ["exchange", "person", "installations"])
    }

    @Test func `an installation that an owner has yet to approve`() throws {
        let browser = Browser(try Scene())
        let asked = browser.send("GET", "/api/auth/github/installed?setup_action=request")
        #expect(asked.signInError == "installation_requested")
        let response = try browser.signIn(Person(id: 4, login: "stan"))
        try expectRefusal(
            response, "installation_requested", browser, calls: ["exchange", "person", "installations"])
    }

    @Test func `somebody whom the operator's list does not name`() throws {
        let browser = Browser(try Scene { $0.allowedLogins = ["wim"] })
        let response = try browser.signIn()
        try expectRefusal(response, "not_allowed", browser, calls: ["exchange", "person"])
    }

    @Test func `somebody who took a login that the operator's list means for another`() throws {
        let scene = try Scene { $0.allowedLogins = ["wim"] }
        try Browser(scene).signIn(World.wim)
        let other = Person(id: 77_777, login: "wim")
        scene.world.users.change { $0.installations[other.id] = $0.installations[2] }
        let browser = Browser(scene)
        #expect(try browser.signIn(other).signInError == "not_allowed")
        #expect(!browser.hasSession)
    }

    @Test func `somebody whom the list does not name any more`() throws {
        let scene = try Scene()
        let browser = Browser(scene)
        try browser.signIn()
        scene.world.change { $0.allowedLogins = ["wim"] }
        #expect(browser.send("GET", "/api/sessions").status == 403)
    }

    @Test func `single sign-on that the organisation wants first`() throws {
        let browser = Browser(try Scene())
        let scene = browser.scene
        try scene.world.store.saveRepository(
            RepositoryChange(
                repository: RepositoryRef(installationID: 77, id: 42, owner: "acme", name: "shop"),
                owner: Person(id: 900, login: "acme")), at: scene.world.now)
        scene.world.users.change {
            $0.installations[1] = UserGitHub.VisibleInstallations(list: [], hiddenOrganizations: [900])
        }
        let response = try browser.signIn()
        try expectRefusal(response, "sso_required", browser, calls: ["exchange", "person", "installations"])
        #expect(problem(browser)["action"] as? String == "https://github.example/orgs/acme/sso")
    }

    @Test func `a suspended installation`() throws {
        let browser = Browser(try Scene())
        browser.scene.world.users.change {
            $0.installations[1] = UserGitHub.VisibleInstallations(list: [
                GitHub.Installation(id: 77, account: Person(id: 900, login: "acme"), isSuspended: true)
            ])
        }
        let response = try browser.signIn()
        try expectRefusal(response, "suspended", browser, calls: ["exchange", "person", "installations"])
    }

    @Test func `a suspended account`() throws {
        let browser = Browser(try Scene())
        browser.scene.world.users.faults.plant(.refused("Sorry. Your account was suspended."), at: "person")
        try expectRefusal(try browser.signIn(), "suspended", browser, calls: ["exchange", "person"])
    }

    @Test func `an organisation's list of addresses that keeps ours out`() throws {
        let browser = Browser(try Scene())
        browser.scene.world.users.faults.plant(
            .refused(
                "Although you appear to have the correct authorization credentials, the `acme` organization has "
                    + "an IP allow list enabled, and your IP address is not permitted to access this resource."
            ),
            at: "repositories")
        try expectRefusal(
            try browser.signIn(), "ip_not_allowed", browser,
            calls: ["exchange", "person", "installations", "repositories"])
    }

    @Test(arguments: ["exchange", "person", "installations", "repositories"])
    func `GitHub that does not answer`(operation: String) throws {
        for fault in [Faults.Kind.unreachable, .uncertainBefore, .uncertainAfter] {
            let browser = Browser(try Scene())
            browser.scene.world.users.faults.plant(fault, at: operation)
            #expect(try browser.signIn().signInError == "github_unreachable", "\(fault)")
            #expect(!browser.hasSession)
            #expect(try browser.scene.rows("people") == 0)
        }
    }

    @Test func `an instance without an App`() throws {
        let browser = Browser(try Scene())
        browser.scene.world.users.change { $0.clientID = nil }
        try expectRefusal(browser.send("GET", "/api/auth/github"), "not_set_up", browser)
    }

    @Test func `an App whose stored keys do not open is not called a missing one`() throws {
        let browser = Browser(try Scene())
        browser.scene.world.users.change { $0.clientID = nil }
        browser.scene.world.withoutApp()
        try browser.scene.world.store.saveSecret(
            Secret("not what set-up stored"), scope: "instance", provider: Database.githubProvider,
            name: Database.appSecret, sealer: World.sealer, at: browser.scene.world.now)
        try expectRefusal(browser.send("GET", "/api/auth/github"), "keys_closed", browser)
    }

    @Test func `a token that was given for nothing is given back`() throws {
        let browser = Browser(try Scene { $0.allowedLogins = ["wim"] })
        try browser.signIn()
        #expect(browser.scene.world.users.seen.revoked == ["ghu_canary_2"])
    }

    // MARK: - Explained

    @Test func `each failure has words, and only those that a browser met are shown`() throws {
        let browser = Browser(try Scene())
        for failure in SignInFailure.allCases {
            let shown = browser.send("GET", "/api/auth/diagnostics?error=\(failure.rawValue)")
            let problem = shown.object["problem"] as? [String: Any]
            #expect(problem?["error"] as? String == failure.rawValue)
            #expect((problem?["message"] as? String)?.isEmpty == false)
            #expect(problem?["action"] is NSNull)
        }
        #expect(browser.send("GET", "/api/auth/diagnostics?error=made-up").object["problem"] is NSNull)
        let plain = browser.send("GET", "/api/auth/diagnostics")
        #expect(
            Set(plain.object.keys) == ["set_up", "signed_in", "sign_in_url", "github_url", "problem"])
        #expect(plain.object["signed_in"] as? Bool == false)
    }

    private func problem(_ browser: Browser) -> [String: Any] {
        browser.send("GET", "/api/auth/diagnostics").object["problem"] as? [String: Any] ?? [:]
    }
}

extension Scene {
    /// How many rows a table has.
    func rows(_ table: String) throws -> Int {
        try world.store.read("count") { try Int.fetchOne($0, sql: "SELECT count(*) FROM \(table)") ?? 0 }
    }
}

/// Expects a refusal that left nothing behind.
func expectRefusal(
    _ response: Response, _ code: String, _ browser: Browser, calls: [String] = [],
    _ location: SourceLocation = #_sourceLocation
) throws {
    #expect(response.signInError == code, sourceLocation: location)
    #expect(!browser.hasSession, sourceLocation: location)
    #expect(try browser.scene.rows("sessions") == 0, sourceLocation: location)
    #expect(try browser.scene.rows("people") == 0, sourceLocation: location)
    #expect(try browser.scene.rows("user_tokens") == 0, sourceLocation: location)
    let made = browser.scene.world.users.faults.calls.filter { $0 != "revoke" }
    #expect(made == calls, sourceLocation: location)
}
