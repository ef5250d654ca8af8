import Porter
import PorterCommands
import PorterStore

/// The look at one repository.
extension Work {
    /// Reads what was changed in the repository, list by list, and takes in the commands among it.
    func look(at sweep: inout Sweep, _ turn: inout SweepTurn) throws {
        do {
            while let stage = sweep.stage {
                switch stage {
                case .issues: try readIssues(&sweep, &turn)
                case .comments: try readTexts(.comments, &sweep, &turn)
                case .reviewComments: try readTexts(.reviewComments, &sweep, &turn)
                case .reviews: try readReviews(&sweep, &turn)
                }
            }
        } catch let error as GitHubError where Self.isRefusal(error) {
            log(
                .info, "repository cannot be looked at",
                ["repository": sweep.repository.fullName, "error": "\(error)"])
            try noteRefusal(&turn)
            sweep.stage = nil
        }
    }

    /// Reads a page of the issues: new ones, closed ones, and pull requests that may have reviews.
    private func readIssues(_ sweep: inout Sweep, _ turn: inout SweepTurn) throws {
        let floor = turn.floor(of: sweep)
        let isFirst = sweep.page == nil && sweep.position == floor
        let page: GitHub.Page<GitHub.Content>
        do {
            page = try readPage(.issues, sweep, tag: isFirst ? sweep.tag : nil, &turn)
        } catch let error as GitHubError where isFirst && isGone(error, turn) {
            // Issues can be switched off; pull requests have comments all the same.
            sweep.isWithoutIssues = true
            sweep.enter(.comments, at: floor)
            return
        }
        if page.isUnchanged {
            sweep.stage = nil
            return
        }
        var pulls: [Int] = []
        for item in page.items {
            let facts = item.issue
            let isPullRequest = facts?.isPullRequest == true
            turn.issues[item.issueNumber] = IssueText(
                title: facts?.title ?? "", body: item.body, isPullRequest: isPullRequest)
            if isPullRequest { pulls.append(item.issueNumber) }
            // The number tells new issues from those that were seen without a command, and edited since.
            if !isPullRequest, item.issueNumber > sweep.highestIssue, item.createdAt >= floor {
                try take(item, sweep, &turn)
            }
            if let closedAt = facts?.closedAt, closedAt >= floor { try noteClosing(item, closedAt, sweep) }
        }
        sweep.newest = (page.items.map(\.updatedAt) + [sweep.newest].compactMap { $0 }).max()
        sweep.newestIssue = max(sweep.newestIssue, page.items.map(\.issueNumber).max() ?? 0)
        if isFirst { sweep.freshTag = page.next == nil ? page.tag : nil }
        goOn(after: page, &sweep)
        if sweep.stage == nil {
            if sweep.newest == nil { complete(&sweep) } else { sweep.enter(.comments, at: floor) }
        }
        try store.save(sweep, pulls: pulls, for: turn.claim)
        world.moment("contents.recorded")
    }

    /// Reads a page of comments.
    private func readTexts(
        _ list: GitHub.ContentList, _ sweep: inout Sweep, _ turn: inout SweepTurn
    ) throws {
        let floor = turn.floor(of: sweep)
        let page = try readPage(list, sweep, tag: nil, &turn)
        for item in page.items where item.createdAt >= floor { try take(item, sweep, &turn) }
        if sweep.isWithoutIssues, list == .comments {
            sweep.newest = (page.items.map(\.updatedAt) + [sweep.newest].compactMap { $0 }).max()
        }
        goOn(after: page, &sweep)
        if sweep.stage == nil {
            let hasPulls = try store.nextPull(sweep.repository.id) != nil
            if list == .comments, hasPulls || sweep.isWithoutIssues {
                sweep.enter(.reviewComments, at: floor)
            } else if hasPulls {
                sweep.enter(.reviews, at: floor)
            } else {
                complete(&sweep)
            }
        }
        try store.save(sweep, for: turn.claim)
        world.moment("contents.recorded")
    }

    /// Reads a page of the reviews of a pull request.
    private func readReviews(_ sweep: inout Sweep, _ turn: inout SweepTurn) throws {
        guard let number = try store.nextPull(sweep.repository.id) else {
            complete(&sweep)
            return
        }
        try turn.spend()
        let look = sweep.page.map(GitHub.Look.next) ?? .first(unless: nil)
        var page = GitHub.Page<GitHub.Content>(items: [], next: nil)
        do throws(GitHubError) {
            page = try world.github.reviews(sweep.repository, number, look)
        } catch {
            // It is gone, and with it what was written there.
            guard isGone(error, turn) else { throw error }
        }
        world.moment("contents.page")
        let floor = turn.floor(of: sweep)
        for item in page.items where item.createdAt >= floor { try take(item, sweep, &turn) }
        sweep.page = page.next
        if page.next == nil {
            try store.forgetPull(number, sweep, for: turn.claim)
        } else {
            try store.save(sweep, for: turn.claim)
        }
        world.moment("contents.recorded")
    }

