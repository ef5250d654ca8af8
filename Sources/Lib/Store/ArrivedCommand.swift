package import Porter

/// A command as it arrived, with everything that must be frozen at that moment.
package struct ArrivedCommand: Hashable, Sendable {
    /// What the command asks for.
    package enum Wish: Hashable, Sendable {
        /// A new task.
        case run(TaskWish)
        /// A new task like an ended one: that of the id, or the issue's latest.
        case retry(TaskID?)
        /// Stop that task, or all unfinished ones of the issue.
        case stop(TaskID?)
        /// The list of commands.
        case help
        /// What runs on this issue.
        case status
        /// A command that cannot be carried out as it stands: the reason and the words of the answer.
        case mistake(Reason, String)

        var kind: String {
            switch self {
            case .run: "run"
            case .retry: "retry"
            case .stop: "stop"
            case .help: "help"
            case .status: "status"
            case .mistake: "mistake"
            }
        }
    }

    /// Where the command was written, as the delivery names it.
    package let repository: RepositoryRef
    /// The issue's number in the repository.
    package let issueNumber: Int
    /// The title at that moment; empty when the delivery has none.
    package let issueTitle: String
    /// The issue's text at that moment; empty when it has none.
    package let issueBody: String
    /// The number of the ``CommandID``, under which a second delivery of it is known as a repeat.
    package let commentID: Int64
    /// The comment's page, for links.
    package let commentURL: String
    /// Who wrote it; whether they may is asked later.
    package let author: Person
    /// What it asks for, already parsed.
    package let wish: Wish
    /// When it was written, by GitHub's clock; nil when that is not known.
    package var writtenAt: Instant?

    /// What arrived.
    package init(
        repository: RepositoryRef, issueNumber: Int, issueTitle: String, issueBody: String,
        commentID: Int64, commentURL: String, author: Person, wish: Wish
    ) {
        self.repository = repository
        self.issueNumber = issueNumber
        self.issueTitle = issueTitle
        self.issueBody = issueBody
        self.commentID = commentID
        self.commentURL = commentURL
        self.author = author
        self.wish = wish
    }
}

/// What a run was asked to be.
package struct TaskWish: Hashable, Sendable {
    /// An agent's own name; nil leaves the choice to admission.
    package var agent: String?
    /// A model as the agent's program names it; nil is the program's own choice.
    package var model: String?
    /// The class in the queue.
    package var priority: Priority
    /// The branch of `--base`; nil is the default branch at admission.
    package var base: String?
    /// Seconds.
    package var timeout: Int
    /// Whether the pull request is to be opened as a draft.
    package var isDraft: Bool
    /// `writers` or `all`.
    package var context: String
    /// What the command says after its flags; may be empty.
    package var instructions: String

    /// The wish with its flags.
    package init(
        agent: String?, model: String?, priority: Priority, base: String?, timeout: Int,
        isDraft: Bool, context: String, instructions: String
    ) {
        self.agent = agent
        self.model = model
        self.priority = priority
        self.base = base
        self.timeout = timeout
        self.isDraft = isDraft
        self.context = context
        self.instructions = instructions
    }
}
