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

/// Looks for a mention in JSON bytes, eight at a time: nearly all words hold neither its beginning nor a
/// backslash.
///
/// Words of 64 bits, because the masks of Swift's own vectors are made byte by byte: 32 bytes at a time took a
/// millisecond for a delivery, this takes a few microseconds.
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

    private static func everywhere(_ byte: UInt8) -> UInt64 { UInt64(byte) &* 0x0101_0101_0101_0101 }

    /// The high bit of each byte that is zero, and perhaps of one above such a byte: never too few.
    ///
    /// - SeeAlso: <https://graphics.stanford.edu/~seander/bithacks.html#ZeroInWord>
    private static func zeros(_ word: UInt64) -> UInt64 {
        (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080
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
        while index + 8 < bytes.count {
            let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            let next = bytes.loadUnaligned(fromByteOffset: index + 1, as: UInt64.self)
            let signs = Self.zeros(word ^ ats) | Self.zeros(word ^ slashes)
            let begins = signs & Self.zeros((next | lowers) ^ firsts)
            if begins | Self.zeros(word ^ backslashes) != 0 {
                for position in index..<index + 8 where isHit(bytes, position) { return true }
            }
            index += 8
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
