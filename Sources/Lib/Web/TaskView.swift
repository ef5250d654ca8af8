import Porter
import PorterStore

/// A task as the interface shows it: every field of `public/openapi.json`, absent ones `null`.
struct TaskView {
    let task: PorterTask
    /// The engine's id of the current attempt's machine.
    let machineID: String?
    /// Accepted callbacks of the current attempt's worker.
    let callbacks: Int

    var json: [String: JSON] {
        [
            "id": .string(task.id.rawValue),
            "status": .string(task.state.rawValue),
            "reason": .text(task.reason?.rawValue),
            "repo_owner": .string(task.repository.owner),
            "repo_name": .string(task.repository.name),
            "issue_number": .whole(task.issueNumber),
            "issue_title": .string(task.issueTitle),
            "agent": .text(task.agent),
            "model": .text(task.model),
            "priority": .string(task.priority.rawValue),
            "created_by": .string(task.author.login),
            "created_by_id": .int(task.author.id),
            "branch": .string(task.branch),
            "base_branch": .text(task.baseBranch),
            "head_sha": .text(task.headSHA),
            "pr_number": .whole(task.pullRequestNumber),
            "pr_url": .text(task.pullRequestURL),
            "comment_url": .text(task.commentURL.isEmpty ? nil : task.commentURL),
            "status_comment_url": .text(task.statusCommentURL),
            "ending_comment_url": .text(task.endingCommentURL),
            "executor": .string(task.executor),
            "machine_id": .text(machineID),
            "attempt": .whole(task.attempt),
            "callback_attempts": .whole(callbacks),
            "progress": progress,
            "usage": usage,
            "timeout_s": .whole(task.timeout),
            "created_at": moment(task.createdAt),
            "started_at": moment(task.startedAt),
            "finished_at": moment(task.finishedAt),
            "published_at": moment(task.publishedAt),
            "duration_ms": duration,
            "error_message": .text(errorMessage),
        ]
    }

    /// Where a task is while it runs; before and after, the fields are null.
    var progress: JSON {
        let isRunning = task.state == .running
        return .object([
            "phase": .text(isRunning ? task.phase?.rawValue : nil),
            "message": .text(isRunning ? task.phaseMessage : nil),
            "at": moment(isRunning ? task.phaseAt : nil),
        ])
    }

    private var usage: JSON {
        .object([
            "input_tokens": task.usage?.inputTokens.map(JSON.int) ?? .null,
            "output_tokens": task.usage?.outputTokens.map(JSON.int) ?? .null,
            "cost_usd": task.usage?.costUSD.map(JSON.number) ?? .null,
        ])
    }

    private var duration: JSON {
        guard let finished = task.finishedAt, let started = task.startedAt else { return .null }
        return .int(max(0, finished - started))
    }

    /// The reason's sentence and what is known beside it; null unless the task ended otherwise than well.
    private var errorMessage: String? {
        guard task.state.isFinal, task.state != .success, let reason = task.reason else { return nil }
        guard let detail = task.detail, !detail.isEmpty else { return reason.sentence }
        return "\(reason.sentence) \(detail)"
    }

    private func moment(_ instant: Instant?) -> JSON { .text(instant?.iso8601) }
}

extension TaskView {
    init(_ listed: ListedTask) {
        self.init(task: listed.task, machineID: listed.machineID, callbacks: listed.callbacks)
    }
}
