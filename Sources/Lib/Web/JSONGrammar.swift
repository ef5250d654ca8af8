import FoundationEssentials

/// Looks whether a body is JSON to the letter, and says in words what is wrong with one that is not.
///
/// `JSONDecoder` takes a comma at an end and a byte order mark, and of much else it only says that something is
/// wrong somewhere.
///
/// - SeeAlso: <https://www.rfc-editor.org/rfc/rfc8259>
struct JSONGrammar {
    /// Why a body is refused.
    struct Problem: Error, Equatable {
        /// Whether the bytes are JSON, and only a text in them can be none.
        var isJSON = false
        /// The field of the body in which that text stands; nil in a field's name.
        var field: String?
        /// What follows "The body is not JSON:", or the name of what holds the text.
        let words: String
    }

    /// Values inside values at most, as for decoding.
    static let maximumDepth = 512

    private let bytes: [UInt8]
    private var index = 0
    private var depth = 0
    /// The body's own field that is being read.
    private var field: String?

    /// What keeps the body from being one JSON value of sound text; nil when nothing does.
    static func problem(in body: Data) -> Problem? {
        var grammar = JSONGrammar(bytes: [UInt8](body))
        do throws(Problem) {
            try grammar.run()
            return nil
        } catch {
            return error
        }
    }

    private init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    private mutating func run() throws(Problem) {
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
            throw Problem(words: "it begins with a byte order mark.")
        }
        skipSpace()
        guard peek != nil else { throw Problem(words: "it is empty.") }
        try value()
        skipSpace()
        guard peek == nil else { throw wrong("stands after its end") }
    }

    private mutating func value() throws(Problem) {
        skipSpace()
        switch peek {
        case UInt8(ascii: "{"): try list(closing: UInt8(ascii: "}"), isObject: true)
        case UInt8(ascii: "["): try list(closing: UInt8(ascii: "]"), isObject: false)
        case UInt8(ascii: "\""): _ = try string()
        case UInt8(ascii: "-"), (UInt8(ascii: "0")...UInt8(ascii: "9"))?: try number()
        default: try word()
        }
    }

    /// An object or an array, from its first byte to its last.
    private mutating func list(closing end: UInt8, isObject: Bool) throws(Problem) {
        guard depth < Self.maximumDepth else {
            throw Problem(words: "it has more than \(Self.maximumDepth) values inside one another.")
        }
        depth += 1
        defer { depth -= 1 }
        index += 1
        skipSpace()
        if take(end) { return }
        while true {
            if isObject { try key() }
            try value()
            skipSpace()
            if take(end) { return }
            let comma = index + 1
            guard take(UInt8(ascii: ",")) else { throw wrong("stands where a comma or an end must be") }
            skipSpace()
            if peek == end {
                let shown = Character(Unicode.Scalar(end))
                throw Problem(words: "a comma stands before the `\(shown)`, at byte \(comma).")
            }
        }
    }

    private mutating func key() throws(Problem) {
        skipSpace()
        guard peek == UInt8(ascii: "\"") else { throw wrong("stands where a name in quotes must be") }
        if depth == 1 { field = nil }
        let name = try string()
        if depth == 1 { field = name }
        skipSpace()
        guard take(UInt8(ascii: ":")) else { throw wrong("stands where a colon must be") }
    }

    /// Text in quotes.
    ///
    /// - Returns: what stands between the quotes, its escapes as they are.
    private mutating func string() throws(Problem) -> String {
        let start = index
        index += 1
        while let byte = peek {
            switch byte {
            case UInt8(ascii: "\""):
                index += 1
                return String(decoding: bytes[(start + 1)..<(index - 1)], as: UTF8.self)
            case UInt8(ascii: "\\"): try escape()
            case ..<0x20:
                throw Problem(words: "a control character stands unescaped in a text, at byte \(index + 1).")
            default: index += 1
            }
        }
        throw Problem(words: "it ends within the text that begins at byte \(start + 1).")
    }

    private mutating func escape() throws(Problem) {
        let start = index
        index += 1
        guard let byte = peek else { return }
        index += 1
        guard byte == UInt8(ascii: "u") else {
            guard "\"\\/bfnrt".utf8.contains(byte) else { throw unknownEscape(start) }
            return
        }
        let unit = try codeUnit(start)
        guard (0xD800...0xDFFF).contains(unit) else { return }
        // Half of a character: the other half must follow.
        let isFirst = unit < 0xDC00
        let next = index
        if isFirst, take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")),
            (0xDC00...0xDFFF).contains(try codeUnit(next))
        {
            return
        }
        let shown = String(decoding: bytes[start..<min(start + 6, bytes.count)], as: UTF8.self)
        throw Problem(
            isJSON: true, field: field, words: "holds `\(shown)`, half of a character without its other half."
        )
    }

    private mutating func codeUnit(_ start: Int) throws(Problem) -> UInt32 {
        guard index + 4 <= bytes.count,
            let unit = UInt32(String(decoding: bytes[index..<(index + 4)], as: UTF8.self), radix: 16),
            bytes[index] != UInt8(ascii: "+"), bytes[index] != UInt8(ascii: "-")
        else { throw unknownEscape(start) }
        index += 4
        return unit
    }

    private func unknownEscape(_ start: Int) -> Problem {
        Problem(words: "there is no such escape as the one at byte \(start + 1).")
    }

    private mutating func number() throws(Problem) {
        let start = index
        _ = take(UInt8(ascii: "-"))
        let hasZero = peek == UInt8(ascii: "0")
        let whole = digits()
        var isSound = whole > 0 && !(hasZero && whole > 1)
        if take(UInt8(ascii: ".")) { isSound = digits() > 0 && isSound }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            isSound = digits() > 0 && isSound
        }
        guard isSound else { throw Problem(words: "the number at byte \(start + 1) is not spelt as one.") }
    }

    private mutating func digits() -> Int {
        let start = index
        while let byte = peek, (48...57).contains(byte) { index += 1 }
        return index - start
    }

    private mutating func word() throws(Problem) {
        for word in ["true", "false", "null"] where bytes[index...].starts(with: word.utf8) {
            index += word.utf8.count
            return
        }
        throw wrong("stands where a value must be")
    }

    /// That what comes next must not be there; or that nothing comes.
    private func wrong(_ words: String) -> Problem {
        guard let byte = peek else { return Problem(words: "it ends too early.") }
        let isShown = (0x21...0x7E).contains(byte) && byte != UInt8(ascii: "`")
        let shown = isShown ? "`\(Character(Unicode.Scalar(byte)))`" : "something"
        return Problem(words: "\(shown) \(words), at byte \(index + 1).")
    }

    private var peek: UInt8? { index < bytes.count ? bytes[index] : nil }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        index += 1
        return true
    }

    private mutating func skipSpace() {
        while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { index += 1 }
    }
}
