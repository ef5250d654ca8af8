import Porter
import PorterStore
import Synchronization

/// What the last try to write the database came to.
///
/// Anybody may ask `/readyz`, and every try is a transaction that waits for the disk: one is enough for a while.
final class WriteCheck: Sendable {
    /// Milliseconds for which what was found is believed.
    static let interval: Int64 = 2000

    private struct Finding {
        let at: Instant
        let problem: StoreError?
    }

    private let last = Mutex<Finding?>(nil)

    /// Why the database cannot be written; nil when it can.
    ///
    /// Tries it, unless that was done a moment ago.
    func problem(at now: Instant, _ write: () throws(StoreError) -> Void) -> StoreError? {
        last.withLock { last in
            // A clock that was set back must not make an old finding last.
            if let last, (0..<Self.interval).contains(now - last.at) { return last.problem }
            var problem: StoreError?
            do throws(StoreError) {
                try write()
            } catch {
                problem = error
            }
            last = Finding(at: now, problem: problem)
            return problem
        }
    }
}
