import Foundation
import PlaygroundFace
import Porter
import PorterCrypto
import PorterGitHub
import PorterHTTP
import PorterTestSupport
import Testing

@testable import PlaygroundGitHub

/// The playground's sign-in is as strict as GitHub's.
@Suite struct GitHubSignInTests {
    private let scene: GitHubScene
    private let verifier = String(repeating: "v", count: 43)
    private let callback = "http://127.0.0.1:2/api/auth/github/callback"

    init() throws {
        scene = try GitHubScene()
    }

    private var challenge: String { Base64URL.encode(SHA256.digest(Array(verifier.utf8))) }

    private func form(_ fields: [String: String?]) -> Data {
        let pairs = fields.compactMap { name, value in value.map { "\(name)=\(Target.encoded($0))" } }
        return Data(pairs.joined(separator: "&").utf8)
    }

    private func asked(_ change: [String: String?] = [:]) -> [String: String?] {
        [
            "client_id": "Iv1.playground0001", "redirect_uri": callback, "state": "s t",
            "code_challenge": challenge, "code_challenge_method": "S256", "login": "mona",
            "decision": "authorize",
        ].merging(change) { $1 }
    }

    private func decide(_ change: [String: String?] = [:]) -> Response {
        scene.site.answer(
            Request(method: "POST", target: "/login/oauth/authorize", body: form(asked(change))))
    }

    private func query(_ response: Response) -> [String: String] {
        Target.split(response.fields["Location"] ?? "").query
    }

    private func code(_ change: [String: String?] = [:]) throws -> String {
        try #require(query(decide(change))["code"])
    }

    private func trade(_ change: [String: String?], accept: String? = "application/json") -> Response {
        let fields: [String: String?] = [
            "client_id": "Iv1.playground0001", "client_secret": "playground-client-secret",
        ].merging(change) { $1 }
        return scene.site.answer(
            Request(
                method: "POST", target: "/login/oauth/access_token",
                fields: accept.map { ["Accept": $0] } ?? [:], body: form(fields)))
    }

    private func tokens(_ person: String = "mona") throws -> JSON {
        let answer = trade([
            "code": try code(["login": person]), "code_verifier": verifier, "redirect_uri": callback,
        ])
        return try #require(JSON(answer.body))
    }

    private func get(_ path: String, _ token: String) -> Response { scene.call("GET", path, as: token) }

