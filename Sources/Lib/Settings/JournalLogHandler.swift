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
        var line = "<\(Self.priority(event.level))>\(Self.escaped("\(event.message)"))"
        for (key, value) in facts.sorted(by: { $0.key < $1.key }) {
            line += " \(key)=\(Self.quoted("\(value)"))"
        }
        Say.line(Redactor.shared.redact(line))
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

    static func quoted(_ text: String) -> String {
        let needsQuotes = text.isEmpty || text.contains { $0 == " " || $0 == "\"" || $0 == "=" }
        let plain = escaped(text)
        return needsQuotes ? "\"" + plain.replacing("\"", with: "\\\"") + "\"" : plain
    }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where scalar.value < 32 || scalar.value == 127:
                result += "\\x" + String(scalar.value, radix: 16)
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

    private let forms = Mutex<[String]>([])

    /// A redactor that watches for nothing yet.
    package init() {}

    /// Watches for the value from now on, in hexadecimal as well.
    package func watch(_ secret: Secret) {
        secret.reveal { value in
            guard value.utf8.count >= Self.minimumLength else { return }
            let bytes = Array(value.utf8)
            let found = [value, bytes.hexadecimal]
            forms.withLock { forms in
                for form in found where !forms.contains(form) { forms.append(form) }
            }
        }
    }

    /// The text with `<redacted>` for every watched value.
    package func redact(_ text: String) -> String {
        forms.withLock { $0 }.reduce(text) { $0.replacing($1, with: "<redacted>") }
    }
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
