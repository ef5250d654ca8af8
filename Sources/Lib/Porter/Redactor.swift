import Synchronization

/// Keeps live secrets out of what is written for people: each is replaced wherever it stands.
///
/// Pass one along where it can be passed. ``shared`` is the one singleton, because the log handler, which
/// swift-log makes by itself for any logger, must know every secret of the program, whoever learns it and
/// whenever: one more redactor would be one through which a secret can leak.
package final class Redactor: Sendable {
    /// The program's own; what it watches for is never forgotten.
    package static let shared = Redactor()
    /// Characters of a value from which it counts as a secret that can be told apart from ordinary words.
    package static let minimumLength = 8

    /// By first byte, the longest first, so that no value leaves the rest of a longer one.
    private let forms = Mutex<[UInt8: [[UInt8]]]>([:])

    /// A redactor that watches for nothing yet.
    package init() {}

    /// Watches for the value from now on, in hexadecimal as well.
    package func watch(_ secret: Secret) {
        secret.reveal { value in
            let bytes = Array(value.utf8)
            guard bytes.count >= Self.minimumLength else { return }
            let hexadecimal = bytes.hexadecimal
            let found = [bytes, Array(hexadecimal.utf8), Array(hexadecimal.uppercased().utf8)]
            forms.withLock { forms in
                for form in found where forms[form[0]]?.contains(form) != true {
                    forms[form[0], default: []].append(form)
                    forms[form[0]]?.sort { $0.count > $1.count }
                }
            }
        }
    }

    /// The text with `<redacted>` for every watched value; values that overlap go together.
    package func redact(_ text: String) -> String {
        let forms = forms.withLock { $0 }
        guard !forms.isEmpty else { return text }
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var end = 0
        for index in bytes.indices {
            if let form = forms[bytes[index]]?.first(where: { bytes[index...].starts(with: $0) }) {
                if index >= end { result += Self.mark }
                end = max(end, index + form.count)
            } else if index >= end {
                result.append(bytes[index])
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static let mark = Array("<redacted>".utf8)
}
