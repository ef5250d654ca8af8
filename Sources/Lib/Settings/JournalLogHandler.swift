import Glibc
package import Logging
package import Porter
import Synchronization

/// Writes records for journald: one line each on standard error, `<priority>` first, facts as `key=value`.
///
/// - SeeAlso: <https://www.freedesktop.org/software/systemd/man/latest/sd-daemon.html>
package struct JournalLogHandler: LogHandler {
    /// What lies below it is dropped by the logger.
    package var logLevel: Logger.Level
    /// Facts of every record, under those of the record itself.
    package var metadata: Logger.Metadata = [:]

    /// A handler that drops what lies below the level.
    package init(level: Logger.Level) {
        logLevel = level
    }

    /// A fact of every record, by its key.
    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Writes the record as one line, with line breaks escaped and known secrets blotted out.
    package func log(event: LogEvent) {
        let facts = metadata.merging(event.metadata ?? [:]) { $1 }
        Say.line(Self.line(event.level, "\(event.message)", facts, .shared))
    }

    /// A record as one line; secrets are taken out before anything is escaped, which would disguise them.
    static func line(
        _ level: Logger.Level, _ message: String, _ facts: Logger.Metadata, _ redactor: Redactor
    ) -> String {
        var line = "<\(priority(level))>\(escaped(redactor.redact(message)))"
        for (key, value) in facts.sorted(by: { $0.key < $1.key }) {
            line += " \(key)=\(quoted(redactor.redact("\(value)")))"
        }
        return line
    }

    /// - SeeAlso: <https://man7.org/linux/man-pages/man3/syslog.3.html>
    private static func priority(_ level: Logger.Level) -> Int {
        switch level {
        case .critical: 2
        case .error: 3
        case .warning: 4
        case .notice: 5
        case .info: 6
        case .debug, .trace: 7
        }
    }

    private static func quoted(_ text: String) -> String {
        let plain = escaped(text)
        let isWord = plain.unicodeScalars.allSatisfy { !" \"=\\".unicodeScalars.contains($0) }
        return isWord && !text.isEmpty ? plain : "\"" + escaped(text, quote: true) + "\""
    }

    /// Without anything that ends a line or moves a terminal's cursor.
    ///
    /// - Parameter quote: whether quotes and backslashes are escaped as well.
    private static func escaped(_ text: String, quote: Bool = false) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case "\u{2028}": result += "\\u2028"
            case "\u{2029}": result += "\\u2029"
            case "\"" where quote, "\\" where quote:
                result += "\\"
                result.unicodeScalars.append(scalar)
            case _ where scalar.value < 32 || (127...159).contains(scalar.value):
                result += scalar.value < 16 ? "\\x0" : "\\x"
                result += String(scalar.value, radix: 16)
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}

/// Keeps live secrets out of what is written for people: each is replaced wherever it stands.
package final class Redactor: Sendable {
    /// The program's own.
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

extension Journal {
    /// Writes through a logger.
    package static func logging(_ logger: Logger) -> Journal {
        Journal { level, message, facts in
            let level: Logger.Level =
                switch level {
                case .error: .error
                case .warning: .warning
                case .notice: .notice
                case .info: .info
                case .debug: .debug
                }
            logger.log(level: level, "\(message)", metadata: facts.mapValues { .string($0) })
        }
    }
}
