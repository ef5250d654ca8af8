import FoundationEssentials
import Porter
import PorterBootstrap
import PorterSettings
import PorterStore
import PorterWeb

/// What `porterctl audit` is told.
struct AuditArguments {
    /// The earliest moment that is printed; nil is all that there is.
    private(set) var since: Instant?
    private(set) var asJSON = false

    /// Reads what follows the command.
    ///
    /// - Throws: the words about an argument that it does not know.
    init(_ arguments: ArraySlice<String>, now: Instant) throws(UnknownArgument) {
        var rest = arguments
        while let word = rest.popFirst() {
            switch word {
            case "--json": asJSON = true
            case "--since":
                guard let text = rest.popFirst(), let moment = Self.moment(text, now) else {
                    throw UnknownArgument(
                        words:
                            "--since takes a time such as 2026-01-31T12:00:00Z, or a span such as 7d or 12h")
                }
                since = moment
            default: throw UnknownArgument(words: "audit knows no \"\(word)\"")
            }
        }
    }

    /// Something that the command does not know.
    struct UnknownArgument: Error {
        let words: String
    }

    /// A moment as it is written, or so many hours or days before now.
    private static func moment(_ text: String, _ now: Instant) -> Instant? {
        if let moment = Instant(iso8601: text) { return moment }
        let seconds = ["h": 3600, "d": 86_400]
        guard let unit = text.last.flatMap({ seconds[String($0)] }), let count = Int(text.dropLast()),
            (1...100_000).contains(count)
        else { return nil }
        return now.adding(seconds: -count * unit)
    }
}

/// Prints the record of changes.
func audit(_ arguments: ArraySlice<String>) throws(StoreError) -> ExitCode {
    let now = Instant(seconds: Int64(Date().timeIntervalSince1970))
    let asked: AuditArguments
    do {
        asked = try AuditArguments(arguments, now: now)
    } catch {
        wrongCall(error.words)
    }
    let instance = Instance.start(.ctl)
    try AuditReport.lines(of: instance.store, since: asked.since, asJSON: asked.asJSON) { print($0) }
    return .done
}
