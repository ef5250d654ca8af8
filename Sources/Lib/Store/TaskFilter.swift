package import Porter

/// Which tasks a list shows; nil means any.
package struct TaskFilter: Hashable, Sendable {
    /// The states that are shown.
    package var states: [TaskState]?
    /// `owner/name`.
    package var repository: String?
    /// The name of the agent that ran or was asked for.
    package var agent: String?
    /// A login, or a person's id.
    package var createdBy: String?
    /// The issue's number, in any repository unless ``repository`` names one.
    package var issue: Int?
    /// Words in the title or the instructions.
    package var search: String?
    /// The earliest time of creation that is shown.
    package var from: Instant?
    /// The latest time of creation that is shown.
    package var to: Instant?
    /// The person whose repositories are shown; nil shows all.
    package var visibleTo: Int64?
    /// The last task of the page before; the list goes on below it.
    package var before: TaskID?
    /// Tasks on the page at most.
    package var limit: Int

    /// A filter that lets the newest tasks through.
    package init(limit: Int) {
        self.limit = limit
    }
}

/// A task of a list, with what a list shows of its current attempt.
package struct ListedTask: Hashable, Sendable {
    /// The task itself.
    package let task: PorterTask
    /// The engine's id of the current attempt's machine; nil until the engine has answered.
    package let machineID: String?
    /// Accepted callbacks of the current attempt's worker; 0 before the first attempt.
    package let callbacks: Int
}

/// A page of a list.
package struct TaskPage: Hashable, Sendable {
    /// The tasks, newest first; after a search there may be few, and more on the next page.
    package let tasks: [ListedTask]
    /// What the next page begins below; nil when nothing older is left to look at.
    package let next: TaskID?
}
