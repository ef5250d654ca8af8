/// The lines of a comment that are spoken by its author: not quoted, fenced, indented as code, or hidden.
///
/// Follows CommonMark as far as it decides what a reader sees as text.
///
/// - SeeAlso: <https://spec.commonmark.org/0.31.2/#fenced-code-blocks>,
///   <https://spec.commonmark.org/0.31.2/#html-blocks>
struct CommentLines {
    /// A line without its break, and where the rest of the comment begins after it.
    struct Line {
        let text: Substring.UTF8View
        let end: Substring.UTF8View.Index
        let isSpoken: Bool
    }

    private let comment: Substring.UTF8View
    private var position: Substring.UTF8View.Index
    private var fence: Fence?
    private var quote: Quote?
    private var hidden = Hidden.no
    /// No `-->` stands between here and the end of the paragraph.
    private var neverClosedBefore: Substring.UTF8View.Index

    init(_ comment: Substring.UTF8View) {
        self.comment = comment
        position = comment.startIndex
        neverClosedBefore = comment.startIndex
    }

    /// A fence that was opened.
    struct Fence {
        let character: UInt8
        let length: Int
        /// The column at which the content of its list item begins; 0 outside lists.
        let column: Int
    }

    /// Whether an HTML comment is open.
    private enum Hidden {
        case no
        /// It began a line, so that nothing but `-->` ends it.
        case block
        /// It began within a paragraph, and its end stands in that paragraph.
        case inline
    }

    /// The next line, nil at the end.
    mutating func next() -> Line? {
        guard position < comment.endIndex else { return nil }
        let (text, after) = line(at: position)
        position = after
        return Line(text: text, end: after, isSpoken: isSpoken(text))
    }

    private func line(
        at start: Substring.UTF8View.Index
    ) -> (text: Substring.UTF8View, end: Substring.UTF8View.Index) {
        var end =
            comment[start...].firstIndex { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }
            ?? comment.endIndex
        let text = comment[start..<end]
        guard end < comment.endIndex else { return (text, end) }
        let isReturn = comment[end] == UInt8(ascii: "\r")
        end = comment.index(after: end)
        if isReturn, end < comment.endIndex, comment[end] == UInt8(ascii: "\n") {
            end = comment.index(after: end)
        }
        return (text, end)
    }

    private mutating func isSpoken(_ line: Substring.UTF8View) -> Bool {
        let (indent, body) = Self.indentation(line)
        switch hidden {
        case .no: break
        case .block:
            hidden = HTMLComments.staysOpen(body) ? .block : .no
            return false
        case .inline:
            guard let rest = HTMLComments.rest(of: body) else { return false }
            hide(after: rest)
            return false
        }
        if let open = fence {
            if body.isEmpty || indent >= open.column {
                if indent - open.column < 4, Self.isClosing(body, open) { fence = nil }
                return false
            }
            // The list item is over, and its fence with it.
            fence = nil
        }
        if indent < 4, let content = Quote.content(of: body) {
            quote = Quote(content, after: quote)
            return false
        }
        if let quote, quote.goesOn(with: body, indentedBy: indent) { return false }
        quote = nil
        // Indented code, or the rest of a paragraph, where no command can begin either.
        if body.isEmpty || indent >= 4 { return false }
        if let opening = Self.fence(body, column: 0) ?? Self.listFence(body, column: indent) {
            fence = opening
            return false
        }
        if HTMLComments.begin(body) {
            if HTMLComments.leaveOpen(body) { hidden = .block }
            return false
        }
        hide(after: body)
        return true
    }

    /// Remembers a comment that the text leaves open, if the paragraph closes it.
    private mutating func hide(after text: Substring.UTF8View) {
        hidden = HTMLComments.leaveParagraphOpen(text) && isClosedInParagraph() ? .inline : .no
    }

    private mutating func isClosedInParagraph() -> Bool {
        guard neverClosedBefore <= position else { return false }
        var ahead = position
        while ahead < comment.endIndex {
            let (text, after) = line(at: ahead)
            let (indent, body) = Self.indentation(text)
            let isOver =
                body.isEmpty
                || (indent < 4 && (body.first == UInt8(ascii: ">") || Self.fence(body, column: 0) != nil))
            if isOver { break }
            if HTMLComments.rest(of: body) != nil { return true }
            ahead = after
        }
        neverClosedBefore = ahead
        return false
    }

    /// Columns of leading white space (a tab goes to the next multiple of four), and the rest.
    static func indentation(_ line: Substring.UTF8View) -> (Int, Substring.UTF8View) {
        var columns = 0
        let start = line.firstIndex { byte in
            switch byte {
            case UInt8(ascii: " "): columns += 1
            case UInt8(ascii: "\t"): columns += 4 - columns % 4
            default: return true
            }
            return false
        }
        return (columns, line[(start ?? line.endIndex)...])
    }

    static func fence(_ body: Substring.UTF8View, column: Int) -> Fence? {
        guard let first = body.first, first == UInt8(ascii: "`") || first == UInt8(ascii: "~") else {
            return nil
        }
        let length = body.prefix { $0 == first }.count
        guard length >= 3 else { return nil }
        // An info string with a backtick makes it inline code.
        if first == UInt8(ascii: "`"), body.dropFirst(length).contains(first) { return nil }
        return Fence(character: first, length: length, column: column)
    }

    /// A fence right behind the mark of a list's item: `-`, `*`, `+`, `1.` or `1)`.
    private static func listFence(_ body: Substring.UTF8View, column: Int) -> Fence? {
        guard let first = body.first else { return nil }
        let digits = body.prefix { $0 >= 48 && $0 <= 57 }.count
        let after = body.dropFirst(max(digits, 1))
        let mark = digits == 0 ? first : after.first ?? 0
        let marks = digits == 0 ? "-*+" : ".)"
        guard digits < 10, marks.utf8.contains(mark) else { return nil }
        let (spaces, content) = indentation(digits == 0 ? after : after.dropFirst())
        guard (1...4).contains(spaces) else { return nil }
        return fence(content, column: column + digits + 1 + spaces)
    }

    static func isClosing(_ body: Substring.UTF8View, _ open: Fence) -> Bool {
        let length = body.prefix { $0 == open.character }.count
        return length >= open.length
            && body.dropFirst(length).allSatisfy { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
    }
}
