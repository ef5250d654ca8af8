import Logging
import Porter
import PorterTestSupport
import Testing

@testable import PorterSettings

@Suite struct JournalLineTests {
    private func line(
        _ level: Logger.Level, _ message: String, _ facts: Logger.Metadata = [:],
        redactor: Redactor = Redactor()
    ) -> String {
        JournalLogHandler.line(level, message, facts, redactor)
    }

    @Test(arguments: [
        (Logger.Level.critical, 2), (.error, 3), (.warning, 4), (.notice, 5), (.info, 6), (.debug, 7),
        (.trace, 7),
    ])
    func `the level becomes syslog's priority`(level: Logger.Level, priority: Int) {
        #expect(line(level, "task started") == "<\(priority)>task started")
    }

    @Test func `facts follow the message, sorted by key`() {
        #expect(
            line(.notice, "task started", ["task.id": "task_1", "machine": "m1", "a": "1"])
                == "<5>task started a=1 machine=m1 task.id=task_1")
    }

    @Test(arguments: [
        ("plain", "plain"), ("", "\"\""), ("two words", "\"two words\""), ("a=b", "\"a=b\""),
        ("say \"hi\"", #""say \"hi\"""#), (#"x\" admin=true"#, #""x\\\" admin=true""#),
        (#"a\b"#, #""a\\b""#), ("one\ntwo", #""one\ntwo""#), ("one\r\ntwo", #""one\r\ntwo""#),
        ("tab\there", #""tab\there""#), ("\u{1B}[31m", #""\x1b[31m""#), ("\u{1}b", #""\x01b""#),
        ("\u{7F}", #""\x7f""#), ("\u{9B}31m", #""\x9b31m""#), ("\u{85}", #""\x85""#),
        ("a\u{2028}b", #""a\u2028b""#), ("a\u{2029}b", #""a\u2029b""#), ("=\u{301}x", "\"=\u{301}x\""),
        ("é🎉", "é🎉"), ("\0", #""\x00""#),
    ])
    func `a value cannot leave its place`(value: String, shown: String) {
        #expect(line(.info, "m", ["k": .string(value)]) == "<6>m k=\(shown)")
    }

    @Test func `a record is one line whatever it holds`() {
        let text = "a\n<0>forged\r\u{85}\u{2028}\u{B}\u{C}b"
        let line = line(.error, text, ["k": .string(text)])
        #expect(!line.contains { $0.isNewline })
        #expect(line.hasPrefix(#"<3>a\n<0>forged\r"#))
    }

    @Test func `a watched secret is in no line, in whatever form it is written`() {
        let redactor = Redactor()
        let key = "-----BEGIN KEY-----\nMIIcanary==\n\"quoted\\\"\n-----END KEY-----\n"
        redactor.watch(Secret(key))
        redactor.watch(Secret("tab\tcanary"))
        for text in [key, "x \(key) y", "tab\tcanary", "a tab\tcanary=b"] {
            let line = line(.error, text, ["k": .string(text)], redactor: redactor)
            #expect(!line.contains("canary"), "\(line)")
            #expect(line.contains("<redacted>"))
        }
    }

    @Test func `the handler drops what lies below its level and keeps its own metadata`() {
        var handler = JournalLogHandler(level: .warning)
        handler[metadataKey: "request"] = "r1"
        #expect(handler[metadataKey: "request"] == "r1")
        #expect(handler.logLevel == .warning)
        let logger = Logger(label: "x") { _ in handler }
        #expect(logger.logLevel == .warning)
    }

    @Test func `a record is written on standard error`() async {
        let result = await #expect(processExitsWith: .exitCode(0), observing: [\.standardErrorContent]) {
            let logger = Logger(label: "x") { _ in JournalLogHandler(level: .notice) }
            let journal = Journal.logging(logger)
            journal.record(.notice, "task started", ["task.id": "task_1"])
            journal.record(.info, "not to be seen", [:])
            journal.record(.error, "bad", [:])
            ExitCode.done.leave()
        }
        let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(text.contains("<5>task started task.id=task_1\n<3>bad\n"))
        #expect(!text.contains("not to be seen"))
    }
}

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
