import GRDB
import Porter
import Testing

@testable import PorterStore

/// Lists of tasks, however many there are.
@Suite struct TaskListTests {
    private typealias Ask = (name: String, change: @Sendable (inout TaskFilter) -> Void)

    /// What a list can be asked for.
    ///
    /// The many tasks are p1's, of acme/shop's issue 7; a few are p2's, of issue 8.
    private static let asked: [Ask] = [
        ("everything", { _ in }), ("a state", { $0.states = [.queued] }), ("no state", { $0.states = [] }),
        ("two states", { $0.states = [.failed, .queued] }), ("an agent", { $0.agent = "demo" }),
        ("a person of many", { $0.createdBy = "P1" }), ("a person of few", { $0.createdBy = "p2" }),
        ("a person's id", { $0.createdBy = "2" }), ("nobody", { $0.createdBy = "nobody" }),
        ("a repository", { $0.repository = "ACME/shop" }), ("one of few", { $0.repository = "acme/old" }),
        ("no repository", { $0.repository = "acme/none" }), ("issue 7", { $0.issue = 7 }),
        ("issue 8", { $0.issue = 8 }),
        ("a repository's issue 7", { ($0.repository, $0.issue) = ("acme/shop", 7) }),
        ("a repository's issue 8", { ($0.repository, $0.issue) = ("acme/shop", 8) }),
        ("a person's in a repository", { ($0.repository, $0.createdBy) = ("acme/shop", "p2") }),
        ("from a moment", { $0.from = Instant(seconds: 1) }),
        ("to a moment", { $0.to = Instant(seconds: 1) }),
        ("a later page", { $0.before = Store.id(3) }),
    ]

    /// What can be few: it is looked up where it lies, unless there are many.
    private static let lookedUp = [
        "a person of few": "tasks_author", "a person's id": "tasks_author", "nobody": "tasks_author",
        "one of few": "tasks_issue", "no repository": "tasks_issue", "a repository's issue 8": "tasks_issue",
        "a person's in a repository": "tasks_author",
    ]

