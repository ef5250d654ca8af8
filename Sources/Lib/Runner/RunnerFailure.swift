import Glibc

/// What the runner could not do, in words for the log and the exit event.
struct RunnerFailure: Error, Equatable, CustomStringConvertible {
    /// Subject, what could not be done, cause.
    let description: String
    /// The system's error number, 0 where none was given.
    let number: Int32

    init(_ description: String, _ number: Int32 = 0) {
        let isNamed = number != 0
        self.description = isNamed ? "\(description): \(String(cString: strerror(number)))" : description
        self.number = number
    }
}
