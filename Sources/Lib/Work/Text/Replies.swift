import Porter
import PorterAgents

/// Answers to commands that make no task.
enum Replies {
    /// Runs that the answer to `status` lists.
    static let mostTasks = 10

    /// What a run on a pull request is answered.
    static let pullRequestsComeLater =
        "Runs on pull requests are not possible yet. Write the command under an issue instead."
    /// What `continue` is answered.
    static let continueComesLater =
        "`continue` is not possible yet. `retry` starts again, with the same instructions."

    /// What a command is answered that came late and whose comment was edited meanwhile.
    static let editedBeforeItWasSeen =
        "Porter did not hear of this comment when it was written, and found it only now. It was edited since, so that what it asked for then is not known. Please repeat the command in a new comment."

    /// The commands and agents of this instance.
    ///
    /// - Parameter usable: the agents that are switched on and have their key, the default first.
    static func help(mention: String, catalog: AgentCatalog, usable: [AgentDefinition]) -> String {
        let others = catalog.agents.map(\.name).filter { name in !usable.contains { $0.name == name } }
        var agents =
            usable.isEmpty ? "No agent can be used here yet." : "Agents: \(list(usable.map(\.name)))."
        if !others.isEmpty { agents += " Switched off here or without a key: \(list(others))." }
        let example = usable.first ?? catalog.agents.first
        return """
            **Done** · here is what you can write, each on a line of its own:

            - `@\(mention) \(example?.name ?? "codex") fix the flaky login test` runs that agent on this issue and opens a pull request.
            - `@\(mention) fix the flaky login test` does so with the default agent.
            - `@\(mention) status` shows what runs here, `@\(mention) stop` stops it, `@\(mention) retry` starts the latest again.

            \(agents)

            Flags go before the instructions: `--model=NAME`, `--base=BRANCH`, `--timeout=10m`, `--priority=low|normal|high`, `--draft`, `--context=writers|all`.
            """
    }

    private static func list(_ names: [String]) -> String {
        names.map { "`\($0)`" }.joined(separator: ", ")
    }

    /// What runs on the issue, and what ran.
    static func status(_ tasks: [PorterTask], places: [TaskID: Int], at now: Instant) -> String {
        guard !tasks.isEmpty else { return "**Done** · nothing runs on this issue, and nothing has run." }
        let lines = tasks.map { line($0, place: places[$0.id], at: now) }.joined(separator: "\n")
        let unfinished = tasks.filter { !$0.state.isFinal }
        // What ended badly is in the list; that nothing runs any more is no failure.
        guard let newest = unfinished.first else {
            return "**Done** · nothing runs on this issue now.\n\n\(lines)"
        }
        let word = StateWord(newest.state, phase: newest.phase).rawValue
        return "**\(word)** · \(Spans.count(unfinished.count, "run")) not ended yet.\n\n\(lines)"
    }

    /// A command that cannot be carried out as it stands.
    static func mistake(_ reason: Reason, _ message: String, mention: String) -> String {
        """
        **Failed** · nothing was started. Reason `\(reason.rawValue)`: \(reason.sentence)

        \(message)

        Next: \(reason.nextStep) `@\(mention) help` shows the commands.
        """
    }

    /// A person or place that gets no run.
    static func refusal(_ reason: Reason, to person: Person) -> String {
        """
        **Failed** · @\(person.login) nothing was done. Reason `\(reason.rawValue)`: \(reason.sentence)

        Next: \(reason.nextStep)
        """
    }

    /// There was nothing to stop.
    static func nothingToStop(_ target: TaskID?) -> String {
        let what = target.map { "\(Markdown.code($0.rawValue)) is not running on this issue." }
        return "**Done** · reason `\(Reason.nothingToDo.rawValue)`: \(what ?? "nothing runs on this issue.")"
    }

    /// There was nothing to retry.
    static func nothingToRetry(_ target: TaskID?, unfinished: [TaskID]) -> String {
        let why: String
        if let target, unfinished.contains(target) {
            why = "\(Markdown.code(target.rawValue)) has not ended yet; stop it first, or wait."
        } else if let target {
            why = "\(Markdown.code(target.rawValue)) did not run on this issue."
        } else if unfinished.isEmpty {
            why = "nothing has run on this issue."
        } else {
            why = "no run on this issue has ended yet."
        }
        return "**Done** · reason `\(Reason.nothingToDo.rawValue)`: \(why)"
    }

    private static func line(_ task: PorterTask, place: Int?, at now: Instant) -> String {
        let word = StateWord(task.state, phase: task.phase).rawValue
        var text = "- \(word): \(Markdown.code(task.id.rawValue)), \(task.agent ?? "default agent")"
        if let place { text += ", place \(place) in the queue" }
        if task.stopRequestedAt != nil, !task.state.isFinal { text += ", asked to stop" }
        if let number = task.pullRequestNumber { text += ", #\(number)" }
        if let reason = task.reason { text += ", `\(reason.rawValue)`" }
        let age = Spans.words(milliseconds: now - task.createdAt)
        return text + ", asked for by \(task.author.login) \(age) ago"
    }
}
