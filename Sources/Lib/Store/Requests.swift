import GRDB
package import Porter

/// Tasks that people ask for on Porter's own pages; there is no comment behind them.
extension Database {
    /// Stores a task that a signed-in person asks for; once this returns, it is on disk.
    ///
    /// - Parameters:
    ///   - command: what is wished for, `run` or `retry`, under a number of no comment's.
    ///   - newID: the id that the task gets.
    /// - Returns: false when there is no ended task that a retry could mean.
    package func accept(
        request command: ArrivedCommand, newID: TaskID, executor: String, recording entry: AuditEntry,
        at now: Instant
    ) throws(StoreError) -> Bool {
        try write("accept request") { transaction in
            let wish: TaskWish?
            switch command.wish {
            case .run(let asked): wish = asked
            case .retry(let target): wish = try transaction.taskToRetry(target, for: command)?.wish
            case .stop, .help, .status, .mistake: wish = nil
            }
            guard let wish else { return false }
            try transaction.insert(wish, as: newID, for: command, executor: executor, at: now)
            try transaction.record("accepted", task: newID, detail: "asked for on the pages", at: now)
            try transaction.enqueue(.admit, for: newID, at: now)
            try transaction.audit(entry)
            return true
        }
    }

    /// What a stop came to.
    package enum StopResult: Hashable, Sendable {
        /// It stops now, or as soon as its worker has saved.
        case asked
        /// Somebody had asked before.
        case askedBefore
        /// It had ended.
        case ended
    }

    /// Asks a task to stop on a person's behalf, and records who did.
    package func stop(
        _ id: TaskID, detail: String, recording entry: AuditEntry, at now: Instant
    ) throws(StoreError) -> StopResult {
        try write("stop a task") { transaction in
            guard let task = try transaction.task(id), !task.state.isFinal else { return .ended }
            guard task.stopRequestedAt == nil else { return .askedBefore }
            try transaction.requestStop(task, reason: .cancelledByUser, detail: detail, at: now)
            try transaction.audit(entry)
            return .asked
        }
    }
}
