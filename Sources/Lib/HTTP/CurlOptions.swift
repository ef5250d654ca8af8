import Synchronization

/// How outgoing calls are made.
package struct CurlOptions: Sendable {
    /// A PEM file of certificate authorities instead of the system's.
    package var authorityFile: String?
    /// An explicit proxy; none is ever taken from the environment.
    package var proxy: String?
    /// Host names that may resolve to private addresses.
    package var privateHosts: Set<String> = []
    /// A unix socket that all calls go to, whatever host the URL names.
    package var unixSocket: String?
    /// Cuts all calls when the program ends.
    package var cancellation = Cancellation()

    /// The system's authorities, no proxy, no private host.
    package init() {}
}

/// Cuts every call that looks at it; for the end of the program.
package final class Cancellation: Sendable {
    private let flag = Atomic(false)

    /// Nothing is cut yet.
    package init() {}

    /// Cuts calls in flight within ``pollInterval``, and all later ones.
    package func cancel() {
        flag.store(true, ordering: .releasing)
    }

    /// Whether calls are to be cut.
    package var isCancelled: Bool { flag.load(ordering: .acquiring) }

    /// Milliseconds between two looks during a call.
    package static let pollInterval: Int32 = 100
}
