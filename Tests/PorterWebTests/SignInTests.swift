import Foundation
import Porter
import PorterCrypto
import PorterHTTP
import PorterTestWorld
import PorterWork
import Testing

@testable import PorterStore
@testable import PorterWeb

/// Signing in with GitHub, as it should go.
@Suite struct SignInTests {
    @Test func `a sign-in asks GitHub with one-time state and PKCE, bound to the browser`() throws {
        let browser = Browser(try Scene())
        let first = try browser.begin()
        let cookie = try #require(browser.lastSet.first)

        #expect(
            Set(first.keys) == [
                "client_id", "redirect_uri", "state", "code_challenge", "code_challenge_method",
            ])
        #expect(first["client_id"] == "Iv1.world")
        #expect(first["redirect_uri"] == "https://porter.example/api/auth/github/callback")
        #expect(first["code_challenge_method"] == "S256")
        #expect(first["code_challenge"]?.utf8.count == 43)
        #expect(cookie.hasPrefix("__Host-porter_signin="))
        #expect(cookie.hasSuffix("; Path=/; Max-Age=3600; Secure; HttpOnly; SameSite=Lax"))
        let second = try browser.begin()
        #expect(first["state"] != second["state"])
        #expect(first["code_challenge"] != second["code_challenge"])
    }

    @Test func `the verifier belongs to the challenge`() throws {
        let browser = Browser(try Scene())
        let asked = try browser.begin()
        let cookie = try #require(browser.cookies[Site.signInCookie])
        let verifier = Site.verifier(Secret(cookie), Secret(asked["state"] ?? ""))
        let text = verifier.reveal { $0 }
        #expect(Base64URL.encode(SHA256.digest(Array(text.utf8))) == asked["code_challenge"])
        #expect((43...128).contains(text.utf8.count))

        let code = browser.scene.world.users.agree(World.maria, verifier: text)
        #expect(browser.comeBack(["state": asked["state"] ?? "", "code": code]).fields["Location"] == "/")
        #expect(browser.hasSession)
    }

    @Test func `whoever signs in comes back to the page that they asked for, with a session`() throws {
        let browser = Browser(try Scene())
        let response = try browser.signIn(World.maria, "?return=/task/%3Fid=task_1%23log")

        #expect(response.status == 302)
        #expect(response.fields["Location"] == "/task/?id=task_1#log")
        let cookie = try #require(browser.lastSet.first { $0.hasPrefix("__Host-porter_session=") })
        #expect(cookie.hasSuffix("; Path=/; Max-Age=2592000; Secure; HttpOnly; SameSite=Lax"))
        #expect(browser.cookies[Site.signInCookie] == nil)
        #expect(browser.send("GET", "/api/sessions").status == 200)
    }

    @Test func `two tabs of one browser may sign in side by side`() throws {
        let browser = Browser(try Scene())
        let (first, second) = (try browser.begin(), try browser.begin("?return=/help/"))
        let users = browser.scene.world.users
        let kept = browser.cookies[Site.signInCookie]

        #expect(
            browser.comeBack(["state": second["state"] ?? "", "code": users.agree(World.maria)])
                .fields["Location"] == "/help/")
        browser.keep(Site.signInCookie, kept)
        #expect(
            browser.comeBack(["state": first["state"] ?? "", "code": users.agree(World.maria)])
                .fields["Location"] == "/")
    }

    @Test func `a sign-in makes a new session, and the browser's former one ends`() throws {
        let browser = Browser(try Scene())
        try browser.signIn()
        let former = try #require(browser.cookies[Site.sessionCookie])
        try browser.signIn()
        let present = try #require(browser.cookies[Site.sessionCookie])

        #expect(former != present)
        #expect(sessions(browser).count == 1)
        browser.keep(Site.sessionCookie, former)
        #expect(browser.send("GET", "/api/sessions").status == 401)
    }

    @Test func `a cookie that was planted before the sign-in opens nothing after it`() throws {
        let browser = Browser(try Scene())
        browser.keep(Site.sessionCookie, String(repeating: "a", count: 64))
        try browser.signIn()
        #expect(browser.cookies[Site.sessionCookie] != String(repeating: "a", count: 64))
        browser.keep(Site.sessionCookie, String(repeating: "a", count: 64))
        #expect(browser.send("GET", "/api/sessions").status == 401)
    }

    @Test func `the first to sign in with the App's own installation is the admin, and nobody after`() throws
    {
        let scene = try Scene()
        let (maria, wim) = (Browser(scene), Browser(scene))
        try maria.signIn(World.maria)
        try wim.signIn(World.wim)

        #expect(maria.send("GET", "/api/audit").status == 200)
        #expect(wim.send("GET", "/api/audit").status == 403)
        let entries = maria.send("GET", "/api/audit?action=admin").object["entries"] as? [[String: Any]]
        #expect(entries?.compactMap { $0["subject"] as? String } == ["maria"])
    }

    @Test func `an operator's list decides who is admin, and a change of it is recorded`() throws {
        let scene = try Scene { $0.admins = ["wim"] }
        let (maria, wim) = (Browser(scene), Browser(scene))
        try maria.signIn(World.maria)
        try wim.signIn(World.wim)
        #expect(maria.send("GET", "/api/audit").status == 403)
        #expect(wim.send("GET", "/api/audit").status == 200)

        scene.world.change { $0.admins = ["maria"] }
        #expect(wim.send("GET", "/api/audit").status == 403)
        try maria.signIn(World.maria)
        try wim.signIn(World.wim)
        let actions = try scene.world.store.listAudit(AuditFilter(limit: 20)).map(\.entry)
            .filter { $0.action.hasPrefix("admin") }.map { "\($0.action) \($0.subject)" }
        #expect(actions == ["admin.withdrawn wim", "admin.granted maria", "admin.granted wim"])
    }

    @Test func `somebody with another account's installation does not become the first admin`() throws {
        let scene = try Scene { $0.owners = ["other", "acme"] }
        let other = GitHub.Installation(id: 78, account: Person(id: 950, login: "other"), isSuspended: false)
        scene.world.users.change { $0.installations[2] = UserGitHub.VisibleInstallations(list: [other]) }
        let (wim, maria) = (Browser(scene), Browser(scene))
        try wim.signIn(World.wim)
        try maria.signIn(World.maria)

        #expect(wim.send("GET", "/api/audit").status == 403)
        #expect(maria.send("GET", "/api/audit").status == 200)
    }

    @Test func `sessions are listed, and ended here, one by one and everywhere`() throws {
        let scene = try Scene()
        let (desk, phone, other) = (Browser(scene), Browser(scene), Browser(scene))
        try desk.signIn()
        try phone.signIn()
        try other.signIn(World.wim)

        let list = sessions(desk)
        #expect(list.count == 2)
        #expect(
            Set(list[0].keys) == [
                "id", "current", "created_at", "used_at", "expires_at", "address", "user_agent",
            ])
        #expect(list.filter { $0["current"] as? Bool == true }.count == 1)
        #expect(list[0]["address"] as? String == "192.0.2.7")
        #expect(list[0]["user_agent"] as? String == "Tester/1.0")

        let phones = try #require(sessions(phone).first { $0["current"] as? Bool == true }?["id"] as? String)
        #expect(desk.send("DELETE", "/api/sessions/\(phones)").status == 204)
        #expect(phone.send("GET", "/api/sessions").status == 401)
        #expect(desk.send("POST", "/api/auth/logout").status == 204)
        #expect(!desk.hasSession)

        try desk.signIn()
        try phone.signIn()
        #expect(desk.send("POST", "/api/auth/logout", ["everywhere": true]).status == 204)
        #expect(phone.send("GET", "/api/sessions").status == 401)
        #expect(other.send("GET", "/api/sessions").status == 200)
    }

    @Test func `what an installation's address says is believed of nobody`() throws {
        let browser = Browser(try Scene())
        let response = browser.send(
            "GET", "/api/auth/github/installed?installation_id=1&setup_action=install&code=stolen&state=x")
        #expect(
            response.fields["Location"]?.hasPrefix("https://github.example/login/oauth/authorize?") == true)
        #expect(!browser.hasSession)
    }

    @Test func `rights come with the sign-in`() throws {
        let scene = try Scene()
        let id = try scene.world.ask()
        try scene.world.settle()
        let browser = Browser(scene)
        try browser.signIn(World.rita)

        #expect(browser.send("GET", "/api/tasks/\(id.rawValue)").status == 200)
        #expect(try scene.world.store.findRepository(owner: "ACME", name: "Shop")?.id == 42)
    }

    private func sessions(_ browser: Browser) -> [[String: Any]] {
        browser.send("GET", "/api/sessions").object["sessions"] as? [[String: Any]] ?? []
    }
}
