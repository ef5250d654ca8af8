import Synchronization

/// Settings that this process read a moment ago, for what asks at each command.
final class RecentSettings: Sendable {
    /// How long they are believed: another process may change them.
    static let age = Duration.seconds(1)
    /// Scopes that are kept at most; beyond that all are forgotten.
    static let most = 1024

    private struct Known {
        let settings: [String: String]
        let at: ContinuousClock.Instant
    }

    private struct State {
        var known: [String: Known] = [:]
        var changes = 0
    }

    private let state = Mutex(State())

    /// How often this process has changed settings; whoever reads notes it before.
    var changes: Int { state.withLock { $0.changes } }

    /// What is known of the scope; nil when it has to be read.
    func find(_ scope: String) -> [String: String]? {
        guard let known = state.withLock({ $0.known[scope] }) else { return nil }
        return ContinuousClock.now - known.at < Self.age ? known.settings : nil
    }

    /// Keeps what was read, unless something has changed since.
    func keep(_ scope: String, _ settings: [String: String], seenAt changes: Int) {
        state.withLock { state in
            guard state.changes == changes else { return }
            if state.known.count >= Self.most { state.known = [:] }
            state.known[scope] = Known(settings: settings, at: .now)
        }
    }

    /// Forgets all: something has changed.
    func forget() {
        state.withLock { state in
            state.known = [:]
            state.changes += 1
        }
    }
}
