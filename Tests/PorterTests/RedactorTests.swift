import Porter
import PorterTestSupport
import Testing

@Suite struct RedactorTests {
    private func redacted(_ text: String, _ secrets: String...) -> String {
        let redactor = Redactor()
        for secret in secrets { redactor.watch(Secret(secret)) }
        return redactor.redact(text)
    }

    @Test func `a watched value is replaced wherever it stands`() {
        #expect(redacted("sk-canary-1, xsk-canary-1x", "sk-canary-1") == "<redacted>, x<redacted>x")
        #expect(redacted("nothing here", "sk-canary-1") == "nothing here")
        #expect(redacted("", "sk-canary-1").isEmpty)
        #expect(redacted("sk-canary-1") == "sk-canary-1")
    }

    @Test func `its hexadecimal form as well`() {
        #expect(redacted("x 736b2d63616e6172792d31 y", "sk-canary-1") == "x <redacted> y")
        #expect(redacted("x 736B2D63616E6172792D31 y", "sk-canary-1") == "x <redacted> y")
    }

    @Test func `a secret that begins another leaves nothing of the longer one`() {
        #expect(redacted("canary-0001-tail!", "canary-0001", "canary-0001-tail") == "<redacted>!")
        #expect(redacted("canary-0001-tail!", "canary-0001-tail", "canary-0001") == "<redacted>!")
        #expect(redacted("abcdefghij", "abcdefgh", "cdefghij").contains("ij") == false)
    }

    @Test func `a mark that joins its last letter does not hide it`() {
        #expect(!redacted("sk-canary-1\u{301}", "sk-canary-1").contains("canary"))
        #expect(!redacted("\u{200D}sk-canary-1\u{FE0F}", "sk-canary-1").contains("canary"))
        #expect(redacted("é sk-canary-1 🎉", "sk-canary-1") == "é <redacted> 🎉")
    }

    @Test func `words too short to be told from others are left`() {
        #expect(redacted("a password", "passwor") == "a password")
        #expect(redacted("a password", "password") == "a <redacted>")
        #expect(redacted("x", "") == "x")
    }

    @Test func `a long text takes linear time`() {
        let redactor = Redactor()
        for number in 0..<20 { redactor.watch(Secret("aaaaaaaaaaaa\(number)")) }
        let text = String(repeating: "a", count: 50_000)
        var redacted = ""
        #expect(effort { redacted = redactor.redact(text) } < .seconds(30))
        #expect(redacted == text)
    }
}
