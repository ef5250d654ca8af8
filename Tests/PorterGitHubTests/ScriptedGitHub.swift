import Foundation
import Porter
import PorterHTTP
import PorterTestSupport
import Synchronization
import Testing

@testable import PorterGitHub

/// The client over a transport that answers from a script; tokens are handed out as they are asked for.
final class ScriptedGitHub: Sendable {
    static let apiURL = "https://github.example.org/api/v3"
    /// 2026-01-02T03:04:05Z.
    static let start = Instant(seconds: 1_767_323_045)

    let github: GitHub
    let administration: AppAdministration
    let recorder: TransportRecorder

    /// - Parameters:
    ///   - answers: to everything but requests for tokens, in order.
    ///   - tokenAnswer: to the request for a token of that number, from 1; nil is a good one.
    init(
        _ answers: [Response] = [],
        tokenAnswer: @escaping @Sendable (_ number: Int, _ now: Instant) -> Response? = { _, _ in nil },
        sign: @escaping @Sendable ([UInt8]) throws -> [UInt8] = { _ in Array("signature".utf8) }
    ) {
        let time = Box(Self.start)
        let left = Box(answers[...])
        let tokens = Box(0)
        recorder = TransportRecorder { request, _ in
            if request.target.hasSuffix("/access_tokens") {
                let number = tokens.value.withLock { count in
                    count += 1
                    return count
                }
                let now = time.value.withLock { $0 }
                return tokenAnswer(number, now) ?? Self.token(number, expiresAt: now.adding(seconds: 3600))
            }
            guard let next = left.value.withLock({ $0.popFirst() }) else {
                Issue.record("nobody expected \(request.method) \(request.target)")
                return Response(status: 500)
            }
            return next
        }
        self.box = time
        self.left = left
        (github, administration) = GitHub.live(
            transport: recorder.transport, apiURL: Self.apiURL, appID: { "4242" }, sign: sign,
            clock: Clock { time.value.withLock { $0 } })
    }

    private let box: Box<Instant>
    private let left: Box<ArraySlice<Response>>

    private final class Box<Value: Sendable>: Sendable {
        let value: Mutex<Value>
        init(_ value: Value) { self.value = Mutex(value) }
    }

    func pass(seconds: Int) {
        box.value.withLock { $0 = $0.adding(seconds: seconds) }
    }

    /// Answers that nobody fetched.
    var unused: Int { left.value.withLock { $0.count } }

    /// Requests for installation tokens.
    var tokenRequests: [Request] { recorder.requests.filter { $0.target.hasSuffix("/access_tokens") } }

    /// All other requests.
    var calls: [Request] { recorder.requests.filter { !$0.target.hasSuffix("/access_tokens") } }

    static func token(_ number: Int, expiresAt: Instant) -> Response {
        .json(201, .object(["token": .string("ghs_\(number)"), "expires_at": .string(expiresAt.iso8601)]))
    }
}

extension Response {
    static func json(_ status: Int, _ value: JSONValue, _ fields: [String: String] = [:]) -> Response {
        var response = Response(
            status: status, fields: ["Content-Type": "application/json; charset=utf-8"], body: value.data)
        for (name, value) in fields { response.fields[name] = value }
        return response
    }

    /// What GitHub says when it does not do it.
    static func refusal(_ status: Int, _ message: String, _ fields: [String: String] = [:]) -> Response {
        .json(status, .object(["message": .string(message)]), fields)
    }
}

extension RepositoryRef {
    static let hello = RepositoryRef(installationID: 7, id: 1_296_269, owner: "octocat", name: "Hello-World")
}

/// Answers in GitHub's form with little in them.
enum Sample {
    static let comment = JSONValue.object(["id": .integer(5), "body": .string("text")])
    static let issue = JSONValue.object(["number": .integer(3), "title": .string("T")])
    static let app = JSONValue.object([
        "id": .integer(4242), "slug": .string("porter"),
        "owner": .object(["id": .integer(9), "login": .string("acme")]),
    ])
    static let bot = JSONValue.object(["id": .integer(77), "login": .string("porter[bot]")])
}

/// The error that the closure throws; a test that sees none has failed.
func failure(of work: () throws(GitHubError) -> Void) -> GitHubError? {
    do {
        try work()
        return nil
    } catch {
        return error
    }
}
