import Porter
import PorterStore

extension Work {
    /// Seconds between two edits of a status comment for a new phase.
    static var phaseEditInterval: Int { 10 }
    /// Seconds between two edits for a new place in the queue.
    static var placeEditInterval: Int { 30 }

    /// Adds `eyes` to the command of an admitted task.
    func react(_ task: PorterTask, _ claim: JobClaim) throws -> JobOutcome {
        guard !task.state.isFinal else { return .done }
        try reactGently(
            .eyes, to: CommandID(rawValue: task.commentID), on: task.issueNumber, in: task.repository)
        return .done
    }

    /// Makes the task's one status comment, or brings it up to date.
    ///
    /// An ended task's comment is folded by its ending.
    func updateStatusComment(_ task: PorterTask, _ claim: JobClaim) throws -> JobOutcome {
        guard task.admittedAt != nil, !task.state.isFinal,
            let comments = try store.findComments(task.id)
        else { return .done }
        let place = task.state == .queued ? try store.place(of: task.id, policy.caps, at: now) : nil
        let text = StatusText.body(task, place: place, agent: agentTitle(task))
        // Places change by waiting alone, and when somebody else joins the queue.
        let done = place == nil ? JobOutcome.done : .again(now.adding(seconds: Self.placeEditInterval))
        guard comments.statusID != nil else {
            try makeStatusComment(task, text, claim)
            return done
        }
        guard try comments.statusBody != text || isUncertain(Self.editKey(task)) else { return done }
        let interval = task.state == .queued ? Self.placeEditInterval : Self.phaseEditInterval
        if let last = comments.statusAt {
            let next = last.adding(seconds: interval)
            if now < next, now >= last { return .again(next) }
        }
        try editStatusComment(task, comments, to: text, claim)
        return done
    }

    func makeStatusComment(_ task: PorterTask, _ text: String, _ claim: JobClaim) throws {
        let made = try postComment(
            text, marker: task.id.marker(.status), key: "\(task.id.rawValue)/comment.status",
            task: task.id, in: task.repository, issue: task.issueNumber, since: task.createdAt, claim)
        // One that an earlier turn made may show an earlier text: then the next turn edits it.
        try store.saveStatusComment(
            task.id, comment: made.id, url: made.url, body: made.isNew ? text : "", for: claim, at: now)
        if !made.isNew { try store.enqueue(.status, for: task.id, at: now) }
    }

    /// Edits are of one nature: the same text twice is the same comment.
    ///
    /// A comment that somebody deleted stays deleted.
    func editStatusComment(
        _ task: PorterTask, _ comments: TaskComments, to text: String, _ claim: JobClaim
    ) throws {
        guard let id = comments.statusID else { return }
        do {
            try performInTurn(Self.editKey(task), task: task.id, for: claim) {
                try world.github.updateComment(
                    task.repository, id, text + "\n\n" + task.id.marker(.status))
            } keep: {
                try store.saveStatusComment(
                    task.id, comment: id, url: $0.url, body: text, for: claim, at: now)
            }
        } catch let error as GitHubError where [.gone, .notFound].contains(error.code) {
            log(.info, "status comment is gone", ["task.id": task.id.rawValue])
        }
    }

    private static func editKey(_ task: PorterTask) -> String { "\(task.id.rawValue)/comment.edit" }
}
