/// One run that somebody asked for, as the database holds it.
package struct PorterTask: Hashable, Sendable {
    package var id: TaskID
    package var state: TaskState
    package var reason: Reason?
    /// What to add to the reason's sentence: a branch's name, a limit, a program's last line; never a secret.
    package var detail: String?

    package var repository: RepositoryRef
    package var issueNumber: Int
    package var issueTitle: String
    package var issueBody: String
    /// The comment that holds the command.
    package var commentID: Int64
    package var commentURL: String
    package var author: Person

    package var agent: String?
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

    /// All columns of a row.
    package init(
        id: TaskID,
        state: TaskState,
        reason: Reason? = nil,
        detail: String? = nil,
        repository: RepositoryRef,
        issueNumber: Int,
        issueTitle: String,
        issueBody: String,
        commentID: Int64,
        commentURL: String,
        author: Person,
        agent: String? = nil,
        model: String? = nil,
        priority: Priority,
        instructions: String,
        isDraft: Bool,
        context: String,
        timeout: Int,
        branch: String,
        baseBranch: String? = nil,
        headSHA: String? = nil,
        pullRequestNumber: Int? = nil,
        pullRequestURL: String? = nil,
        statusCommentURL: String? = nil,
        endingCommentURL: String? = nil,
        executor: String,
        attempt: Int,
        phase: Phase? = nil,
        phaseMessage: String? = nil,
        phaseAt: Instant? = nil,
        usage: Usage? = nil,
        summary: String? = nil,
        stopRequestedAt: Instant? = nil,
        stopReason: Reason? = nil,
        createdAt: Instant,
        admittedAt: Instant? = nil,
        startedAt: Instant? = nil,
        finishedAt: Instant? = nil,
        publishedAt: Instant? = nil
    ) {
        self.id = id
        self.state = state
        self.reason = reason
        self.detail = detail
        self.repository = repository
        self.issueNumber = issueNumber
        self.issueTitle = issueTitle
        self.issueBody = issueBody
        self.commentID = commentID
        self.commentURL = commentURL
        self.author = author
        self.agent = agent
        self.model = model
        self.priority = priority
        self.instructions = instructions
        self.isDraft = isDraft
        self.context = context
        self.timeout = timeout
        self.branch = branch
        self.baseBranch = baseBranch
        self.headSHA = headSHA
        self.pullRequestNumber = pullRequestNumber
        self.pullRequestURL = pullRequestURL
        self.statusCommentURL = statusCommentURL
        self.endingCommentURL = endingCommentURL
        self.executor = executor
        self.attempt = attempt
        self.phase = phase
        self.phaseMessage = phaseMessage
        self.phaseAt = phaseAt
        self.usage = usage
        self.summary = summary
        self.stopRequestedAt = stopRequestedAt
        self.stopReason = stopReason
        self.createdAt = createdAt
        self.admittedAt = admittedAt
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.publishedAt = publishedAt
    }
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
