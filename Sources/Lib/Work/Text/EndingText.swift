import Porter

/// The task's one ending: what happened, where the work is, whose turn it is.
enum EndingText {
    /// The comment, without its marker.
    ///
    /// - Parameter site: where people reach Porter's pages; none are linked when it is empty.
    static func body(_ task: PorterTask, agent: String, mention: String, site: String = "") -> String {
        let word = StateWord(task.state, phase: nil).rawValue
        var parts = ["**\(word)** · @\(task.author.login) \(firstLine(task, agent: agent))"]
        let said = task.summary.flatMap { $0.isEmpty ? nil : $0 }
        if let reason = task.reason {
            parts.append(explanation(task, reason, isQuoted: said != nil))
            parts.append(nextStep(reason, mention: mention, site: site))
        }
        if let said {
            parts.append(Markdown.folded("What \(agent) said", Markdown.codeBlock(endOf: said)))
        }
        return Markdown.bounded(parts.joined(separator: "\n\n"), Markdown.maximumCharacters)
    }

    private static func firstLine(_ task: PorterTask, agent: String) -> String {
        let span = span(task)
        let after = span.map { " after \($0)" } ?? ""
        if let number = task.pullRequestNumber {
            let changes = task.detail.map { " (\($0))" } ?? ""
            return "pull request #\(number) is ready\(after)\(changes)."
        }
        if task.state == .success { return "\(agent) finished\(after) and changed nothing." }
        if task.headSHA != nil {
            let time = span.map { " in \($0)" } ?? ""
            return "what was done\(time) is saved on the branch \(Markdown.code(task.branch))."
        }
        if task.attempt == 0 {
            return task.state == .cancelled
                ? "this was called off before it had begun." : "this could not be started."
        }
        let time = span.map { " It ran for \($0)." } ?? ""
        return (task.reason == .secretInChanges ? "nothing was pushed." : "nothing was saved to a branch.")
            + time
    }

    private static func explanation(_ task: PorterTask, _ reason: Reason, isQuoted: Bool) -> String {
        var text = "Reason `\(reason.rawValue)`: \(reason.sentence)"
        if let detail = task.detail, !detail.isEmpty, task.pullRequestNumber == nil {
            text += " \(Markdown.code(detail, most: 300))"
        }
        if reason == .agentFailed, isQuoted { text += " What it said last is folded below." }
        return text
    }

    private static func nextStep(_ reason: Reason, mention: String, site: String) -> String {
        let step = site.isEmpty ? reason.nextStep : linked(reason.nextStep, site)
        let command = "`@\(mention) retry`."
        guard reason.mayRetry else { return "Next: \(step)" }
        let hint = "then retry."
        return step.hasSuffix(hint)
            ? "Next: \(step.dropLast(hint.count))then write \(command)"
            : "Next: \(step) To retry, write \(command)"
    }

    /// The step with its words for Porter's pages as links: whoever reads it on an issue may not know where they are.
    private static func linked(_ step: String, _ site: String) -> String {
        step.replacing("Porter's settings", with: "[Porter's settings](\(site)/settings/)")
            .replacing("Sign in to Porter", with: "[Sign in to Porter](\(site)/settings/)")
    }

    private static func span(_ task: PorterTask) -> String? {
        guard let started = task.startedAt, let finished = task.finishedAt else { return nil }
        return Spans.words(milliseconds: finished - started)
    }
}
