/// One run that somebody asked for, as the database holds it.
package struct PorterTask: Hashable, Sendable {
    /// Its name for life, made when the command arrived.
    package var id: TaskID
    /// Where it is in its life; only ``TaskState/mayBecome(_:)`` leads on.
    package var state: TaskState
    /// Why it ended; nil while it lives, and after a success with changes.
    package var reason: Reason?
    /// What to add to the reason's sentence: a branch's name, a limit, a program's last line; never a secret.
    package var detail: String?

    /// The repository, under the name that was seen last.
    package var repository: RepositoryRef
    /// The issue's number in the repository.
    package var issueNumber: Int
    /// The title when the command arrived; later edits change nothing.
    package var issueTitle: String
    /// The issue's text when the command arrived, Markdown, often empty.
    package var issueBody: String
    /// The comment that holds the command; below zero when it was asked for on Porter's pages.
    package var commentID: Int64
    /// The page of that comment; empty when there is none.
    package var commentURL: String
    /// Who wrote the command, and is mentioned in the ending.
    package var author: Person

    /// The agent's name; as asked for until admission, then the one that runs, nil before if none was named.
    package var agent: String?
    /// A model as the agent's program names it; nil is the program's own choice.
    package var model: String?
    /// Its class in the queue.
    package var priority: Priority
    /// What the comment says after the flags; empty when the issue says it all.
    package var instructions: String
    /// Whether its pull request is opened as a draft.
    package var isDraft: Bool
    /// Whose comments the prompt may quote: `writers` or `all`.
    package var context: String
    /// Seconds that the agent may take.
    package var timeout: Int
    /// Where the work is pushed: `porter/<task id>`.
    package var branch: String
    /// Nil until admission has asked GitHub for the default branch, unless `--base` named one.
    package var baseBranch: String?
    /// The commit that the branch had on GitHub at the end; nil when nothing was saved.
    package var headSHA: String?
    /// The pull request's number; only a success has one.
    package var pullRequestNumber: Int?
    /// The pull request's page; only a success has one.
    package var pullRequestURL: String?
    /// The page of the comment that is edited; nil until it is posted, and for a refused task.
    package var statusCommentURL: String?
    /// The page of the comment that says how it ended; nil until then.
    package var endingCommentURL: String?

    /// Where it runs, fixed when it arrived: `local` or `fly`.
    package var executor: String
    /// The number of the current attempt, 1 to 3; 0 while queued.
    package var attempt: Int
    /// How far the current attempt is; nil unless running.
    package var phase: Phase?
    /// What the worker says about the phase, one line; nil when it says nothing.
    package var phaseMessage: String?
    /// When the phase began.
    package var phaseAt: Instant?
    /// What the agent reported to have used; nil while nothing is known.
    package var usage: Usage?
    /// The agent's last words, unchecked text; nil until the worker's report.
    package var summary: String?
    /// When somebody asked it to stop, who (nil: the issue was closed).
    package var stopRequestedAt: Instant?
    /// Why it is to stop: `.cancelledByUser` or `.issueClosed`; the ending's reason unless success came
    /// first.
    package var stopReason: Reason?

    /// When the command was stored.
    package var createdAt: Instant
    /// When it was allowed to run; nil before, and for ever if it was refused.
    package var admittedAt: Instant?
    /// When the first worker claimed it, in whichever attempt; nil before.
    package var startedAt: Instant?
    /// When it reached its final state; nil before.
    package var finishedAt: Instant?
    /// When the issue showed the ending; nil until then.
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
    /// Tokens that the model read; nil when the agent does not say.
    package var inputTokens: Int64?
    /// Tokens that the model wrote; nil when the agent does not say.
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

extension PorterTask {
    /// The last comment that the prompt may quote; for a task of our own pages time alone decides.
    package var lastCommentID: Int64 { commentID > 0 ? commentID : .max }
}
