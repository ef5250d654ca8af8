import FoundationEssentials
import Glibc

/// Looks whether bytes are one JSON object, without decoding or copying anything.
///
/// Most deliveries are of no interest to Porter; this is what proves them well-formed at the cost of one
/// look at each byte outside strings. Inside strings only their end is looked for.
///
/// - SeeAlso: <https://www.rfc-editor.org/rfc/rfc8259>
struct JSONScan {
    /// Values inside values at most, as for decoding.
    static let maximumDepth = 512

    private let bytes: UnsafeRawBufferPointer
    private var index = 0
    /// For each open value whether it is an object.
    private var open: [Bool] = []

    /// Whether the bytes are exactly one object, with white space around it.
    static func isObject(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var scan = JSONScan(bytes: bytes)
        return scan.run()
    }

    private init(bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    private mutating func run() -> Bool {
        skipSpace()
        guard peek() == UInt8(ascii: "{") else { return false }
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
        skipSpace()
        return index == bytes.count
    }

    /// Reads a value, or the beginning of one: true when an object or array with something in it begins.
    private mutating func value() -> Bool? {
        skipSpace()
        switch peek() {
        case UInt8(ascii: "{"):
            return begin(isObject: true, end: UInt8(ascii: "}"))
        case UInt8(ascii: "["):
            return begin(isObject: false, end: UInt8(ascii: "]"))
        case UInt8(ascii: "\""):
            return string() ? false : nil
        default:
            return word() ? false : nil
        }
    }

    private mutating func begin(isObject: Bool, end: UInt8) -> Bool? {
        guard open.count < Self.maximumDepth else { return nil }
        index += 1
        skipSpace()
        if peek() == end {
            index += 1
            return false
        }
        open.append(isObject)
        if isObject, !key() { return nil }
        return true
    }

    /// Reads what follows a value: a comma (true: another value comes) or the ends of values (false).
    private mutating func separator() -> Bool? {
        skipSpace()
        guard let isObject = open.last else { return false }
        switch peek() {
        case UInt8(ascii: ","):
            index += 1
            if isObject, !key() { return nil }
            return true
        case isObject ? UInt8(ascii: "}") : UInt8(ascii: "]"):
            index += 1
            open.removeLast()
            return false
        default:
            return nil
        }
    }

    private mutating func key() -> Bool {
        skipSpace()
        guard peek() == UInt8(ascii: "\""), string() else { return false }
        skipSpace()
        guard peek() == UInt8(ascii: ":") else { return false }
        index += 1
        return true
    }

    private mutating func string() -> Bool {
        index += 1
        while index < bytes.count, let start = bytes.baseAddress {
            guard let quote = memchr(start + index, Int32(UInt8(ascii: "\"")), bytes.count - index) else {
                return false
            }
            let position = UnsafeRawPointer(quote) - start
            var backslashes = 0
            while position - backslashes > index,
                bytes[position - backslashes - 1] == UInt8(ascii: "\\")
            {
                backslashes += 1
            }
            index = position + 1
            if backslashes % 2 == 0 { return true }
        }
        return false
    }

    /// A number, `true`, `false` or `null`.
    private mutating func word() -> Bool {
        let start = index
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "E"):
                index += 1
            default:
                return Self.isWord(UnsafeRawBufferPointer(rebasing: bytes[start..<index]))
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
        var rest = Substring(decoding: word, as: UTF8.self).utf8
        func digits() -> Int {
            let before = rest.count
            rest = rest.drop { $0 >= 48 && $0 <= 57 }
            return before - rest.count
        }
        if rest.first == UInt8(ascii: "-") { rest.removeFirst() }
        let startsWithZero = rest.first == 48
        let whole = digits()
        guard whole > 0, !(startsWithZero && whole > 1) else { return false }
        if rest.first == UInt8(ascii: ".") {
            rest.removeFirst()
            guard digits() > 0 else { return false }
        }
        if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") {
            rest.removeFirst()
            if rest.first == UInt8(ascii: "+") || rest.first == UInt8(ascii: "-") { rest.removeFirst() }
            guard digits() > 0 else { return false }
        }
        return rest.isEmpty
    }

    private mutating func skipSpace() {
        while index < bytes.count {
            switch bytes[index] {
            case 9, 10, 13, 32: index += 1
            default: return
            }
        }
    }

    private func peek() -> UInt8? {
        index < bytes.count ? bytes[index] : nil
    }
}
