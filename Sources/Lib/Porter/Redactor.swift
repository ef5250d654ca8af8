import Synchronization

/// Keeps live secrets out of what is written for people: each is replaced wherever it stands.
///
/// A secret is known as itself, backwards, in hexadecimal, in Base64 (at each of its three places in a group),
/// percent-encoded and as JSON writes it; of one with several lines, such as a private key, each line is known as well.
///
/// Pass one along where it can be passed. ``shared`` is the one singleton, because the log handler, which
/// swift-log makes by itself for any logger, must know every secret of the program, whoever learns it and
/// whenever: one more redactor would be one through which a secret can leak.
package final class Redactor: Sendable {
    /// Whose secret a value is, which decides in which texts it is looked for.
    ///
    /// A person's key only ever reaches that person's runs. Looked for in everybody's texts, any word that somebody
    /// stores as a key would be gone from them.
    package enum Owner: Hashable, Sendable {
        /// What the program was started with, and tokens that it was given; never forgotten.
        case program
        /// What admins have stored for all runs.
        case team
        /// What a person has stored for their own runs.
        case person(Int64)
    }

    /// The program's own.
    package static let shared = Redactor()
    /// Characters of a value from which it counts as a secret that can be told apart from ordinary words.
    package static let minimumLength = 8
    /// Characters of a line from which it counts as a part of a longer secret.
    static let minimumLine = 24
    /// Bytes by which forms are found.
    private static let head = 4

    private struct Form {
        let bytes: [UInt8]
        var owners: Set<Owner>
    }

    private struct Known {
        /// By their first bytes, the longest first, so that no value leaves the rest of a longer one.
        var forms: [UInt32: [Form]] = [:]
        /// Whether a form begins with these two bytes: what nearly all of a text is told by.
        var beginnings = [Bool](repeating: false, count: 65_536)
        var values: [Secret: Set<Owner>] = [:]

        mutating func add(_ secret: Secret, of owner: Owner) {
            guard values[secret, default: []].insert(owner).inserted else { return }
            for bytes in secret.reveal({ Redactor.forms(of: $0) }) {
                let head = Redactor.head(of: bytes, at: 0)
                beginnings[Int(head >> 16)] = true
                if let index = forms[head]?.firstIndex(where: { $0.bytes == bytes }) {
                    forms[head]?[index].owners.insert(owner)
                    continue
                }
                forms[head, default: []].append(Form(bytes: bytes, owners: [owner]))
                forms[head]?.sort { $0.bytes.count > $1.bytes.count }
            }
        }
    }

    private let known = Mutex(Known())

    /// A redactor that watches for nothing yet.
    package init() {}

    /// Watches for the value from now on, in every form in which it may be written.
    package func watch(_ secret: Secret, of owner: Owner = .program) {
        known.withLock { $0.add(secret, of: owner) }
    }

    /// Watches for what is stored now, and forgets what was stored before and is no more.
    package func watch(stored: [Secret: Set<Owner>]) {
        known.withLock { known in
            var next = Known()
            for (secret, owners) in known.values where owners.contains(.program) {
                next.add(secret, of: .program)
            }
            for (secret, owners) in stored {
                for owner in owners { next.add(secret, of: owner) }
            }
            known = next
        }
    }

    /// The text with `<redacted>` for every watched value, whoever's; values that overlap go together.
    package func redact(_ text: String) -> String {
        redact(Array(text.utf8), where: { _ in true }).map { String(decoding: $0, as: UTF8.self) } ?? text
    }

    /// The text without the program's secrets, the team's, and those of the person whom it is about.
    package func redact(_ text: String, about person: Int64?) -> String {
        redact(Array(text.utf8), about: person).map { String(decoding: $0, as: UTF8.self) } ?? text
    }

    /// The same for UTF-8.
    ///
    /// - Returns: nil when nothing had to be replaced.
    package func redact(_ bytes: [UInt8], about person: Int64?) -> [UInt8]? {
        redact(bytes) { Self.concerns($0, person) }
    }

    private static func concerns(_ owners: Set<Owner>, _ person: Int64?) -> Bool {
        owners.contains(.program) || owners.contains(.team)
            || person.map { owners.contains(.person($0)) } ?? false
    }

    private func redact(_ bytes: [UInt8], where concerns: (Set<Owner>) -> Bool) -> [UInt8]? {
        let places = places(in: bytes, where: concerns)
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

    /// The bytes with an asterisk for each byte of a secret, for what must keep its length.
    ///
    /// - Parameter person: whom the text is about, as for ``redact(_:about:)``.
    package func mask(_ bytes: [UInt8], about person: Int64?) -> [UInt8] {
        var result = bytes
        for place in places(in: bytes, where: { Self.concerns($0, person) }) {
            for index in place { result[index] = UInt8(ascii: "*") }
        }
        return result
    }

    /// Where watched values stand; those that overlap are one place.
    private func places(in bytes: [UInt8], where concerns: (Set<Owner>) -> Bool) -> [Range<Int>] {
        let (forms, beginnings) = known.withLock { ($0.forms, $0.beginnings) }
        guard !forms.isEmpty, bytes.count >= Self.minimumLength else { return [] }
        var places: [Range<Int>] = []
        for index in 0...(bytes.count - Self.head) {
            guard beginnings[Int(bytes[index]) << 8 | Int(bytes[index + 1])],
                let candidates = forms[Self.head(of: bytes, at: index)],
                let form = candidates.first(where: {
                    bytes[index...].starts(with: $0.bytes) && concerns($0.owners)
                })
            else { continue }
            let end = index + form.bytes.count
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
            return [bytes, bytes.reversed()]
                + texts.map { Array($0.utf8) }.filter { $0.count >= minimumLength }
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
