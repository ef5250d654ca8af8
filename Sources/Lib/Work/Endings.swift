import Porter
import PorterStore

extension Work {
    /// Seconds after its end in which a task's ending is tried to be published, whatever is wrong: issues are
    /// unlocked again, Apps reinstalled, keys renewed.
    static var publishingPatience: Int { 7 * 86_400 }

    /// Posts the task's one ending, folds its status comment and adds the last reaction.
    func postEnding(_ task: PorterTask, _ claim: JobClaim) throws -> JobOutcome {
        guard task.state.isFinal, let comments = try store.findComments(task.id) else { return .done }
        if task.publishedAt == nil {
            let ending: (id: Int64, url: String, isNew: Bool)
            do {
                // An admitted task has a status comment, even one that ended before it was made.
                if task.admittedAt != nil, comments.statusID == nil {
                    try makeStatusComment(task, StatusText.folded(task, ending: nil), claim)
                }
                ending = try postComment(
                    EndingText.body(
                        task, agent: agentTitle(task), mention: policy.mention, site: policy.publicURL),
                    marker: task.id.marker(.ending), key: "\(task.id.rawValue)/comment.ending",
                    task: task.id, in: task.repository, issue: task.issueNumber, since: task.createdAt,
                    claim)
            } catch let error as GitHubError {
                guard let finishedAt = task.finishedAt,
                    now >= finishedAt.adding(seconds: Self.publishingPatience)
                else { throw error }
                try store.recordEvent("unpublishable", task: task.id, detail: error.description, at: now)
                return .done
            }
            try store.publish(task.id, endingID: ending.id, url: ending.url, for: claim, at: now)
        }
        guard let published = try store.findTask(task.id), let last = try store.findComments(task.id)
        else { return .done }
        let folded = StatusText.folded(published, ending: published.endingCommentURL)
        if last.statusID != nil, last.statusBody != folded {
            try editStatusComment(published, last, to: folded, claim)
        }
        try reactGently(
            task.state == .success ? .rocket : .confused, to: CommandID(rawValue: task.commentID),
            on: task.issueNumber, in: task.repository)
        return .done
    }
}
