package import Porter
import PorterAgents
import PorterCommands
package import PorterStore

/// What the webhook is answered.
package enum WebhookResult: Hashable, Sendable {
    /// Something was stored to act on.
    case accepted(TaskID?)
    /// It had been stored before.
    case duplicate(TaskID?)
    /// Nothing was stored.
    case ignored
}

extension Work {
    /// Whether a delivery's bytes may hold a command: a cheap look, without decoding anything.
    package func mayHoldCommand(_ payload: UnsafeRawBufferPointer) -> Bool {
        parser.mayHoldCommand(payload)
    }

    /// Seconds that GitHub may take to deliver at most.
    private static var lateDelivery: Int { 86_400 }

    /// When the issue was closed, as far as that tells what was asked for afterwards.
    ///
    /// Nil means that all its tasks are meant: what is older than GitHub keeps its deliveries, by a day at least for
    /// those that it made late itself, is no late news of GitHub's.
    private func whenClosed(_ issue: IssueEvent) -> Instant? {
        issue.closedAt.flatMap { now - $0 > Int64(policy.logReach + Self.lateDelivery) * 1000 ? nil : $0 }
    }

    /// Stores what a delivery asks for; once this returns, it is on disk.
    ///
    /// No call leaves the machine here.
    package func accept(_ delivery: Delivery, _ event: WebhookEvent) throws(StoreError) -> WebhookResult {
        switch event {
        case .comment(let comment):
            return try accept(delivery, comment)
        case .issueClosed(let issue):
            guard try serves(issue.repositoryOwner) else { return try nothing(delivery) }
            return try result(
                store.acceptClosing(
                    delivery, repository: issue.repository.id, issue: issue.issueNumber,
                    closedAt: whenClosed(issue), at: now), delivery)
        case .installation(let news):
            guard try serves(news.account) else {
                // Known, so that it can be served later; it gets nothing.
                try store.follow(news, at: now)
                return try nothing(delivery)
            }
            return try result(store.acceptInstallation(delivery, news, at: now), delivery)
        case .repositories(let repositories):
            var served: [RepositoryChange] = []
            for change in repositories {
                if try serves(change.owner) {
                    served.append(change)
                } else if try store.knowsRepository(change.repository.id) {
                    // It went to somebody who is not served.
                    var gone = change
                    gone.isRemoved = true
                    served.append(gone)
                }
            }
            guard !served.isEmpty else { return try nothing(delivery) }
            return try result(store.acceptRepositories(delivery, served, at: now), delivery)
        case .authorizationRevoked(let person):
            return try result(store.acceptRevocation(delivery, of: person, at: now), delivery)
        case .other:
            return .ignored
        }
    }

    /// Stores what a delivery asks for without waiting for the disk, if it is a command.
    ///
    /// - Parameter then: called once, with what ``accept(_:_:)`` returns or throws, perhaps on another thread;
    ///   it must not wait for anything.
    package func accept(
        _ delivery: Delivery, _ event: WebhookEvent,
        then: @escaping @Sendable (Result<WebhookResult, StoreError>) -> Void
    ) {
        do throws(StoreError) {
            guard case .comment(let comment) = event, let arrived = try command(in: comment) else {
                return then(.success(try accept(delivery, event)))
            }
            store.accept(
                delivery, arrived, newID: .make(at: now, entropy: world.entropy),
                executor: operatorsPolicy.engine.name, at: now
            ) { outcome in
                then(outcome.map { self.result($0, delivery) })
            }
        } catch {
            then(.failure(error))
        }
    }

    /// Whether the account's installations are served; true while that is not known yet, since admission
    /// asks again.
    package func serves(_ owner: Person) throws(StoreError) -> Bool {
        if let owners = operatorsPolicy.owners { return try names(owners, owner) }
        guard let mark = try store.findFact(Self.ownerMark) else { return true }
        return mark.value == String(owner.id)
    }

