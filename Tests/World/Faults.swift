package import Porter
import Synchronization

/// Failures that a test plants in front of or behind an operation.
package final class Faults: Sendable {
    /// How a call fails.
    package enum Kind: Hashable, Sendable {
        /// Refused before anything happened, with those words.
        case refused(String)
        /// No connection was made.
        case unreachable
        /// No answer, and nothing happened.
        case uncertainBefore
        /// No answer, but it did happen.
        case uncertainAfter
        /// GitHub asks to wait until the moment.
        case rateLimited(Instant)
        /// Any other of GitHub's codes.
        case github(GitHubError.Code)
        /// Any other of the engine's codes.
        case machines(MachinesError.Code)
    }

    private struct State {
        var planted: [(operation: String, kind: Kind, times: Int)] = []
        var calls: [String] = []
        var hooks: [String: @Sendable () -> Void] = [:]
    }

    private let state = Mutex(State())

    package init() {}

    /// Lets the operation fail so many times.
    package func plant(_ kind: Kind, at operation: String, times: Int = 1) {
        state.withLock { $0.planted.append((operation, kind, times)) }
    }

    /// Runs the closure inside the next call of the operation, before it does anything.
    package func during(_ operation: String, _ hook: @escaping @Sendable () -> Void) {
        state.withLock { $0.hooks[operation] = hook }
    }

    /// Takes all planted failures away.
    package func clear() {
        state.withLock { $0.planted = [] }
    }

    /// The names of all calls so far, in order.
    package var calls: [String] { state.withLock { $0.calls } }

    /// How often the operation was called.
    package func count(_ operation: String) -> Int { calls.count { $0 == operation } }

    /// Notes the call and takes the failure that is planted for it.
    func next(_ operation: String) -> Kind? {
        let (kind, hook) = state.withLock { state -> (Kind?, (@Sendable () -> Void)?) in
            state.calls.append(operation)
            let hook = state.hooks.removeValue(forKey: operation)
            guard let index = state.planted.firstIndex(where: { $0.operation == operation && $0.times > 0 })
            else { return (nil, hook) }
            state.planted[index].times -= 1
            return (state.planted[index].kind, hook)
        }
        hook?()
        return kind
    }
}
