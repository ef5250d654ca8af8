import Glibc

/// A place in JSON text, and the steps that whoever reads it takes.
struct JSONCursor {
    let bytes: UnsafeRawBufferPointer
    var index = 0

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    var isAtEnd: Bool { index == bytes.count }

    /// The byte at the place; nil at the end.
    @inline(__always) func peek() -> UInt8? {
        index < bytes.count ? bytes[index] : nil
    }

    @inline(__always) mutating func skipSpace() {
        while index < bytes.count, bytes[index] <= 32 {
            switch bytes[index] {
            case 9, 10, 13, 32: index += 1
            default: return
            }
        }
    }

    /// Goes behind the string that begins here; only its end is looked for.
    ///
    /// - Returns: where it stands, without its quotes; nil when it has no end.
    mutating func string() -> Range<Int>? {
        index += 1
        let first = index
        while index < bytes.count, let start = bytes.baseAddress {
            guard let quote = memchr(start + index, Int32(UInt8(ascii: "\"")), bytes.count - index) else {
                return nil
            }
            let position = UnsafeRawPointer(quote) - start
            var backslashes = 0
            while position - backslashes > index,
                bytes[position - backslashes - 1] == UInt8(ascii: "\\")
            {
                backslashes += 1
            }
            index = position + 1
            if backslashes % 2 == 0 { return first..<position }
        }
        return nil
    }
}