    @Test func `a person is asked, and comes back with code and state`() {
        let page = scene.site.answer(
            Request(
                method: "GET",
                target: "/login/oauth/authorize?" + String(decoding: form(asked()), as: UTF8.self)))
        #expect(page.status == 200)
        #expect(
            page.fields["Content-Security-Policy"]?.contains("form-action 'self' http://127.0.0.1:2;") == true
        )
        let back = decide()
        #expect(back.status == 302)
        #expect(back.fields["Location"]?.hasPrefix(callback + "?") == true)
        #expect(query(back)["state"] == "s t")
        #expect(query(back)["code"]?.isEmpty == false)
        #expect(query(decide(["decision": "cancel"]))["error"] == "access_denied")
    }

    @Test func `what is asked wrongly is refused on a page or sent back`() {
        #expect(decide(["client_id": "other"]).status == 404)
        let elsewhere = decide(["redirect_uri": "https://evil.example/"])
        #expect(elsewhere.fields["Location"]?.hasPrefix(callback) == true)
        #expect(query(elsewhere)["error"] == "redirect_uri_mismatch")
        #expect(query(decide(["redirect_uri": callback + "?x=1"]))["error"] == "redirect_uri_mismatch")
        for change: [String: String?] in [
            ["code_challenge_method": "plain"], ["code_challenge_method": nil], ["code_challenge": "short"],
        ] {
            #expect(query(decide(change))["error"] == "invalid_request")
        }
    }

    @Test func `a code is good once, for ten minutes, with its verifier and address`() throws {
        let first = try code()
        let good: [String: String?] = ["code": first, "code_verifier": verifier, "redirect_uri": callback]
        let answer = trade(good)
        #expect(answer.status == 200)
        #expect(answer.json["access_token"].string?.hasPrefix("ghu_") == true)
        #expect(answer.json["refresh_token"].string?.hasPrefix("ghr_") == true)
        #expect(answer.json["expires_in"].int == 28_800)
        #expect(answer.json["token_type"].string == "bearer")

        func expect(_ change: [String: String?], _ word: String) {
            let answer = trade(change)
            #expect(answer.status == 200)
            #expect(answer.json["error"].string == word)
            #expect(answer.json["access_token"].isNull)
        }
        expect(good, "bad_verification_code")
        expect(good.merging(["code": try code(), "code_verifier": "w"]) { $1 }, "bad_verification_code")
        expect(good.merging(["code": try code(), "code_verifier": nil]) { $1 }, "bad_verification_code")
        expect(good.merging(["code": try code(), "redirect_uri": "x"]) { $1 }, "redirect_uri_mismatch")
        expect(good.merging(["client_secret": "x"]) { $1 }, "incorrect_client_credentials")
        expect(["grant_type": "password"], "unsupported_grant_type")
        let late = try code()
        scene.time.advance(seconds: 600)
        expect(good.merging(["code": late]) { $1 }, "bad_verification_code")
    }

    @Test func `without a wish for JSON the answer is a form`() throws {
        let answer = trade(["code": try code(), "code_verifier": verifier], accept: nil)
        #expect(Target.split("?" + String(decoding: answer.body, as: UTF8.self)).query["scope"] == "")
    }

    @Test func `a refresh token is good once, and the old pair dies with it`() throws {
        let first = try tokens()
        let (access, refresh) = (first["access_token"].string ?? "", first["refresh_token"].string ?? "")
        #expect(get("/user", access).status == 200)
        let second = trade(["grant_type": "refresh_token", "refresh_token": refresh])
        #expect(second.json["access_token"].string?.hasPrefix("ghu_") == true)
        #expect(get("/user", access).status == 401)
        #expect(get("/user", second.json["access_token"].string ?? "").status == 200)
        let again = trade(["grant_type": "refresh_token", "refresh_token": refresh])
        #expect(again.json["error"].string == "bad_refresh_token")
        scene.time.advance(seconds: 28_800)
        #expect(get("/user", second.json["access_token"].string ?? "").status == 401)
    }

    @Test func `people see what they were given, through the App`() throws {
        let mona = try tokens()["access_token"].string ?? ""
        let stan = try tokens("stan")["access_token"].string ?? ""
        #expect(get("/user", mona).json["id"].int == 583_232)
        #expect(get("/user/installations", mona).json["total_count"].int == 1)
        #expect(get("/user/installations", stan).json["total_count"].int == 0)
        let seen = get("/user/installations/31/repositories", mona).json["repositories"].array
        #expect(seen.map { $0["full_name"].string } == ["octo-team/hello"])
        #expect(seen.first?["permissions"]["push"].bool == true)
        #expect(seen.first?["permissions"]["admin"].bool == false)
        #expect(get("/user/installations/31/repositories", stan).status == 404)
        #expect(get("/user/orgs", mona).json.array.map { $0["login"].string } == ["octo-team"])
        #expect(get("/repos/octo-team/hello/issues/1", mona).status == 200)
        #expect(get("/repos/octo-team/hello/issues/1", stan).status == 404)
        #expect(get("/app", mona).status == 401)
    }

    @Test func `an issue that a person opens is theirs, and made through the App`() throws {
        let mona = try tokens()["access_token"].string ?? ""
        let made = scene.call(
            "POST", "\(GitHubScene.hello)/issues", ["title": "Mend it", "body": "@porter x"], as: mona)
        #expect(made.status == 201)
        #expect(made.json["user"]["login"].string == "mona")
        #expect(!made.json["performed_via_github_app"].isNull)
    }

    @Test func `single sign-on, an address list and suspension keep people out`() throws {
        let mona = try tokens()["access_token"].string ?? ""
        scene.control("PUT", "organizations/octo-team", ["single_sign_on": true])
        let hidden = get("/user/installations", mona)
        #expect(hidden.json["total_count"].int == 0)
        #expect(hidden.fields["X-GitHub-SSO"] == "partial-results; organizations=9919")
        let refused = get("/user/installations/31/repositories", mona)
        #expect(refused.status == 403)
        #expect(refused.fields["X-GitHub-SSO"]?.hasPrefix("required; url=") == true)
        scene.control("POST", "people/mona/sign-on", ["organization": "octo-team"])
        #expect(get("/user/installations/31/repositories", mona).status == 200)

        scene.control("PUT", "organizations/octo-team", ["refuses_address": true, "single_sign_on": false])
        #expect(get("/user/installations/31/repositories", mona).message?.contains("IP allow list") == true)
        scene.control("PATCH", "people/mona", ["suspended": true])
        #expect(get("/user", mona).message?.contains("suspended") == true)
        scene.control("PATCH", "people/mona", ["suspended": false, "login": "lisa"])
        #expect(get("/user", mona).json["login"].string == "lisa")
    }

    @Test func `an authorisation that is taken back kills the tokens and is told`() throws {
        let mona = try tokens()["access_token"].string ?? ""
        scene.control("POST", "people/mona/revoke")
        #expect(get("/user", mona).status == 401)
        let told = try scene.deliveries(1)
        #expect(told[0].fields["X-GitHub-Event"] == "github_app_authorization")
        let payload = try #require(JSON(told[0].body))
        #expect(payload["sender"]["id"].int == 583_232)
        #expect(payload["installation"].isNull)
    }

    @Test func `Porter's own client signs in, renews, sees and gives back`() throws {
        let site = scene.site
        let users = UserGitHub.live(
            transport: Transport { request, _ throws(TransportError) in
                var request = request
                request.target = String(request.target.dropFirst(GitHubScene.origin.count))
                return site.answer(request)
            }, webURL: GitHubScene.origin, apiURL: GitHubScene.origin + "/api/v3",
            credentials: {
                UserGitHub.Credentials(
                    clientID: "Iv1.playground0001", clientSecret: Secret("playground-client-secret"))
            }, clock: scene.time.clock)
        let first = try users.exchange(Secret(try code()), Secret(verifier), callback)
        #expect(first.accessExpiresAt == scene.time.now.adding(seconds: 28_800))
        let pair = try users.refresh(try #require(first.refresh))
        #expect(try users.person(pair.access) == Person(id: 583_232, login: "mona"))
        #expect(try users.installations(pair.access).list.map(\.id) == [31])
        let seen = try users.repositories(pair.access, 31)
        #expect(seen.map(\.repository.id) == [1_296_269])
        #expect(seen.map(\.canPush) == [true])
        let place = RepositoryRef(installationID: 31, id: 1_296_269, owner: "octo-team", name: "hello")
        #expect(try users.issue(pair.access, place, 1).number == 1)
        #expect(try users.createIssue(pair.access, place, "New", "Text").title == "New")
        scene.control("PUT", "organizations/octo-team", ["single_sign_on": true])
        #expect(try users.installations(pair.access).hiddenOrganizations == [9919])
        let error = #expect(throws: GitHubError.self) { try users.repositories(pair.access, 31) }
        #expect(error?.singleSignOn?.hasPrefix(GitHubScene.origin + "/orgs/octo-team/sso") == true)
        try users.revoke(pair.access)
        #expect(throws: GitHubError.self) { try users.person(pair.access) }
        let refused = #expect(throws: OAuthError.self) { try users.refresh(Secret("made-up")) }
        #expect(refused?.word == "bad_refresh_token")
    }
}
