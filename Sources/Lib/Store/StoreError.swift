/// A database operation that could not be done.
package struct StoreError: Error, Equatable, CustomStringConvertible {
    /// What the caller can do about it.
    package enum Code: Sendable {
        /// There is no room, the file cannot be written, or the disk fails: answer 503, try again later.
        case unavailable
        /// Another connection held the lock for longer than the busy timeout: try again.
        case busy
        /// The database was made by a newer Porter: upgrade the program (exit 75).
        case newer
        /// The file is not a sound database: restore a backup.
        case corrupt
        /// The job that wanted to commit belongs to another holder now: stop, without a trace.
        case fenced
        /// A rule of the schema refused the change: a defect of ours.
        case refused
    }

    /// What the caller can do about it.
    package let code: Code
    /// What was tried, a verb phrase: `accept delivery`.
    package let operation: String
    /// SQLite's own words.
    package let message: String

    /// A failure of the operation.
    package init(_ code: Code, operation: String, message: String) {
        self.code = code
        self.operation = operation
        self.message = message
    }

    /// One line: the operation, the code, SQLite's words.
    package var description: String { "The database could not \(operation): \(code): \(message)" }
}
