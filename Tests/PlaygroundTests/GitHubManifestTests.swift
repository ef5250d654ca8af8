import Foundation
import PlaygroundFace
import Porter
import PorterCrypto
import PorterGitHub
import PorterHTTP
import PorterTestSupport
import Synchronization
import Testing

@testable import PlaygroundGitHub

/// An App from a manifest: the pages, the conversion, the installation.
@Suite struct GitHubManifestTests {
    private let scene: GitHubScene

    init() throws {
        scene = try GitHubScene()
    }

    private static let manifest: JSON = [
        "name": "Porter Test", "url": "https://p.example", "redirect_url": "https://p.example/back",
        "hook_attributes": ["url": "https://p.example/hook", "active": true],
        "setup_url": "https://p.example/installed", "public": false,
        "default_permissions": ["issues": "write", "contents": "write"], "default_events": ["issues"],
    ]

    private func post(_ path: String, _ fields: [String: String]) -> Response {
        let body = fields.map { "\($0.key)=\(Target.encoded($0.value))" }.joined(separator: "&")
        return scene.site.answer(Request(method: "POST", target: path, body: Data(body.utf8)))
    }

    /// The code of an App that a person has just made.
    private func code(_ more: [String: String] = [:]) throws -> String {
        let made = post(
            "/organizations/octo-team/settings/apps?state=s1",
            ["manifest": Self.manifest.text].merging(more) { $1 })
        #expect(made.status == 302)
        let location = try #require(made.fields["Location"])
        #expect(location.hasPrefix("https://p.example/back?code="))
        #expect(location.hasSuffix("&state=s1"))
        return String(location.dropFirst("https://p.example/back?code=".count).dropLast("&state=s1".count))
    }

    private func convert(_ code: String) -> Response {
        scene.call("POST", "/app-manifests/\(code)/conversions", as: nil)
    }

    @Test func `the page shows the App, lets its name be changed, and leads back with code and state`() throws
    {
        let page = post("/settings/apps/new?state=s1", ["manifest": Self.manifest.text])
        #expect(page.status == 200)
        #expect(String(decoding: page.body, as: UTF8.self).contains("value=\"Porter Test\""))
        #expect(
            page.fields["Content-Security-Policy"]?.contains("form-action 'self' https://p.example;") == true)
        #expect(
            post("/organizations/nobody/settings/apps/new", ["manifest": Self.manifest.text]).status == 404)
        #expect(post("/settings/apps/new", ["manifest": "nonsense"]).status == 422)
        _ = try code()
    }

    @Test func `a code is converted once, within an hour, without a credential`() throws {
        let first = try code()
        let response = convert(first)
        #expect(response.status == 201)
        let app = try #require(JSON(response.body))
        #expect(app["slug"] == "porter-test")
        #expect(app["owner"]["login"] == "octo-team")
        #expect(app["pem"].string?.hasPrefix("-----BEGIN RSA PRIVATE KEY-----") == true)
        #expect(app["webhook_secret"].string?.isEmpty == false)
        #expect(convert(first).status == 404)
        #expect(convert("made-up").status == 404)
        let late = try code(["name": "Late"])
        scene.time.advance(seconds: 3601)
        #expect(convert(late).status == 404)
    }

    @Test(.needsFixtures) func `a conversion is answered as GitHub describes it`() throws {
        let description = APIDescription(try JSONValue(Fixtures.data("github-openapi-subset.json")))
        let response = convert(try code())
        let operation = try #require(description.operation("POST", "/app-manifests/{code}/conversions"))
        let schema = try #require(operation.answer(201))
        #expect(try schema.problems(JSONValue(response.body)) == [])
    }

    @Test func `the App's new key signs, the old one does not, and its webhook is signed anew`() throws {
        let response = convert(try code())
        let app = try #require(JSON(response.body))
        let pem = try #require(app["pem"].string)
        let id = try #require(app["id"].int)
        let token = try scene.webToken(["iss": .int(id)], key: pem)
        #expect(scene.call("GET", "/app", as: token).status == 200)
        #expect(scene.call("GET", "/app", as: try scene.webToken(["iss": .int(id)])).status == 401)
        #expect(scene.world.registration.withLock { $0.webhookURL } == "https://p.example/hook")
        let changed = scene.call("PATCH", "/app/hook/config", ["secret": "fresh"], as: token)
        #expect(JSON(changed.body)?["secret"] == "********")
        #expect(scene.world.registration.withLock { $0.webhookSecret } == "fresh")
    }

    @Test func `a private App is installed on its owner's account alone, which is then announced`() throws {
        _ = convert(try code())
        let page = scene.site.answer(
            Request(method: "GET", target: "/apps/porter-test/installations/new"))
        let text = String(decoding: page.body, as: UTF8.self)
        #expect(text.contains("octo-team") && !text.contains("other-org"))
        #expect(post("/apps/porter-test/installations", ["account": "other-org"]).status == 404)
        let done = post("/apps/porter-test/installations", ["account": "octo-team"])
        #expect(done.status == 302)
        #expect(
            done.fields["Location"]?.hasPrefix("https://p.example/installed?installation_id=") == true)
        let event = scene.world.with { $0.deliveries.last }
        #expect(event?.event == "installation" && event?.action == "created")
        #expect(
            scene.site.answer(Request(method: "GET", target: "/apps/porter-dev/installations/new")).status
                == 404)
    }

    /// A manifest that is refused, and GitHub's words.
    struct Bad: Sendable, CustomTestStringConvertible {
        let key: String
        let value: JSON
        let words: String
        var testDescription: String { words }
    }

    @Test(arguments: [
        Bad(
            key: "name", value: .string(String(repeating: "x", count: 35)), words: "maximum is 34 characters"),
        Bad(key: "name", value: nil, words: "Name can't be blank"),
        Bad(key: "url", value: nil, words: "\"url\" wasn't supplied."),
        Bad(key: "url", value: "ftp://p.example", words: "\"url\" must be a valid URL"),
        Bad(key: "redirect_url", value: nil, words: "\"redirect_url\" wasn't supplied."),
        Bad(key: "hook_attributes", value: [:], words: "\"hook_attributes.url\" wasn't supplied."),
        Bad(
            key: "hook_attributes", value: ["url": "https://p.example", "secret": "s"],
            words: "\"hook_attributes\" has a key that is not permitted: \"secret\"."),
        Bad(key: "surprise", value: 1, words: "\"surprise\" is not a permitted key."),
        Bad(
            key: "default_events", value: ["installation"], words: "Default events unsupported: installation"),
        Bad(
            key: "default_events", value: ["installation_repositories"],
            words: "Default events unsupported: installation_repositories"),
        Bad(
            key: "default_events", value: ["pull_request"],
            words: "Default events are not supported by permissions: pull_request"),
        Bad(
            key: "default_permissions", value: ["everything": "write", "issues": "read"],
            words: "Default permission records resource is not included in the list: everything"),
        Bad(
            key: "default_permissions", value: ["issues": "own"],
            words: "Default permission records action is not included in the list: issues"),
    ])
    func `what GitHub does not take is refused with its words`(bad: Bad) throws {
        var manifest = Self.manifest
        manifest[bad.key] = bad.value
        let lines: [String] =
            switch Manifest.read(manifest.text) {
            case .failure(let complaints): complaints.lines
            case .success: []
            }
        #expect(lines.contains { $0.contains(bad.words) }, "\(lines)")
    }
}
