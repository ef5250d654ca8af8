import Foundation
import GRDB
package import Porter

/// A delivery of GitHub's, as far as it is stored.
package struct Delivery: Hashable, Sendable {
    /// `X-GitHub-Delivery`; the same for a redelivery.
    package let guid: String
    /// `X-GitHub-Event`: `issue_comment`, `issues`, `installation`.
    package let event: String
    /// The payload's `action`; nil for events that have none.
    package let action: String?
    /// What tells its body from another's: a byte that names the key, and the body's digest under it; empty when the
    /// body is not known, as for one that is read from GitHub's log.
    package let digest: [UInt8]

    /// What names the delivery.
    package init(guid: String, event: String, action: String?, digest: [UInt8]) {
        self.guid = guid
        self.event = event
        self.action = action
        self.digest = digest
    }
}

/// What became of a delivery.
package struct Acceptance: Hashable, Sendable {
    /// Whether it had been stored before (by its id, or the comment by its).
    package let isDuplicate: Bool
    /// The task that it made, now or the first time.
    package let task: TaskID?
    /// Whether what was stored under its id had another body.
    package var differs = false
}

extension Database {
    /// Looks whether a delivery of that id is stored.
    package func findDelivery(_ guid: String) throws(StoreError) -> Acceptance? {
        try read("find delivery") { try Self.storedDelivery(guid, $0) }
    }

    /// Stores a command, with its delivery, and its task or its wish for an answer.
    ///
    /// Once this returns, the command is on disk. A known delivery id or comment id changes nothing.
    ///
    /// - Parameters:
    ///   - delivery: nil when the command was found on GitHub.
    ///   - newID: the id that a new task would get.
    package func accept(
        _ delivery: Delivery?, _ command: ArrivedCommand, newID: TaskID, executor: String, at now: Instant
    ) throws(StoreError) -> Acceptance {
        try write(
            "accept command", Self.acceptance(delivery, command, newID: newID, executor: executor, at: now))
    }

    /// The same without waiting for the disk.
    ///
    /// - Parameter then: called once the command is on disk, or why it is not; it must not wait for anything.
    package func accept(
        _ delivery: Delivery, _ command: ArrivedCommand, newID: TaskID, executor: String, at now: Instant,
        then: @escaping @Sendable (Result<Acceptance, StoreError>) -> Void
    ) {
        write(
            "accept command", Self.acceptance(delivery, command, newID: newID, executor: executor, at: now),
            then: then)
    }

    private static func acceptance(
        _ delivery: Delivery?, _ command: ArrivedCommand, newID: TaskID, executor: String, at now: Instant
    ) -> @Sendable (Transaction) throws -> Acceptance {
        { transaction in
            if let known = try transaction.known(delivery, command, at: now) { return known }
            var task: TaskID?
            var retried: TaskID?
            switch command.wish {
            case .run(let wish):
                try transaction.insert(wish, as: newID, for: command, executor: executor, at: now)
                task = newID
            case .retry(let target):
                if let former = try transaction.taskToRetry(target, for: command) {
                    retried = former.id
                    try transaction.insert(former.wish, as: newID, for: command, executor: executor, at: now)
                    task = newID
                }
            case .stop, .help, .status, .mistake:
                break
            }
            try transaction.insert(command, task: task, retried: retried, at: now)
            if let delivery { try transaction.insert(delivery, task: task, at: now) }
            if let task {
                try transaction.recordAcceptance(task, detail: delivery?.guid ?? "found on GitHub", at: now)
                try transaction.enqueue(.admit, for: task, at: now)
            } else {
                try transaction.enqueue(.answer, for: "comment:\(command.commentID)", at: now)
            }
            return Acceptance(isDuplicate: false, task: task)
        }
    }

