import Porter

/// The pull request's title and body.
enum PullRequestText {
    /// Characters of a title at most.
    static let maximumTitle = 120
    /// Characters of the instructions that the body quotes.
    static let maximumInstructions = 4000

    /// The issue's title, so that lists read well.
    static func title(_ task: PorterTask) -> String {
        let line = task.issueTitle.plain.split(whereSeparator: \.isNewline).joined(separator: " ")
        let title = line.isEmpty ? "Issue #\(task.issueNumber)" : line
        // A squash makes the title a commit message, where closing keywords and mentions count.
        return Markdown.bounded(Markdown.withoutMentions(Markdown.withoutClosing(title)), maximumTitle)
    }

    /// What was asked, what the agent says, the commits and their size, how long it took.
    static func body(
        _ task: PorterTask, changes: GitHub.Comparison, agent: String, at now: Instant
    ) -> String {
        var parts = ["Closes #\(task.issueNumber)"]
        let asked = task.instructions.isEmpty ? task.issueTitle : task.instructions
        let place = task.commentURL.isEmpty ? "on Porter's pages" : "in [this comment](\(task.commentURL))"
        parts.append(
            "### What was asked\n\nBy \(task.author.login), \(place):\n\n"
                + Markdown.codeBlock(Markdown.withoutClosing(asked), most: maximumInstructions))
        if let summary = task.summary, !summary.isEmpty {
            parts.append(
                "### What \(agent) says it did\n\n"
                    + Markdown.codeBlock(Markdown.withoutClosing(summary), most: 8000))
        }
        var facts = Self.summary(of: changes)
        if let started = task.startedAt {
            facts += ", in " + Spans.words(milliseconds: now - started)
        }
        let subjects = Markdown.withoutClosing(changes.subjects.joined(separator: "\n"))
        parts.append(
            "### Commits\n\n\(facts).\n\n" + Markdown.codeBlock(subjects, most: 4000))
        if let model = task.model { parts.append("Agent \(agent), model \(Markdown.code(model)).") }
        return Markdown.bounded(parts.joined(separator: "\n\n"), Markdown.maximumCharacters)
    }

    /// `1 commit, 2 files, +10 −1`.
    static func summary(of changes: GitHub.Comparison) -> String {
        "\(Spans.count(changes.commits, "commit")), \(Spans.count(changes.files, "file")), "
            + "+\(changes.additions) −\(changes.deletions)"
    }
}
