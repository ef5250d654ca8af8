import FoundationEssentials
import Glibc

/// What a delivery says in the members that Porter reads.
///
/// A delivery has hundreds of members, of which Porter reads thirty; `JSONDecoder` takes each of them apart, which
/// was a sixth of what a command cost. Here the others are stepped over. Whatever is unusual is left to the decoder:
/// names with escapes, members that stand twice, numbers that are not whole, text that is not UTF-8.
enum JSONTree {
    case null
    case flag(Bool)
    case whole(Int64)
    case text(String)
    case list([JSONTree])
    case object(Members)

    /// It is left to the decoder, which says what is wrong, if anything is.
    struct Unusual: Error {}

    /// The wanted members of an object, in the order in which they stand.
    struct Members {
        fileprivate(set) var entries: [(name: Payload.Member, value: JSONTree)] = []

        /// The member; nil when it is absent or null.
        subscript(_ name: Payload.Member) -> JSONTree? {
            guard let value = entries.first(where: { $0.name == name })?.value else { return nil }
            if case .null = value { return nil }
            return value
        }

        func text(_ name: Payload.Member) throws(Unusual) -> String? {
            switch self[name] {
            case .text(let text): text
            case nil: nil
            default: throw Unusual()
            }
        }

        func flag(_ name: Payload.Member) throws(Unusual) -> Bool? {
            switch self[name] {
            case .flag(let flag): flag
            case nil: nil
            default: throw Unusual()
            }
        }

        func whole(_ name: Payload.Member) throws(Unusual) -> Int64? {
            switch self[name] {
            case .whole(let number): number
            case nil: nil
            default: throw Unusual()
            }
        }

        /// The number of a member that must be there.
        func number(_ name: Payload.Member) throws(Unusual) -> Int64 {
            guard let number = try whole(name) else { throw Unusual() }
            return number
        }

        func object<Value>(
            _ name: Payload.Member, _ make: (Members) throws(Unusual) -> Value
        ) throws(Unusual) -> Value? {
            switch self[name] {
            case .object(let members): try make(members)
            case nil: nil
            default: throw Unusual()
            }
        }

        func list<Value>(
            _ name: Payload.Member, _ make: (Members) throws(Unusual) -> Value
        ) throws(Unusual) -> [Value]? {
            switch self[name] {
            case .list(let values):
                try values.map { (value) throws(Unusual) in
                    guard case .object(let members) = value else { throw Unusual() }
                    return try make(members)
                }
            case nil: nil
            default: throw Unusual()
            }
        }
    }

    /// The members of the payload, if it is one object by ``JSONScan/isObject(_:)`` and nothing in it is unusual.
    static func read(_ payload: Data) -> Members? {
        payload.withUnsafeBytes { bytes in
            guard JSONScan.isObject(bytes) else { return nil }
            var reader = JSONTreeReader(bytes)
            guard case .object(let members)? = try? reader.value() else { return nil }
            return members
        }
    }
}

/// Builds the tree from bytes that are known to be one object.
private struct JSONTreeReader {
    private var cursor: JSONCursor

    init(_ bytes: UnsafeRawBufferPointer) {
        cursor = JSONCursor(bytes)
    }

    mutating func value() throws(JSONTree.Unusual) -> JSONTree {
        cursor.skipSpace()
        switch cursor.peek() {
        case UInt8(ascii: "{"): return .object(try members())
        case UInt8(ascii: "["): return .list(try elements())
        case UInt8(ascii: "\""): return .text(try text())
        case UInt8(ascii: "t"): return word(4, .flag(true))
        case UInt8(ascii: "f"): return word(5, .flag(false))
        case UInt8(ascii: "n"): return word(4, .null)
        default: return .whole(try number())
        }
    }

    private mutating func word(_ length: Int, _ value: JSONTree) -> JSONTree {
        cursor.index += length
        return value
    }

    private mutating func members() throws(JSONTree.Unusual) -> JSONTree.Members {
        var members = JSONTree.Members()
        cursor.index += 1
        cursor.skipSpace()
        while let byte = cursor.peek(), byte != UInt8(ascii: "}") {
            guard let place = cursor.string() else { throw JSONTree.Unusual() }
            let letters = UnsafeRawBufferPointer(rebasing: cursor.bytes[place])
            cursor.skipSpace()
            // The colon.
            cursor.index += 1
            if let name = Payload.Member.named(letters) {
                guard !members.entries.contains(where: { $0.name == name }) else { throw JSONTree.Unusual() }
                // Few objects have more that are wanted; an array that grows is moved four times until then.
                if members.entries.isEmpty { members.entries.reserveCapacity(16) }
                members.entries.append((name, try value()))
            } else {
                // A name that is written with escapes may be any name.
                guard !letters.contains(UInt8(ascii: "\\")) else { throw JSONTree.Unusual() }
                skipValue()
            }
            skipComma()
        }
        cursor.index += 1
        return members
    }

