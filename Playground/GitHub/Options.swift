import FoundationEssentials
import PorterSettings

/// The command line.
struct Options: Sendable {
    var folder: String
    /// The App's private key in PEM.
    var appKey: String
    var webhookSecret: String
    var webhookURL: String
    var port: UInt16 = 0
    var appID: Int64 = 101
    var appSlug = "porter-dev"
    var clientID = "Iv1.playground0001"

    static let help = """
        usage: porter-playground github --folder DIR --app-key FILE.pem --webhook-secret-file FILE
               --webhook-url URL [--port N] [--app-id N] [--app-slug NAME] [--client-id ID]

        A stand-in for GitHub on loopback, for development. Its address is the first line that it prints;
        it ends on SIGTERM or SIGINT.

          --folder DIR                DIR/repositories/OWNER/NAME.git and DIR/effects.jsonl
          --app-key FILE.pem          the App's private key
          --webhook-secret-file FILE  what deliveries are signed with
          --webhook-url URL           where they go
          --port N                    0 takes a free one (0)
          --app-id N, --app-slug NAME, --client-id ID
                                      who the App is (101, porter-dev, Iv1.playground0001)
        """

    /// Reads the arguments, and the files that they name.
    static func read(_ arguments: [String]) throws(SetupError) -> Options {
        var values: [String: String] = [:]
        var rest = arguments[...]
        while let name = rest.popFirst() {
            guard names.contains(name) else { throw SetupError("there is no option \(name)") }
            guard let value = rest.popFirst() else { throw SetupError("\(name) needs a value") }
            values[name] = value
        }
        func needed(_ name: String) throws(SetupError) -> String {
            guard let value = values[name] else { throw SetupError("\(name) is missing") }
            return value
        }
        func number<T: FixedWidthInteger>(_ name: String, _ standard: T) throws(SetupError) -> T {
            guard let value = values[name] else { return standard }
            guard let number = T(value) else { throw SetupError("\(name) is no number: \"\(value)\"") }
            return number
        }
        var options = Options(
            folder: absolute(try needed("--folder")), appKey: try text(try needed("--app-key")),
            webhookSecret: try text(try needed("--webhook-secret-file")).trimmed,
            webhookURL: try needed("--webhook-url"))
        options.port = try number("--port", options.port)
        options.appID = try number("--app-id", options.appID)
        options.appSlug = values["--app-slug"] ?? options.appSlug
        options.clientID = values["--client-id"] ?? options.clientID
        return options
    }

    private static let names: Set<String> = [
        "--folder", "--app-key", "--webhook-secret-file", "--webhook-url", "--port", "--app-id",
        "--app-slug", "--client-id",
    ]

    /// Git runs elsewhere.
    private static func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    }

    private static func text(_ path: String) throws(SetupError) -> String {
        do {
            return try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            throw SetupError("cannot read \(path)")
        }
    }
}

extension String {
    /// Without white space at both ends.
    var trimmed: String {
        var text = drop { $0.isWhitespace }
        while text.last?.isWhitespace == true { text = text.dropLast() }
        return String(text)
    }
}
