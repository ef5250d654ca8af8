/// A value that must not be seen: it prints, interpolates and dumps as `<redacted>`.
///
/// ``reveal`` hands it to the one place that needs it: the header, the seal, the environment.
package struct Secret: Hashable, Sendable {
    private let value: String

    /// Hides the value.
    package init(_ value: String) {
        self.value = value
    }

    /// Whether there is nothing inside.
    package var isEmpty: Bool { value.isEmpty }

    /// Lends the hidden value to the closure.
    package func reveal<Result, Failure: Error>(
        _ use: (String) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try use(value)
    }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Always `<redacted>`.
    package var description: String { "<redacted>" }

    /// Always `<redacted>`.
    package var debugDescription: String { "<redacted>" }

    /// A mirror without children, so that `dump` shows nothing either.
    package var customMirror: Mirror { Mirror(self, children: [:]) }
}
