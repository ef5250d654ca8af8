import Porter

extension CommandParser {
    /// Whether a raw payload may hold a command: a cheap look for the mention, without decoding anything.
    ///
    /// True may be wrong; false never is. JSON may write `/` as `\/` and any character as `\u0040`, so a
    /// payload with an escaped `@`, `/` or letter of the name counts as one that may.
    package func mayHoldCommand(_ payload: UnsafeRawBufferPointer) -> Bool {
        let name = Array(mention.lowercased().utf8)
        guard let first = name.first else { return true }
        let escapable = Set(name.flatMap { [$0, $0 & 0xDF] } + [UInt8(ascii: "@"), UInt8(ascii: "/")])
        var index = 0
        let count = payload.count
        while index < count {
            let byte = payload[index]
            if byte == UInt8(ascii: "\\") {
                if index + 5 < count, payload[index + 1] == UInt8(ascii: "u"),
                    let value = Self.smallEscape(payload, index + 2), escapable.contains(value)
                {
                    return true
                }
                index += index + 1 < count && payload[index + 1] == UInt8(ascii: "/") ? 1 : 2
                continue
            }
            if byte == UInt8(ascii: "@") || byte == UInt8(ascii: "/"), index + name.count < count,
                payload[index + 1] | 32 == first | 32,
                name.indices.allSatisfy({ payload[index + 1 + $0] | 32 == name[$0] | 32 })
            {
                return true
            }
            index += 1
        }
        return false
    }

    /// The value of four hexadecimal digits if it is ASCII.
    private static func smallEscape(_ payload: UnsafeRawBufferPointer, _ start: Int) -> UInt8? {
        guard payload[start] == 48, payload[start + 1] == 48 else { return nil }
        func digit(_ byte: UInt8) -> UInt8? {
            switch byte {
            case 48...57: byte - 48
            case 65...70: byte - 55
            case 97...102: byte - 87
            default: nil
            }
        }
        guard let high = digit(payload[start + 2]), let low = digit(payload[start + 3]) else { return nil }
        return high << 4 | low
    }
}
