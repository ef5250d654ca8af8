import Foundation
import GRDB
package import Porter

/// What a progress report carries.
package struct Progress: Hashable, Sendable {
    /// Where the worker is: `.clone` to `.saving`.
    package var phase: Phase
    /// One line about the phase, for people; nil leaves the one before.
    package var message: String?
    /// The byte of the whole log at which ``logText`` begins; nil without text.
    package var logOffset: Int?
    /// The next bytes of the log, which may overlap what was sent before.
    package var logText: [UInt8]?
    /// What the agent has used so far, as a sum; nil says nothing new.
    package var usage: Usage?

    /// A progress report.
    package init(
        phase: Phase, message: String? = nil, logOffset: Int? = nil, logText: [UInt8]? = nil,
        usage: Usage? = nil
    ) {
        self.phase = phase
        self.message = message
        self.logOffset = logOffset
        self.logText = logText
        self.usage = usage
    }
}

/// What the transaction of a callback decided.
package enum CallbackResult: Hashable, Sendable {
    /// Stored.
    case stored
    /// Stored, and the worker is to stop for the reason.
    case stop(Reason)
    /// The attempt is not the task's any more.
    case superseded
    /// The task has ended in that state.
    case ended(TaskState)
    /// Somebody else has claimed the attempt.
    case claimedByOther
    /// The log goes on at another offset.
    case logGap(expected: Int)
    /// Not now: the words say why.
    case refused(String)
}

/// What workers may change; every operation checks state and attempt in its own transaction.
extension Database {
    /// Lets the first nonce claim the attempt.
    ///
    /// - Parameter repeatable: seconds after the claim in which its nonce may ask again; one that was never
    ///   answered may ask as long as it likes.
    /// - Returns: `.stored` for the nonce that holds the claim (a repeat included), `.claimedByOther`.
    package func claimAttempt(
        _ attempt: Attempt, nonceDigest: [UInt8], callbackTokenDigest: [UInt8], repeatable: Int,
        at now: Instant
    ) throws(StoreError) -> CallbackResult {
        try write("claim attempt") { transaction in
            let (task, attempt) = try transaction.current(attempt)
            if let refusal = Self.refusal(task, attempt) { return refusal }
            guard attempt.report == nil else {
                try transaction.recordOnce("claim_refused", task: task.id, detail: "reported", at: now)
                return .refused("the report is stored already")
            }
            if let held = attempt.nonceDigest, let claimedAt = attempt.claimedAt {
                if held == nonceDigest, attempt.isUnanswered {
                    // The worker is there and waits: what keeps its answer from it is not its fault.
                    try transaction.run(
                        "UPDATE attempts SET heartbeat_at = ? WHERE task_id = ? AND number = ?",
                        [now.milliseconds, task.id.rawValue, attempt.number])
                    return .stored
                }
                if held == nonceDigest, now < claimedAt.adding(seconds: repeatable) { return .stored }
                try transaction.record("second_claim_refused", task: task.id, at: now)
                return .claimedByOther
            }
            guard task.stopRequestedAt == nil else {
                try transaction.recordOnce("claim_refused", task: task.id, detail: "stopped", at: now)
                return .refused("the task was asked to stop")
            }
            try transaction.run(
                """
                UPDATE attempts SET nonce_digest = ?, callback_token_digest = ?, claimed_at = ?,
                    heartbeat_at = ?, callbacks = callbacks + 1
                WHERE task_id = ? AND number = ?
                """,
                [
                    nonceDigest.asData, callbackTokenDigest.asData, now.milliseconds,
                    now.milliseconds, task.id.rawValue, attempt.number,
                ])
            try transaction.run(
                """
                UPDATE tasks SET started_at = coalesce(started_at, ?), phase = 'clone', phase_at = ?
                WHERE id = ?
                """, [now.milliseconds, now.milliseconds, task.id.rawValue])
            try transaction.record("claimed", task: task.id, at: now)
            try transaction.enqueue(.status, for: task.id, at: now)
            return .stored
        }
    }

