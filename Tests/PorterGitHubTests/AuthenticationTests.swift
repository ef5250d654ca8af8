import Foundation
import Porter
import PorterCrypto
import PorterHTTP
import PorterProcess
import PorterTestSupport
import Testing

@testable import PorterGitHub

@Suite struct AuthenticationTests {
    private func unpadded(_ text: Substring) throws -> Data {
        let plain = text.replacing("-", with: "+").replacing("_", with: "/")
        let padding = String(repeating: "=", count: (4 - plain.count % 4) % 4)
        return try #require(Data(base64Encoded: plain + padding))
    }

    @Test func `the App's token is RS256 with its number, a minute back and ten minutes at most`() throws {
        let folder = try TemporaryFolder()
        func openssl(_ arguments: String...) throws -> Capture {
            try Command(
                "/usr/bin/openssl", arguments, environment: ["PATH": "/usr/bin:/bin"], directory: folder.path
            ).run(timeout: .seconds(30))
        }
        try #require(
            try openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", "key.pem")
                .isGood)
        try #require(try openssl("pkey", "-in", "key.pem", "-pubout", "-out", "public.pem").isGood)
        let pem = try String(contentsOf: URL(fileURLWithPath: folder.file("key.pem")), encoding: .utf8)
        let signer = try RSASigner(pem: pem)
        let wire = ScriptedGitHub(
            [.json(200, .object(["id": .integer(7)]))], sign: { try signer.sign($0) })

        _ = try wire.github.installation(7)

