/// The states of a task; see `docs/task-states.md`.
///
/// `queued → running → success | failed | timed_out | cancelled`, and `queued → failed | cancelled`.
package enum TaskState: String, CaseIterable, Sendable {
    /// Accepted; waits for admission or for a place.
    case queued
    /// A launch was recorded; stays so through new attempts until the truth is known.
    case running
    /// The work is on GitHub, or there was nothing to change.
    case success
    /// It could not be done; the reason says why.
    case failed
    /// A limit of time was over.
    case timedOut = "timed_out"
    /// A person, or the closing, stopped it.
    case cancelled

    /// Whether the state never changes again.
    package var isFinal: Bool {
        switch self {
        case .queued, .running: false
        case .success, .failed, .timedOut, .cancelled: true
        }
    }

    /// Whether the state may be followed by the other.
    package func mayBecome(_ next: TaskState) -> Bool {
        switch (self, next) {
        case (.queued, .running), (.queued, .failed), (.queued, .cancelled): true
        case (.running, .success), (.running, .failed), (.running, .timedOut), (.running, .cancelled):
            true
        default: false
        }
    }
}

/// How far a running task is.
///
/// The worker reports `clone` to `saving`; `starting` is before its first report and `publishing` after
/// its last.
package enum Phase: String, CaseIterable, Sendable {
    /// A machine was asked for; nobody has claimed the task yet.
    case starting
    /// The worker clones the base branch.
    case clone
    /// The worker prepares the tree.
    case setup
    /// The agent runs.
    case agent
    /// The agent's box is dead; the worker commits and pushes what is there.
    case saving
    /// The report is stored; the server looks at the branch and opens the pull request.
    case publishing
}

/// The bold word that begins each of Porter's comments.
package enum StateWord: String, CaseIterable, Sendable {
    case queued = "Queued"
    case starting = "Starting"
    case running = "Running"
    case saving = "Saving"
    case publishing = "Publishing"
    case done = "Done"
    case failed = "Failed"
    case timedOut = "Timed out"
    case cancelled = "Cancelled"

    /// The word for a task in that state and phase.
    package init(_ state: TaskState, phase: Phase?) {
        switch state {
        case .queued: self = .queued
        case .success: self = .done
        case .failed: self = .failed
        case .timedOut: self = .timedOut
        case .cancelled: self = .cancelled
        case .running:
            switch phase {
            case .agent: self = .running
            case .saving: self = .saving
            case .publishing: self = .publishing
            case .starting, .clone, .setup, nil: self = .starting
            }
        }
    }
}

/// How urgent a task is.
package enum Priority: String, CaseIterable, Sendable {
    case low
    case normal
    case high
}

/// What a worker reports at its end (`public/openapi.json`, `complete`).
package enum Outcome: String, CaseIterable, Sendable {
    case success
    case failed
    case cancelled
    case timedOut = "timed_out"

    /// Reads the worker's word; `complete` means success.
    package init?(word: String) {
        if word == "complete" {
            self = .success
        } else {
            self.init(rawValue: word)
        }
    }

    /// The reason as far as a worker can know it; the outcome's plain one for any other.
    ///
    /// What a worker says comes from a machine that runs strangers' code: who stopped a task, or who may ask
    /// for one, only the server knows. The work itself is not refused for a wrong reason.
    package func believable(_ reason: Reason?) -> Reason? {
        reason.flatMap { Reason.knownToWorkers(self).contains($0) ? $0 : nil } ?? plainReason
    }

    /// What is said of a report without a reason.
    private var plainReason: Reason? {
        switch self {
        case .success: nil
        case .failed: .agentFailed
        case .timedOut: .timeout
        case .cancelled: .cancelledByUser
        }
    }

    /// The state that the report asks for.
    package var state: TaskState {
        switch self {
        case .success: .success
        case .failed: .failed
        case .cancelled: .cancelled
        case .timedOut: .timedOut
        }
    }
}