    /// Keeps the sealed answer of a claim, so that the same nonce gets the same one; the first is kept.
    ///
    /// - Parameter credentials: which keys the agent got and whose they are, in words; never a key.
    /// - Returns: the answer that is kept, nil when the attempt is gone.
    package func saveClaimAnswer(
        _ attempt: Attempt, sealed: [UInt8], callbackTokenDigest: [UInt8], credentials: String,
        at now: Instant
    ) throws(StoreError) -> [UInt8]? {
        try write("save claim answer") { transaction in
            let changed = try transaction.run(
                """
                UPDATE attempts SET claim_sealed = ?, callback_token_digest = ?, claim_answered_at = ?,
                    credentials = ?
                WHERE task_id = ? AND number = ? AND claim_answered_at IS NULL
                """,
                [
                    sealed.asData, callbackTokenDigest.asData, now.milliseconds, credentials,
                    attempt.task.rawValue, attempt.number,
                ])
            if changed > 0, !credentials.isEmpty {
                try transaction.record("credentials", task: attempt.task, detail: credentials, at: now)
            }
            return try transaction.current(attempt).1.claimSealed
        }
    }

    /// Stores a heartbeat, a phase, a piece of the log.
    ///
    /// - Parameter logLimit: bytes of log kept an attempt; what goes over is counted and dropped.
    package func recordProgress(
        _ attempt: Attempt, _ progress: Progress, logLimit: Int, at now: Instant
    ) throws(StoreError) -> CallbackResult {
        try write("record progress") { transaction in
            let (task, attempt) = try transaction.current(attempt)
            if let refusal = Self.refusal(task, attempt) { return refusal }
            guard attempt.report == nil else { return .refused("the report is stored already") }
            if attempt.savingAt != nil, progress.phase != .saving {
                return .refused("the task is in phase saving and cannot go back")
            }
            if let offset = progress.logOffset, let text = progress.logText {
                guard offset <= attempt.logBytes else { return .logGap(expected: attempt.logBytes) }
                try transaction.append(text, at: offset, to: attempt, limit: logLimit)
            }
            let isNewPhase = task.phase != progress.phase
            try transaction.run(
                """
                UPDATE attempts SET heartbeat_at = ?, callbacks = callbacks + 1,
                    saving_at = CASE WHEN ? THEN coalesce(saving_at, ?) ELSE saving_at END
                WHERE task_id = ? AND number = ?
                """,
                [
                    now.milliseconds, progress.phase == .saving, now.milliseconds, task.id.rawValue,
                    attempt.number,
                ])
            if isNewPhase || progress.message != nil {
                try transaction.run(
                    """
                    UPDATE tasks SET phase = ?, phase_message = ?,
                        phase_at = CASE WHEN ? THEN ? ELSE phase_at END
                    WHERE id = ?
                    """,
                    [
                        progress.phase.rawValue, progress.message, isNewPhase, now.milliseconds,
                        task.id.rawValue,
                    ])
            }
            if let usage = progress.usage { try transaction.save(usage, of: task.id) }
            if isNewPhase {
                try transaction.record(
                    "phase", task: task.id, detail: progress.phase.rawValue, at: now)
                try transaction.enqueue(.status, for: task.id, at: now)
            }
            if task.stopRequestedAt != nil {
                try transaction.run(
                    """
                    UPDATE attempts SET stop_told_at = coalesce(stop_told_at, ?)
                    WHERE task_id = ? AND number = ?
                    """, [now.milliseconds, task.id.rawValue, attempt.number])
                return .stop(task.stopReason ?? .cancelledByUser)
            }
            if progress.phase == .agent {
                // The worker may start the agent once it reads this answer.
                try transaction.run(
                    """
                    UPDATE attempts SET agent_started_at = coalesce(agent_started_at, ?)
                    WHERE task_id = ? AND number = ?
                    """, [now.milliseconds, task.id.rawValue, attempt.number])
            }
            return .stored
        }
    }

    /// Counts a push credential; at most `most` an attempt, and only while the worker saves.
    package func countCredential(
        _ attempt: Attempt, most: Int, at now: Instant
    ) throws(StoreError) -> CallbackResult {
        try write("count credential") { transaction in
            let (task, attempt) = try transaction.current(attempt)
            if let refusal = Self.refusal(task, attempt) { return refusal }
            guard attempt.savingAt != nil, attempt.report == nil else {
                try transaction.record("credential_refused", task: task.id, detail: "not saving", at: now)
                return .refused("a push credential is given in phase saving only")
            }
            guard attempt.credentialsGiven < most else {
                try transaction.record("credential_refused", task: task.id, detail: "too many", at: now)
                return .refused("\(most) push credentials were given already")
            }
            try transaction.run(
                """
                UPDATE attempts SET credentials_given = credentials_given + 1, heartbeat_at = ?,
                    callbacks = callbacks + 1
                WHERE task_id = ? AND number = ?
                """, [now.milliseconds, task.id.rawValue, attempt.number])
            return .stored
        }
    }

