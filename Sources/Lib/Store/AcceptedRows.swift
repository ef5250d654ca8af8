import Porter

/// The rows of a command on its way in: its delivery, itself, its task and the first line of the task's history.
extension Transaction {
    private static let insertDelivery = StatementText(
        """
        INSERT INTO deliveries (guid, event, action, digest, task_id, received_at)
        VALUES (?, ?, ?, ?, ?, ?)
        """)

    func insert(_ delivery: Delivery, task: TaskID?, at now: Instant) throws {
        try statements.run(Self.insertDelivery) {
            $0.add(delivery.guid)
            $0.add(delivery.event)
            $0.add(delivery.action)
            $0.add(delivery.digest)
            $0.add(task?.rawValue)
            $0.add(now.milliseconds)
        }
    }

    private static let insertCommand = StatementText(
        """
        INSERT INTO commands (comment_id, kind, repository_id, installation_id, owner_login,
            repository_name, issue_number, author_id, author_login, target, reason, message, task_id,
            received_at, written_at)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """)

    /// - Parameter retried: the task that a `retry` was found to mean.
    func insert(
        _ command: ArrivedCommand, task: TaskID?, retried: TaskID?, at now: Instant
    ) throws {
        var target: String?
        var reason: Reason?
        var message: String?
        switch command.wish {
        case .retry(let id), .stop(let id): target = (retried ?? id)?.rawValue
        case .mistake(let why, let words): (reason, message) = (why, words)
        case .run, .help, .status: break
        }
        try statements.run(Self.insertCommand) {
            $0.add(command.commentID)
            $0.add(command.wish.kind)
            $0.add(command.repository.id)
            $0.add(command.repository.installationID)
            $0.add(command.repository.owner)
            $0.add(command.repository.name)
            $0.add(command.issueNumber)
            $0.add(command.author.id)
            $0.add(command.author.login)
            $0.add(target)
            $0.add(reason?.rawValue)
            $0.add(message)
            $0.add(task?.rawValue)
            $0.add(now.milliseconds)
            $0.add(command.writtenAt?.milliseconds)
        }
    }

    private static let insertTask = StatementText(
        """
        INSERT INTO tasks (id, state, repository_id, installation_id, owner_login, repository_name,
            issue_number, issue_title, issue_body, comment_id, comment_url, author_id, author_login,
            agent, agent_given, model, priority, instructions, is_draft, context, timeout, branch,
            base_branch, base_given, executor, created_at, written_at)
        VALUES (?, 'queued', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """)

    func insert(
        _ wish: TaskWish, as id: TaskID, for command: ArrivedCommand, executor: String, at now: Instant
    ) throws {
        try statements.run(Self.insertTask) {
            $0.add(id.rawValue)
            $0.add(command.repository.id)
            $0.add(command.repository.installationID)
            $0.add(command.repository.owner)
            $0.add(command.repository.name)
            $0.add(command.issueNumber)
            $0.add(command.issueTitle)
            $0.add(command.issueBody)
            $0.add(command.commentID)
            $0.add(command.commentURL)
            $0.add(command.author.id)
            $0.add(command.author.login)
            $0.add(wish.agent)
            $0.add(wish.agent)
            $0.add(wish.model)
            $0.add(wish.priority.rawValue)
            $0.add(wish.instructions)
            $0.add(wish.isDraft ? 1 : 0)
            $0.add(wish.context)
            $0.add(wish.timeout)
            $0.add(id.branch)
            $0.add(wish.base)
            $0.add(wish.base != nil ? 1 : 0)
            $0.add(executor)
            $0.add(now.milliseconds)
            $0.add(command.writtenAt?.milliseconds)
        }
    }

    private static let insertAcceptance = StatementText(
        "INSERT INTO events (task_id, number, at, attempt, kind, detail) VALUES (?, 1, ?, 0, 'accepted', ?)")

    /// Adds the first line of a new task's history.
    func recordAcceptance(_ task: TaskID, detail: String, at now: Instant) throws {
        try statements.run(Self.insertAcceptance) {
            $0.add(task.rawValue)
            $0.add(now.milliseconds)
            $0.add(detail)
        }
    }
}
