import Glibc

/// What a program that was run to its end wrote and how it ended.
package struct Capture: Sendable {
    /// How it left: with a code, or by a signal.
    package let ending: Child.Ending
    /// What it wrote on standard output, cut at the limit; empty when somebody else took it.
    package fileprivate(set) var output: [UInt8]
    /// What it wrote on standard error, its last bytes.
    package let errors: [UInt8]
    /// Whether the time was over, and it was killed for that.
    package let wasTimedOut: Bool
    /// Whether the caller asked for its end.
    package let wasCancelled: Bool
    /// Whether the output was longer than the limit, which ends the program as well.
    package let wasTooLong: Bool

    /// Whether it left with code 0, in time and whole.
    package var isGood: Bool { ending == .exited(0) && !wasTimedOut && !wasCancelled && !wasTooLong }

    /// Its output as text, without white space at the end.
    package var text: String { String(decoding: output, as: UTF8.self).trimmedEnd }

    /// The last line that it wrote on standard error.
    package var lastError: String {
        let lines = String(decoding: errors, as: UTF8.self).split(whereSeparator: \.isNewline)
        return lines.last.map(String.init) ?? ""
    }
}

extension Command {
    /// Bytes of standard error that are kept.
    package static let keptErrors = 16_384
    /// Milliseconds between SIGTERM and SIGKILL.
    package static let killDelay = 2000

    /// Runs the program to its end, its process group included.
    ///
    /// - Parameters:
    ///   - timeout: after which it is ended.
    ///   - mostOutput: bytes of standard output; more ends it.
    ///   - isCancelled: asked ten times a second; true ends it.
    /// - Throws: ``ProcessError`` when it cannot be started.
    package func run(
        timeout: Duration, mostOutput: Int = 1_048_576, isCancelled: () -> Bool = { false }
    ) throws(ProcessError) -> Capture {
        var output: [UInt8] = []
        var capture = try run(timeout: timeout, mostOutput: mostOutput, isCancelled: isCancelled) { bytes in
            output += bytes
        }
        capture.output = output
        return capture
    }

    /// Runs the program to its end, and hands over its output piece by piece instead of keeping it.
    ///
    /// - Parameter take: gets the output in order, never more than `mostOutput` bytes.
    package func run(
        timeout: Duration, mostOutput: Int, isCancelled: () -> Bool = { false },
        take: (UnsafeRawBufferPointer) -> Void
    ) throws(ProcessError) -> Capture {
        let child = try start()
        let start = ContinuousClock.now
        var room = mostOutput
        var errors: [UInt8] = []
        var wasTimedOut = false
        var wasCancelled = false
        var wasTooLong = false
        var endedAt: ContinuousClock.Instant?
        let ending = withoutActuallyEscaping(isCancelled) { isCancelled in
            withoutActuallyEscaping(take) { take in
                child.watch(
                    Child.Care(
                        onOutput: { stream, bytes in
                            switch stream {
                            case .output:
                                wasTooLong = wasTooLong || bytes.count > room
                                take(UnsafeRawBufferPointer(rebasing: bytes.prefix(room)))
                                room -= min(room, bytes.count)
                            case .errors:
                                errors += bytes
                                if errors.count > Self.keptErrors {
                                    errors.removeFirst(errors.count - Self.keptErrors)
                                }
                            }
                        },
                        onTick: {
                            let now = ContinuousClock.now
                            if let endedAt {
                                let isStubborn = now - endedAt > .milliseconds(Self.killDelay)
                                if isStubborn { child.signalGroup(SIGKILL) }
                                return
                            }
                            wasTimedOut = now - start > timeout
                            wasCancelled = isCancelled()
                            guard wasTimedOut || wasCancelled || wasTooLong else { return }
                            endedAt = now
                            child.signalGroup(SIGTERM)
                        }))
            }
        }
        return Capture(
            ending: ending, output: [], errors: errors, wasTimedOut: wasTimedOut,
            wasCancelled: wasCancelled, wasTooLong: wasTooLong)
    }
}

extension String {
    fileprivate var trimmedEnd: String {
        var text = self[...]
        while text.last?.isWhitespace == true { text = text.dropLast() }
        return String(text)
    }
}
