package import Porter

/// What `@porter …` means: a comment's text in, a value out.
///
/// Pure, and linear in the comment's length. ``CommandParser`` finds the line and reads it;
/// ``CommentLines`` knows which lines of a comment are spoken and which are quoted, fenced or hidden.
package enum Command: Hashable, Sendable {
    /// Run an agent on the issue.
    case run(RunCommand)
    /// Show the commands.
    case help
    /// Show what runs on this issue.
    case status
    /// Stop that task, or all unfinished ones of the issue.
    case stop(TaskID?)
    /// Run that ended task again, or the latest.
    case retry(TaskID?)
    /// Go on from the branch of that ended task, or the latest.
    case `continue`(TaskID?, instructions: String)
    /// It cannot be carried out as it stands.
    case mistake(Mistake)
}

/// A run as it was asked for; nil where nothing was said.
package struct RunCommand: Hashable, Sendable {
    /// An agent's own name, aliases resolved; nil asks for the default.
    package var agent: String?
    /// A model as the agent's program names it, passed on unread.
    package var model: String?
    /// The class in the queue; nil is normal.
    package var priority: Priority?
    /// The branch to start from; nil is the repository's default branch.
    package var base: String?
    /// Seconds.
    package var timeout: Int?
    /// Whether the pull request is to be opened as a draft.
    package var isDraft = false
    /// Whose comments the prompt may quote; nil is the people who can push.
    package var context: ContextChoice?
    /// To the end of the comment, line breaks kept; may be empty: then the issue itself is the instruction.
    package var instructions = ""

    /// A run without any flag.
    package init() {}
}

/// Whose comments the prompt may quote.
package enum ContextChoice: String, CaseIterable, Sendable {
    /// People who can push.
    case writers
    /// Everybody.
    case all
}

/// Why a command cannot be carried out, in words for the person.
package struct Mistake: Hashable, Sendable {
    /// `.badCommand` or `.unknownAgent`.
    package let reason: Reason
    /// Markdown; names what is wrong and how to mend it.
    package let message: String

    /// A mistake.
    package init(_ reason: Reason, _ message: String) {
        self.reason = reason
        self.message = message
    }
}
