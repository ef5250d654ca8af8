import CBytes
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

/// Looks for a mention in JSON bytes: for places at which one may begin, many bytes at a time, and then closer.
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

    func finds(in bytes: UnsafeRawBufferPointer) -> Bool {
        guard let first = name.first, let start = bytes.baseAddress else { return name.isEmpty }
        let text = start.assumingMemoryBound(to: UInt8.self)
        var position = porter_find_sign(text, bytes.count, 0, first)
        while position < bytes.count {
            if isHit(bytes, position) { return true }
            position = porter_find_sign(text, bytes.count, position + 1, first)
        }
        return false
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
