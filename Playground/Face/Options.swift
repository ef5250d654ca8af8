import PorterSettings

/// The command line of a face: `--name VALUE`, `--name=VALUE` and `--switch`.
package struct Options: Sendable {
    private var values: [String: String] = [:]
    private var switches: Set<String> = []

    /// Reads the arguments.
    ///
    /// - Parameters:
    ///   - valued: the names, without dashes, that take a value.
    ///   - bare: the names that take none.
    package init(_ arguments: [String], valued: Set<String>, bare: Set<String> = []) throws(UsageError) {
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            guard argument.hasPrefix("--") else { throw UsageError("no argument \"\(argument)\" is known") }
            let parts = argument.dropFirst(2).split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts[0])
            if bare.contains(name), parts.count == 1 {
                switches.insert(name)
            } else if valued.contains(name) {
                guard let value = parts.count == 2 ? String(parts[1]) : rest.popFirst() else {
                    throw UsageError("--\(name) needs a value")
                }
                values[name] = value
            } else {
                throw UsageError("no option \"\(argument)\" is known")
            }
        }
    }

    /// The value of the option, nil when it was not given.
    package subscript(_ name: String) -> String? { values[name] }

    /// Whether the switch was given.
    package func has(_ name: String) -> Bool { switches.contains(name) }

    /// The value of an option that must be there.
    package func needed(_ name: String) throws(UsageError) -> String {
        guard let value = values[name], !value.isEmpty else { throw UsageError("--\(name) is needed") }
        return value
    }

    /// The option's value as a number within the bounds, nil when it was not given.
    package func number<T: LosslessStringConvertible & Comparable>(
        _ name: String, within bounds: ClosedRange<T>
    ) throws(UsageError) -> T? {
        guard let text = values[name] else { return nil }
        guard let number = T(text), bounds.contains(number) else {
            throw UsageError(
                "--\(name) takes \(bounds.lowerBound) to \(bounds.upperBound), not \"\(text)\"")
        }
        return number
    }
}

/// A face was called wrongly.
package struct UsageError: Error, Equatable, CustomStringConvertible {
    /// What is wrong with the command line.
    package let description: String

    /// One sentence without a full stop.
    package init(_ description: String) {
        self.description = description
    }

    /// Says what is wrong and how the face is called, and ends the process.
    package func leave(help: String) -> Never {
        Say.line("porter-playground: \(description)\n\(help)")
        ExitCode.usage.leave()
    }
}
