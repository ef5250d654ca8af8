import Porter
import PorterTestSupport
import Testing

@testable import PorterCommands

@Suite struct InstructionsTests {
    @Test(arguments: [
        ("@porter claude fix  the   test", "fix  the   test"),
        ("@porter claude fix\n\n  - one\n  - two\n", "fix\n\n  - one\n  - two"),
        ("@porter claude\r\nfix\r\n\r\nit\r\n", "fix\n\nit"),
        ("@porter claude fix\rit", "fix\nit"),
        ("@porter claude 🎉 naïve 日本語 fix 👩‍👩‍👧‍👦", "🎉 naïve 日本語 fix 👩‍👩‍👧‍👦"),
        ("@porter claude e\u{301}\u{301}\u{301} fix", "e\u{301}\u{301}\u{301} fix"),
        ("@porter claude fix\u{2028}it", "fix\u{2028}it"),
        ("@porter claude \u{0}fix", "\u{0}fix"),
        ("@porter claude ```\ncode\n```", "```\ncode\n```"),
        ("@porter\n\nclaude\n\n  - one\n  - two", "  - one\n  - two"),
        ("@porter\r\nclaude   fix\r\n\r\n  it", "fix\n\n  it"),
        ("@porter claude\n    indented\n    code", "    indented\n    code"),
    ])
    func `they go to the comment's end, line breaks kept`(comment: String, instructions: String) {
        #expect(run(comment)?.instructions == instructions)
        #expect(run(comment)?.agent == "claude")
    }

    @Test(arguments: ["`", "``", "`\u{301} @acme/all", "x`\u{20E3}", "a\r\n`b", "\u{2028}`"])
    func `no word that is shown ends the code that shows it`(word: String) {
        let quoted = Quoted(word).description.unicodeScalars
        #expect(quoted.filter { $0 == "`" }.count == 2)
        #expect(quoted.first == "`" && quoted.last == "`")
        #expect(!quoted.contains { Character($0).isNewline })
    }

    @Test func `a word that is shown is bounded by what GitHub counts`() {
        let heap = "e" + String(repeating: "\u{301}", count: 10_000)
        #expect(Quoted(heap).description.unicodeScalars.count <= 83)
        #expect(Quoted(heap).description.hasSuffix("…`"))
        #expect(Quoted(String(repeating: "a", count: 80)).description.unicodeScalars.count == 82)
    }

    @Test(arguments: [
        "`", "~", "```\n", "> ", "<!--", "<!-- \n", "-->", "@porter", "/", "@", " ", "\t", "\r", "\r\n", "\n",
        "--", "- ", "> - ", "> x\n", "e\u{301}", "\u{301}", "🇩🇪", "👩‍👩‍👧‍👦", "- ```\n", "a", "x <!-- y\n",
        "`<!--` \n",
    ])
    func `four times the longest comment is read in linear time`(piece: String) {
        let filling = String(repeating: piece, count: 262_144 / piece.utf8.count)
        let time = effort {
            _ = parse(filling)
            _ = parse("@porter " + filling)
            _ = parse("@porter stop " + filling)
            _ = parse("- " + filling + "x")
            _ = parse(filling + "\n@porter help")
        }
        // Unoptimised it takes about a second; the square of the length would take many minutes.
        #expect(time < .seconds(20))
    }

    @Test func `nothing that people may write crashes it`() {
        let seed = UInt64.random(in: 0 ... .max)
        var generator = SeededGenerator(seed: seed)
        let pieces = [
            "@porter", "/porter", " ", "\n", "\r\n", "\t", "```", "~~~", "> ", "<!--", "-->", "--timeout",
            "=", "10m",
            "claude", "cloude", "help", "stop", id, "continue", "🎉", "\u{301}", ",", ":", "- ", "    ", "`",
            "\0",
        ]
        for _ in 0..<1500 {
            let comment = (0..<Int.random(in: 0..<12, using: &generator)).map { _ in
                pieces[Int.random(in: 0..<pieces.count, using: &generator)]
            }.joined()
            if case .mistake(let mistake)? = parse(comment) {
                #expect(mistake.message.count < 2000, "seed \(seed)")
                #expect(mistake.reason == .badCommand || mistake.reason == .unknownAgent, "seed \(seed)")
            }
        }
    }
}

