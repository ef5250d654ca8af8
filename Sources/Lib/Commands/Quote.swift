/// An open block quote, as far as it tells whether the next line still belongs to it.
///
/// A line without `>` behind a quoted paragraph goes on with that paragraph; so do replies by e-mail look.
///
/// - SeeAlso: <https://spec.commonmark.org/0.31.2/#lazy-continuation-line>
struct Quote {
    private var fence: CommentLines.Fence?
    private var hasOpenParagraph = false

    /// Marks of quotes and lists that are taken from one line at most.
    private static let maximumDepth = 100

    /// The quote behind a line of it.
    ///
    /// - Parameters:
    ///   - content: The line without its `>`.
    ///   - before: The quote that the line before left open.
    init(_ content: Substring.UTF8View, after before: Quote?) {
        let (indent, body) = CommentLines.indentation(content)
        if let open = before?.fence {
            if indent >= 4 || !CommentLines.isClosing(body, open) { fence = open }
            return
        }
        if indent >= 4 {
            // Indented code, unless a paragraph goes on.
            hasOpenParagraph = before?.hasOpenParagraph == true
            return
        }
        fence = CommentLines.fence(body, column: 0)
        hasOpenParagraph = !body.isEmpty && !Self.isOneLineBlock(body) && !Self.beginsBlock(body)
    }

    /// What stands behind the `>` of a line; nil when the line is no quote.
    ///
    /// Quotes in quotes and the mark of a list's item before them are taken away, too.
    static func content(of line: Substring.UTF8View) -> Substring.UTF8View? {
        var rest = line
        var isQuote = false
        for _ in 0..<maximumDepth {
            let (indent, body) = CommentLines.indentation(rest)
            guard indent < 4 else { break }
            if body.first == UInt8(ascii: ">") {
                isQuote = true
                rest = body.dropFirst()
                if rest.first == UInt8(ascii: " ") { rest = rest.dropFirst() }
            } else if let content = item(body) {
                rest = content
            } else {
                break
            }
        }
        return isQuote ? rest : nil
    }

    /// Whether a line without `>` goes on with the quote's last paragraph.
    func goesOn(with body: Substring.UTF8View, indentedBy indent: Int) -> Bool {
        guard hasOpenParagraph, !body.isEmpty else { return false }
        return indent >= 4 || !(Self.beginsBlock(body) || Self.isOneLineBlock(body) || Self.item(body) != nil)
    }

    /// Whether the line begins a block that ends a paragraph, and whose next line needs its `>` again.
    private static func beginsBlock(_ body: Substring.UTF8View) -> Bool {
        HTMLComments.begin(body) || CommentLines.fence(body, column: 0) != nil
    }

    /// Whether the line is a heading, the line under one, or a line across the page.
    private static func isOneLineBlock(_ body: Substring.UTF8View) -> Bool {
        let level = body.prefix { $0 == UInt8(ascii: "#") }.count
        if (1...6).contains(level), isSpaceOrEnd(body.dropFirst(level).first) { return true }
        guard let first = body.first, "=-*_".utf8.contains(first) else { return false }
        return body.allSatisfy { $0 == first || isSpaceOrEnd($0) }
    }

    /// What stands behind the mark of a list's item: `-`, `*`, `+`, `1.` or `1)`; nil when there is no mark, or
    /// nothing behind it.
    private static func item(_ body: Substring.UTF8View) -> Substring.UTF8View? {
        let digits = body.prefix { $0 >= 48 && $0 <= 57 }.count
        let rest = body.dropFirst(digits)
        guard digits < 10, let mark = rest.first, (digits == 0 ? "-*+" : ".)").utf8.contains(mark),
            let space = rest.dropFirst().first, isSpaceOrEnd(space), !isOneLineBlock(body)
        else { return nil }
        let content = rest.dropFirst(2)
        return content.allSatisfy(isSpaceOrEnd) ? nil : content
    }

    private static func isSpaceOrEnd(_ byte: UInt8?) -> Bool {
        byte == nil || byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
    }
}
