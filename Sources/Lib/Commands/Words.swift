import Porter

/// The words of a command's text, one after the other, with the rest as it was written.
struct Words: Equatable {
    private var remaining: Substring

    init(_ text: String) {
        remaining = text.replacingReturns[...]
    }

    /// Whether no word is left.
    var isAtEnd: Bool { remaining.unicodeScalars.allSatisfy(\.isSpace) }

    /// What has not been read yet, without blank lines before it and white space after it.
    var rest: String { String(remaining).withoutBlankEnds }

    /// The next word; nil at the end.
    mutating func next() -> String? {
        let scalars = remaining.unicodeScalars
        guard let start = scalars.firstIndex(where: { !$0.isSpace }) else { return nil }
        let end = scalars[start...].firstIndex { $0.isSpace } ?? scalars.endIndex
        let word = String(remaining[start..<end])
        remaining = remaining[end...]
        return word
    }
}

/// Somebody's words as inline code that nothing in them can end.
struct Quoted: CustomStringConvertible {
    let description: String

    init(_ text: String) {
        description = "`\(Self.plain(text, most: 80))`"
    }

    /// Without backticks, line breaks and signs that show nothing, at most so long.
    ///
    /// Scalar by scalar, as GitHub reads it: a backtick under an accent is a backtick.
    static func plain(_ text: String, most: Int) -> String {
        let scalars = text.unicodeScalars
        var shown = String.UnicodeScalarView()
        for scalar in scalars.prefix(most) {
            shown.append(scalar == "`" || Character(scalar).isNewline ? " " : scalar)
        }
        return String(shown).plain + (scalars.dropFirst(most).isEmpty ? "" : "…")
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

extension Unicode.Scalar {
    /// Whether it is white space.
    var isSpace: Bool {
        value < 128 ? value == 32 || (9...13).contains(value) : properties.isWhitespace
    }
}

extension String {
    /// Without white space at both ends.
    var trimmed: String {
        let scalars = unicodeScalars
        return String(self[(scalars.firstIndex { !$0.isSpace } ?? endIndex)..<endOfText])
    }

    /// Without white space before the first word and after the last; a first word that begins a line keeps its
    /// indentation.
    var withoutBlankEnds: String {
        let scalars = unicodeScalars
        guard let start = scalars.firstIndex(where: { !$0.isSpace }) else { return "" }
        let line = scalars[..<start].lastIndex(of: "\n").map { scalars.index(after: $0) } ?? start
        return String(self[line..<endOfText])
    }

    /// Where the white space at the end begins; the start when there is nothing else.
    private var endOfText: Index {
        let scalars = unicodeScalars
        return scalars.lastIndex { !$0.isSpace }.map { scalars.index(after: $0) } ?? endIndex
    }

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