    /// Takes a push credential off the count again, because GitHub gave none.
    package func uncountCredential(_ attempt: Attempt) throws(StoreError) {
        try write("uncount credential") { transaction in
            try transaction.run(
                """
                UPDATE attempts SET credentials_given = max(0, credentials_given - 1)
                WHERE task_id = ? AND number = ?
                """, [attempt.task.rawValue, attempt.number])
        }
    }

    /// Stores the worker's last word and wishes for the look at the branch.
    ///
    /// What it said about its last phase stays, unless all went well: the ending will say it.
    package func recordReport(
        _ attempt: Attempt, _ report: Attempt.Report, at now: Instant
    ) throws(StoreError) -> CallbackResult {
        try write("record report") { transaction in
            let (task, attempt) = try transaction.current(attempt)
            if let refusal = Self.refusal(task, attempt) { return refusal }
            if let stored = attempt.report {
                guard stored.outcome == report.outcome else {
                    try transaction.record(
                        "report_refused", task: task.id, detail: report.outcome.rawValue, at: now)
                    return .refused("the report is \(stored.outcome.rawValue) already")
                }
                return .stored
            }
            try transaction.run(
                """
                UPDATE attempts SET report_status = ?, report_reason = ?, report_head_sha = ?,
                    report_exit_code = ?, reported_at = ?, heartbeat_at = ?, callbacks = callbacks + 1
                WHERE task_id = ? AND number = ?
                """,
                [
                    report.outcome.rawValue, report.reason?.rawValue, report.headSHA, report.exitCode,
                    now.milliseconds, now.milliseconds, task.id.rawValue, attempt.number,
                ])
            try transaction.run(
                """
                UPDATE tasks SET phase = 'publishing', phase_at = ?, summary = coalesce(?, summary),
                    phase_message = CASE WHEN ? THEN NULL ELSE phase_message END
                WHERE id = ?
                """,
                [now.milliseconds, report.summary, report.outcome == .success, task.id.rawValue])
            if let usage = report.usage { try transaction.save(usage, of: task.id) }
            try transaction.record("reported", task: task.id, detail: report.outcome.rawValue, at: now)
            try transaction.enqueue(.publish, for: task.id, at: now)
            try transaction.enqueue(.status, for: task.id, at: now)
            return .stored
        }
    }

    private static func refusal(_ task: PorterTask, _ attempt: Attempt) -> CallbackResult? {
        if task.attempt != attempt.number { return .superseded }
        if task.state.isFinal { return .ended(task.state) }
        return task.state == .running ? nil : .refused("the task is not running")
    }
}

extension Transaction {
    /// The attempt and its task as they are now.
    fileprivate func current(_ attempt: Attempt) throws -> (PorterTask, Attempt) {
        let row = try Row.fetchOne(
            db.cachedStatement(sql: "SELECT * FROM attempts WHERE task_id = ? AND number = ?"),
            arguments: [attempt.task.rawValue, attempt.number])
        guard let task = try task(attempt.task), let row else {
            throw StoreError(.corrupt, operation: "read an attempt", message: "its task is gone")
        }
        return (task, try Attempt(row: row))
    }

    fileprivate func save(_ usage: Usage, of task: TaskID) throws {
        try run(
            """
            UPDATE tasks SET input_tokens = coalesce(?, input_tokens),
                output_tokens = coalesce(?, output_tokens), cost_usd = coalesce(?, cost_usd)
            WHERE id = ?
            """, [usage.inputTokens, usage.outputTokens, usage.costUSD, task.rawValue])
    }

    /// Adds what is new of the piece; offsets count every byte that the worker sent, kept or not.
    fileprivate func append(
        _ text: [UInt8], at offset: Int, to attempt: Attempt, limit: Int
    ) throws {
        let new = text.dropFirst(attempt.logBytes - offset)
        guard !new.isEmpty else { return }
        let kept = new.prefix(max(0, limit - attempt.logBytes))
        if !kept.isEmpty {
            try run(
                "INSERT INTO logs (task_id, attempt, offset, text) VALUES (?, ?, ?, ?)",
                [attempt.task.rawValue, attempt.number, attempt.logBytes, Data(kept)])
        }
        try run(
            """
            UPDATE attempts SET log_bytes = log_bytes + ?, log_stored_bytes = log_stored_bytes + ?
            WHERE task_id = ? AND number = ?
            """, [new.count, kept.count, attempt.task.rawValue, attempt.number])
    }
}
