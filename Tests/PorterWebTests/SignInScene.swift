import Foundation
import Porter
import PorterHTTP
import PorterTestWorld
import PorterWork
import Testing

@testable import PorterStore
@testable import PorterWeb

/// A browser that signs in: it keeps cookies as browsers do, and nothing else.
final class Browser {
    let scene: Scene
    private(set) var cookies: [String: String] = [:]
    /// The `Set-Cookie` fields of the last answer.
    private(set) var lastSet: [String] = []

    init(_ scene: Scene) {
        self.scene = scene
    }

    func keep(_ name: String, _ value: String?) {
        cookies[name] = value
    }

    /// Whether a session's cookie is kept.
    var hasSession: Bool { cookies[Site.sessionCookie] != nil }

    var fields: Fields {
        var fields: Fields = ["Origin": scene.world.work.policy.publicURL, "User-Agent": "Tester/1.0"]
        let pairs = cookies.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        if !pairs.isEmpty { fields["Cookie"] = pairs.joined(separator: "; ") }
        return fields
    }

    @discardableResult
    func send(_ method: String, _ target: String, _ body: Any? = nil) -> Response {
        let response = scene.site.answer(
            Request(
                method: method, target: target, fields: fields, body: body.map(Scene.json) ?? Data(),
                peer: "192.0.2.7"), body: .whole)
        lastSet = response.fields.pairs.filter { $0.name == "Set-Cookie" }.map(\.value)
        for field in lastSet {
            let pair = field.prefix { $0 != ";" }.split(separator: "=", maxSplits: 1)
            let isOver = field.contains("Max-Age=0")
            cookies[String(pair[0])] = isOver || pair.count < 2 ? nil : String(pair[1])
        }
        return response
    }

    /// Begins to sign in and gives the query that GitHub is sent.
    func begin(_ query: String = "") throws -> [String: String] {
        let response = send("GET", "/api/auth/github\(query)")
        #expect(response.status == 302)
        let location = try #require(response.fields["Location"])
        let prefix = "https://github.example/login/oauth/authorize?"
        try #require(location.hasPrefix(prefix), "\(location)")
        return try Query(location.dropFirst(prefix.count)).fields
    }

    /// Comes back from GitHub.
    @discardableResult
    func comeBack(_ pairs: [String: String]) -> Response {
        let query = pairs.map { "\($0.key)=\(Site.escaped($0.value))" }.sorted().joined(separator: "&")
        return send("GET", "/api/auth/github/callback?\(query)")
    }

    /// Signs in from beginning to end.
    @discardableResult
    func signIn(_ person: Person = World.maria, _ query: String = "") throws -> Response {
        let asked = try begin(query)
        return comeBack([
            "state": asked["state"] ?? "", "code": scene.world.users.agree(person),
        ])
    }
}

extension Response {
    /// The code of the page that this leads to, nil when it leads elsewhere.
    var signInError: String? {
        guard status == 302, let location = fields["Location"], location.hasPrefix("/?error=") else {
            return nil
        }
        return String(location.dropFirst("/?error=".count))
    }
}
