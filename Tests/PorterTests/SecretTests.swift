import Porter
import Testing

@Suite struct SecretTests {
    private let secret = Secret("sk-canary-0001")

    private struct Holder {
        var name = "holder"
        var key: Secret
        var maybe: Secret?
        var all: [String: Secret]
    }

    private struct Failed: Error {
        let key: Secret
    }

    @Test func `nothing that prints a secret shows it`() {
        var dumped = ""
        dump(secret, to: &dumped)
        var text = ""
        print(secret, to: &text)
        debugPrint(secret, to: &text)
        let all = [
            dumped, text, "\(secret)", String(describing: secret), String(reflecting: secret),
            secret.description, secret.debugDescription, String(describing: Optional(secret)),
            "\([secret])", "\(["key": secret])", String(reflecting: [secret: 1]), "\(Failed(key: secret))",
        ]
        for shown in all {
            #expect(!shown.contains("canary"))
            #expect(shown.contains("<redacted>"))
        }
    }

    @Test func `what holds a secret does not show it either`() {
        let holder = Holder(key: secret, maybe: secret, all: ["a": secret])
        var dumped = ""
        dump(holder, to: &dumped)
        for shown in [dumped, "\(holder)", String(reflecting: holder)] {
            #expect(!shown.contains("canary"))
            #expect(shown.contains("<redacted>"))
        }
    }

    @Test func `reflection finds nothing in it`() {
        let mirror = Mirror(reflecting: secret)
        #expect(mirror.children.isEmpty)
        #expect(mirror.superclassMirror == nil)
        #expect(mirror.descendant("value") == nil)
        #expect(mirror.descendant(0) == nil)
    }

    @Test func `reveal lends the value and passes on what it throws`() {
        #expect(secret.reveal { $0 } == "sk-canary-0001")
        #expect(throws: Failed.self) {
            try secret.reveal { _ throws(Failed) in throw Failed(key: secret) }
        }
    }

    @Test func `secrets compare by value`() {
        #expect(secret == Secret("sk-canary-0001"))
        #expect(secret != Secret("sk-canary-0002"))
        #expect(Secret("").isEmpty)
        #expect(!secret.isEmpty)
    }
}
