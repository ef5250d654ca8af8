import Foundation
import GRDB
package import Porter

/// How a task ends.
package struct Ending: Hashable, Sendable {
    /// The final state.
    package var state: TaskState
    /// Why; nil only for a success with changes.
    package var reason: Reason?
    /// What to add to the reason's sentence, or the pull request's size; never a secret.
    package var detail: String?
    /// The commit that the branch has on GitHub; nil when nothing was saved.
    package var headSHA: String?
    /// The pull request that was opened or found; only for success.
    package var pullRequest: GitHub.PullRequest?

    /// An ending in that state.
    package init(
        _ state: TaskState, reason: Reason? = nil, detail: String? = nil, headSHA: String? = nil,
        pullRequest: GitHub.PullRequest? = nil
    ) {
        precondition(state.isFinal, "an ending is final")
        self.state = state
        self.reason = reason
        self.detail = detail
        self.headSHA = headSHA
        self.pullRequest = pullRequest
    }
}

/// What admission found out about a task that may run.
package struct Admission: Hashable, Sendable {
    /// The name of the agent that will run.
    package var agent: String
    /// The branch that the work starts from and goes into; it existed when GitHub was asked.
    package var baseBranch: String
    /// What the agent will be told, frozen here for all attempts.
    package var prompt: String
    /// What the prompt leaves out, in words.
    package var omissions: [String]
    /// The model for a command that names none; nil leaves the choice to the agent's program.
    package var model: String?

    /// The findings.
    package init(agent: String, baseBranch: String, prompt: String, omissions: [String]) {
        self.agent = agent
        self.baseBranch = baseBranch
        self.prompt = prompt
        self.omissions = omissions
    }
}

/// The changes of a task's state: each is a compare-and-set in one transaction that also writes the history
/// and wishes for what must happen next. `docs/task-states.md` lists them.
extension Database {
    /// Lets a queued task into the queue.
    ///
    /// - Returns: false when it is admitted already or has ended.
    package func admit(
        _ id: TaskID, _ admission: Admission, for claim: JobClaim, at now: Instant
    ) throws(StoreError) -> Bool {
        let omissions = Self.json(admission.omissions)
        return try write("admit task", for: claim) { transaction in
            guard let task = try transaction.task(id) else { return false }
            let knownAs = try transaction.latestLogin(of: task.author.id)
            let changed = try transaction.run(
                """
                UPDATE tasks SET admitted_at = ?, agent = ?, base_branch = ?, model = coalesce(model, ?)
                WHERE id = ? AND state = 'queued' AND admitted_at IS NULL
                """,
                [
                    now.milliseconds, admission.agent, admission.baseBranch, admission.model, id.rawValue,
                ])
            guard changed == 1 else { return false }
            try transaction.run(
                "INSERT INTO prompts (task_id, text, omissions) VALUES (?, ?, ?)",
                [id.rawValue, admission.prompt, omissions])
            // GitHub has just shown this person under this name.
            if let knownAs, knownAs != task.author.login { try transaction.rename(task.author) }
            try transaction.record("admitted", task: id, detail: admission.agent, at: now)
            try transaction.enqueue(.react, for: id, at: now)
            try transaction.enqueue(.status, for: id, at: now)
            return true
        }
    }

    /// Ends a task that is in the expected state and attempt.
    ///
    /// - Parameter unlessReported: whether a stored report of the worker stands in the way.
    /// - Returns: false when it is not: somebody else was first.
    package func end(
        _ task: PorterTask, _ ending: Ending, unlessReported: Bool = false, for claim: JobClaim? = nil,
        at now: Instant
    ) throws(StoreError) -> Bool {
        precondition(task.state.mayBecome(ending.state), "a transition of docs/task-states.md")
        return try write("end task", for: claim) { transaction in
            if unlessReported, try transaction.hasReport(task) { return false }
            return try transaction.end(task, ending, at: now)
        }
    }

    /// Ends a task as refused without a word on the issue, because that was said before.
    package func endSilently(
        _ task: PorterTask, _ ending: Ending, publishedAt: Instant?, for claim: JobClaim, at now: Instant
    ) throws(StoreError) -> Bool {
        try write("end task silently", for: claim) { transaction in
            guard try transaction.end(task, ending, at: now) else { return false }
            try transaction.run(
                "UPDATE tasks SET published_at = ? WHERE id = ?",
                [publishedAt?.milliseconds, task.id.rawValue])
            try transaction.run(
                "DELETE FROM jobs WHERE subject = ? AND kind = 'ending'", [task.id.rawValue])
            try transaction.record("suppressed", task: task.id, at: now)
            return true
        }
    }

    /// Asks a task to stop: a queued one ends at once, a running one as soon as its machine is gone.
    ///
    /// - Returns: false when it had ended already.
    package func requestStop(
        _ id: TaskID, reason: Reason, detail: String?, at now: Instant
    ) throws(StoreError) -> Bool {
        try write("request stop") { transaction in
            guard let task = try transaction.task(id), !task.state.isFinal else { return false }
            try transaction.requestStop(task, reason: reason, detail: detail, at: now)
            return true
        }
    }

