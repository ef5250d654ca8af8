/// One run that somebody asked for, as the database holds it.
package struct PorterTask: Hashable, Sendable {
    package var id: TaskID
    package var state: TaskState
    package var reason: Reason?
    /// What to add to the reason's sentence: a branch's name, a limit, a program's last line. Never a secret.
    package var detail: String?

    package var repository: RepositoryRef
    package var issueNumber: Int
    package var issueTitle: String
    package var issueBody: String
    /// The comment that holds the command.
    package var commentID: Int64
    package var commentURL: String
    package var author: Person

    package var agent: String
    package var model: String?
    package var priority: Priority
    package var instructions: String
    package var isDraft: Bool
    /// Whose comments the prompt may quote: `writers` or `all`.
    package var context: String
    /// Seconds that the agent may take.
    package var timeout: Int
    package var branch: String
    /// Nil until admission has asked GitHub for the default branch, unless `--base` named one.
    package var baseBranch: String?
    package var headSHA: String?
    package var pullRequestNumber: Int?
    package var pullRequestURL: String?
    package var statusCommentURL: String?
    package var endingCommentURL: String?

    package var executor: String
    package var attempt: Int
    package var phase: Phase?
    package var phaseMessage: String?
    package var phaseAt: Instant?
    package var usage: Usage?
    package var summary: String?
    /// When somebody asked it to stop, who (nil: the issue was closed).
    package var stopRequestedAt: Instant?
    package var stopReason: Reason?

    package var createdAt: Instant
    package var admittedAt: Instant?
    package var startedAt: Instant?
    package var finishedAt: Instant?
    package var publishedAt: Instant?
}

/// What a run used.
package struct Usage: Hashable, Sendable {
    package var inputTokens: Int64?
    package var outputTokens: Int64?
    /// In US dollars; nil when the agent does not say.
    package var costUSD: Double?

    /// Whatever is known of it.
    package init(inputTokens: Int64? = nil, outputTokens: Int64? = nil, costUSD: Double? = nil) {
        self.inputTokens = inputTokens
        self.outputTokens = outputTokens
        self.costUSD = costUSD
    }
}
