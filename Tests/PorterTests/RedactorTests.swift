import Foundation
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

    @Test func `written backwards as well, and by its lines`() {
        let redactor = Redactor()
        redactor.watch(Secret("ghs_canary0123"))
        #expect(redactor.redact("it is 3210yranac_shg.") == "it is <redacted>.")
        redactor.watch(Secret("-----BEGIN-----\n0123456789abcdefghijklmn\n-----END-----"))
        #expect(redactor.redact("nmlkjihgfedcba9876543210") == "<redacted>")
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

    @Test func `Base64 hides it nowhere, wherever it begins in a group and in both alphabets`() {
        let secret = "sk-canary/0123+456>?~"
        for prefix in ["", "a", "ab", "abc", "abcd"] {
            for suffix in ["", "x", "xy", "xyz"] {
                let encoded = Data("\(prefix)\(secret)\(suffix)".utf8).base64EncodedString()
                let forURLs = encoded.replacing("+", with: "-").replacing("/", with: "_")
                for text in [encoded, forURLs] {
                    #expect(redacted(text, secret).contains("<redacted>"), "\(prefix) \(suffix)")
                }
            }
        }
        #expect(redacted(Data("another thing altogether".utf8).base64EncodedString(), secret).count == 32)
    }

    @Test func `percent-encoded and as JSON writes it as well`() {
        #expect(redacted("q=a%2Fb%3Dcanary%20x&z", "a/b=canary x") == "q=<redacted>&z")
        #expect(redacted("q=a%2fb%3dcanary%20x&z", "a/b=canary x") == "q=<redacted>&z")
        #expect(redacted(#"{"k": "say \"canary\\word"}"#, #"say "canary\word"#) == #"{"k": "<redacted>"}"#)
    }

    @Test func `each line of a private key is a secret of its own`() {
        let line = String(repeating: "MIIEpAIBAAKCAQEA", count: 4)
        let pem = "-----BEGIN RSA PRIVATE KEY-----\n\(line)\nc2hvcnQ=\n-----END RSA PRIVATE KEY-----\n"
        #expect(redacted("x \(line) y", pem) == "x <redacted> y")
        #expect(redacted(pem, pem) == "<redacted>")
        #expect(redacted("-----BEGIN RSA PRIVATE KEY-----", pem) == "-----BEGIN RSA PRIVATE KEY-----")
    }

    @Test func `what must keep its length is masked`() {
        let redactor = Redactor()
        redactor.watch(Secret("sk-canary-1"))
        #expect(redactor.mask(Array("x sk-canary-1 y".utf8), about: nil) == Array("x *********** y".utf8))
        #expect(redactor.mask([], about: nil) == [])
    }

    @Test func `a person's key is taken out of that person's texts alone, and of what is about nobody`() {
        let redactor = Redactor()
        redactor.watch(Secret("sk-team-1"), of: .team)
        redactor.watch(Secret("sk-program-1"))
        redactor.watch(Secret("cancelled"), of: .person(5))
        let text = "cancelled: sk-team-1 sk-program-1"

        #expect(redactor.redact(text, about: 5) == "<redacted>: <redacted> <redacted>")
        #expect(redactor.redact(text, about: 6) == "cancelled: <redacted> <redacted>")
        #expect(redactor.redact(text, about: nil) == "cancelled: <redacted> <redacted>")
        #expect(redactor.redact(text) == "<redacted>: <redacted> <redacted>")
        #expect(redactor.mask(Array("cancelled".utf8), about: 6) == Array("cancelled".utf8))

        redactor.watch(Secret("cancelled"), of: .person(6))
        #expect(redactor.redact("cancelled", about: 6) == "<redacted>")
        #expect(redactor.redact("cancelled", about: 7) == "cancelled")
    }

    @Test func `what is stored no more is forgotten, and what the program has is not`() {
        let redactor = Redactor()
        redactor.watch(Secret("sk-program-1"))
        redactor.watch(Secret("sk-old-key"), of: .team)
        redactor.watch(Secret("sk-shared-1"), of: .person(5))
        redactor.watch(Secret("sk-shared-1"), of: .person(6))

        redactor.watch(stored: [Secret("sk-new-key"): [.team], Secret("sk-shared-1"): [.person(6)]])

        #expect(redactor.redact("sk-program-1 sk-old-key sk-new-key") == "<redacted> sk-old-key <redacted>")
        #expect(redactor.redact("sk-shared-1", about: 5) == "sk-shared-1")
        #expect(redactor.redact("sk-shared-1", about: 6) == "<redacted>")
    }
}
