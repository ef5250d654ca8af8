import Foundation
import GRDB
package import Porter

/// One try at a task: one machine, one claim, one report.
package struct Attempt: Hashable, Sendable {
    /// The task that it is a try at.
    package let task: TaskID
    /// 1 to 3, in order.
    package let number: Int
    /// The name that the machine is asked for under, unique for ever.
    package let machineName: String
    /// The engine's id of the machine; nil until the engine has answered.
    package let machineID: String?
    /// Where the machine is asked for: `local` or `fly`.
    package let engine: String
    /// Whose Fly app it is asked for in: `user:<id>` for a person's own; nil for the team's engine.
    package let account: String?
    /// The Fly app that it is asked for in; nil on the box, and for attempts from before this was noted.
    package let app: String?
    /// The machine's token, sealed for a repeated launch; nil once the machine is gone.
    package let machineTokenSealed: [UInt8]?
    /// SHA-256 of the nonce that holds the claim; nil until somebody claims.
    package let nonceDigest: [UInt8]?
    /// The claim's whole answer, sealed for a repeat; nil before, and soon afterwards again.
    package let claimSealed: [UInt8]?
    /// When the attempt was recorded; an unclaimed one is given up by this.
    package let createdAt: Instant
    /// When the engine answered with the machine; nil before.
    package let launchedAt: Instant?
    /// When a worker claimed it; nil before.
    package let claimedAt: Instant?
    /// When the claim's answer was made; nil while whatever it needs cannot be had.
    package let claimAnsweredAt: Instant?
    /// When the worker was allowed to start the agent; from here on there is no further attempt.
    package let agentStartedAt: Instant?
    /// When its worker was first told to stop; nil before.
    package let stopToldAt: Instant?
    /// When the worker said that the agent is dead and it saves; from here on it may get push credentials.
    package let savingAt: Instant?
    /// When the worker was last heard of; nil before the claim.
    package let heartbeatAt: Instant?
    /// When it was replaced, or its task ended.
    package let endedAt: Instant?
    /// When the machine was known to be gone for good.
    package let goneAt: Instant?
    /// The reason of the last launch that failed.
    package let launchFailure: Reason?
    /// Push credentials handed out, at most 3.
    package let credentialsGiven: Int
    /// Accepted callbacks of the worker, of every kind.
    package let callbacks: Int
    /// Bytes of the log that the worker has sent; the next chunk begins here.
    package let logBytes: Int
    /// The worker's last word; nil until it reports.
    package let report: Report?

    /// Whether its claim was stored and never answered: GitHub gave no token, for example.
    var isUnanswered: Bool { claimedAt != nil && claimAnsweredAt == nil }

    /// What the worker reported at its end.
    package struct Report: Hashable, Sendable {
        /// What the worker says it came to; the server checks it against GitHub.
        package var outcome: Outcome
        /// Why it failed, as far as the worker knows.
        package var reason: Reason?
        /// The commit that the worker pushed; nil when it pushed none.
        package var headSHA: String?
        /// The agent's exit code, -1 to 255; nil when it never ran.
        package var exitCode: Int?
        /// The agent's last words; kept with the task, so nil in a report that was read back.
        package var summary: String?
        /// What the agent used; kept with the task, so nil in a report that was read back.
        package var usage: Usage?

        /// A report.
        package init(
            outcome: Outcome, reason: Reason? = nil, headSHA: String? = nil, exitCode: Int? = nil,
            summary: String? = nil, usage: Usage? = nil
        ) {
            self.outcome = outcome
            self.reason = reason
            self.headSHA = headSHA
            self.exitCode = exitCode
            self.summary = summary
            self.usage = usage
        }
    }
}

extension Attempt: FetchableRecord {
    init(row: Row) throws {
        guard let task = TaskID(rawValue: row["task_id"]) else {
            throw StoreError(.corrupt, operation: "read an attempt", message: "no task id")
        }
        func moment(_ column: String) -> Instant? {
            (row[column] as Int64?).map(Instant.init(milliseconds:))
        }
        func bytes(_ column: String) -> [UInt8]? { (row[column] as Data?).map { [UInt8]($0) } }
        self.task = task
        number = row["number"]
        machineName = row["machine_name"]
        machineID = row["machine_id"]
        engine = row["engine"]
        account = row["account"]
        app = row["app"]
        machineTokenSealed = bytes("machine_token_sealed")
        nonceDigest = bytes("nonce_digest")
        claimSealed = bytes("claim_sealed")
        createdAt = Instant(milliseconds: row["created_at"])
        launchedAt = moment("launched_at")
        claimedAt = moment("claimed_at")
        claimAnsweredAt = moment("claim_answered_at")
        agentStartedAt = moment("agent_started_at")
        stopToldAt = moment("stop_told_at")
        savingAt = moment("saving_at")
        heartbeatAt = moment("heartbeat_at")
        endedAt = moment("ended_at")
        goneAt = moment("gone_at")
        launchFailure = (row["launch_failure"] as String?).flatMap(Reason.init(rawValue:))
        credentialsGiven = row["credentials_given"]
        callbacks = row["callbacks"]
        logBytes = row["log_bytes"]
        report = (row["report_status"] as String?).flatMap(Outcome.init(rawValue:)).map {
            Report(
                outcome: $0, reason: (row["report_reason"] as String?).flatMap(Reason.init(rawValue:)),
                headSHA: row["report_head_sha"], exitCode: row["report_exit_code"])
        }
    }
}

