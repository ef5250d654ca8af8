import FoundationEssentials
import Porter
import Testing

/// `public/help/index.html` beside the list in the code.
@Suite struct HelpPageTests {
    private let page: String

    init() throws {
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        page = String(
            decoding: try Data(contentsOf: URL(filePath: "/\(root)/public/help/index.html")), as: UTF8.self)
    }

    /// The rows of reasons as a person reads them: code, what happened, next step.
    private var rows: [[String]] {
        page.split(separator: "\n").filter { $0.contains("<tr id=") }.map { line in
            line.split(separator: "</td><td>").flatMap { $0.split(separator: "</th><td>") }.map(Self.text)
        }
    }

    /// Markup taken away, code in backticks.
    private static func text(_ html: Substring) -> String {
        var text = html.replacing("<code>", with: "`").replacing("</code>", with: "`")
        while let open = text.firstIndex(of: "<"), let close = text[open...].firstIndex(of: ">") {
            text.removeSubrange(open...close)
        }
        for (entity, character) in [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&amp;", "&")] {
            text = text.replacing(entity, with: character)
        }
        return text.trimmingPrefix(while: \.isWhitespace).description
    }

    @Test func `help lists exactly the reasons there are, each once`() {
        let listed = rows.map { $0[0].replacing("`", with: "") }

        #expect(listed.sorted() == Reason.allCases.map(\.rawValue).sorted())
    }

    @Test(arguments: Reason.allCases)
    func `help says of a reason what the issue says`(reason: Reason) throws {
        let row = try #require(rows.first { $0[0] == "`\(reason.rawValue)`" })

        #expect(row.dropFirst() == [reason.sentence, reason.nextStep])
    }

    @Test(arguments: Reason.allCases)
    func `a reason can be linked to by its name`(reason: Reason) {
        #expect(page.contains("<tr id=\"\(reason.rawValue)\">"))
    }

    @Test(arguments: Reason.allCases)
    func `a reason stands under who can go on`(reason: Reason) throws {
        let section = try #require(
            page.split(separator: "<section").first { $0.contains("<tr id=\"\(reason.rawValue)\">") })

        let name = reason.isOnlyForAnswers ? "none" : reason.turn.rawValue
        #expect(section.contains("<h3 id=\"turn-\(name)\">"))
    }
}
