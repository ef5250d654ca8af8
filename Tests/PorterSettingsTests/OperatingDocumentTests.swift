import PorterSettings
import PorterTestSupport
import Testing

/// What `docs/operating.md` says about log lines, metrics and exit codes is what the sources hold.
@Suite struct OperatingDocumentTests {
    private let document: String

    init() throws {
        document = try Checkout.text("docs/operating.md")
    }

    private struct Line: Hashable {
        let message: String
        let level: String
    }

    @Test func `every log line is explained, with its level`() throws {
        let explained = explanations("## Log lines")
        let runner = explanations("### Log lines of the runner")
        let sources = try Checkout.texts(below: "Sources", suffix: ".swift")
        let written = Set(sources.values.flatMap(Self.lines))

        #expect(written.subtracting(explained).subtracting(runner).isEmpty)
        // Two come from the responder, which gives them a level elsewhere.
        let gone = explained.subtracting(written)
        #expect(gone.map(\.message).sorted() == Self.responderLines)
        #expect(written.count > 20)
    }

    private func explanations(_ heading: String) -> Set<Line> {
        Set(
            Checkout.table(under: heading, in: document).map {
                Line(message: $0[0].quotedWords.joined(), level: $0[1])
            })
    }

    /// What `Sources/Lib/FastCGI/Responder.swift` says.
    private static let responderLines = [
        "accepting failed", "an answer with unsound fields became 500",
    ]

    @Test func `every metric is in the table, and no other`() throws {
        let rows = Checkout.table(under: "## Metrics", in: document).map { $0[0] + " " + $0[1] }
        let source = try Checkout.text("Sources/Lib/Web/Operations.swift")

        let families = source.matches(of: /family\(\s*"(\w+)", "(\w+)"/).map { "`\($0.1)` \($0.2)" }
        #expect(rows == families)
        #expect(!families.isEmpty)
    }

    @Test func `every exit code is in the table`() {
        let rows = Checkout.table(under: "### Exit codes", in: document).map { $0[0] }

        let codes: [ExitCode] = [.done, .failed, .usage, .unavailable, .tryAgain, .configuration]
        #expect(rows == codes.map { "\($0.rawValue)" })
    }

    @Test func `what --help names is there`() throws {
        let source = try Checkout.text("Sources/Lib/Settings/Arguments.swift")
        let named = source.matches(of: /docs\/[a-z-]+\.md/).map { String($0.output) }

        #expect(!named.isEmpty)
        for path in named { #expect(Checkout.has(path), "there is no \(path)") }
    }

    /// The constant messages that a source file records, with their levels.
    private static func lines(_ source: String) -> [Line] {
        source.matches(of: /(?:record|log)\(\s*\.(error|warning|notice|info|debug),\s*"([^"\\]+)"/).map {
            Line(message: String($0.2), level: String($0.1))
        }
    }
}
