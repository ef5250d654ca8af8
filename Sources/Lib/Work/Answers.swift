import Porter
import PorterStore

extension Work {
    /// Answers a command that made no task, or carries it out; every command needs the same permission.
    func answer(_ claim: JobClaim) throws -> JobOutcome {
        guard let comment = Int64(claim.subject.dropFirst("comment:".count)),
            let command = try store.findCommand(comment: comment)
        else { return .done }
        guard command.outcome == nil else { return try acknowledge(command) }
        try learnOwner(try world.github.app())
        guard let repository = try place(of: command, claim) else {
            try store.closeCommand(comment: comment, "given_up", for: claim, at: now)
            return .done
        }
        let here = command.repository.following(repository)
        let isOff = try store.isSwitchedOff(repository: here.id)
        guard try serves(repository.owner), !repository.isArchived else {
            try store.closeCommand(comment: comment, "suppressed", for: claim, at: now)
            return .done
        }
        guard try mayCommand(command.author, in: here) else {
            return try refuseStranger(command, here, claim)
        }
        try store.permitCommand(comment: comment, for: claim, at: now)
        // What runs can be stopped everywhere.
        if isOff, command.kind != "stop" {
            return try reply(Replies.refusal(.repositoryNotEnabled, to: command.author), command, here, claim)
        }
        switch command.kind {
        case "help":
            let text = Replies.help(
                mention: policy.mention, catalog: world.catalog,
                usable: try usableAgents(for: command.author, in: here))
            return try reply(text, command, here, claim)
        case "status":
            let tasks = try store.recentTasks(
                repository: here.id, issue: command.issueNumber, most: Replies.mostTasks)
            var places: [TaskID: Int] = [:]
            for task in tasks where task.state == .queued {
                places[task.id] = try store.place(of: task.id, policy.caps, at: now)
            }
            return try reply(Replies.status(tasks, places: places, at: now), command, here, claim)
        case "stop":
            return try stop(command, here, claim)
        case "retry":
            return try reply(try retryRefusal(command), command, here, claim)
        default:
            let text = Replies.mistake(
                command.reason ?? .badCommand, command.message ?? "", mention: policy.mention)
            return try reply(text, command, here, claim)
        }
    }

    /// The command's repository as GitHub shows it now; nil when it is out of reach for good.
    private func place(of command: StoredCommand, _ claim: JobClaim) throws -> GitHub.Repository? {
        do {
            return try world.github.repository(command.repository)
        } catch {
            guard try isForGood(error, in: command.repository, claim) else { throw error }
            log(.warning, "answer could not be posted", ["error": "\(error)"])
            return nil
        }
    }

    /// Whether a refusal will not change: GitHub says that what is meant is gone, or that the installation is; or the
    /// job has asked as often as it may.
    ///
    /// A 403 or 404 alone is no such word: permissions that wait for approval, a token that was made too early and a
    /// repository on its way to another owner look alike.
    private func isForGood(
        _ error: GitHubError, in repository: RepositoryRef, _ claim: JobClaim
    ) throws -> Bool {
        switch error.code {
        case .gone: return true
        case .notFound, .forbidden:
            if let most = Self.mostTries(.answer), claim.tries + 1 >= most { return true }
            return try isSuspended(repository.installationID)
        case .refused, .unauthorized, .rateLimited, .unreachable, .uncertain: return false
        }
    }

    private func stop(
        _ command: StoredCommand, _ here: RepositoryRef, _ claim: JobClaim
    ) throws -> JobOutcome {
        if try isReplied(command, here, claim) {
            // It has said that nothing was there to stop; what came since was not meant.
            try store.closeCommand(comment: command.commentID, "answered", for: claim, at: now)
            return .done
        }
        world.moment("stop.carrying")
        let stopped = try store.carryOut(
            command, detail: "Stopped by \(command.author.login).", for: claim, at: now)
        world.moment("stop.carried")
        guard stopped else {
            return try reply(Replies.nothingToStop(command.target), command, here, claim)
        }
        try reactGently(.eyes, to: command.id, on: command.issueNumber, in: here)
        return .done
    }

    /// Shows that a command was carried out, if that could not be shown at once.
    private func acknowledge(_ command: StoredCommand) throws(GitHubError) -> JobOutcome {
        if command.outcome == "done" {
            try reactGently(
                .eyes, to: command.id, on: command.issueNumber, in: command.repository)
        }
        return .done
    }

    private func retryRefusal(_ command: StoredCommand) throws(StoreError) -> String {
        let unfinished = try store.unfinishedTasks(before: command)
        return Replies.nothingToRetry(command.target, unfinished: unfinished.map(\.id))
    }

    /// Whether an earlier turn has posted the answer, and died before it could record that.
    private func isReplied(
        _ command: StoredCommand, _ here: RepositoryRef, _ claim: JobClaim
    ) throws -> Bool {
        guard let step = try store.findStep(command.replyKey) else { return false }
        return try settle(step, for: claim) {
            try findComment(
                command.replyMarker, in: here, issue: command.issueNumber, since: command.receivedAt)
        } != nil
    }

