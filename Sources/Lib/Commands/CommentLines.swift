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
    /// The open fence: its character and length.
    private var fence: (character: UInt8, length: Int)?
    private var isInHTMLComment = false

    init(_ comment: Substring.UTF8View) {
        self.comment = comment
        position = comment.startIndex
    }

    /// The next line, nil at the end.
    mutating func next() -> Line? {
        guard position < comment.endIndex else { return nil }
        var end = position
        while end < comment.endIndex, comment[end] != UInt8(ascii: "\n"), comment[end] != UInt8(ascii: "\r") {
            end = comment.index(after: end)
        }
        let text = comment[position..<end]
        var after = end
        if after < comment.endIndex {
            let isReturn = comment[after] == UInt8(ascii: "\r")
            after = comment.index(after: after)
            if isReturn, after < comment.endIndex, comment[after] == UInt8(ascii: "\n") {
                after = comment.index(after: after)
            }
        }
        position = after
        return Line(text: text, end: after, isSpoken: isSpoken(text))
    }

    private mutating func isSpoken(_ line: Substring.UTF8View) -> Bool {
        let (indent, body) = Self.indentation(line)
        if isInHTMLComment {
            isInHTMLComment = !Self.closesComment(body)
            return false
        }
        if let open = fence {
            if indent < 4, Self.isClosing(body, open) { fence = nil }
            return false
        }
        guard let first = body.first else { return false }
        // Indented code, or the rest of a paragraph, where no command can begin either.
        if indent >= 4 || first == UInt8(ascii: ">") { return false }
        if let opening = Self.fence(body) {
            fence = opening
            return false
        }
        if Self.startsComment(body) {
            isInHTMLComment = !Self.closesComment(body.dropFirst(4))
            return false
        }
        // A comment that opens within a line hides the lines after it.
        isInHTMLComment = Self.leavesCommentOpen(body)
        return true
    }

    /// Columns of leading white space (a tab goes to the next multiple of four), and the rest.
    static func indentation(_ line: Substring.UTF8View) -> (Int, Substring.UTF8View) {
        var columns = 0
        var rest = line
        while let first = rest.first {
            if first == UInt8(ascii: " ") {
                columns += 1
            } else if first == UInt8(ascii: "\t") {
                columns += 4 - columns % 4
            } else {
                break
            }
            rest = rest.dropFirst()
        }
        return (columns, rest)
    }

    private static func fence(_ body: Substring.UTF8View) -> (UInt8, Int)? {
        guard let first = body.first, first == UInt8(ascii: "`") || first == UInt8(ascii: "~") else {
            return nil
        }
        let length = body.prefix { $0 == first }.count
        guard length >= 3 else { return nil }
        // An info string with a backtick makes it inline code.
        if first == UInt8(ascii: "`"), body.dropFirst(length).contains(first) { return nil }
        return (first, length)
    }

    private static func isClosing(
        _ body: Substring.UTF8View, _ open: (character: UInt8, length: Int)
    ) -> Bool {
        let length = body.prefix { $0 == open.character }.count
        return length >= open.length
            && body.dropFirst(length).allSatisfy { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
    }

    private static func startsComment(_ body: Substring.UTF8View) -> Bool {
        body.starts(with: "<!--".utf8)
    }

    private static func closesComment(_ body: Substring.UTF8View) -> Bool {
        find("-->".utf8, in: body) != nil
    }

    private static func leavesCommentOpen(_ body: Substring.UTF8View) -> Bool {
        var rest = body
        while let opening = find("<!--".utf8, in: rest) {
            rest = rest[rest.index(opening, offsetBy: 4)...]
            guard let closing = find("-->".utf8, in: rest) else { return true }
            rest = rest[closing...]
        }
        return false
    }

    private static func find(
        _ needle: String.UTF8View, in haystack: Substring.UTF8View
    ) -> Substring.UTF8View.Index? {
        var index = haystack.startIndex
        while index < haystack.endIndex {
            if haystack[index...].starts(with: needle) { return index }
            index = haystack.index(after: index)
        }
        return nil
    }
}
