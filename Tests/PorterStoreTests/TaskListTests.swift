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
}