    /// Posts the one answer to the command.
    private func reply(
        _ text: String, _ command: StoredCommand, _ here: RepositoryRef, _ claim: JobClaim,
        outcome: String = "answered"
    ) throws -> JobOutcome {
        do {
            _ = try postComment(
                text, marker: command.replyMarker, key: command.replyKey, task: nil, in: here,
                issue: command.issueNumber, since: command.receivedAt, claim)
        } catch let error as GitHubError {
            guard try isForGood(error, in: here, claim) else { throw error }
            log(.warning, "answer could not be posted", ["error": "\(error)"])
            try store.closeCommand(comment: command.commentID, "given_up", for: claim, at: now)
            return .done
        }
        try store.closeCommand(comment: command.commentID, outcome, for: claim, at: now)
        return .done
    }

    private func refuseStranger(
        _ command: StoredCommand, _ here: RepositoryRef, _ claim: JobClaim
    ) throws -> JobOutcome {
        let earlier = try store.earlierRefusal(
            repository: here.id, issue: command.issueNumber, person: command.author.id,
            since: now.adding(seconds: -Self.refusalQuiet), otherThan: command.commentID)
        if let earlier {
            guard earlier.isDecided else { return .again(nextLook(since: command.receivedAt)) }
            try store.closeCommand(comment: command.commentID, "suppressed", for: claim, at: now)
            return .done
        }
        return try reply(
            Replies.refusal(.notPermitted, to: command.author), command, here, claim,
            outcome: "refused")
    }

    /// When to look again whether an earlier refusal is said.
    ///
    /// Soon at first, then after half of the time that the command has waited, 5 minutes at most: each look asks
    /// GitHub for the permission anew.
    func nextLook(since moment: Instant) -> Instant {
        now.adding(milliseconds: min(max((now - moment) / 2, 1000), 300_000))
    }

    /// Adds a reaction to a command; a comment that is gone or cannot be reached stays without, and a review
    /// takes none.
    func reactGently(
        _ reaction: GitHub.Reaction, to command: CommandID, on issue: Int, in repository: RepositoryRef
    ) throws(GitHubError) {
        // What was asked for on our own pages has no comment.
        guard command.rawValue > 0 else { return }
        let target: GitHub.ReactionTarget
        switch command.source {
        case .comment: target = .comment(command.number)
        case .reviewComment: target = .reviewComment(command.number)
        case .opening: target = .issue(issue)
        case .review: return
        }
        do {
            try world.github.react(repository, target, reaction)
        } catch {
            guard [.notFound, .gone, .forbidden, .refused].contains(error.code) else { throw error }
            log(.info, "reaction could not be added", ["error": "\(error)"])
        }
    }

    /// Posts a comment under its marker, once; of two with one marker the later is deleted.
    ///
    /// - Returns: the comment's id and address, and whether its text is this one for certain.
    func postComment(
        _ text: String, marker: String, key: String, task: TaskID?, in repository: RepositoryRef,
        issue: Int, since: Instant, _ claim: JobClaim
    ) throws -> (id: Int64, url: String, isNew: Bool) {
        let find = { try self.findComment(marker, in: repository, issue: issue, since: since) }
        let (outcome, isNew) = try perform(key, task: task, for: claim, find: find) {
            let comment = try world.github.createComment(repository, issue, text + "\n\n" + marker)
            return "\(comment.id) \(comment.url)"
        }
        let parts = outcome.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, let id = Int64(parts[0]) else {
            throw StoreError(.corrupt, operation: "read step \(key)", message: "no comment in it")
        }
        return (id, String(parts[1]), isNew)
    }

    /// Looks for our comment with the marker; of several the first stays.
    ///
    /// - Returns: its id and address; nil when there is none.
    private func findComment(
        _ marker: String, in repository: RepositoryRef, issue: Int, since: Instant
    ) throws(GitHubError) -> String? {
        // Our clock may have been wrong then: what is not found near the time is looked for everywhere.
        var ours: [GitHub.Comment] = []
        for start in [since.adding(seconds: -300), Instant(seconds: 0)] where ours.isEmpty {
            ours = try world.github.ownComments(repository, issue, start)
                .filter { $0.body.hasSuffix(marker) }
                .sorted { $0.id < $1.id }
        }
        for double in ours.dropFirst() { try world.github.deleteComment(repository, double.id) }
        return ours.first.map { "\($0.id) \($0.url)" }
    }
}

extension StoredCommand {
    /// The natural key of its answer.
    fileprivate var replyKey: String { "comment:\(commentID)/reply" }
    /// What its answer ends with.
    fileprivate var replyMarker: String { "<!-- porter:reply:\(id.marker) -->" }
}
