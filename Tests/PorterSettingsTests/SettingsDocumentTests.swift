import PorterSettings
import PorterTestSupport
import Testing

/// `docs/operating.md` and the example of the environment list the settings that the parser knows.
@Suite struct SettingsDocumentTests {
    private static let example = "systemd/porter.env.example"
    private static let runnerExample = "systemd/runner.env.example"

    @Test func `the table of settings is the list of the code, in its order`() throws {
        let rows = Checkout.table(under: "## Settings", in: try Checkout.text("docs/operating.md"))

        #expect(
            rows == Setting.all.map { ["`\($0.name)`", Self.words(for: $0.kind), $0.byDefault, $0.help] })
    }

    @Test(.enabled(if: Checkout.has(example), "there is no \(example) yet"))
    func `the examples of the environment name every setting and no other`() throws {
        let examples = [Self.example, Self.runnerExample].filter(Checkout.has)
        let names = Set(try examples.flatMap { Self.variables(in: try Checkout.text($0)) })

        let known = Set(Setting.all.map(\.name))
        #expect(known.subtracting(names).isEmpty)
        #expect(names.subtracting(known).filter { !$0.hasPrefix(Setting.keyPrefix) }.isEmpty)
    }

    @Test func `no setting is listed twice`() {
        #expect(Set(Setting.all.map(\.name)).count == Setting.all.count)
    }

    /// The `PORTER_` variables that the text names, without the ending of a secret's twin.
    private static func variables(in text: String) -> [String] {
        text.split { !($0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_")) }.map(String.init)
            .filter { $0.hasPrefix("PORTER_") }
            .map { $0.hasSuffix("_FILE") && $0 != "PORTER_CA_FILE" ? String($0.dropLast(5)) : $0 }
    }

    private static func words(for kind: Setting.Kind) -> String {
        switch kind {
        case .text: "text"
        case .secret: "secret"
        case .url: "address"
        case .list: "list"
        case .path: "absolute path"
        case .number(let range): "\(range.lowerBound) to \(range.upperBound)"
        case .size: "bytes, KiB, MiB, GiB"
        case .choice(let choices): choices.map { "`\($0)`" }.joined(separator: ", ")
        }
    }
}
