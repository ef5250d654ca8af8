import Foundation
package import Porter
import PorterStore
package import PorterWork

/// People who write comments, and what they see.
extension World {
    package static let maria = Person(id: 1, login: "maria")
    package static let wim = Person(id: 2, login: "wim")
    package static let rita = Person(id: 3, login: "rita")

    /// A comment as its delivery shows it.
    package static func event(
        _ text: String, by person: Person, comment: Int64, issue: Int, repository: Int64 = 42
    ) -> CommentEvent {
        CommentEvent(
            action: "created",
            repository: RepositoryRef(installationID: 77, id: repository, owner: "acme", name: "shop"),
            repositoryOwner: Person(id: 900, login: "acme"), issueNumber: issue,
            issueTitle: "Login is flaky", issueBody: "It fails each Monday.", isPullRequest: false,
            commentID: comment, commentURL: "https://github.example/acme/shop/issues/\(issue)#c\(comment)",
            body: text, author: person, authorType: "User", isByApp: false)
    }

    /// Delivers a comment.
    @discardableResult
    package func say(
        _ text: String, by person: Person = maria, comment: Int64? = nil, issue: Int = issue,
        delivery: String = UUID().uuidString
    ) throws -> WebhookResult {
        let id = comment ?? freshComment()
        let event = Self.event(text, by: person, comment: id, issue: issue)
        return try work.accept(
            Delivery(guid: delivery, event: "issue_comment", action: "created", digest: [1]),
            .comment(event))
    }

    /// Delivers a comment that makes a task.
    package func ask(
        _ text: String = "@porter demo fix it", by person: Person = maria, comment: Int64? = nil,
        issue: Int = issue
    ) throws -> TaskID {
        guard case .accepted(let id?) = try say(text, by: person, comment: comment, issue: issue) else {
            throw Trouble("the comment \(text) made no task")
        }
        return id
    }

    /// Delivers that the issue was closed.
    package func close(issue: Int = issue) throws {
        github.change { $0.issues[issue]?.isOpen = false }
        _ = try work.accept(
            Delivery(guid: UUID().uuidString, event: "issues", action: "closed", digest: [2]),
            .issueClosed(
                IssueEvent(
                    repository: RepositoryRef(installationID: 77, id: 42, owner: "acme", name: "shop"),
                    repositoryOwner: Person(id: 900, login: "acme"), issueNumber: issue)))
    }

    /// Writes a comment whose delivery never arrives; GitHub's log says so.
    ///
    /// - Parameter seconds: how long ago that was.
    /// - Returns: the delivery's id.
    @discardableResult
    package func miss(
        _ text: String, comment: Int64, issue: Int = issue, before seconds: Int = 0
    ) throws -> String {
        let guid = "missed-\(comment)"
        let event = Self.event(text, by: Self.maria, comment: comment, issue: issue)
        noteMissed(guid, "issue_comment", "created", .comment(event), before: seconds)
        return guid
    }

    /// Notes a failed delivery in GitHub's log, once.
    package func noteMissed(
        _ guid: String, _ event: String, _ action: String, _ payload: WebhookEvent, before seconds: Int = 0
    ) {
        let moment = now.adding(seconds: -seconds)
        github.change { state in
            if state.log.contains(where: { $0.logged.guid == guid }) { return }
            state.log.append(
                (
                    GitHub.LoggedDelivery(
                        id: Int64(state.log.count * 2 + 1), guid: guid, event: event, action: action,
                        deliveredAt: moment, isSuccess: false),
                    GitHub.LoggedPayload(event: payload, action: action)
                ))
        }
    }

    /// The task as the database holds it.
    package func task(_ id: TaskID) throws -> PorterTask {
        guard let task = try store.findTask(id) else { throw Trouble("there is no \(id)") }
        return task
    }

    /// Porter's comments that end in the marker.
    package func comments(ending marker: String) -> [GitHub.Comment] {
        github.seen.ours.filter { $0.body.hasSuffix(marker) }
    }

    /// The task's ending on the issue.
    package func endings(_ id: TaskID) -> [GitHub.Comment] { comments(ending: id.marker(.ending)) }

    /// The task's status comments on the issue.
    package func statuses(_ id: TaskID) -> [GitHub.Comment] { comments(ending: id.marker(.status)) }

    /// What is wrong with how the task ended; empty when every promise was kept.
    package func flaws(_ id: TaskID) throws -> [String] {
        var flaws: [String] = []
        func require(_ holds: Bool, _ flaw: String) { if !holds { flaws.append(flaw) } }
        let task = try task(id)
        require(task.state.isFinal, "the task is \(task.state)")
        require(task.publishedAt != nil, "the ending is not published")
        require(endings(id).count == 1, "\(endings(id).count) endings")
        let word = StateWord(task.state, phase: nil).rawValue
        require(endings(id).first?.body.hasPrefix("**\(word)**") == true, "the ending does not say \(word)")
        if task.admittedAt != nil {
            require(statuses(id).count == 1, "\(statuses(id).count) status comments")
            require(
                statuses(id).first?.body.hasPrefix("**\(word)**") == true, "the status does not say \(word)")
        }
        let pulls = github.seen.pulls.filter { $0.draft.head == task.branch }
        require(pulls.count == (task.pullRequestNumber == nil ? 0 : 1), "\(pulls.count) pull requests")
        require(engine.running.filter { $0.task == id.rawValue }.isEmpty, "a machine still runs")
        require(github.liveTokens.isEmpty, "\(github.liveTokens.count) tokens are still good")
        let events = try store.listEvents(id).map(\.kind)
        require(events.count { $0 == "ended" } == 1, "it ended \(events.count { $0 == "ended" }) times")
        let last: GitHub.Reaction = task.state == .success ? .rocket : .confused
        require(github.seen.reactions[task.commentID, default: []].contains(last), "no \(last)")
        return flaws
    }

    private func freshComment() -> Int64 {
        Int64.random(in: 1_000_000...9_000_000_000)
    }
}
