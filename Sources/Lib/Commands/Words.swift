/// The words of a line, one after the other, with the rest as it was written.
struct Words: Equatable {
    private var remaining: Substring

    init(_ line: String) {
        remaining = Substring(line.trimmed)
    }

    /// What has not been read yet.
    var rest: String { String(remaining) }

    /// The next word; nil at the end.
    mutating func next() -> String? {
        guard !remaining.isEmpty else { return nil }
        let end = remaining.firstIndex { $0.isWhitespace } ?? remaining.endIndex
        let word = String(remaining[..<end])
        remaining = remaining[end...].drop { $0.isWhitespace }
        return word
    }
}

/// Somebody's words as inline code that nothing in them can end.
struct Quoted: CustomStringConvertible {
    let description: String

    init(_ text: String) {
        description = "`\(Self.plain(text, most: 80))`"
    }

    /// Without backticks and line breaks, at most so long.
    static func plain(_ text: String, most: Int) -> String {
        let line = text.map { $0.isNewline || $0 == "`" ? " " : $0 }
        return line.count <= most ? String(line) : String(line.prefix(most)) + "…"
    }
}

/// How far two words are from each other.
enum Distance {
    /// Whether one insertion, deletion, substitution or swap of neighbours makes one of the other
    /// (Damerau-Levenshtein distance 1).
    static func isOne(_ left: String, _ right: String) -> Bool {
        let a = Array(left.unicodeScalars)
        let b = Array(right.unicodeScalars)
        guard abs(a.count - b.count) <= 1, a != b else { return false }
        let start = zip(a, b).prefix { $0 == $1 }.count
        let tailA = a[start...]
        let tailB = b[start...]
        if a.count == b.count {
            if tailA.dropFirst() == tailB.dropFirst() { return true }
            return tailA.count >= 2 && tailA[start] == tailB[start + 1] && tailA[start + 1] == tailB[start]
                && tailA.dropFirst(2) == tailB.dropFirst(2)
        }
        return a.count > b.count
            ? Array(tailA.dropFirst()) == Array(tailB) : Array(tailA) == Array(tailB.dropFirst())
    }
}

extension String {
    /// Without white space at both ends.
    var trimmed: String {
        var text = Substring(self)
        text = text.drop { $0.isWhitespace }
        while text.last?.isWhitespace == true { text = text.dropLast() }
        return String(text)
    }

    /// Without blank lines before the first word and white space after the last, so that the first line keeps
    /// its indentation.
    var withoutBlankEnds: String {
        let start = firstIndex { !$0.isWhitespace } ?? endIndex
        let line = self[..<start].lastIndex(of: "\n").map { index(after: $0) } ?? startIndex
        var text = self[line...]
        while text.last?.isWhitespace == true { text = text.dropLast() }
        return String(text)
    }

    /// Whether there is nothing but white space.
    var isBlank: Bool { allSatisfy(\.isWhitespace) }

    /// With `\n` for every line break.
    var replacingReturns: String {
        guard utf8.contains(13) else { return self }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(utf8.count)
        var isAfterReturn = false
        for byte in utf8 {
            if byte == 13 {
                bytes.append(10)
            } else if byte != 10 || !isAfterReturn {
                bytes.append(byte)
            }
            isAfterReturn = byte == 13
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
