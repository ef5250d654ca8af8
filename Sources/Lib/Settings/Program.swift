import Glibc

/// Porter's programs.
package enum Program: String, CaseIterable, Sendable {
    case fcgi = "porter-fcgi"
    case watchdog = "porter-watchdog"
    case worker = "porter-worker"
    case runner = "porter-runner"
    case ctl = "porterctl"
}

/// How a program ends (`docs/operating.md`).
package enum ExitCode: Int32, Sendable {
    /// Done.
    case done = 0
    /// Something was given up, or a check failed.
    case failed = 1
    /// Called wrongly.
    case usage = 64
    /// Something is missing on the machine.
    case unavailable = 69
    /// Try again.
    case tryAgain = 75
    /// The configuration is wrong.
    case configuration = 78

    /// Ends the program.
    package func leave() -> Never {
        exit(rawValue)
    }
}

/// Writes lines for people on standard error.
package enum Say {
    /// One line.
    package static func line(_ text: String) {
        let bytes = Array((text + "\n").utf8)
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
            guard count > 0 else { return }
            sent += count
        }
    }
}
