import Porter

/// The task's one ending: what happened, where the work is, whose turn it is.
enum EndingText {
    /// The comment, without its marker.
    static func body(_ task: PorterTask, agent: String, mention: String) -> String {
        let word = StateWord(task.state, phase: nil).rawValue
        var parts = ["**\(word)** · @\(task.author.login) \(firstLine(task, agent: agent))"]
        if let reason = task.reason {
            parts.append(explanation(task, reason))
            parts.append(nextStep(reason, mention: mention))
        }
        if let summary = task.summary, !summary.isEmpty {
            parts.append(Markdown.folded("What \(agent) said", Markdown.codeBlock(summary)))
        }
        return Markdown.bounded(parts.joined(separator: "\n\n"), Markdown.maximumCharacters)
    }

    private static func firstLine(_ task: PorterTask, agent: String) -> String {
        let took = span(task).map { " after \($0)" } ?? ""
        if let number = task.pullRequestNumber {
            let changes = task.detail.map { " (\($0))" } ?? ""
            return "pull request #\(number) is ready\(took)\(changes)."
        }
        if task.state == .success { return "\(agent) finished\(took) and changed nothing." }
        if task.headSHA != nil {
            return "what was done so far is on the branch \(Markdown.code(task.branch))\(took)."
        }
        if task.attempt == 0 { return "this could not be started." }
        if task.reason == .secretInChanges { return "nothing was pushed\(took)." }
        return "nothing was saved to a branch\(took)."
    }

    private static func explanation(_ task: PorterTask, _ reason: Reason) -> String {
        var text = "Reason `\(reason.rawValue)`: \(reason.sentence)"
        if let detail = task.detail, !detail.isEmpty, task.pullRequestNumber == nil {
            text += " \(Markdown.code(detail, most: 300))"
        }
        return text
    }

    private static func nextStep(_ reason: Reason, mention: String) -> String {
        var text = "Next: \(reason.nextStep)"
        if reason.mayRetry { text += " To retry, write `@\(mention) retry`." }
        return text
    }

    private static func span(_ task: PorterTask) -> String? {
        guard let started = task.startedAt, let finished = task.finishedAt else { return nil }
        return Spans.words(milliseconds: finished - started)
    }
}