    /// Stores that an issue was closed and stops its unfinished tasks.
    ///
    /// - Parameter closedAt: by GitHub's clock; tasks that were asked for later go on, because the issue was
    ///   opened again before. Nil stops them all.
    package func acceptClosing(
        _ delivery: Delivery, repository: Int64, issue: Int, closedAt: Instant?, at now: Instant
    ) throws(StoreError) -> Acceptance {
        try write("accept closing") { transaction in
            if let known = try transaction.stored(delivery, at: now) { return known }
            try transaction.insert(delivery, task: nil, at: now)
            try transaction.stopTasks(repository: repository, issue: issue, closedAt: closedAt, at: now)
            return Acceptance(isDuplicate: false, task: nil)
        }
    }

    /// Stops the unfinished tasks of an issue that was found closed.
    ///
    /// - Returns: whether there were any.
    package func stopTasks(
        repository: Int64, issue: Int, closedAt: Instant, at now: Instant
    ) throws(StoreError) -> Bool {
        let hasUnfinished = try read("look for unfinished tasks") { db in
            try Bool.fetchOne(
                db,
                sql: """
                    SELECT EXISTS (SELECT 1 FROM tasks WHERE repository_id = ? AND issue_number = ?
                        AND finished_at IS NULL AND stop_requested_at IS NULL)
                    """, arguments: [repository, issue])
        }
        guard hasUnfinished == true else { return false }
        return try write("stop tasks of a closed issue") { transaction in
            try transaction.stopTasks(repository: repository, issue: issue, closedAt: closedAt, at: now)
        }
    }

    /// Stores that an installation came, went, or was suspended.
    package func acceptInstallation(
        _ delivery: Delivery, _ news: InstallationChange, at now: Instant
    ) throws(StoreError) -> Acceptance {
        try write("accept installation") { transaction in
            if let known = try transaction.stored(delivery, at: now) { return known }
            try transaction.insert(delivery, task: nil, at: now)
            try transaction.follow(news, isServed: true, at: now)
            if news.change == .created || news.change == .unsuspended {
                try transaction.enqueue(.refresh, for: Self.refreshSubject, at: now)
            }
            return Acceptance(isDuplicate: false, task: nil)
        }
    }

    /// Stores that a person took the App's authorisation back: their sessions and tokens end.
    package func acceptRevocation(
        _ delivery: Delivery, of person: Person, at now: Instant
    ) throws(StoreError) -> Acceptance {
        try write("accept revocation") { transaction in
            if let known = try transaction.stored(delivery, at: now) { return known }
            try transaction.insert(delivery, task: nil, at: now)
            try transaction.revoke(person, at: now)
            return Acceptance(isDuplicate: false, task: nil)
        }
    }

    /// Stores what a delivery says about repositories.
    package func acceptRepositories(
        _ delivery: Delivery, _ repositories: [RepositoryChange], at now: Instant
    ) throws(StoreError) -> Acceptance {
        try write("accept repositories") { transaction in
            if let known = try transaction.stored(delivery, at: now) { return known }
            try transaction.insert(delivery, task: nil, at: now)
            for news in repositories { try transaction.save(news, at: now) }
            return Acceptance(isDuplicate: false, task: nil)
        }
    }

    fileprivate static func storedDelivery(_ guid: String, _ db: GRDB.Database) throws -> Acceptance? {
        try storedRow(guid, db).map { Acceptance(isDuplicate: true, task: task($0)) }
    }

    fileprivate static func storedRow(_ guid: String, _ db: GRDB.Database) throws -> Row? {
        try Row.fetchOne(
            db.cachedStatement(sql: "SELECT task_id, digest FROM deliveries WHERE guid = ?"),
            arguments: [guid])
    }

    fileprivate static func task(_ row: Row) -> TaskID? {
        (row["task_id"] as String?).flatMap(TaskID.init)
    }

    fileprivate static func storedCommand(_ comment: Int64, _ db: GRDB.Database) throws -> Acceptance? {
        try Row.fetchOne(
            db.cachedStatement(sql: "SELECT task_id FROM commands WHERE comment_id = ?"),
            arguments: [comment]
        ).map { Acceptance(isDuplicate: true, task: ($0["task_id"] as String?).flatMap(TaskID.init)) }
    }
}

extension Transaction {
    private static let findKnown = StatementText(
        """
        SELECT 1 FROM deliveries WHERE guid = ?1 UNION ALL SELECT 1 FROM commands WHERE comment_id = ?2
        """)

