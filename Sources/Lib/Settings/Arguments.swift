import Glibc
import Porter

extension Program {
    /// What the program does, one line.
    var summary: String {
        switch self {
        case .fcgi: "answers GitHub's webhooks and the workers, and works the job queue"
        case .watchdog: "finishes what others left, in one pass"
        case .worker: "runs one task inside a machine"
        case .runner: "runs machines on this box"
        case .ctl: "the operator's command"
        }
    }

    /// Handles `--help` and `--version`, and refuses every other argument (exit 64).
    ///
    /// For the programs that are called without arguments.
    package func takeNoArguments(_ arguments: [String]) {
        guard let first = arguments.first else { return }
        if arguments.count == 1, takeCommonArgument(first) { ExitCode.done.leave() }
        let words = arguments.joined(separator: " ")
        Say.line("\(rawValue): it takes no argument \"\(words)\"; its settings come from the environment")
        ExitCode.usage.leave()
    }

    /// Prints what `--help` and `--version` ask for.
    ///
    /// - Returns: whether the argument was one of these.
    package func takeCommonArgument(_ argument: String) -> Bool {
        switch argument {
        case "--version":
            print("\(rawValue) \(Porter.version)")
            return true
        case "--help", "-h":
            print("\(rawValue): \(summary).\nSettings come from the environment; see docs/operating.md.")
            return true
        default:
            return false
        }
    }
}
