import Synchronization

/// What this process has answered since it began.
final class Counters: Sendable {
    private let state = Mutex(State())

    private struct State {
        var statuses: [Int: Int] = [:]
        var deliveries: [String: Int] = [:]
    }

    /// Counts an answer.
    func count(status: Int) {
        state.withLock { $0.statuses[status, default: 0] += 1 }
    }

    /// Counts a delivery by what it came to.
    func count(delivery word: String) {
        state.withLock { $0.deliveries[word, default: 0] += 1 }
    }

    /// Answers by status.
    var statuses: [Int: Int] { state.withLock { $0.statuses } }

    /// Deliveries by what they came to.
    var deliveries: [String: Int] { state.withLock { $0.deliveries } }
}
