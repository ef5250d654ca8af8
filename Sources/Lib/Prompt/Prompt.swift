package import Porter

/// What the agent is told: values in, text out.
///
/// Every foreign piece stands between markers that hold a nonce nobody could know when writing it, is named
/// by whom it was written, and is bounded; what is cut or left out is said in its place and in
/// ``BuiltPrompt/omissions``.
package struct PromptInput: Sendable {
    /// `owner/name`.
    package var repository: String
    /// The issue's number in the repository.
    package var issueNumber: Int
    /// The issue's title when the command arrived.
    package var title: String
    /// The issue's text when the command arrived; empty when it has none.
    package var body: String
    /// The issue's comments as GitHub shows them now, oldest first.
    package var comments: [GitHub.Comment]
    /// The comment that holds the command.
    package var commandID: Int64
    /// When the command arrived: what was written or edited later is left out.
    package var commandedAt: Instant
    /// `writers` or `all`.
    package var context: String
    /// The ids of the people who are known to be able to push; with `writers` nobody else is quoted.
    package var writers: Set<Int64>
    /// The repository's `AGENTS.md`.
    package var guide: String?
    /// What the team's admins tell this agent on every run; nil when they tell nothing.
    package var guidance: String?
    /// What the command asks for; empty when the issue says it all.
    package var instructions: String
    /// The branch that the agent stands on and is told to stay on.
    package var branch: String
    /// The branch that the checkout was made from.
    package var base: String
    /// Random, fresh for each prompt.
    package var nonce: String

    /// All that a prompt is made of.
    package init(
        repository: String, issueNumber: Int, title: String, body: String, comments: [GitHub.Comment],
        commandID: Int64, commandedAt: Instant, context: String, writers: Set<Int64>, guide: String?,
        instructions: String,
        branch: String, base: String, nonce: String
    ) {
        self.repository = repository
        self.issueNumber = issueNumber
        self.title = title
        self.body = body
        self.comments = comments
        self.commandID = commandID
        self.commandedAt = commandedAt
        self.context = context
        self.writers = writers
        self.guide = guide
        self.instructions = instructions
        self.branch = branch
        self.base = base
        self.nonce = nonce
    }
}

/// A prompt and what it leaves out.
package struct BuiltPrompt: Hashable, Sendable {
    /// All that the agent is told, Markdown.
    package let text: String
    /// In words, for people.
    package let omissions: [String]
}