/// Which token a worker showed.
package enum TokenKind: Sendable {
    /// The one in the machine's configuration, good for claiming.
    case machine
    /// The one that the claim answered with.
    case callback
}

extension Database {
    /// The attempt of that number.
    package func findAttempt(_ task: TaskID, _ number: Int) throws(StoreError) -> Attempt? {
        try read("find attempt") { db in
            try Attempt.fetchOne(
                db, sql: "SELECT * FROM attempts WHERE task_id = ? AND number = ?",
                arguments: [task.rawValue, number]
            )
        }
    }

    /// All attempts of the task, the first first.
    package func listAttempts(_ task: TaskID) throws(StoreError) -> [Attempt] {
        try read("list attempts") { db in
            try Attempt.fetchAll(
                db, sql: "SELECT * FROM attempts WHERE task_id = ? ORDER BY number",
                arguments: [task.rawValue]
            )
        }
    }

    /// Whose token that is; looked up by its digest, so that comparing takes the same time for all.
    package func findAttempt(
        tokenDigest: [UInt8]
    ) throws(StoreError) -> (attempt: Attempt, kind: TokenKind)? {
        try read("find attempt by token") { db in
            for (column, kind) in [
                ("callback_token_digest", TokenKind.callback), ("machine_token_digest", .machine),
            ] {
                let row = try Row.fetchOne(
                    db.cachedStatement(sql: "SELECT * FROM attempts WHERE \(column) = ?"),
                    arguments: [tokenDigest.asData])
                if let row { return (try Attempt(row: row), kind) }
            }
            return nil
        }
    }

    /// Records the machine that the engine gave.
    package func recordMachine(
        _ task: TaskID, _ number: Int, _ machine: Machine, for claim: JobClaim, at now: Instant
    ) throws(StoreError) {
        try write("record machine", for: claim) { transaction in
            let changed = try transaction.run(
                """
                UPDATE attempts SET machine_id = ?, region = ?, launched_at = ?, launch_failure = NULL
                WHERE task_id = ? AND number = ? AND machine_id IS NULL
                """, [machine.id, machine.region, now.milliseconds, task.rawValue, number])
            if changed == 1 {
                try transaction.record("machine_created", task: task, detail: machine.id, at: now)
            }
        }
    }

    /// Records why a launch failed, for the ending should no attempt succeed.
    package func recordLaunchFailure(
        _ task: TaskID, _ number: Int, _ reason: Reason, detail: String, for claim: JobClaim,
        at now: Instant
    ) throws(StoreError) {
        try write("record launch failure", for: claim) { transaction in
            let changed = try transaction.run(
                """
                UPDATE attempts SET launch_failure = ?
                WHERE task_id = ? AND number = ? AND launch_failure IS NOT ?
                """, [reason.rawValue, task.rawValue, number, reason.rawValue])
            if changed == 1 { try transaction.record("launch_failed", task: task, detail: detail, at: now) }
        }
    }

    /// Records that the machine of an attempt is gone for good.
    package func recordGone(
        _ task: TaskID, _ number: Int, detail: String?, for claim: JobClaim, at now: Instant
    ) throws(StoreError) {
        try write("record machine gone", for: claim) { transaction in
            let changed = try transaction.run(
                """
                UPDATE attempts SET gone_at = ?, machine_token_sealed = NULL
                WHERE task_id = ? AND number = ? AND gone_at IS NULL
                """, [now.milliseconds, task.rawValue, number])
            if changed == 1 { try transaction.record("machine_gone", task: task, detail: detail, at: now) }
        }
    }

    /// Replaces an attempt whose machine is gone, as long as no attempt has started its agent.
    ///
    /// - Returns: false when the task is not in that attempt any more, or an agent has started after all.
    package func replaceAttempt(
        _ task: PorterTask, with launch: Launch, why: String, for claim: JobClaim, at now: Instant
    ) throws(StoreError) -> Bool {
        try write("replace attempt", for: claim) { transaction in
            let changed = try transaction.run(
                """
                UPDATE tasks SET attempt = attempt + 1, phase = 'starting', phase_message = NULL,
                    phase_at = ?
                WHERE id = ? AND state = 'running' AND attempt = ? AND attempt < 3
                    AND stop_requested_at IS NULL
                    AND NOT EXISTS (SELECT 1 FROM attempts
                        WHERE task_id = tasks.id AND (agent_started_at IS NOT NULL
                            OR report_status IS NOT NULL))
                """, [now.milliseconds, task.id.rawValue, task.attempt])
            guard changed == 1 else { return false }
            try transaction.run(
                "UPDATE attempts SET ended_at = coalesce(ended_at, ?) WHERE task_id = ? AND number = ?",
                [now.milliseconds, task.id.rawValue, task.attempt])
            try transaction.record("replaced", task: task.id, detail: why, at: now)
            try transaction.insertAttempt(task.id, number: task.attempt + 1, launch, at: now)
            try transaction.enqueue(.status, for: task.id, at: now)
            return true
        }
    }
}
