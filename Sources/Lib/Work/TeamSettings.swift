import Porter
import PorterStore
import Synchronization

/// The team's settings over the operator's, for whoever asks for the policy: read again when they may have changed.
final class TeamSettings: Sendable {
    /// Milliseconds for which what was read is believed; another process may have changed it since.
    static let age: Duration = .milliseconds(1000)

    private struct Read {
        let at: ContinuousClock.Instant
        let preferences: Preferences
        let fly: FlyApp?
    }

    private let last = Mutex<Read?>(nil)

    /// Reads at the next question.
    func forget() {
        last.withLock { $0 = nil }
    }

    /// The operator's policy with what the team has changed, within the bounds that the operator left open.
    func adjust(_ policy: Policy, _ store: Database) -> Policy {
        guard let read = current(policy.givenFly, store) else { return policy }
        var policy = policy
        func number(_ name: String, _ variable: String) -> Int? {
            policy.given.contains(variable) ? nil : read.preferences.number(name)
        }
        if let seconds = number("timeout_s", "PORTER_TASK_TIMEOUT") {
            policy.limits.task = min(seconds, policy.limits.taskMaximum)
        }
        if let seconds = number("stall_timeout_s", "PORTER_STALL_TIMEOUT") { policy.limits.stall = seconds }
        if let count = number("tasks_per_user", "PORTER_TASKS_PER_USER") { policy.caps.perPerson = count }
        if let count = number("tasks_total", "PORTER_TASKS_TOTAL") { policy.caps.total = count }
        if policy.engine.name == "fly", let fly = read.fly {
            policy.engine.isConfigured = policy.hasWorkerImage && fly.isComplete
            policy.engine.region = fly.region
        }
        return policy
    }

    private func current(_ givenFly: FlyApp.Given?, _ store: Database) -> Read? {
        last.withLock { last in
            if let last, ContinuousClock.now - last.at < Self.age { return last }
            do throws(StoreError) {
                let read = Read(
                    at: .now, preferences: Preferences(try store.listSettings(scope: "shared")),
                    fly: try FlyApp.find(.shared, givenFly, store))
                last = read
            } catch {
                // What was known a second ago is better than nothing; the database's own check tells of it.
            }
            return last
        }
    }
}