    /// Keeps whose the App is now: without `PORTER_OWNERS` only that account's installations are served.
    package func learnOwner(_ app: GitHub.App) throws(StoreError) {
        try store.setFact(Self.ownerMark, to: String(app.owner.id), at: now)
    }

    /// The mark that holds the id of the App's owner.
    static var ownerMark: String { "app.owner" }

    /// Stores what a comment asks for.
    ///
    /// - Parameter delivery: nil when it was found on GitHub, and no delivery of it has come.
    func accept(
        _ delivery: Delivery?, _ comment: CommentEvent
    ) throws(StoreError) -> WebhookResult {
        guard let arrived = try command(in: comment) else { return try nothing(delivery) }
        return result(
            try store.accept(
                delivery, arrived, newID: .make(at: now, entropy: world.entropy),
                executor: operatorsPolicy.engine.name, at: now), delivery)
    }

    /// The command in a comment that may hold one; nil when it asks for nothing.
    private func command(in comment: CommentEvent) throws(StoreError) -> ArrivedCommand? {
        guard comment.action == "created", !comment.isByApp, comment.authorType == "User",
            var command = parser.parse(comment.body.storable), try serves(comment.repositoryOwner)
        else { return nil }
        if case .mistake = command {
            // The answer's example names an agent that would run.
            let agent = try usableAgents(for: comment.author, in: comment.repository).first
            command = parser.suggesting(agent?.name).parse(comment.body.storable) ?? command
        }
        var arrived = ArrivedCommand(
            repository: comment.repository, issueNumber: comment.issueNumber,
            issueTitle: comment.issueTitle.storable, issueBody: comment.issueBody.storable,
            commentID: comment.commandID.rawValue, commentURL: comment.commentURL, author: comment.author,
            wish: try wish(of: command, on: comment))
        arrived.writtenAt = comment.createdAt
        return arrived
    }

    /// A delivery that asks for nothing; what is stored under it is a repeat even if the rules have changed since.
    private func nothing(_ delivery: Delivery?) throws(StoreError) -> WebhookResult {
        guard let delivery else { return .ignored }
        return try store.findDelivery(delivery.guid).map { .duplicate($0.task) } ?? .ignored
    }

    private func wish(
        of command: Command, on comment: CommentEvent
    ) throws(StoreError) -> ArrivedCommand.Wish {
        if comment.isEdited { return .mistake(.badCommand, Replies.editedBeforeItWasSeen) }
        if comment.isPullRequest {
            switch command {
            case .run, .retry, .continue:
                return .mistake(.badCommand, Replies.pullRequestsComeLater)
            case .help, .status, .stop, .mistake:
                break
            }
        }
        switch command {
        case .run(let run):
            return .run(try wish(of: run, by: comment.author))
        case .retry(let target): return .retry(target)
        case .stop(let target): return .stop(target)
        case .help: return .help
        case .status: return .status
        case .continue: return .mistake(.badCommand, Replies.continueComesLater)
        case .mistake(let mistake): return .mistake(mistake.reason, mistake.message)
        }
    }

    /// What a command asks for, with the defaults of now for what it does not say; they are frozen with it.
    private func wish(of run: RunCommand, by person: Person) throws(StoreError) -> TaskWish {
        let defaults = try runDefaults(of: person)
        return TaskWish(
            agent: run.agent, model: run.model, priority: run.priority ?? defaults.priority, base: run.base,
            timeout: run.timeout ?? defaults.timeout, isDraft: run.isDraft || defaults.isDraft,
            context: run.context?.rawValue ?? defaults.context, instructions: run.instructions)
    }

    private func result(_ acceptance: Acceptance, _ delivery: Delivery?) -> WebhookResult {
        if acceptance.differs {
            log(
                .warning, "delivery repeated with other content",
                ["delivery": delivery?.guid ?? "", "task.id": acceptance.task?.rawValue ?? ""])
        }
        return acceptance.isDuplicate ? .duplicate(acceptance.task) : .accepted(acceptance.task)
    }
}
