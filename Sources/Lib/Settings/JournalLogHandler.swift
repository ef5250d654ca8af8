import Glibc
package import Logging
package import Porter

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
