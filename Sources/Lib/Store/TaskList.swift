import GRDB
import Porter

/// Pages of tasks: found in an index, whatever is asked for; only then their rows are read.
extension Database {
    /// Tasks whose words a page of a search reads at most: their rows lie all over the file.
    static let searchDepth = 1_000
    /// Up to so many tasks of one person, issue or repository are looked up, each in its place; among more, the index
    /// of the list is walked from its end, which comes upon them soon unless they are old.
    static let fewTasks = 500
    /// The same for a search, which reads rows until it has seen ``searchDepth``: among so many of a person's tasks it
    /// would walk half of the index.
    static let fewTasksToSearch = 4_000

    /// The page of tasks that the filter lets through, newest first.
    ///
    /// A task whose author's permission is not known yet is in no list. Words are looked for in ``searchDepth`` tasks;
    /// the next page goes on below those.
    package func listTasks(_ filter: TaskFilter) throws(StoreError) -> TaskPage {
        try read("list tasks") { db in
            let deepest = filter.search == nil ? nil : try Self.deepest(filter, db)
            // One more than asked for tells whether there is a next page.
            var wider = filter
            wider.limit += 1
            let (sql, arguments) = try Self.page(wider, downTo: deepest, db)
            let found = try ListedTask.fetchAll(db, sql: sql, arguments: arguments)
            let tasks = Array(found.prefix(filter.limit))
            return TaskPage(tasks: tasks, next: found.count > filter.limit ? tasks.last?.task.id : deepest)
        }
    }

    /// The last task in whose words a page of the search looks; nil when there are no more than those.
    private static func deepest(_ filter: TaskFilter, _ db: GRDB.Database) throws -> TaskID? {
        let (index, condition, arguments) = try condition(filter, db)
        return try String.fetchOne(
            db,
            sql: """
                SELECT id FROM tasks INDEXED BY \(index.rawValue)
                WHERE \(condition) ORDER BY id DESC LIMIT 1 OFFSET \(searchDepth - 1)
                """, arguments: arguments
        ).flatMap(TaskID.init(rawValue:))
    }

    /// The statement of a page.
    static func page(
        _ filter: TaskFilter, downTo deepest: TaskID? = nil, _ db: GRDB.Database
    ) throws -> (sql: String, arguments: StatementArguments) {
        var (index, condition, arguments) = try condition(filter, db)
        if let deepest {
            condition += " AND id >= ?"
            arguments += [deepest.rawValue]
        }
        if let search = filter.search {
            condition += """
                 AND (instr(lower(issue_title), lower(?)) > 0 OR instr(lower(instructions), lower(?)) > 0)
                """
            arguments += [search, search]
        }
        arguments += [filter.limit]
        let sql = """
            SELECT tasks.*, attempts.machine_id AS listed_machine, attempts.callbacks AS listed_callbacks
            FROM tasks LEFT JOIN attempts ON attempts.task_id = tasks.id AND attempts.number = tasks.attempt
            WHERE tasks.id IN (
                SELECT id FROM tasks INDEXED BY \(index.rawValue) WHERE \(condition) ORDER BY id DESC LIMIT ?)
            ORDER BY tasks.id DESC
            """
        return (sql, arguments)
    }

    /// Where a page's tasks are found.
    private enum Index: String {
        /// All tasks by their ids, with all that is asked for but words.
        case list = "tasks_list"
        /// By repository and issue.
        case issue = "tasks_issue"
        /// By who asked for them.
        case author = "tasks_author"
    }

    /// Whether it is known that a task's author may run tasks, or that it has ended without.
    private static let isListed = "(admitted_at IS NOT NULL OR finished_at IS NOT NULL)"

    /// All that is asked for but words, and where to look for it.
    ///
    /// What an index is not to be used for has a `+`.
    private static func condition(
        _ filter: TaskFilter, _ db: GRDB.Database
    ) throws -> (index: Index, sql: String, arguments: StatementArguments) {
        let repositories = try filter.repository.map {
            someOrNone(try Self.repositories(named: $0, db), none: -1)
        }
        let authors = try filter.createdBy.map { someOrNone(try Self.authors(named: $0, db), none: -1) }
        let index = try index(of: filter, repositories: repositories, authors: authors, db)
        var clauses = [isListed]
        var arguments: StatementArguments = []
        func require(_ clause: String, _ values: StatementArguments) {
            clauses.append(clause)
            arguments += values
        }
        if let states = filter.states {
            let words = Self.someOrNone(states.map(\.rawValue), none: "none")
            require("state IN (\(Self.marks(words)))", StatementArguments(words))
        }
        if let repositories {
            let column = index == .issue ? "repository_id" : "+repository_id"
            require("\(column) IN (\(Self.marks(repositories)))", StatementArguments(repositories))
        }
        if let agent = filter.agent { require("agent = ?", [agent]) }
        if let authors {
            let column = index == .author ? "author_id" : "+author_id"
            require("\(column) IN (\(Self.marks(authors)))", StatementArguments(authors))
        }
        if let issue = filter.issue {
            require(index == .issue ? "issue_number = ?" : "+issue_number = ?", [issue])
        }
        if let from = filter.from { require("created_at >= ?", [from.milliseconds]) }
        if let to = filter.to { require("created_at <= ?", [to.milliseconds]) }
        if let person = filter.visibleTo {
            let column = index == .issue && repositories == nil ? "repository_id" : "+repository_id"
            require(
                "\(column) IN (SELECT repository_id FROM person_repositories WHERE person_id = ?)", [person])
        }
        if let before = filter.before { require("id < ?", [before.rawValue]) }
        return (index, clauses.joined(separator: " AND "), arguments)
    }

