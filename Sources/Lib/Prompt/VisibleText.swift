/// A text as its readers on GitHub see it.
///
/// HTML comments (outside code), and characters that show nothing, can carry instructions past the people who
/// asked for the run; both are taken out.
///
/// - SeeAlso: <https://www.unicode.org/reports/tr44/#Default_Ignorable_Code_Point>
enum VisibleText {
    /// The text without what is hidden in it.
    static func of(_ text: String) -> String {
        withoutComments(withoutInvisibles(text))
    }

    /// Keeps what shapes visible text: joiners and variation selectors behind a letter of another script than
    /// Latin, or behind an emoji.
    private static func withoutInvisibles(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { $0.properties.isDefaultIgnorableCodePoint }) else {
            return text
        }
        var kept = String.UnicodeScalarView()
        var isShaped = false
        for scalar in text.unicodeScalars {
            if scalar.properties.isDefaultIgnorableCodePoint {
                let isShaping = [0x200C, 0x200D, 0xFE0E, 0xFE0F].contains(scalar.value)
                guard isShaping, isShaped else { continue }
                isShaped = scalar.value == 0xFE0F
            } else {
                isShaped = scalar.value >= 0x300
            }
            kept.append(scalar)
        }
        return String(kept)
    }

    private static func withoutComments(_ text: String) -> String {
        let bytes = Array(text.utf8)
        guard bytes.firstRange(of: opening) != nil else { return text }
        let runs = CodeRuns(bytes)
        var kept: [UInt8] = []
        kept.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "`"), let end = runs.endOfCode(at: index) {
                kept += bytes[index..<end]
                index = end
            } else if bytes[index] == UInt8(ascii: "<"), bytes[index...].starts(with: opening) {
                // `<!-->` and `<!--->` are whole comments, as browsers read them.
                index = bytes[(index + 2)...].firstRange(of: closing)?.upperBound ?? bytes.count
            } else {
                kept.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: kept, as: UTF8.self)
    }

    private static let opening = Array("<!--".utf8)
    private static let closing = Array("-->".utf8)
}

/// The runs of backticks in a text: code stands between two of one length.
private struct CodeRuns {
    private var starts: [Int: (length: Int, next: Int?)] = [:]

    init(_ bytes: [UInt8]) {
        var last: [Int: Int] = [:]
        var index = 0
        while index < bytes.count {
            let length = bytes[index...].prefix { $0 == UInt8(ascii: "`") }.count
            if length > 0 {
                if let before = last[length] { starts[before]?.next = index }
                starts[index] = (length, nil)
                last[length] = index
            }
            index += max(1, length)
        }
    }

    /// Where the code that begins with the run ends; nil when nothing closes it.
    func endOfCode(at start: Int) -> Int? {
        guard let run = starts[start], let next = run.next else { return nil }
        return next + run.length
    }
}
