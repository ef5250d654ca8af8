import Porter
import PorterStore
import Synchronization

/// The team's settings over the operator's, for whoever asks for the policy: read again when they may have changed.
final class TeamSettings: Sendable {
    /// Milliseconds for which what was read is believed; another process may have changed it since.
    static let age: Duration = .milliseconds(1000)

    /// Shared as it is: of a policy that is copied each of its parts would be counted, at each command.
    private final class Reading: Sendable {
        let at: ContinuousClock.Instant
        let policy: Policy

        init(at: ContinuousClock.Instant, _ policy: Policy) {
            self.at = at
            self.policy = policy
        }
    }

    private let operators: Policy
    private let last = Mutex<Reading?>(nil)

    /// The settings over the operator's policy.
    init(over policy: Policy) {
        operators = policy
    }

    /// Reads at the next question.
    func forget() {
        last.withLock { $0 = nil }
    }

    /// The operator's policy with what the team has changed, within the bounds that the operator left open.
    func policy(_ store: Database) -> Policy { reading(store)?.policy ?? operators }

    /// Its limits alone.
    func limits(_ store: Database) -> Policy.Limits { reading(store)?.policy.limits ?? operators.limits }

    private func reading(_ store: Database) -> Reading? {
        let now = ContinuousClock.now
        return last.withLock { last in
            if let last, now - last.at < Self.age { return last }
            do throws(StoreError) {
                last = Reading(at: now, try adjusted(store))
            } catch {
                // What was known a second ago is better than nothing; the database's own check tells of it.
            }
            return last
        }
    }

    private func adjusted(_ store: Database) throws(StoreError) -> Policy {
        let preferences = Preferences(try store.listSettings(scope: "shared"))
        let fly = try FlyApp.find(.shared, operators.givenFly, store)
        var policy = operators
        func number(_ name: String, _ variable: String) -> Int? {
            policy.given.contains(variable) ? nil : preferences.number(name)
        }
        if let seconds = number("timeout_s", "PORTER_TASK_TIMEOUT") {
            policy.limits.task = min(seconds, policy.limits.taskMaximum)
        }
        if let seconds = number("stall_timeout_s", "PORTER_STALL_TIMEOUT") { policy.limits.stall = seconds }
        if let count = number("tasks_per_user", "PORTER_TASKS_PER_USER") { policy.caps.perPerson = count }
        if let count = number("tasks_total", "PORTER_TASKS_TOTAL") { policy.caps.total = count }
        if policy.engine.name == "fly", let fly {
            policy.engine.isConfigured = policy.hasWorkerImage && fly.isComplete
            policy.engine.region = fly.region
        }
        return policy
    }
}
