/// Looks whether bytes are one JSON object, without decoding or copying anything.
///
/// Most deliveries are of no interest to Porter; this is what proves them well-formed at the cost of one
/// look at each byte outside strings. Inside strings only their end is looked for.
///
/// - SeeAlso: <https://www.rfc-editor.org/rfc/rfc8259>
struct JSONScan {
    /// Values inside values at most, as for decoding.
    static let maximumDepth = OpenValues.most

    private var cursor: JSONCursor
    private var open = OpenValues()

    /// Whether the bytes are exactly one object in UTF-8, with white space around it.
    static func isObject(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var scan = JSONScan(bytes: bytes)
        return scan.run() && (isASCII(bytes) || String(validating: bytes, as: UTF8.self) != nil)
    }

    /// Whether no byte has its high bit, looked at 32 at a time.
    private static func isASCII(_ bytes: UnsafeRawBufferPointer) -> Bool {
        typealias Words = SIMD4<UInt64>
        let width = MemoryLayout<Words>.size
        var seen = Words()
        var index = 0
        while bytes.count - index >= width {
            seen |= bytes.loadUnaligned(fromByteOffset: index, as: Words.self)
            index += width
        }
        let rest = bytes[index...].reduce(0) { $0 | UInt64($1) }
        return (seen[0] | seen[1] | seen[2] | seen[3] | rest) & 0x8080_8080_8080_8080 == 0
    }

    private init(bytes: UnsafeRawBufferPointer) {
        cursor = JSONCursor(bytes)
    }

    private mutating func run() -> Bool {
        cursor.skipSpace()
        guard cursor.peek() == UInt8(ascii: "{") else { return false }
        // What may come next: a value, or after a value its separator.
        var needsValue = true
        repeat {
            if needsValue {
                guard let opened = value() else { return false }
                if opened { continue }
            }
            guard let more = separator() else { return false }
            needsValue = more
        } while !open.isEmpty
        cursor.skipSpace()
        return cursor.isAtEnd
    }

    /// Reads a value, or the beginning of one: true when an object or array with something in it begins.
    private mutating func value() -> Bool? {
        cursor.skipSpace()
        switch cursor.peek() {
        case UInt8(ascii: "{"):
            return begin(isObject: true, end: UInt8(ascii: "}"))
        case UInt8(ascii: "["):
            return begin(isObject: false, end: UInt8(ascii: "]"))
        case UInt8(ascii: "\""):
            return cursor.string() == nil ? nil : false
        default:
            return word() ? false : nil
        }
    }

    private mutating func begin(isObject: Bool, end: UInt8) -> Bool? {
        guard !open.isFull else { return nil }
        cursor.index += 1
        cursor.skipSpace()
        if cursor.peek() == end {
            cursor.index += 1
            return false
        }
        open.begin(isObject: isObject)
        if isObject, !key() { return nil }
        return true
    }

    /// Reads what follows a value: a comma (true: another value comes) or the ends of values (false).
    private mutating func separator() -> Bool? {
        cursor.skipSpace()
        guard !open.isEmpty else { return false }
        let isObject = open.isInObject
        switch cursor.peek() {
        case UInt8(ascii: ","):
            cursor.index += 1
            if isObject, !key() { return nil }
            return true
        case isObject ? UInt8(ascii: "}") : UInt8(ascii: "]"):
            cursor.index += 1
            open.end()
            return false
        default:
            return nil
        }
    }

    private mutating func key() -> Bool {
        cursor.skipSpace()
        guard cursor.peek() == UInt8(ascii: "\""), cursor.string() != nil else { return false }
        cursor.skipSpace()
        guard cursor.peek() == UInt8(ascii: ":") else { return false }
        cursor.index += 1
        return true
    }

    /// A number, `true`, `false` or `null`.
    private mutating func word() -> Bool {
        let start = cursor.index
        while let byte = cursor.peek() {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "E"):
                cursor.index += 1
            default:
                return Self.isWord(UnsafeRawBufferPointer(rebasing: cursor.bytes[start..<cursor.index]))
            }
        }
        return false
    }

    private static func isWord(_ word: UnsafeRawBufferPointer) -> Bool {
        guard let first = word.first else { return false }
        switch first {
        case UInt8(ascii: "t"): return word.elementsEqual("true".utf8)
        case UInt8(ascii: "f"): return word.elementsEqual("false".utf8)
        case UInt8(ascii: "n"): return word.elementsEqual("null".utf8)
        default: return isNumber(word)
        }
    }

    private static func isNumber(_ word: UnsafeRawBufferPointer) -> Bool {
        var index = 0
        func takes(_ sign: UInt8, or other: UInt8? = nil) -> Bool {
            guard index < word.count, word[index] == sign || word[index] == other else { return false }
            index += 1
            return true
        }
        func digits() -> Int {
            let first = index
            while index < word.count, word[index] >= 48, word[index] <= 57 { index += 1 }
            return index - first
        }
        _ = takes(UInt8(ascii: "-"))
        let startsWithZero = index < word.count && word[index] == 48
        let whole = digits()
        guard whole > 0, !(startsWithZero && whole > 1) else { return false }
        if takes(UInt8(ascii: ".")), digits() == 0 { return false }
        if takes(UInt8(ascii: "e"), or: UInt8(ascii: "E")) {
            _ = takes(UInt8(ascii: "+"), or: UInt8(ascii: "-"))
            guard digits() > 0 else { return false }
        }
        return index == word.count
    }
}

/// For each open value whether it is an object: a bit each, so that nothing is allocated.
private struct OpenValues {
    static let most = 512

    private var words = InlineArray<8, UInt64>(repeating: 0)
    private var count = 0

    var isEmpty: Bool { count == 0 }
    var isFull: Bool { count == Self.most }

    /// Whether the innermost is an object.
    var isInObject: Bool { words[(count - 1) / 64] >> UInt64((count - 1) % 64) & 1 == 1 }

    mutating func begin(isObject: Bool) {
        let bit: UInt64 = 1 << UInt64(count % 64)
        if isObject { words[count / 64] |= bit } else { words[count / 64] &= ~bit }
        count += 1
    }

    mutating func end() { count -= 1 }
}
