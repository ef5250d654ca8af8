/// Where HTML comments begin and end within a line.
///
/// `<!-->` and `<!--->` are whole comments, as browsers read them.
///
/// - SeeAlso: <https://spec.commonmark.org/0.31.2/#html-comment>
enum HTMLComments {
    /// Whether the line begins with one.
    static func begin(_ line: Substring.UTF8View) -> Bool {
        line.starts(with: "<!--".utf8)
    }

    /// What follows the first `-->`; nil when there is none.
    static func rest(of line: Substring.UTF8View) -> Substring.UTF8View? {
        find("-->".utf8, in: line).map { line[line.index($0, offsetBy: 3)...] }
    }

    /// Whether a comment that was open before the line is open after it, the same or another.
    static func staysOpen(_ line: Substring.UTF8View) -> Bool {
        rest(of: line).map(leaveOpen) ?? true
    }

    /// Whether a line of raw HTML leaves a comment open.
    static func leaveOpen(_ line: Substring.UTF8View) -> Bool {
        var line = line
        while let opening = find("<!--".utf8, in: line) {
            guard let rest = rest(of: line[line.index(opening, offsetBy: 2)...]) else { return true }
            line = rest
        }
        return false
    }

    /// Whether a line of a paragraph leaves a comment open; inline code and `\<` begin none.
    static func leaveParagraphOpen(_ line: Substring.UTF8View) -> Bool {
        guard find("<!--".utf8, in: line) != nil else { return false }
        let bytes = Array(line)
        let lastRuns = lastRuns(of: bytes)
        var index = 0
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\\"):
                index += 2
            case UInt8(ascii: "`"):
                let length = runLength(bytes, index)
                if lastRuns[length, default: 0] > index {
                    index += length
                    while runLength(bytes, index) != length { index += max(1, runLength(bytes, index)) }
                }
                index += length
            case UInt8(ascii: "<") where bytes[index...].starts(with: "<!--".utf8):
                guard let end = bytes[(index + 2)...].firstRange(of: "-->".utf8) else { return true }
                index = end.upperBound
            default:
                index += 1
            }
        }
        return false
    }

    /// Where the last run of backticks of each length begins.
    private static func lastRuns(of bytes: [UInt8]) -> [Int: Int] {
        var last: [Int: Int] = [:]
        var index = 0
        while index < bytes.count {
            let length = runLength(bytes, index)
            if length > 0 { last[length] = index }
            index += max(1, length)
        }
        return last
    }

    private static func runLength(_ bytes: [UInt8], _ start: Int) -> Int {
        bytes[start...].prefix { $0 == UInt8(ascii: "`") }.count
    }

    private static func find(
        _ needle: String.UTF8View, in haystack: Substring.UTF8View
    ) -> Substring.UTF8View.Index? {
        var rest = haystack
        while let index = rest.firstIndex(where: { $0 == needle.first }) {
            if rest[index...].starts(with: needle) { return index }
            rest = rest[rest.index(after: index)...]
        }
        return nil
    }
}