@Suite struct MayHoldCommandTests {
    private func mayHold(_ payload: String, _ parser: CommandParser = parser) -> Bool {
        Array(payload.utf8).withUnsafeBytes { parser.mayHoldCommand($0) }
    }

    @Test(arguments: [
        #"{"body":"@porter help"}"#, #"{"body":"\/porter help"}"#, #"{"body":"/PORTER help"}"#,
        #"{"body":"\u0040porter"}"#, #"{"body":"\u002fporter"}"#, #"{"body":"\u002Fporter"}"#,
        #"{"body":"@\u0070orter"}"#, #"{"body":"@porte\u0052"}"#, #"{"body":"x\n@porter"}"#,
        #"{"body":"x\\\n@porter"}"#, #"{"body":"x\\@porter"}"#, "@porter", #"\/porter"#, #"\\/porter"#,
    ])
    func `a payload with a mention may hold a command`(payload: String) {
        #expect(mayHold(payload))
    }

    @Test(arguments: [
        "", "@", "@porte", #"{"body":"hello"}"#, #"{"body":"porter"}"#, #"{"body":"\u00e9\u1234"}"#,
        #"{"url":"https://example.org/a/b"}"#, "\\", "\\u", "\\u00", "\\u004", #"{"a":"@ porter"}"#,
    ])
    func `one without cannot`(payload: String) {
        #expect(!mayHold(payload))
    }

    @Test func `a mention is found wherever it stands among other signs, and nothing else is`() {
        for before in 0..<140 {
            for mention in ["@porter", #"\u0040porter"#, ""] {
                let payload =
                    String(repeating: "/", count: before) + mention + String(repeating: "@p", count: 40)
                #expect(mayHold(payload) == !mention.isEmpty, "\(mention) after \(before) bytes")
            }
        }
    }

    @Test func `it never says no for a comment that parses, however JSON escapes it`() {
        let seed = UInt64.random(in: 0 ... .max)
        var generator = SeededGenerator(seed: seed)
        let starts = [
            "", "text\n", "text\r\n\r\n", "\\ \" \t\n", "é🎉\n", "/\n@\n", "<!-- x -->\n", "\\u0040\n",
        ]
        for mention in ["porter", "My-Bot_2", "z", "Z9"] {
            let parser = CommandParser(mention: mention, agents: names, maximumTimeout: 3600)
            for _ in 0..<500 {
                let name = String(
                    mention.map { Bool.random(using: &generator) ? Character($0.uppercased()) : $0 })
                let sign = Bool.random(using: &generator) ? "@" : "/"
                let comment =
                    (starts.randomElement(using: &generator) ?? "") + sign + name
                    + (["", " help", ": fix it", "\u{A0}x", "\n"].randomElement(using: &generator) ?? "")
                guard parser.parse(comment) != nil else {
                    Issue.record("it does not parse: \(comment.debugDescription), seed \(seed)")
                    return
                }
                let payload = "{\"comment\":{\"body\":\"" + escaped(comment, &generator) + "\"}}"
                #expect(mayHold(payload, parser), "seed \(seed): \(payload)")
            }
        }
    }

    /// The text in a JSON string, each character escaped in any of the ways that JSON allows.
    private func escaped(_ text: String, _ generator: inout SeededGenerator) -> String {
        var json = ""
        for unit in text.utf16 {
            let short: [UInt16: String] = [
                8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r", 34: "\\\"", 47: "\\/", 92: "\\\\",
            ]
            let mustEscape = unit < 32 || unit == 34 || unit == 92 || unit > 126
            if mustEscape || Int.random(in: 0..<4, using: &generator) == 0 {
                if let form = short[unit], Bool.random(using: &generator) {
                    json += form
                } else {
                    let digits = String(unit, radix: 16, uppercase: Bool.random(using: &generator))
                    json += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                }
            } else {
                json += String(decoding: [unit], as: UTF16.self)
            }
        }
        return json
    }
}
