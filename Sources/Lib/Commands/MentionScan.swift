import Porter

extension CommandParser {
    /// Whether a raw payload may hold a command: a cheap look for the mention, without decoding anything.
    ///
    /// True may be wrong; false never is. JSON may write `/` as `\/` and any character as `\u0040`, so a
    /// payload with an escaped `@`, `/` or letter of the name counts as one that may.
    package func mayHoldCommand(_ payload: UnsafeRawBufferPointer) -> Bool {
        scan.finds(in: payload)
    }
}

/// Looks for a mention in JSON bytes, 32 at a time: nearly all hold neither its beginning nor a backslash.
///
/// In words of 64 bits, because the masks of vectors of bytes are made byte by byte: those took a millisecond for
/// a delivery, this takes a few microseconds.
struct MentionScan: Sendable {
    /// The name's bytes with the bit of lower case set.
    private let name: [UInt8]
    /// For each ASCII byte whether an escaped one could be of the mention.
    private let isEscapable: [Bool]

    init(_ mention: String) {
        name = mention.utf8.map { $0 | Self.lower }
        var isEscapable = [Bool](repeating: false, count: 256)
        for byte in mention.lowercased().utf8 + Array("@/".utf8) {
            isEscapable[Int(byte)] = true
            isEscapable[Int(byte & ~Self.lower)] = true
        }
        self.isEscapable = isEscapable
    }

    /// The bit that tells `a` from `A`.
    private static let lower: UInt8 = 32
    private static let at = UInt8(ascii: "@")
    private static let slash = UInt8(ascii: "/")
    private static let backslash = UInt8(ascii: "\\")

    private typealias Words = SIMD4<UInt64>

    private static func everywhere(_ byte: UInt8) -> Words {
        Words(repeating: UInt64(byte) &* 0x0101_0101_0101_0101)
    }

    /// Sets the high bit of each byte that is zero, and perhaps of one above such a byte: never too few.
    ///
    /// The other bits say nothing.
    ///
    /// - SeeAlso: <https://graphics.stanford.edu/~seander/bithacks.html#ZeroInWord>
    private static func zeros(_ words: Words) -> Words {
        (words &- Words(repeating: 0x0101_0101_0101_0101)) & ~words
    }

    func finds(in bytes: UnsafeRawBufferPointer) -> Bool {
        guard let first = name.first else { return true }
        // In registers: as static values each of them costs a look whether it is made already.
        let ats = Self.everywhere(Self.at)
        let slashes = Self.everywhere(Self.slash)
        let backslashes = Self.everywhere(Self.backslash)
        let lowers = Self.everywhere(Self.lower)
        let firsts = Self.everywhere(first)
        var index = 0
        // Each word is compared with the one that begins a byte later.
        let width = MemoryLayout<Words>.size
        while index + width < bytes.count {
            let words = bytes.loadUnaligned(fromByteOffset: index, as: Words.self)
            let next = bytes.loadUnaligned(fromByteOffset: index + 1, as: Words.self)
            let signs = Self.zeros(words ^ ats) | Self.zeros(words ^ slashes)
            let begins = signs & Self.zeros((next | lowers) ^ firsts)
            let found = begins | Self.zeros(words ^ backslashes)
            if (found[0] | found[1] | found[2] | found[3]) & 0x8080_8080_8080_8080 != 0 {
                for position in index..<index + width where isHit(bytes, position) { return true }
            }
            index += width
        }
        return (index..<bytes.count).contains { isHit(bytes, $0) }
    }

    private func isHit(_ bytes: UnsafeRawBufferPointer, _ position: Int) -> Bool {
        switch bytes[position] {
        case Self.at, Self.slash:
            guard position + name.count < bytes.count else { return false }
            return name.indices.allSatisfy { bytes[position + 1 + $0] | Self.lower == name[$0] }
        case Self.backslash:
            return escapedASCII(bytes, position).map { isEscapable[Int($0)] } ?? false
        default:
            return false
        }
    }

    /// The byte that `\u00XX` at the position stands for.
    private func escapedASCII(_ bytes: UnsafeRawBufferPointer, _ position: Int) -> UInt8? {
        guard position + 5 < bytes.count, bytes[position + 1] == UInt8(ascii: "u"),
            bytes[position + 2] == UInt8(ascii: "0"), bytes[position + 3] == UInt8(ascii: "0"),
            let high = Self.digit(bytes[position + 4]), let low = Self.digit(bytes[position + 5])
        else { return nil }
        return high << 4 | low
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 48...57: byte - 48
        case 65...70: byte - 55
        case 97...102: byte - 87
        default: nil
        }
    }
}
