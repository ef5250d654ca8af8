import Logging
import Porter
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