    /// What is stored under the delivery's id or the command's.
    fileprivate func known(
        _ delivery: Delivery?, _ command: ArrivedCommand, at now: Instant
    ) throws -> Acceptance? {
        let isKnown = try statements.findsRow(Self.findKnown) {
            $0.add(delivery?.guid)
            $0.add(command.commentID)
        }
        guard isKnown else { return nil }
        if let delivery, let known = try stored(delivery, at: now) { return known }
        return try Database.storedCommand(command.commentID, db)
    }

    /// What is stored under the delivery's id; that its body was another is written into the task's history.
    fileprivate func stored(_ delivery: Delivery, at now: Instant) throws -> Acceptance? {
        guard let row = try Database.storedRow(delivery.guid, db) else { return nil }
        let first = [UInt8](row["digest"] as Data)
        // Digests of two kinds, or under two keys, say nothing about each other.
        let isComparable = first.count == delivery.digest.count && first.first == delivery.digest.first
        let differs = isComparable && first != delivery.digest
        let task = Database.task(row)
        if differs, let task {
            try recordOnce("delivery_differs", task: task, detail: delivery.guid, at: now)
        }
        return Acceptance(isDuplicate: true, task: task, differs: differs)
    }

    /// Stops the unfinished tasks of the issue that were asked for by that moment.
    ///
    /// GitHub's clock decides. What was not written there has the time of ours, which may be ahead of it by a
    /// minute.
    @discardableResult
    fileprivate func stopTasks(
        repository: Int64, issue: Int, closedAt: Instant?, at now: Instant
    ) throws -> Bool {
        let meant = try PorterTask.fetchAll(
            db,
            sql: """
                SELECT * FROM tasks WHERE repository_id = ? AND issue_number = ? AND finished_at IS NULL
                    AND coalesce(written_at, created_at - 60000) <= ?
                """,
            arguments: [repository, issue, closedAt?.milliseconds ?? .max]
        )
        for task in meant {
            guard try requestStop(task, reason: .issueClosed, detail: nil, at: now) else { continue }
            try audit(
                AuditEntry(
                    at: now, actorID: nil, actorLogin: "GitHub", action: "task.stopped",
                    subject: task.id.rawValue,
                    detail: "its issue \(task.repository.fullName)#\(issue) was closed"))
        }
        return !meant.isEmpty
    }

    /// The ended task that a `retry` means, and its wish; nil when there is none that ended.
    ///
    /// What somebody asked for whose permission was never found is nobody else's to run: with the authority of
    /// whoever retries, a stranger's words would.
    func taskToRetry(
        _ target: TaskID?, for command: ArrivedCommand
    ) throws -> (id: TaskID?, wish: TaskWish)? {
        let row = try Row.fetchOne(
            db,
            sql: """
                SELECT id, agent_given, agent, model, priority, base_branch, base_given, timeout, is_draft,
                    context, instructions
                FROM tasks
                WHERE repository_id = ? AND issue_number = ? AND finished_at IS NOT NULL
                    AND (admitted_at IS NOT NULL OR reason IN (\(Self.afterPermission))
                        OR (author_id = ? AND reason IS NOT 'not_permitted'))
                    AND (? IS NULL OR id = ?)
                ORDER BY finished_at DESC, id DESC LIMIT 1
                """,
            arguments: [
                command.repository.id, command.issueNumber, command.author.id, target?.rawValue,
                target?.rawValue,
            ])
        guard let row else { return nil }
        let baseGiven: Bool = row["base_given"]
        let wish = TaskWish(
            agent: (row["agent"] as String?) ?? row["agent_given"], model: row["model"],
            priority: Priority(rawValue: row["priority"]) ?? .normal,
            base: baseGiven ? row["base_branch"] : nil, timeout: row["timeout"],
            isDraft: row["is_draft"], context: row["context"], instructions: row["instructions"])
        return (TaskID(rawValue: row["id"]), wish)
    }

    private static let afterPermission = Reason.afterPermission.map { "'\($0.rawValue)'" }.joined(
        separator: ", ")
}
