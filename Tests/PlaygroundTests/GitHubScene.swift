import PlaygroundFace
import Foundation
import Porter
import PorterCrypto
import PorterHTTP
import PorterProcess
import PorterTestSupport
import Synchronization
import Testing

@testable import PlaygroundGitHub

/// A GitHub without sockets: requests go straight to the site, deliveries into a list, time stands still.
final class GitHubScene: Sendable {
    let world: World
    let site: Site
    let time = FixedClock()
    let webhooks = Webhooks()
    private let folder: TemporaryFolder

    static let origin = "http://127.0.0.1:1"
    static let secret = "It's a Secret to Everybody"
    static let hello = "/repos/octo-team/hello"

    /// Takes deliveries and answers them as the test wants.
    final class Webhooks: Sendable {
        let received = Mutex<[Request]>([])
        let answer = Mutex<@Sendable () throws(TransportError) -> Response>({ Response(status: 202) })

        var transport: Transport {
            Transport { request, _ throws(TransportError) in
                self.received.withLock { $0.append(request) }
                return try self.answer.withLock { $0 }()
            }
        }

        var list: [Request] { received.withLock { $0 } }
    }

    /// A key for each run of the tests, in PEM.
    static let appKey = newKey()
    static let otherKey = newKey()

    init() throws {
        folder = try TemporaryFolder()
        let options = Options(
            folder: folder.path, appKey: Self.appKey, webhookSecret: Self.secret,
            webhookURL: "http://127.0.0.1:2/hook")
        world = try World(options, clock: time.clock, transport: webhooks.transport)
        world.with { $0.origin = Self.origin }
        site = Site(world: world)
    }

    deinit {
        world.sender.stop()
    }

    private static func newKey() -> String {
        let made = try? Command(
            "/usr/bin/openssl", ["genrsa", "2048"], environment: ["PATH": "/usr/bin:/bin"]
        ).run(timeout: .seconds(60))
        return made?.text ?? ""
    }

    // MARK: - Credentials

    /// A web token as the App makes it, but for what the test changes.
    func webToken(
        _ change: [String: JSON] = [:], header: String = #"{"alg":"RS256","typ":"JWT"}"#,
        key: String = GitHubScene.appKey
    ) throws -> String {
        let now = time.now.seconds
        let claims: JSON = ["iat": .int(now - 60), "exp": .int(now + 540), "iss": "101"]
        let kept = (claims + .object(change)).object?.filter { !$0.value.isNull } ?? [:]
        let message = Base64URL.encode(Data(header.utf8)) + "." + Base64URL.encode(JSON.object(kept).data)
        return message + "." + Base64URL.encode(try RSASigner(pem: key).sign(Array(message.utf8)))
    }

    /// A token of the installation, narrowed as the body says.
    func token(_ body: JSON = [:], installation: Int = 31) throws -> String {
        let response = try app("POST", "/app/installations/\(installation)/access_tokens", body)
        #expect(response.status == 201)
        return try #require(JSON(response.body)?["token"].string)
    }

    // MARK: - Calls

    /// A call as the client makes it.
    func call(
        _ method: String, _ path: String, _ body: JSON? = nil, as credential: String?,
        _ fields: Fields = Fields()
    ) -> Response {
        var all: Fields = ["User-Agent": "tests", "Accept": "application/vnd.github+json"]
        if let credential { all["Authorization"] = "Bearer \(credential)" }
        if body != nil { all["Content-Type"] = "application/json" }
        for pair in fields.pairs { all[pair.name] = pair.value.isEmpty ? nil : pair.value }
        return site.answer(
            Request(
                method: method, target: path.hasPrefix("http") ? path : "/api/v3" + path, fields: all,
                body: body?.data ?? Data()))
    }

    func app(_ method: String, _ path: String, _ body: JSON? = nil) throws -> Response {
        call(method, path, body, as: try webToken())
    }

    /// What a person does, or what the test wants to go wrong.
    @discardableResult
    func control(_ method: String, _ path: String, _ body: JSON = [:]) -> Response {
        site.answer(Request(method: method, target: "/_playground/" + path, body: body.data))
    }

    /// A comment by mona, and its number.
    func comment(_ text: String = "hello", author: String = "mona") throws -> Int64 {
        let made = control(
            "POST", "comments",
            ["repository": "octo-team/hello", "issue": 1, "author": .string(author), "body": .string(text)])
        #expect(made.status == 201)
        return try #require(made.json["id"].int)
    }

    /// A review of pull request 2 and a comment on a line of it, by mona.
    func review(_ text: String = "hello") {
        for path in ["reviews", "review-comments"] {
            let made = control(
                "POST", path,
                ["repository": "octo-team/hello", "pull": 2, "author": "mona", "body": .string(text)])
            #expect(made.status == 201)
        }
    }

    /// Puts a commit on a new branch of octo-team/hello.
    func push(_ branch: String, _ files: [String: String]) throws {
        let git = world.git.repository("octo-team/hello")
        try git.commit(
            [
                SeedCommit(
                    message: "Change on \(branch)\n", author: "Mona <583232+mona@users.noreply.github.com>",
                    at: "1767610800 +0000", files: files)
            ], on: branch, after: git.head("main"))
    }

    /// The lines of the effect log of that kind, from the file.
    func effects(_ kind: String) throws -> [JSON] {
        let text = try String(contentsOfFile: folder.file("effects.jsonl"), encoding: .utf8)
        return text.split(separator: "\n").compactMap { JSON(Data($0.utf8)) }
            .filter { $0["kind"].string == kind }
    }

    /// Waits until so many deliveries have arrived, and gives them.
    func deliveries(_ count: Int) throws -> [Request] {
        _ = eventually { webhooks.list.count >= count }
        try #require(webhooks.list.count == count)
        return webhooks.list
    }
}

extension Response {
    /// The body, null when it is no JSON.
    var json: JSON { JSON(body) ?? .null }

    /// GitHub's word.
    var message: String? { json["message"].string }
}