    @Test(arguments: [0, PorterStore.Database.fewTasks])
    func `a page shows what was asked for, of few tasks and of many, and of what somebody sees`(crowd: Int)
        throws
    {
        let store = try store(crowd: crowd)
        let all = try store.database.read("read all") {
            try PorterTask.fetchAll($0, sql: "SELECT * FROM tasks ORDER BY id DESC")
        }
        #expect(all.count == crowd + 5)
        for (name, change) in Self.asked {
            for person in [nil, Int64(1), Int64(2), Int64(3)] {
                var filter = TaskFilter(limit: 40)
                filter.visibleTo = person
                change(&filter)
                let expected = all.filter { Self.shows(filter, $0) }.prefix(40).map(\.id)
                #expect(
                    try store.database.listTasks(filter).tasks.map(\.task.id) == expected,
                    "\(name), \(person ?? 0)")
            }
        }
    }

    @Test func `among many tasks a page is found in the list's index, and few are looked up`() throws {
        let store = try store(crowd: PorterStore.Database.fewTasks)
        for (name, change) in Self.asked {
            for person in [nil, Int64(1)] {
                var filter = TaskFilter(limit: 51)
                filter.visibleTo = person
                change(&filter)
                let plan = try store.database.read("explain") { db in
                    let (sql, arguments) = try PorterStore.Database.page(filter, db)
                    return try Row.fetchAll(db, sql: "EXPLAIN QUERY PLAN " + sql, arguments: arguments)
                        .map { $0["detail"] as String }
                }
                let index =
                    Self.lookedUp[name].map { "USING INDEX \($0)" } ?? "USING COVERING INDEX tasks_list"
                #expect(plan.contains { $0.contains(index) }, "\(name): \(plan)")
                #expect(
                    Self.lookedUp[name] != nil || !plan.contains { $0.contains("TEMP B-TREE") },
                    "\(name): \(plan)")
            }
        }
    }

    @Test func `a search looks through 1,000 tasks at a time and goes on below them`() throws {
        let store = try Store()
        try store.accept(0)
        try store.run("UPDATE tasks SET admitted_at = 1, agent = 'demo', base_branch = 'main'")
        var filter = TaskFilter(limit: 50)
        filter.search = try store.task(0).issueTitle

        // So many newer ones: the first task is the last that a page looks at, and then the first that it does not.
        try add(1...999, to: store)
        #expect(try store.database.listTasks(filter).tasks.map(\.task.id) == [Store.id(0)])

        try add(1000...1000, to: store)
        let first = try store.database.listTasks(filter)
        #expect(first.tasks.isEmpty)
        #expect(first.next != nil)
        filter.before = first.next
        let second = try store.database.listTasks(filter)
        #expect(second.tasks.map(\.task.id) == [Store.id(0)])
        #expect(second.next == nil)
    }

    /// Whether the filter lets the task through; acme/shop is what persons 1 and 2 see, acme/old what 2 sees.
    private static func shows(_ filter: TaskFilter, _ task: PorterTask) -> Bool {
        let seen: [Int64: [Int64]] = [1: [42], 2: [42, 43], 3: []]
        let refusals = [
            filter.states.map { !$0.contains(task.state) },
            filter.repository.map { $0.lowercased() != "acme/" + task.repository.name },
            filter.agent.map { $0 != task.agent },
            filter.createdBy.map { $0.lowercased() != task.author.login && Int64($0) != task.author.id },
            filter.issue.map { $0 != task.issueNumber },
            filter.from.map { $0 > task.createdAt },
            filter.to.map { $0 < task.createdAt },
            filter.before.map { $0 <= task.id },
            filter.visibleTo.map { seen[$0]?.contains(task.repository.id) != true },
        ]
        return !refusals.contains(true)
    }

    /// Tasks 0 to 3 in acme/shop, number 3 p2's of issue 8; so many more of p1's; the last in acme/old, which only
    /// that task knows, by p2.
    private func store(crowd: Int) throws -> Store {
        let store = try Store()
        try store.database.saveRepository(
            RepositoryChange(repository: Store.repository, owner: Person(id: 900, login: "acme")),
            at: store.start)
        for number in 0..<3 { try store.accept(number) }
        try store.accept(3, by: 2, issue: 8)
        try store.run("UPDATE tasks SET admitted_at = 1, agent = 'demo', base_branch = 'main'")
        if crowd > 0 { try add(4...(crowd + 3), to: store) }
        let last = crowd + 4
        try store.accept(last, by: 2, issue: 8)
        try store.run(
            """
            UPDATE tasks SET admitted_at = 1, agent = 'codex', base_branch = 'main', repository_id = 43,
                repository_name = 'old' WHERE id = '\(Store.id(last).rawValue)';
            INSERT INTO people (id, login, created_at, signed_in_at) VALUES (1, 'p1', 1, 1), (2, 'p2', 1, 1),
                (3, 'p3', 1, 1);
            INSERT INTO person_repositories VALUES (1, 42, 1), (2, 42, 1), (2, 43, 0);
            """)
        return store
    }

    /// More tasks like number 0.
    private func add(_ numbers: ClosedRange<Int>, to store: Store) throws {
        let others = """
            reason, detail, repository_id, installation_id, owner_login, repository_name, issue_number, issue_body,
            comment_url, author_id, author_login, agent, priority, instructions, is_draft, context, timeout, branch,
            base_branch, executor, created_at, admitted_at
            """
        try store.run(
            """
            WITH RECURSIVE number (n) AS (
                SELECT \(numbers.lowerBound) UNION ALL SELECT n + 1 FROM number WHERE n < \(numbers.upperBound))
            INSERT INTO tasks (id, state, comment_id, issue_title, \(others))
            SELECT substr(id, 1, 21) || printf('%010d', n), state, comment_id + n, 'Another', \(others)
            FROM tasks, number WHERE id = '\(Store.id(0).rawValue)'
            """)
    }
}
