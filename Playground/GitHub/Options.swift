import PlaygroundFace
import FoundationEssentials
import PlaygroundFace

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
    var clientSecret = "playground-client-secret"
    /// Where sign-ins may lead back to, the first by default.
    var callbackURLs: [String] = []

    static let help = """
        usage: porter-playground github --folder DIR --app-key FILE.pem --webhook-secret-file FILE
               --webhook-url URL [--port N] [--app-id N] [--app-slug NAME] [--client-id ID]
               [--client-secret TEXT] [--callback-url URL]

        A stand-in for GitHub on loopback, for development. Its address is the first line that it prints;
        it ends on SIGTERM or SIGINT.

          --folder DIR                DIR/repositories/OWNER/NAME.git and DIR/effects.jsonl
          --app-key FILE.pem          the App's private key
          --webhook-secret-file FILE  what deliveries are signed with
          --webhook-url URL           where they go
          --port N                    0 takes a free one (0)
          --app-id N, --app-slug NAME, --client-id ID
                                      who the App is (101, porter-dev, Iv1.playground0001)
          --client-secret TEXT        what it shows in sign-ins (playground-client-secret)
          --callback-url URL          where sign-ins lead back to (/api/auth/github/callback beside the webhook)
        """

    /// Reads the arguments, and the files that they name.
    static func read(_ arguments: [String]) throws(UsageError) -> Options {
        let given = try PlaygroundFace.Options(
            arguments,
            valued: [
                "folder", "app-key", "webhook-secret-file", "webhook-url", "port", "app-id", "app-slug",
                "client-id", "client-secret", "callback-url",
            ])
        var options = Options(
            folder: absolute(try given.needed("folder")), appKey: try text(try given.needed("app-key")),
            webhookSecret: try text(try given.needed("webhook-secret-file")).trimmed,
            webhookURL: try given.needed("webhook-url"))
        options.port = try given.number("port", within: 0...UInt16.max) ?? options.port
        options.appID = try given.number("app-id", within: 1...Int64.max) ?? options.appID
        options.appSlug = given["app-slug"] ?? options.appSlug
        options.clientID = given["client-id"] ?? options.clientID
        options.clientSecret = given["client-secret"] ?? options.clientSecret
        if let callback = given["callback-url"] { options.callbackURLs = [callback] }
        return options
    }

    /// Git runs elsewhere.
    private static func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    }

    private static func text(_ path: String) throws(UsageError) -> String {
        do {
            return try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            throw UsageError("cannot read \(path)")
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
