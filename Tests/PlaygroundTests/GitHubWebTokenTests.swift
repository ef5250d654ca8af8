import PlaygroundFace
import Foundation
import Porter
import PorterHTTP
import PorterTestSupport
import Testing

@testable import PlaygroundGitHub

@Suite struct GitHubWebTokenTests {
    private let scene: GitHubScene

    init() throws {
        scene = try GitHubScene()
    }

    private func status(_ token: String) -> Int { scene.call("GET", "/app", as: token).status }

    @Test func `the App's own web token opens the App`() throws {
        let response = try scene.app("GET", "/app")
        #expect(response.status == 200)
        #expect(response.json["slug"].string == "porter-dev")
    }

    @Test(arguments: [.int(101), "101", "Iv1.playground0001"] as [JSON])
    func `the issuer is the App's id or its client id`(issuer: JSON) throws {
        #expect(status(try scene.webToken(["iss": issuer])) == 200)
    }

    /// Claims that are refused, as seconds from now.
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let begin: Int64?
        let end: Int64?
        var testDescription: String { name }

        static let all = [
            Case(name: "begun in the future", begin: 5, end: 500),
            Case(name: "over", begin: -600, end: 0),
            Case(name: "longer than ten minutes", begin: -60, end: 541),
            Case(name: "without a beginning", begin: nil, end: 500),
            Case(name: "without an end", begin: -60, end: nil),
        ]
    }

    @Test(arguments: Case.all)
    func `a web token outside of its time is refused`(_ example: Case) throws {
        let now = scene.time.now.seconds
        let token = try scene.webToken([
            "iat": .some(example.begin.map { $0 + now }), "exp": .some(example.end.map { $0 + now }),
        ])
        #expect(status(token) == 401)
    }

    @Test func `a web token of ten minutes sharp is taken`() throws {
        let now = scene.time.now.seconds
        #expect(status(try scene.webToken(["iat": .int(now), "exp": .int(now + 600)])) == 200)
    }

    @Test func `another key, another algorithm and a changed claim are refused`() throws {
        #expect(status(try scene.webToken(key: GitHubScene.otherKey)) == 401)
        #expect(status(try scene.webToken(header: #"{"alg":"HS256","typ":"JWT"}"#)) == 401)
        #expect(status(try scene.webToken(header: #"{"alg":"none","typ":"JWT"}"#)) == 401)
        var parts = try scene.webToken().split(separator: ".").map(String.init)
        parts[1] = try scene.webToken(["iss": "102"]).split(separator: ".").map(String.init)[1]
        #expect(status(parts.joined(separator: ".")) == 401)
        #expect(status("a.b.c") == 401)
    }

    @Test func `another App is not known`() throws {
        #expect(status(try scene.webToken(["iss": "102"])) == 404)
    }

    @Test func `a web token opens nothing of an installation, and a token nothing of the App`() throws {
        let token = try scene.token()
        #expect(scene.call("GET", "/app", as: token).status == 401)
        #expect(scene.call("GET", "/app/hook/deliveries", as: token).status == 401)
        #expect(try scene.app("GET", GitHubScene.hello).status == 404)
        #expect(try scene.app("DELETE", "/installation/token").status == 403)
    }

    @Test func `the App's account has a page that both credentials open`() throws {
        let token = try scene.token()
        for credential in [try scene.webToken(), token] {
            let user = scene.call("GET", "/users/porter-dev%5Bbot%5D", as: credential)
            #expect(user.status == 200)
            #expect(user.json["type"].string == "Bot")
        }
    }
}
