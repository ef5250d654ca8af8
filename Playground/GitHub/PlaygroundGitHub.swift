import PorterSettings

/// The playground's face of GitHub.
package enum PlaygroundGitHub {
    /// Runs until SIGTERM or SIGINT.
    package static func main(_ arguments: [String]) -> Never {
        Say.line("porter-playground: not there")
        ExitCode.failed.leave()
    }
}