        let header = try #require(wire.calls.first?.fields["Authorization"])
        #expect(header.hasPrefix("Bearer "))
        let parts = header.dropFirst(7).split(separator: ".", omittingEmptySubsequences: false)
        try #require(parts.count == 3)
        #expect(
            try JSONValue(unpadded(parts[0])) == .object(["alg": .string("RS256"), "typ": .string("JWT")]))
        let now = ScriptedGitHub.start.seconds
        #expect(
            try JSONValue(unpadded(parts[1]))
                == .object([
                    "iat": .integer(now - 60), "exp": .integer(now + 540), "iss": .string("4242"),
                ]))
        try Data("\(parts[0]).\(parts[1])".utf8).write(to: URL(fileURLWithPath: folder.file("message")))
        try unpadded(parts[2]).write(to: URL(fileURLWithPath: folder.file("signature")))
        let verdict = try openssl(
            "dgst", "-sha256", "-verify", "public.pem", "-signature", "signature", "message")
        #expect(verdict.text == "Verified OK")
    }

    @Test func `a key that cannot sign is an error of its own, and nothing is sent`() throws {
        struct Broken: Error {}
        let wire = ScriptedGitHub(sign: { _ in throw Broken() })

        let error = failure { () throws(GitHubError) in _ = try wire.github.app() }

        #expect(error?.code == .unauthorized)
        #expect(wire.recorder.requests.isEmpty)
    }

    private func ask(_ github: GitHub, _ place: RepositoryRef = .hello) throws {
        _ = try github.issue(place, 3)
    }

    private func answers(_ count: Int) -> [Response] {
        (0..<count).map { _ in .json(200, Sample.issue) }
    }

    @Test func `a token serves until five minutes before its expiry`() throws {
        let wire = ScriptedGitHub(answers(4))

        try ask(wire.github)
        wire.pass(seconds: 3600 - 301)
        try ask(wire.github)
        #expect(wire.tokenRequests.count == 1)
        wire.pass(seconds: 1)
        try ask(wire.github)
        try ask(wire.github)

        #expect(wire.tokenRequests.count == 2)
        #expect(
            wire.calls.map { $0.fields["Authorization"] } == [
                "Bearer ghs_1", "Bearer ghs_1", "Bearer ghs_2", "Bearer ghs_2",
            ])
    }

    @Test func `a token serves one repository and one permission`() throws {
        let wire = ScriptedGitHub([
            .json(200, Sample.issue), .json(200, Sample.issue), .json(201, Sample.comment),
        ])
        var other = RepositoryRef.hello
        other.id = 2

        try ask(wire.github)
        try ask(wire.github, other)
        _ = try wire.github.createComment(.hello, 3, "text")

        #expect(wire.tokenRequests.count == 3)
        #expect(Set(wire.calls.map { $0.fields["Authorization"] }).count == 3)
    }

    @Test func `once GitHub refuses the App, what was known of it is asked for again`() throws {
        let known = [Response.json(200, Sample.app), .json(200, Sample.bot)]
        let wire = ScriptedGitHub(
            known + [.refusal(401, "A JSON web token could not be decoded")],
            tokenAnswer: { _, _ in .refusal(401, "A JSON web token could not be decoded") })
        _ = try wire.github.app()
        #expect(try wire.github.app().id == 4242)
        #expect(wire.calls.count == 2)

        #expect(failure { () throws(GitHubError) in _ = try wire.github.issue(.hello, 3) } != nil)

        let error = failure { () throws(GitHubError) in _ = try wire.github.app() }
        #expect(error?.code == .unauthorized)
        #expect(wire.calls.count == 3)
    }

    @Test func `a cached token that GitHub refuses is replaced once`() throws {
        let refusal = Response.refusal(401, "Bad credentials")
        let wire = ScriptedGitHub(answers(1) + [refusal] + answers(1))
        try ask(wire.github)

        try ask(wire.github)

        #expect(wire.tokenRequests.count == 2)
        #expect(wire.calls.last?.fields["Authorization"] == "Bearer ghs_2")

        let stubborn = ScriptedGitHub(answers(1) + [refusal, refusal])
        try ask(stubborn.github)
        let error = failure { () throws(GitHubError) in _ = try stubborn.github.issue(.hello, 3) }
        #expect(error?.code == .unauthorized)
        #expect(stubborn.tokenRequests.count == 2)
    }

    @Test func `a fresh token that GitHub refuses is not replaced`() throws {
        let wire = ScriptedGitHub([.refusal(401, "Bad credentials")])

        let error = failure { () throws(GitHubError) in _ = try wire.github.issue(.hello, 3) }

        #expect(error?.code == .unauthorized)
        #expect(wire.tokenRequests.count == 1)
    }

    @Test(arguments: [GitHub.Access.read, .write])
    func `a contents token is fresh each time and reaches contents alone`(access: GitHub.Access) throws {
        let wire = ScriptedGitHub()

        let first = try wire.github.contentsToken(.hello, access)
        let second = try wire.github.contentsToken(.hello, access)

        #expect(first.secret != second.secret)
        #expect(first.expiresAt == ScriptedGitHub.start.adding(seconds: 3600))
        for request in wire.tokenRequests {
            #expect(
                try JSONValue(request.body)
                    == .object([
                        "repository_ids": .array([.integer(1_296_269)]),
                        "permissions": .object(["contents": .string(access.rawValue)]),
                    ]))
        }
    }

    @Test func `a contents token is not taken from those that the operations use`() throws {
        let wire = ScriptedGitHub([.refusal(404, "Not Found")])
        _ = try wire.github.branchHead(.hello, "main")

        let token = try wire.github.contentsToken(.hello, .read)

        #expect(token.secret.reveal { $0 } == "ghs_2")
    }

    @Test func `the App is asked for again when five minutes are over`() throws {
        let known = [Response.json(200, Sample.app), .json(200, Sample.bot)]
        let wire = ScriptedGitHub(known + [.refusal(401, "A JSON web token could not be decoded")])
        _ = try wire.github.app()
        wire.pass(seconds: 299)
        _ = try wire.github.app()
        #expect(wire.calls.count == 2)

        // Whoever watches the credentials must learn that they are refused.
        wire.pass(seconds: 1)
        let error = failure { () throws(GitHubError) in _ = try wire.github.app() }

        #expect(error?.code == .unauthorized)
    }

    // An installation that is gone or may not must not look like a branch, file or person that is not there.
    @Test(arguments: [
        (404, "Not Found"), (403, "This installation has been suspended"),
        (422, "The permissions requested are not granted to this installation."),
        (422, "The level of access for permissions requested are not granted to this installation."),
        (
            422,
            "There is at least one repository that does not exist or is not accessible to the parent "
                + "installation."
        ),
    ])
    func `a token that is not given says so in every operation`(status: Int, words: String) throws {
        for operation in Operation.all where operation.permissions != nil {
            let wire = ScriptedGitHub(tokenAnswer: { _, _ in .refusal(status, words) })

            let error = failure { () throws(GitHubError) in _ = try operation.run(wire.github) }

            #expect(error?.code == .forbidden, "\(operation.name)")
            #expect(error?.status == status)
            #expect(error?.operation == "create installation token")
            #expect(error?.message == words)
        }
    }

    @Test(arguments: ["", "2026-01-02", "tomorrow"])
    func `a token without a time of expiry is no token`(time: String) throws {
        let wire = ScriptedGitHub(tokenAnswer: { _, _ in
            .json(201, .object(["token": .string("ghs_secret"), "expires_at": .string(time)]))
        })

        let error = failure { () throws(GitHubError) in _ = try wire.github.issue(.hello, 3) }

        #expect(error?.code == .uncertain)
        #expect(error?.description.contains("ghs_secret") == false)
    }
}
