import Porter
import PorterProcess

/// Git, called without configuration, prompts or helpers of the machine's.
///
/// A credential reaches it in its environment only, which nobody but this user can read, and never while an
/// agent runs.
struct Git: Sendable {
    /// Where git's own folder of empty settings is.
    let home: String
    let authorityFile: String?

    /// Bytes of a command's output at most.
    static let mostOutput = 1_048_576

    /// Runs git.
    ///
    /// - Parameters:
    ///   - credential: sent to the remote's host, if there is one.
    ///   - isCancelled: ends it early.
    func run(
        _ arguments: [String], in directory: String, credential: (Credential, url: String)? = nil,
        timeout: Duration, mostOutput: Int = Git.mostOutput, isCancelled: () -> Bool = { false }
    ) throws(ProcessError) -> Capture {
        try command(arguments, in: directory, credential: credential)
            .run(timeout: timeout, mostOutput: mostOutput, isCancelled: isCancelled)
    }

    /// Git with those arguments, not started yet.
    func command(
        _ arguments: [String], in directory: String, credential: (Credential, url: String)? = nil
    ) -> Command {
        var settings = Self.settings
        if let credential {
            settings.append(("http.\(Self.origin(of: credential.url)).extraHeader", credential.0.header))
        }
        var environment = [
            "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": home, "LC_ALL": "C",
            "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_TERMINAL_PROMPT": "0",
            "GIT_ASKPASS": "/bin/false", "GIT_LFS_SKIP_SMUDGE": "1",
            "GIT_CONFIG_COUNT": String(settings.count),
        ]
        for (index, setting) in settings.enumerated() {
            environment["GIT_CONFIG_KEY_\(index)"] = setting.0
            environment["GIT_CONFIG_VALUE_\(index)"] = setting.1
        }
        if let authorityFile { environment["GIT_SSL_CAINFO"] = authorityFile }
        return Command("/usr/bin/git", arguments, environment: environment, directory: directory)
    }

    private static let settings: [(String, String)] = [
        ("credential.helper", ""), ("core.hooksPath", "/dev/null"), ("core.fsmonitor", "false"),
        // Credentials go where they were meant to go.
        ("http.followRedirects", "false"),
        ("protocol.allow", "never"), ("protocol.https.allow", "always"),
        ("protocol.http.allow", "always"), ("protocol.file.allow", "always"),
        ("fetch.fsckObjects", "true"), ("gc.auto", "0"), ("advice.detachedHead", "false"),
        ("safe.directory", "*"),
    ]

    /// Scheme and host of a URL, as git's settings match it.
    static func origin(of url: String) -> String {
        guard let scheme = url.firstRange(of: "://") else { return url }
        let authority = url[scheme.upperBound...].prefix { $0 != "/" }
        return url[..<scheme.upperBound] + authority + "/"
    }
}
