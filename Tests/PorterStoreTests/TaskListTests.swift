import GRDB
import Porter
import Testing

@testable import PorterStore

/// Lists of tasks, however many there are.
@Suite struct TaskListTests {
    @Test(
        arguments: [
            { (_: inout TaskFilter) in }, { $0.states = [.failed] }, { $0.states = [] },
            { $0.agent = "codex" },
            { $0.createdBy = "maria" },
            { $0.createdBy = "17" }, { $0.repository = "acme/shop" }, { $0.issue = 7 },
            { $0.from = Instant(seconds: 1) }, { $0.to = Instant(seconds: 1) }, { $0.before = Store.id(5) },
        ] as [@Sendable (inout TaskFilter) -> Void])
    func `a page is found in one index, whatever is asked for`(
        change: @Sendable (inout TaskFilter) -> Void
    ) throws {
        let store = try Store()
        try store.database.saveRepository(
            RepositoryChange(repository: Store.repository, owner: Person(id: 900, login: "acme")),
            at: store.start)
        for person in [nil, Int64(1)] {
            var filter = TaskFilter(limit: 51)
            filter.visibleTo = person
            change(&filter)
            let plan = try store.database.read("explain") { db in
                let (sql, arguments) = try PorterStore.Database.page(filter, db)
                return try Row.fetchAll(db, sql: "EXPLAIN QUERY PLAN " + sql, arguments: arguments)
                    .map { $0["detail"] as String }
            }
            #expect(plan.contains { $0.contains("USING COVERING INDEX tasks_list") }, "\(plan)")
            #expect(!plan.contains { $0.contains("TEMP B-TREE") }, "\(plan)")
        }
    }

    @Test func `a search looks through 2,000 tasks at a time and goes on below them`() throws {
        let store = try Store()
        try store.accept(0)
        try store.run("UPDATE tasks SET admitted_at = 1, agent = 'demo', base_branch = 'main'")
        // So many newer ones: the first task is the last that a page looks at, and then the first that it does not.
        func add(_ numbers: ClosedRange<Int>) throws {
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
        var filter = TaskFilter(limit: 50)
        filter.search = try store.task(0).issueTitle

        try add(1...1999)
        #expect(try store.database.listTasks(filter).tasks.map(\.task.id) == [Store.id(0)])

        try add(2000...2000)
        let first = try store.database.listTasks(filter)
        #expect(first.tasks.isEmpty)
        #expect(first.next != nil)
        filter.before = first.next
        let second = try store.database.listTasks(filter)
        #expect(second.tasks.map(\.task.id) == [Store.id(0)])
        #expect(second.next == nil)
    }
}
