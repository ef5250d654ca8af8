import Synchronization

/// Keeps live secrets out of what is written for people: each is replaced wherever it stands.
///
/// A secret is known as itself, in hexadecimal, in Base64 (at each of its three places in a group), percent-encoded
/// and as JSON writes it; of one with several lines, such as a private key, each line is known as well.
///
/// Pass one along where it can be passed. ``shared`` is the one singleton, because the log handler, which
/// swift-log makes by itself for any logger, must know every secret of the program, whoever learns it and
/// whenever: one more redactor would be one through which a secret can leak.
package final class Redactor: Sendable {
    /// The program's own; what it watches for is never forgotten.
    package static let shared = Redactor()
    /// Characters of a value from which it counts as a secret that can be told apart from ordinary words.
    package static let minimumLength = 8
    /// Characters of a line from which it counts as a part of a longer secret.
    static let minimumLine = 24
    /// Bytes by which forms are found.
    private static let head = 4

    private struct Known {
        /// By their first bytes, the longest first, so that no value leaves the rest of a longer one.
        var forms: [UInt32: [[UInt8]]] = [:]
        /// Whether a form begins with these two bytes: what nearly all of a text is told by.
        var beginnings = [Bool](repeating: false, count: 65_536)
        var values: Set<Secret> = []
    }

    private let known = Mutex(Known())

    /// A redactor that watches for nothing yet.
    package init() {}

    /// Watches for the value from now on, in every form in which it may be written.
    package func watch(_ secret: Secret) {
        guard known.withLock({ $0.values.insert(secret).inserted }) else { return }
        let forms = secret.reveal { Self.forms(of: $0) }
        known.withLock { known in
            for form in forms {
                let head = Self.head(of: form, at: 0)
                known.beginnings[Int(head >> 16)] = true
                guard known.forms[head]?.contains(form) != true else { continue }
                known.forms[head, default: []].append(form)
                known.forms[head]?.sort { $0.count > $1.count }
            }
        }
    }

    /// The text with `<redacted>` for every watched value; values that overlap go together.
    package func redact(_ text: String) -> String {
        redact(Array(text.utf8)).map { String(decoding: $0, as: UTF8.self) } ?? text
    }

    /// The same for UTF-8.
    ///
    /// - Returns: nil when nothing had to be replaced.
    package func redact(_ bytes: [UInt8]) -> [UInt8]? {
        let places = places(in: bytes)
        guard !places.isEmpty else { return nil }
        var result: [UInt8] = []
        var end = 0
        for place in places {
            result += bytes[end..<place.lowerBound]
            result += Self.mark
            end = place.upperBound
        }
        return result + bytes[end...]
    }

    /// The bytes with an asterisk for each byte of a watched value, for what must keep its length.
    package func mask(_ bytes: [UInt8]) -> [UInt8] {
        var result = bytes
        for place in places(in: bytes) {
            for index in place { result[index] = UInt8(ascii: "*") }
        }
        return result
    }

    /// Where watched values stand; those that overlap are one place.
    private func places(in bytes: [UInt8]) -> [Range<Int>] {
        let (forms, beginnings) = known.withLock { ($0.forms, $0.beginnings) }
        guard !forms.isEmpty, bytes.count >= Self.minimumLength else { return [] }
        var places: [Range<Int>] = []
        for index in 0...(bytes.count - Self.head) {
            guard beginnings[Int(bytes[index]) << 8 | Int(bytes[index + 1])],
                let candidates = forms[Self.head(of: bytes, at: index)],
                let form = candidates.first(where: { bytes[index...].starts(with: $0) })
            else { continue }
            let end = index + form.count
            if let last = places.last, index < last.upperBound {
                places[places.count - 1] = last.lowerBound..<max(last.upperBound, end)
            } else {
                places.append(index..<end)
            }
        }
        return places
    }

    private static let mark = Array("<redacted>".utf8)

    private static func head(of bytes: [UInt8], at index: Int) -> UInt32 {
        UInt32(bytes[index]) << 24 | UInt32(bytes[index + 1]) << 16 | UInt32(bytes[index + 2]) << 8
            | UInt32(bytes[index + 3])
    }
}

extension Redactor {
    /// Every form that is looked for.
    private static func forms(of value: String) -> [[UInt8]] {
        guard value.utf8.count >= minimumLength else { return [] }
        var parts = [value]
        let lines = value.split(whereSeparator: \.isNewline).map(String.init)
        if lines.count > 1 {
            parts += lines.filter { $0.utf8.count >= minimumLine && !$0.hasPrefix("-----") }
        }
        return parts.flatMap { part in
            let bytes = Array(part.utf8)
            let hexadecimal = bytes.hexadecimal
            let texts = [hexadecimal, hexadecimal.uppercased()] + base64(bytes) + escaped(bytes)
            return [bytes] + texts.map { Array($0.utf8) }.filter { $0.count >= minimumLength }
        }
    }

    /// As Base64 shows the value wherever it begins in a group of three, without what its neighbours decide.
    private static func base64(_ bytes: [UInt8]) -> [String] {
        let plain = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var texts: [String] = []
        for offset in 0..<3 {
            // Bits of six that lie wholly within the value.
            let start = (offset * 8 + 5) / 6
            let end = (offset + bytes.count) * 8 / 6
            var text: [UInt8] = []
            for place in start..<max(start, end) {
                let bit = place * 6 - offset * 8
                let first = UInt16(bytes[bit / 8]) << 8
                let next = bit / 8 + 1 < bytes.count ? UInt16(bytes[bit / 8 + 1]) : 0
                text.append(plain[Int((first | next) >> (10 - UInt16(bit % 8)) & 63)])
            }
            let standard = String(decoding: text, as: UTF8.self)
            texts.append(standard)
            let forURLs = String(standard.map { $0 == "+" ? "-" : $0 == "/" ? "_" : $0 })
            if forURLs != standard { texts.append(forURLs) }
        }
        return texts
    }

    /// Percent-encoded, and as JSON writes it, if these differ from the value itself.
    private static func escaped(_ bytes: [UInt8]) -> [String] {
        var upper = ""
        var json = ""
        for byte in bytes {
            let scalar = Unicode.Scalar(byte)
            switch byte {
            case 48...57, 65...90, 97...122, 45, 46, 95, 126: upper.unicodeScalars.append(scalar)
            default: upper += "%" + [byte].hexadecimal.uppercased()
            }
            switch byte {
            case 10: json += "\\n"
            case 13: json += "\\r"
            case 34, 92:
                json += "\\"
                json.unicodeScalars.append(scalar)
            case 32...126: json.unicodeScalars.append(scalar)
            default: return upper.contains("%") ? [upper] : []
            }
        }
        var texts: [String] = []
        if upper.contains("%") { texts += [upper, lowercasedEscapes(upper)] }
        if json.utf8.count != bytes.count { texts.append(json) }
        return texts
    }

    private static func lowercasedEscapes(_ text: String) -> String {
        var result: [UInt8] = []
        var left = 0
        for byte in text.utf8 {
            if byte == UInt8(ascii: "%") { left = 3 }
            result.append(left > 0 && (65...70).contains(byte) ? byte + 32 : byte)
            left -= 1
        }
        return String(decoding: result, as: UTF8.self)
    }
}
