import Porter
import PorterHTTP
import PorterTestSupport
import Testing

@testable import PorterGitHub

/// nginx's patience beside Porter's own.
@Suite struct FrontServerTests {
    @Test func `nginx waits for a claim that finds GitHub slow`() throws {
        let github = ScriptedGitHub([
            .json(200, Sample.app), .json(200, Sample.bot),
            .json(200, .object(["id": .integer(1), "name": .string("r"), "owner": Sample.bot])),
        ])
        // What a claim asks for, when nothing of it is known yet.
        _ = try github.github.app()
        _ = try github.github.repository(.hello)
        _ = try github.github.contentsToken(.hello, .read)
        let calls = github.recorder.requests.count

        let locations = try Checkout.text("nginx/snippets/locations.conf")
        let callbacks = try #require(
            locations.firstMatch(of: /location \/api\/callbacks\/ \{[^}]*fastcgi_read_timeout +(\d+)s;/))
        #expect(calls == 5)
        #expect(try .seconds(#require(Int(callbacks.1))) > AppClient.limits.total * calls)
    }
}