    /// Carries a `stop` out: asks the unfinished tasks that it means to stop, and closes it as done.
    ///
    /// - Parameter detail: who stopped them, for the endings.
    /// - Returns: false when it means no unfinished task; then nothing has changed.
    package func carryOut(
        _ stop: StoredCommand, detail: String, for claim: JobClaim, at now: Instant
    ) throws(StoreError) -> Bool {
        try write("carry out a stop", for: claim) { transaction in
            let meant = try Self.unfinishedTasks(before: stop, transaction.db)
                .filter { stop.target == nil || $0.id == stop.target }
            for task in meant
            where try transaction.requestStop(task, reason: .cancelledByUser, detail: detail, at: now) {
                try transaction.audit(
                    AuditEntry(
                        at: now, actorID: stop.author.id, actorLogin: stop.author.login,
                        action: "task.stopped",
                        subject: task.id.rawValue, detail: stop.origin))
            }
            if !meant.isEmpty { try transaction.close(stop.commentID, "done", at: now) }
            return !meant.isEmpty
        }
    }

    /// Records that the issue shows the ending.
    package func publish(
        _ id: TaskID, endingID: Int64, url: String, for claim: JobClaim, at now: Instant
    ) throws(StoreError) {
        try write("publish ending", for: claim) { transaction in
            let changed = try transaction.run(
                """
                UPDATE tasks SET ending_comment_id = ?, ending_comment_url = ?, published_at = ?
                WHERE id = ? AND finished_at IS NOT NULL AND published_at IS NULL
                """, [endingID, url, now.milliseconds, id.rawValue])
            guard changed == 1, let task = try transaction.task(id) else { return }
            try transaction.record("published", task: id, detail: url, at: now)
            if task.reason == .notPermitted { try transaction.hurryRepeats(of: task.commentID, at: now) }
        }
    }

    /// Records the status comment and the text that it has now.
    package func saveStatusComment(
        _ id: TaskID, comment: Int64, url: String, body: String, for claim: JobClaim, at now: Instant
    ) throws(StoreError) {
        try write("save status comment", for: claim) { transaction in
            try transaction.run(
                """
                UPDATE tasks SET status_comment_id = ?, status_comment_url = ?, status_comment_body = ?,
                    status_comment_at = ?
                WHERE id = ?
                """, [comment, url, body, now.milliseconds, id.rawValue])
        }
    }

    static func json(_ strings: [String]) -> String {
        SureJSON.text(strings)
    }
}

extension Transaction {
    /// Ends the task if nothing about it has changed since it was read.
    func end(_ task: PorterTask, _ ending: Ending, at now: Instant) throws -> Bool {
        let changed = try run(
            """
            UPDATE tasks SET state = ?, reason = ?, detail = ?, head_sha = coalesce(?, head_sha),
                pr_number = coalesce(?, pr_number), pr_url = coalesce(?, pr_url), finished_at = ?,
                phase = NULL, phase_message = NULL
            WHERE id = ? AND state = ? AND attempt = ?
            """,
            [
                ending.state.rawValue, ending.reason?.rawValue, ending.detail, ending.headSHA,
                ending.pullRequest?.number, ending.pullRequest?.url, now.milliseconds,
                task.id.rawValue, task.state.rawValue, task.attempt,
            ])
        guard changed == 1 else { return false }
        try run(
            "UPDATE attempts SET ended_at = coalesce(ended_at, ?) WHERE task_id = ?",
            [now.milliseconds, task.id.rawValue])
        let detail = [ending.state.rawValue, ending.reason?.rawValue].compactMap { $0 }
        try record("ended", task: task.id, detail: detail.joined(separator: " "), at: now)
        // What was wished for its running has become pointless.
        try run(
            """
            DELETE FROM jobs WHERE subject = ? AND holder IS NULL
                AND kind IN ('react', 'launch', 'supervise', 'status')
            """, [task.id.rawValue])
        try enqueue(.ending, for: task.id, at: now)
        try enqueue(.cleanup, for: task.id, at: now)
        // A run that repeats a refusal waits until the issue shows that.
        if task.admittedAt == nil, ending.reason != .notPermitted {
            try hurryRepeats(of: task.commentID, at: now)
        }
        try refreshPlaces(at: now)
        return true
    }

    /// Whether the worker of the task's current attempt has reported.
    fileprivate func hasReport(_ task: PorterTask) throws -> Bool {
        try Bool.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT EXISTS (SELECT 1 FROM attempts
                        WHERE task_id = ? AND number = ? AND report_status IS NOT NULL)
                    """), arguments: [task.id.rawValue, task.attempt]) ?? false
    }

    /// Stops a queued task at once; tells a running one.
    ///
    /// - Returns: whether it had not been asked to before.
    @discardableResult
    func requestStop(_ task: PorterTask, reason: Reason, detail: String?, at now: Instant) throws -> Bool {
        if task.state == .queued {
            return try end(task, Ending(.cancelled, reason: reason, detail: detail), at: now)
        }
        let changed = try run(
            """
            UPDATE tasks SET stop_requested_at = ?, stop_reason = ?, detail = ?
            WHERE id = ? AND state = 'running' AND stop_requested_at IS NULL
            """, [now.milliseconds, reason.rawValue, detail, task.id.rawValue])
        guard changed == 1 else { return false }
        try record("stop_requested", task: task.id, detail: reason.rawValue, at: now)
        try enqueue(.supervise, for: task.id, at: now)
        try enqueue(.status, for: task.id, at: now)
        return true
    }

    /// Seconds after which a new place is shown: when several tasks start at once, places change several times,
    /// and what is shown stays for a while.
    private static let placeDelay = 1

    static let waiting = """
        SELECT id FROM tasks INDEXED BY tasks_queued WHERE state = 'queued' AND admitted_at IS NOT NULL LIMIT 200
        """

    /// Wishes for the status comments of those who wait, since their places have changed.
    func refreshPlaces(at now: Instant) throws {
        let waiting = try String.fetchAll(db, sql: Self.waiting)
        for id in waiting { try enqueue(.status, for: id, at: now.adding(seconds: Self.placeDelay)) }
    }
}
