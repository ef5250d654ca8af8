import Porter
import PorterTestSupport
import Testing

@testable import PorterStore

/// The queue's order, against rules written down a second time in the plainest way.
@Suite struct QueueTests {
    /// A task as the reference sees it.
    struct Waiting: Hashable {
        var number: Int
        var person: Int64
        var priority: Priority
        /// Minutes before now at which it was admitted.
        var age: Int
    }

    /// Who is first: by class (raised once each ten minutes, to high at most), then who has fewer running and
    /// waiting before, then arrival.
    ///
    /// - Parameter cap: whoever must wait for an end of a run of their own comes after all others; nil leaves
    ///   that out.
    static func order(_ waiting: [Waiting], running: [Int64: Int], cap: Int? = nil) -> [Int] {
        let classes: [Priority: Int] = [.low: 0, .normal: 1, .high: 2]
        func rank(_ task: Waiting) -> Int { min(2, classes[task.priority, default: 0] + task.age / 10) }
        func turn(_ task: Waiting) -> Int {
            let before = waiting.filter { other in
                guard other.person == task.person, other.number != task.number else { return false }
                if rank(other) != rank(task) { return rank(other) > rank(task) }
                return other.number < task.number
            }
            return running[task.person, default: 0] + before.count
        }
        func mustWait(_ task: Waiting) -> Bool { cap.map { turn(task) >= $0 } ?? false }
        let sorted = waiting.sorted { left, right in
            if mustWait(left) != mustWait(right) { return mustWait(right) }
            if rank(left) != rank(right) { return rank(left) > rank(right) }
            if turn(left) != turn(right) { return turn(left) < turn(right) }
            return left.number < right.number
        }
        return sorted.map(\.number)
    }

    static func next(_ waiting: [Waiting], running: [Int64: Int], _ caps: Caps) -> Int? {
        guard running.values.reduce(0, +) < caps.total else { return nil }
        return order(waiting, running: running).first { number in
            let person = waiting.first { $0.number == number }?.person ?? 0
            return running[person, default: 0] < caps.perPerson
        }
    }

    /// Writes the state straight into the table.
    private func fill(_ store: Store, _ waiting: [Waiting], running: [Int64: Int]) throws {
        var sql = "DELETE FROM commands; DELETE FROM deliveries; DELETE FROM events; DELETE FROM tasks;"
        func row(_ number: Int, _ person: Int64, _ priority: Priority, _ state: String, _ at: Int64) {
            sql += """
                INSERT INTO tasks (id, state, repository_id, installation_id, owner_login, repository_name,
                    issue_number, issue_title, issue_body, comment_id, comment_url, author_id, author_login,
                    agent, priority, instructions, is_draft, context, timeout, branch, base_branch, executor,
                    attempt, created_at, admitted_at)
                VALUES ('\(Store.id(number).rawValue)', '\(state)', 1, 1, 'o', 'r', 1, '', '', \(number), '',
                    \(person), 'p', 'demo', '\(priority.rawValue)', '', 0, 'writers', 60, 'b', 'm', 'local',
                    \(state == "running" ? 1 : 0), 0, \(at));
                """
        }
        for task in waiting {
            row(
                task.number, task.person, task.priority, "queued",
                store.start.milliseconds - Int64(task.age) * 60_000)
        }
        var number = 900
        for (person, count) in running {
            for _ in 0..<count {
                row(number, person, .normal, "running", 0)
                number += 1
            }
        }
        try store.run(sql)
    }

    private func check(
        _ store: Store, _ waiting: [Waiting], running: [Int64: Int], _ caps: Caps
    ) throws {
        try fill(store, waiting, running: running)
        let expected = Self.next(waiting, running: running, caps).map(Store.id)
        #expect(
            try store.database.nextInQueue(caps, at: store.start) == expected,
            "\(waiting) \(running) \(caps)")
        let places = Self.order(waiting, running: running, cap: caps.perPerson)
        for (index, number) in places.enumerated() {
            #expect(
                try store.database.place(of: Store.id(number), caps, at: store.start) == index + 1,
                "\(waiting) \(running)")
        }
    }

    @Test func `of two that wait, every pair of classes, ages, people and runs is ordered as written`() throws
    {
        let store = try Store()
        let caps = Caps(perPerson: 2, total: 3)
        for first in Priority.allCases {
            for second in Priority.allCases {
                for (age, otherAge) in [(0, 0), (9, 10), (10, 9), (20, 0), (0, 25)] {
                    for other: Int64 in [1, 2] {
                        for running: [Int64: Int] in [[:], [1: 1], [1: 2], [1: 1, 2: 2]] {
                            let waiting = [
                                Waiting(number: 1, person: 1, priority: first, age: age),
                                Waiting(number: 2, person: other, priority: second, age: otherAge),
                            ]
                            try check(store, waiting, running: running, caps)
                        }
                    }
                }
            }
        }
    }

    @Test func `of many that wait, chance finds no other order`() throws {
        let store = try Store()
        var chance = SeededGenerator(seed: 7)
        for _ in 0..<150 {
            let waiting = (1...Int.random(in: 1...7, using: &chance)).map { number in
                Waiting(
                    number: number, person: Int64.random(in: 1...3, using: &chance),
                    priority: Priority.allCases.randomElement(using: &chance) ?? .normal,
                    age: Int.random(in: 0...30, using: &chance))
            }
            let running = [Int64: Int](
                uniqueKeysWithValues: (1...3).map { ($0, Int.random(in: 0...2, using: &chance)) })
            let caps = Caps(
                perPerson: Int.random(in: 1...3, using: &chance), total: Int.random(in: 1...6, using: &chance)
            )
            try check(store, waiting, running: running, caps)
        }
    }

    @Test func `only the next may start, and only once`() throws {
        let store = try Store()
        for number in 1...2 {
            try store.accept(number)
            try store.admit(number)
        }
        let caps = Caps(perPerson: 5, total: 1)

        #expect(try !store.database.startNext(Store.id(2), Store.launch(2), caps, at: store.start))
        #expect(try store.database.startNext(Store.id(1), Store.launch(1), caps, at: store.start))
        #expect(try !store.database.startNext(Store.id(1), Store.launch(1), caps, at: store.start))
        #expect(try !store.database.startNext(Store.id(2), Store.launch(2), caps, at: store.start))
        #expect(try store.task(1).state == .running)
        #expect(try store.task(1).attempt == 1)
        #expect(try store.task(2).state == .queued)
        #expect(try store.value("SELECT count(*) FROM attempts") == 1)
    }

    @Test func `a task that is not admitted takes no place and does not start`() throws {
        let store = try Store()
        try store.accept(1)
        #expect(try store.database.nextInQueue(Caps(perPerson: 5, total: 5), at: store.start) == nil)
        #expect(
            try store.database.place(of: Store.id(1), Caps(perPerson: 5, total: 5), at: store.start) == nil)
    }
}
