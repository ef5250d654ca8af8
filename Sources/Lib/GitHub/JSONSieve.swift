import FoundationEssentials
import Glibc

/// Leaves out of JSON what nobody reads.
///
/// A delivery has hundreds of members, of which Porter reads thirty; `JSONDecoder` takes each of them apart.
/// One look at the bytes is enough to leave the others out.
struct JSONSieve {
    private let bytes: UnsafeRawBufferPointer
    private let wanted: Set<ArraySlice<UInt8>>
    private var index = 0
    private var kept: [UInt8] = []

    /// The text without the members whose names are not among the wanted, at any depth.
    ///
    /// What is not one object by ``JSONScan/isObject(_:)`` is left as it is, for the decoder to refuse.
    static func sift(_ data: Data, _ wanted: Set<ArraySlice<UInt8>>) -> Data {
        data.withUnsafeBytes { bytes in
            guard JSONScan.isObject(bytes) else { return data }
            var sieve = JSONSieve(bytes: bytes, wanted: wanted)
            sieve.kept.reserveCapacity(min(bytes.count, 4096))
            sieve.value(isKept: true)
            return Data(sieve.kept)
        }
    }

    private init(bytes: UnsafeRawBufferPointer, wanted: Set<ArraySlice<UInt8>>) {
        self.bytes = bytes
        self.wanted = wanted
    }

    private mutating func value(isKept: Bool) {
        skipSpace()
        switch peek() {
        case UInt8(ascii: "{"): object(isKept: isKept)
        case UInt8(ascii: "["): array(isKept: isKept)
        case UInt8(ascii: "\""):
            let range = string()
            if isKept { keep(range) }
        default:
            let start = index
            while let byte = peek(), byte != UInt8(ascii: ","), byte != UInt8(ascii: "}"),
                byte != UInt8(ascii: "]")
            {
                index += 1
            }
            if isKept { keep(start..<index) }
        }
    }

    private mutating func object(isKept: Bool) {
        index += 1
        if isKept { kept.append(UInt8(ascii: "{")) }
        var isFirst = true
        while true {
            skipSpace()
            guard peek() == UInt8(ascii: "\"") else { break }
            let name = string()
            skipSpace()
            index += 1
            let isWanted = isKept && isWanted(name)
            if isWanted {
                if !isFirst { kept.append(UInt8(ascii: ",")) }
                isFirst = false
                keep(name)
                kept.append(UInt8(ascii: ":"))
            }
            value(isKept: isWanted)
            skipSpace()
            guard peek() == UInt8(ascii: ",") else { break }
            index += 1
        }
        index += 1
        if isKept { kept.append(UInt8(ascii: "}")) }
    }

    private mutating func array(isKept: Bool) {
        index += 1
        if isKept { kept.append(UInt8(ascii: "[")) }
        skipSpace()
        while let byte = peek(), byte != UInt8(ascii: "]") {
            value(isKept: isKept)
            skipSpace()
            guard peek() == UInt8(ascii: ",") else { break }
            if isKept { kept.append(UInt8(ascii: ",")) }
            index += 1
        }
        index += 1
        if isKept { kept.append(UInt8(ascii: "]")) }
    }

    /// A name that is written with escapes may be any name.
    private func isWanted(_ name: Range<Int>) -> Bool {
        let inner = bytes[name].dropFirst().dropLast()
        return wanted.contains(ArraySlice(inner)) || inner.contains(UInt8(ascii: "\\"))
    }

    private mutating func keep(_ range: Range<Int>) {
        kept.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[range]))
    }

    /// Reads a string; where it stands, its quotes included.
    private mutating func string() -> Range<Int> {
        let start = index
        index += 1
        while index < bytes.count, let base = bytes.baseAddress,
            let quote = memchr(base + index, Int32(UInt8(ascii: "\"")), bytes.count - index)
        {
            let position = UnsafeRawPointer(quote) - base
            var backslashes = 0
            while position - backslashes > index,
                bytes[position - backslashes - 1] == UInt8(ascii: "\\")
            {
                backslashes += 1
            }
            index = position + 1
            if backslashes % 2 == 0 { return start..<index }
        }
        index = bytes.count
        return start..<index
    }

    private mutating func skipSpace() {
        while let byte = peek(), byte == 32 || byte == 10 || byte == 13 || byte == 9 { index += 1 }
    }

    private func peek() -> UInt8? {
        index < bytes.count ? bytes[index] : nil
    }
}
