import Foundation
import Porter
import PorterCrypto
import PorterHTTP
import PorterTestSupport
import PorterTestWorld
import PorterWork
import Synchronization
import Testing

@testable import PorterStore
@testable import PorterWeb

/// A site over the world in memory, and the ways to ask it.
struct Scene {
    let world: World
    /// What validation reaches.
    var probes = Probes.none
    static let webhookSecret = World.webhookSecret
    static let operatorToken = "operator-canary-token"

    init(change: (inout Policy) -> Void = { _ in }) throws {
        world = try World(change: change)
    }

    var site: Site {
        Site(
            work: world.work, operatorToken: Secret(Self.operatorToken), clock: world.time.face,
            probes: probes, appProblem: { nil })
    }

    func send(
        _ method: String, _ target: String, _ fields: Fields = [:], _ body: Data = Data(),
        state: Site.BodyState = .whole
    ) -> Response {
        site.answer(Request(method: method, target: target, fields: fields, body: body), body: state)
    }

    /// Reads with the operator's token.
    func get(_ target: String) -> Response {
        send("GET", target, ["Authorization": "Bearer \(Self.operatorToken)"])
    }

    /// Signs the person in and returns the fields that their browser sends from now on.
    ///
    /// They see what GitHub shows them now, without having been there.
    func signIn(
        _ person: Person = World.maria, isAdmin: Bool = false, from peer: String? = nil
    ) throws -> Fields {
        let store = world.store
        try store.savePerson(person, at: world.now)
        let rights = world.users.seen.repositories[person.id, default: []].map {
            Right(repository: $0.repository.id, canPush: $0.canPush)
        }
        try store.saveRights(person: person.id, rights, of: [], at: world.now)
        if isAdmin { try store.setMark(Work.firstAdminMark, to: String(person.id), at: world.now) }
        let value = Secret("cookie-\(UUID().uuidString)")
        let id = try #require(SessionID(rawValue: UUID().uuidString.lowercased().filter { $0 != "-" }))
        try store.beginSession(
            id, digest: World.digest(value), person: person.id, address: peer, userAgent: nil, at: world.now)
        return [
            "Cookie": "\(Site.sessionCookie)=\(value.reveal { $0 })", "Origin": world.work.policy.publicURL,
        ]
    }

    static func signature(_ body: Data, secret: String = webhookSecret) -> String {
        "sha256=" + HMACSHA256.code(for: body, key: secret).hexadecimal
    }

    func deliver(
        _ body: Data, event: String = "issue_comment", guid: String = UUID().uuidString,
        fields more: Fields = [:]
    ) -> Response {
        var fields: Fields = [
            "X-GitHub-Event": event, "X-GitHub-Delivery": guid,
            "X-Hub-Signature-256": Self.signature(body), "Content-Type": "application/json",
        ]
        for pair in more.pairs { fields[pair.name] = pair.value }
        return send("POST", "/api/webhooks/github", fields, body)
    }

    /// The delivery of a comment, as GitHub spells it.
    static func comment(
        _ text: String, id: Int = 4001, action: String = "created", type: String = "User",
        change: (inout [String: Any]) -> Void = { _ in }
    ) -> Data {
        var comment: [String: Any] = [
            "id": id, "html_url": "https://github.example/c/\(id)", "body": text,
            "user": ["id": 1, "login": "maria", "type": type],
        ]
        change(&comment)
        return json([
            "action": action, "comment": comment, "installation": ["id": 77],
            "issue": ["number": 7, "title": "Login is flaky", "body": "Mondays."],
            "repository": [
                "id": 42, "name": "shop", "full_name": "acme/shop", "owner": ["id": 900, "login": "acme"],
            ], "sender": ["id": 1, "login": "maria", "type": type],
        ])
    }

    /// Lets nothing be written any more, as a disk that went read-only does.
    func breakDatabase() throws {
        try world.store.write("break") { try $0.run("PRAGMA query_only = 1") }
    }

    static func json(_ value: Any) -> Data {
        (try? JSONSerialization.data(withJSONObject: value)) ?? Data()
    }

    /// A task with a machine whose worker is the test, and the machine's token.
    func started() throws -> (id: TaskID, machine: String) {
        world.crew.change { $0.claims = false }
        let id = try world.ask()
        try world.settle()
        let machine = try #require(world.engine.running.last?.token)
        return (id, machine.reveal { $0 })
    }

    /// The callback token of a claimed task.
    func claimed() throws -> (id: TaskID, token: String) {
        let (id, machine) = try started()
        let response = callback("claim", machine, ["nonce": "nonce-0001", "protocol": 1, "version": "0"])
        return (id, try #require(response.object["callback_token"] as? String))
    }

    func callback(_ name: String, _ token: String, _ body: [String: Any]) -> Response {
        callback(name, token, raw: Self.json(body))
    }

    func callback(_ name: String, _ token: String, raw: Data) -> Response {
        send("POST", "/api/callbacks/\(name)", ["X-Porter-Callback-Token": token], raw)
    }
}

extension Site {
    /// Answers a request and waits for what comes later.
    func answer(_ request: Request, body state: BodyState) -> Response {
        let isAnswered = DispatchSemaphore(value: 0)
        let answer = Mutex(Response(status: 0))
        self.answer(request, body: state) { response in
            answer.withLock { $0 = response }
            isAnswered.signal()
        }
        isAnswered.wait()
        return answer.withLock { $0 }
    }
}

extension Response {
    var object: [String: Any] {
        (try? JSONSerialization.jsonObject(with: body) as? [String: Any]) ?? [:]
    }

    var text: String { String(decoding: body, as: UTF8.self) }
    var error: String? { object["error"] as? String }
    var message: String { object["message"] as? String ?? "" }
}