    /// Whether the thing is not there: GitHub says so, or has said several times that it finds nothing.
    private func isGone(_ error: GitHubError, _ turn: SweepTurn) -> Bool {
        error.code == .gone || error.code == .notFound && !turn.round.isPatient
    }

    private func readPage(
        _ list: GitHub.ContentList, _ sweep: Sweep, tag: String?, _ turn: inout SweepTurn
    ) throws -> GitHub.Page<GitHub.Content> {
        try turn.spend()
        let look = sweep.page.map(GitHub.Look.next) ?? .first(unless: tag)
        let page = try world.github.contents(sweep.repository, list, sweep.position, look)
        world.moment("contents.page")
        return page
    }

    /// Moves on behind the page; a list that is read has no stage any more.
    ///
    /// The next page begins at the time of the last change that was seen, and not at a number of entries: what
    /// is changed or deleted meanwhile moves the numbers, and an entry would be skipped. Only where a whole page
    /// changed within one second GitHub's own next page is asked for.
    private func goOn(after page: GitHub.Page<GitHub.Content>, _ sweep: inout Sweep) {
        guard let next = page.next else {
            sweep.stage = nil
            return
        }
        let times = page.items.map(\.updatedAt)
        let isInOrder = zip(times, times.dropFirst()).allSatisfy { $0 <= $1 }
        if isInOrder, let last = times.last?.adding(seconds: -1), last > sweep.position {
            sweep.position = last
            sweep.page = nil
        } else {
            sweep.page = next
        }
    }

    /// All is known that had changed by the newest change that was seen.
    private func complete(_ sweep: inout Sweep) {
        sweep.stage = nil
        sweep.page = nil
        sweep.highestIssue = sweep.newestIssue
        let newest = sweep.newest ?? sweep.knownUntil
        // The tag is that of a list since the moment that was known before.
        sweep.tag = newest <= sweep.knownUntil ? sweep.freshTag : nil
        sweep.knownUntil = max(sweep.knownUntil, newest)
    }

    /// Takes in a command that no delivery has told of.
    private func take(_ item: GitHub.Content, _ sweep: Sweep, _ turn: inout SweepTurn) throws {
        guard item.authorType == "User", !item.isByApp, parser.parse(item.body.storable) != nil,
            try !store.knows(item.id), let issue = try issue(item.issueNumber, sweep.repository, &turn)
        else { return }
        var event = CommentEvent(
            action: "created", repository: sweep.repository, repositoryOwner: sweep.owner,
            issueNumber: item.issueNumber, issueTitle: issue.title, issueBody: issue.body,
            isPullRequest: issue.isPullRequest, commentID: item.id.number, commentURL: item.url,
            body: item.body, author: item.author, authorType: item.authorType, isByApp: item.isByApp)
        event.source = item.id.source
        event.createdAt = item.createdAt
        event.isEdited = item.isEdited
        world.moment("contents.taking")
        let result = try accept(nil, event)
        world.moment("contents.taken")
        if case .accepted = result {
            log(.notice, "command found on GitHub", ["url": item.url, "edited": "\(item.isEdited)"])
        }
    }

    /// The words of the issue; nil when it is gone.
    private func issue(
        _ number: Int, _ repository: RepositoryRef, _ turn: inout SweepTurn
    ) throws -> IssueText? {
        if let known = turn.issues[number] { return known }
        try turn.spend()
        do throws(GitHubError) {
            let issue = try world.github.issue(repository, number)
            turn.issues[number] = IssueText(
                title: issue.title, body: issue.body, isPullRequest: issue.isPullRequest)
        } catch {
            guard isGone(error, turn) else { throw error }
            turn.issues[number] = .some(nil)
        }
        return turn.issues[number] ?? nil
    }

    private func noteClosing(_ item: GitHub.Content, _ closedAt: Instant, _ sweep: Sweep) throws(StoreError) {
        let stopped = try store.stopTasks(
            repository: sweep.repository.id, issue: item.issueNumber, closedAt: closedAt, at: now)
        if stopped { log(.notice, "issue found closed", ["url": item.url]) }
    }
}
