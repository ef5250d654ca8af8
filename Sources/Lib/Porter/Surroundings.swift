/// Where the time comes from.
///
/// Read it once an operation and pass the value down, so that one operation has one time.
package struct Clock: Sendable {
    /// The current moment.
    package var now: @Sendable () -> Instant
    /// Milliseconds since the host was started, suspended ones included, which no change of the date moves;
    /// nil where nobody counts them.
    package var uptime: @Sendable () -> Int64?

    /// A clock that asks the closures.
    package init(now: @escaping @Sendable () -> Instant, uptime: @escaping @Sendable () -> Int64? = { nil }) {
        self.now = now
        self.uptime = uptime
    }
}

/// Where chance comes from.
package struct Entropy: Sendable {
    /// So many bytes that nobody can foresee.
    package var bytes: @Sendable (_ count: Int) -> [UInt8]

    /// A source that asks the closure.
    package init(bytes: @escaping @Sendable (_ count: Int) -> [UInt8]) {
        self.bytes = bytes
    }

    /// 256 random bits as 64 hexadecimal digits: a token that fits a header, a URL and an environment.
    package func token() -> Secret {
        Secret(bytes(32).hexadecimal)
    }
}

extension Sequence where Element == UInt8 {
    /// The bytes as lower-case hexadecimal digits, two a byte.
    package var hexadecimal: String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for byte in self {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