    private mutating func elements() throws(JSONTree.Unusual) -> [JSONTree] {
        var elements: [JSONTree] = []
        cursor.index += 1
        cursor.skipSpace()
        while let byte = cursor.peek(), byte != UInt8(ascii: "]") {
            elements.append(try value())
            skipComma()
        }
        cursor.index += 1
        return elements
    }

    private mutating func skipComma() {
        cursor.skipSpace()
        guard cursor.peek() == UInt8(ascii: ",") else { return }
        cursor.index += 1
        cursor.skipSpace()
    }

    /// Steps over a value with all that is in it.
    private mutating func skipValue() {
        cursor.skipSpace()
        var depth = 0
        while let byte = cursor.peek() {
            switch byte {
            case UInt8(ascii: "\""):
                _ = cursor.string()
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                cursor.index += 1
                continue
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if depth == 0 { return }
                depth -= 1
                cursor.index += 1
            case UInt8(ascii: ",") where depth == 0:
                return
            default:
                cursor.index += 1
                continue
            }
            if depth == 0 { return }
        }
    }

    private mutating func number() throws(JSONTree.Unusual) -> Int64 {
        let isNegative = cursor.peek() == UInt8(ascii: "-")
        if isNegative { cursor.index += 1 }
        var number: Int64 = 0
        while let byte = cursor.peek(), byte >= 48, byte <= 57 {
            let (tens, isTooLarge) = number.multipliedReportingOverflow(by: 10)
            let (next, overflows) = tens.subtractingReportingOverflow(Int64(byte - 48))
            guard !isTooLarge, !overflows else { throw JSONTree.Unusual() }
            number = next
            cursor.index += 1
        }
        // A fraction or an exponent.
        if let byte = cursor.peek(), [UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E")].contains(byte)
        {
            throw JSONTree.Unusual()
        }
        guard !isNegative else { return number }
        // It was counted below zero, where there is room for one more.
        guard number != .min else { throw JSONTree.Unusual() }
        return -number
    }

    private mutating func text() throws(JSONTree.Unusual) -> String {
        guard let place = cursor.string() else { throw JSONTree.Unusual() }
        let letters = UnsafeRawBufferPointer(rebasing: cursor.bytes[place])
        var hasEscapes = false
        for byte in letters {
            guard byte >= 0x20 else { throw JSONTree.Unusual() }
            if byte == UInt8(ascii: "\\") { hasEscapes = true }
        }
        let text =
            hasEscapes
            ? String(validating: try Self.unescaped(letters), as: UTF8.self)
            : String(validating: letters, as: UTF8.self)
        guard let text else { throw JSONTree.Unusual() }
        return text
    }

    private static func unescaped(_ letters: UnsafeRawBufferPointer) throws(JSONTree.Unusual) -> [UInt8] {
        var plain: [UInt8] = []
        plain.reserveCapacity(letters.count)
        var rest = letters[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\") else {
                plain.append(byte)
                continue
            }
            switch rest.popFirst() {
            case UInt8(ascii: "n"): plain.append(10)
            case UInt8(ascii: "r"): plain.append(13)
            case UInt8(ascii: "t"): plain.append(9)
            case UInt8(ascii: "b"): plain.append(8)
            case UInt8(ascii: "f"): plain.append(12)
            case UInt8(ascii: "\""): plain.append(UInt8(ascii: "\""))
            case UInt8(ascii: "\\"): plain.append(UInt8(ascii: "\\"))
            case UInt8(ascii: "/"): plain.append(UInt8(ascii: "/"))
            case UInt8(ascii: "u"): plain.append(contentsOf: Character(try scalar(&rest)).utf8)
            default: throw JSONTree.Unusual()
            }
        }
        return plain
    }

    /// What four digits say, or eight where they are a pair.
    private static func scalar(
        _ rest: inout Slice<UnsafeRawBufferPointer>
    ) throws(JSONTree.Unusual) -> Unicode.Scalar {
        let first = try unit(&rest)
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard UTF16.isLeadSurrogate(first), rest.popFirst() == UInt8(ascii: "\\"),
            rest.popFirst() == UInt8(ascii: "u")
        else { throw JSONTree.Unusual() }
        let second = try unit(&rest)
        guard UTF16.isTrailSurrogate(second),
            let scalar = Unicode.Scalar(
                0x10000 + (UInt32(first & 0x3FF) << 10 | UInt32(second & 0x3FF)))
        else { throw JSONTree.Unusual() }
        return scalar
    }

    private static func unit(_ rest: inout Slice<UnsafeRawBufferPointer>) throws(JSONTree.Unusual) -> UInt16 {
        var unit: UInt16 = 0
        for _ in 0..<4 {
            guard let digit = rest.popFirst(), let value = Character(Unicode.Scalar(digit)).hexDigitValue
            else {
                throw JSONTree.Unusual()
            }
            unit = unit << 4 | UInt16(value)
        }
        return unit
    }
}
