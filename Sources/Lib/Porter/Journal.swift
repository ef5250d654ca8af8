/// Where the rules say what happened, for whoever operates Porter.
///
/// The message is constant; what varies goes into the facts, under dotted keys such as `task.id`. Nothing
/// here may hold a secret.
package struct Journal: Sendable {
    /// How much a record matters.
    package enum Level: String, Sendable {
        /// A person must look.
        case error
        /// Degraded, but handled.
        case warning
        /// A state changed.
        case notice
        /// One line a request or call.
        case info
        /// The rest.
        case debug
    }

    /// Takes one record.
    package var record: @Sendable (_ level: Level, _ message: String, _ facts: [String: String]) -> Void

    /// A journal of the closure.
    package init(
        record: @escaping @Sendable (_ level: Level, _ message: String, _ facts: [String: String]) -> Void
    ) {
        self.record = record
    }

    /// A journal that forgets.
    package static let silent = Journal { _, _, _ in }
}