    /// An index in which few tasks can be what is asked for; else that of the list.
    private static func index(
        of filter: TaskFilter, repositories: [Int64]?, authors: [Int64]?, _ db: GRDB.Database
    ) throws -> Index {
        let most = filter.search == nil ? fewTasks : fewTasksToSearch
        func few(_ index: Index, _ clause: String, _ arguments: StatementArguments) throws -> Bool {
            let counted = try Int.fetchOne(
                db,
                sql: """
                    SELECT count(*) FROM
                        (SELECT 1 FROM tasks INDEXED BY \(index.rawValue) WHERE \(clause) LIMIT \(most + 1))
                    """, arguments: arguments)
            return counted ?? 0 <= most
        }
        if let repositories {
            let clause = "repository_id IN (\(marks(repositories)))"
            let arguments = StatementArguments(repositories)
            let areFew =
                if let issue = filter.issue {
                    try few(.issue, clause + " AND issue_number = ?", arguments + [issue])
                } else {
                    try few(.issue, clause, arguments)
                }
            if areFew { return .issue }
        }
        if let authors,
            try few(
                .author, "\(isListed) AND author_id IN (\(marks(authors)))", StatementArguments(authors))
        {
            return .author
        }
        if repositories == nil, let person = filter.visibleTo,
            try few(
                .issue,
                "repository_id IN (SELECT repository_id FROM person_repositories WHERE person_id = ?)",
                [person]
            )
        {
            return .issue
        }
        return .list
    }

    /// The values, or one that no row has: for an empty list SQLite finds no way through the index, and refuses.
    private static func someOrNone<Value>(_ values: [Value], none: Value) -> [Value] {
        values.isEmpty ? [none] : values
    }

    private static func marks(_ values: [some Any]) -> String {
        values.map { _ in "?" }.joined(separator: ", ")
    }

    /// The ids of the repositories of that name; of those that only tasks know, each by the newest of its newest issue.
    private static func repositories(named name: String, _ db: GRDB.Database) throws -> [Int64] {
        let known = try Int64.fetchAll(
            db.cachedStatement(
                sql: "SELECT id FROM repositories WHERE lower(owner_login || '/' || name) = lower(?)"),
            arguments: [name])
        guard known.isEmpty else { return known }
        return try tasksOwners(
            "repository_id", among: "true", newest: "issue_number DESC, id DESC",
            called: "owner_login || '/' || repository_name",
            name, db)
    }

    /// The ids of those who asked for tasks under that login most recently, or have that id.
    private static func authors(named name: String, _ db: GRDB.Database) throws -> [Int64] {
        try tasksOwners("author_id", among: isListed, newest: "id DESC", called: "author_login", name, db)
            + [Int64(name)].compactMap { $0 }
    }

    /// The values of a column whose newest task has that name.
    ///
    /// Each value is one step in an index that begins with it and has that order, however many tasks have it.
    private static func tasksOwners(
        _ column: String, among these: String, newest order: String, called expression: String,
        _ name: String,
        _ db: GRDB.Database
    ) throws -> [Int64] {
        try Int64.fetchAll(
            db.cachedStatement(
                sql: """
                    WITH RECURSIVE owners (id) AS (
                        SELECT min(\(column)) FROM tasks WHERE \(these)
                        UNION ALL
                        SELECT (SELECT min(\(column)) FROM tasks WHERE \(column) > owners.id AND \(these))
                        FROM owners WHERE owners.id IS NOT NULL
                    )
                    SELECT id FROM owners WHERE id IS NOT NULL AND lower((
                        SELECT \(expression) FROM tasks WHERE \(column) = owners.id AND \(these)
                        ORDER BY \(order) LIMIT 1
                    )) = lower(?)
                    """), arguments: [name])
    }
}

extension ListedTask: FetchableRecord {
    init(row: Row) throws {
        self.init(
            task: try PorterTask(row: row), machineID: row["listed_machine"],
            callbacks: row["listed_callbacks"] ?? 0)
    }
}
