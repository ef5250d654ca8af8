import Porter

/// The task's status comment: edited through the phases, a line at the end.
enum StatusText {
    /// The comment while the task waits or runs.
    static func body(_ task: PorterTask, place: Int?, agent: String) -> String {
        let word = StateWord(task.state, phase: task.phase)
        var line = "**\(word.rawValue)** · "
        if task.stopRequestedAt != nil {
            line += "stopping: \(agent) is told to end, and what is there is saved."
        } else {
            line += sentence(task, word, place: place, agent: agent)
        }
        var facts = ["Asked for by \(task.author.login)"]
        if let base = task.baseBranch { facts.append("from \(Markdown.code(base))") }
        facts.append("to \(Markdown.code(task.branch))")
        facts.append("at most \(Spans.words(milliseconds: Int64(task.timeout) * 1000))")
        if let model = task.model { facts.append("model \(Markdown.code(model))") }
        if task.attempt > 1 { facts.append("attempt \(task.attempt) of 3") }
        return line + "\n\n" + facts.joined(separator: " · ") + "."
    }

    /// The one line that is left once the ending is there.
    static func folded(_ task: PorterTask, ending: String?) -> String {
        let word = StateWord(task.state, phase: nil).rawValue
        guard let ending else { return "**\(word)** · how it ended is said below." }
        return "**\(word)** · [how it ended](\(ending))"
    }

    private static func sentence(
        _ task: PorterTask, _ word: StateWord, place: Int?, agent: String
    ) -> String {
        switch word {
        case .queued:
            place.map { "place \($0) in the queue for \(agent)." } ?? "\(agent) begins soon."
        case .starting:
            task.phase == .starting
                ? "a machine for \(agent) is being started." : "the repository is being cloned for \(agent)."
        case .running: "\(agent) is at work."
        case .saving: "\(agent) is done; its changes are being saved."
        case .publishing: "the branch is being checked and published."
        case .done, .failed, .timedOut, .cancelled: "it has ended."
        }
    }
}
