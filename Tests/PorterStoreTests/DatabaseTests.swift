import Foundation
import GRDB
import Porter
import PorterProcess
import PorterTestSupport
import Synchronization
import Testing

@testable import PorterStore

@Suite struct DatabaseTests {
    // With `NORMAL`, acknowledged commits are lost at a power cut.
    @Test func `every writing connection syncs fully: new, reopened, and beside another`() throws {
        let store = try Store()
        #expect(try store.database.synchronousMode() == 2)
        let beside = try store.another()
        #expect(try beside.synchronousMode() == 2)
        #expect(try store.database.synchronousMode() == 2)
        try store.accept(1)
        #expect(try store.database.synchronousMode() == 2)
    }

    @Test func `the file is in WAL mode, waits 5 seconds for locks, and holds to foreign keys`() throws {
        let store = try Store()
        let mode = try store.database.write("read") { try String.fetchOne($0.db, sql: "PRAGMA journal_mode") }
        #expect(mode == "wal")
        let wait = try store.database.write("read") { try Int.fetchOne($0.db, sql: "PRAGMA busy_timeout") }
        #expect(wait == 5000)
        let keys = try store.database.write("read") { try Int.fetchOne($0.db, sql: "PRAGMA foreign_keys") }
        #expect(keys == 1)
    }

    @Test(arguments: ["tasks (id)", "commands (comment_id)", "deliveries (guid)", "events (at)", "jobs (id)"])
    func `to store a command makes no tables in memory`(table: String) throws {
        let store = try Store()
        let steps = try store.database.read("explain") { db in
            try Row.fetchAll(db, sql: "EXPLAIN INSERT INTO \(table) VALUES (1)").map {
                $0["opcode"] as String
            }
        }
        #expect(steps.contains("Insert") || steps.contains("IdxInsert"))
        #expect(!steps.contains("OpenEphemeral"))
    }

    /// The later write has waited half its 5 s when the earlier one's are over; the lock is held a moment longer.
    @Test func `behind a lock each write waits for its own five seconds, whoever waits beside it`() throws {
        let store = try Store()
        let holder = try DatabaseQueue(path: store.path)
        let outcomes = Mutex<[String: Bool]>([:])
        let isLocked = DispatchSemaphore(value: 0)
        let mayGo = DispatchSemaphore(value: 0)
        let threads = DispatchGroup()
        @Sendable func write(_ name: String) {
            let isDone = (try? store.database.setMark(name, to: "1", at: store.start)) != nil
            outcomes.withLock { $0[name] = isDone }
        }
        threads.enter()
        Thread.detachNewThread {
            try? holder.inDatabase { db in
                try db.execute(sql: "BEGIN IMMEDIATE")
                isLocked.signal()
                mayGo.wait()
                try db.execute(sql: "COMMIT")
            }
            threads.leave()
        }
        isLocked.wait()
        for (name, pause) in [("first", 2.5), ("second", 0)] {
            threads.enter()
            Thread.detachNewThread {
                write(name)
                threads.leave()
            }
            Thread.sleep(forTimeInterval: pause)
        }
        #expect(eventually(within: 15) { outcomes.withLock { $0["first"] } == false })
        Thread.sleep(forTimeInterval: 0.5)
        mayGo.signal()
        threads.wait()
        #expect(outcomes.withLock { $0 } == ["first": false, "second": true])
    }

    @Test func `settings are remembered for a moment, but not over a change of one's own`() throws {
        let store = try Store()
        let database = store.database
        #expect(try database.recentSettings(scope: "shared") == [:])
        try database.setSetting("draft", scope: "shared", to: "true", at: store.start)
        #expect(try database.recentSettings(scope: "shared") == ["draft": "true"])
        _ = try database.changeSettings(
            scope: "shared", ["draft": "false"], expecting: nil, at: store.start)
        #expect(try database.recentSettings(scope: "shared") == ["draft": "false"])

        try store.another().setSetting("draft", scope: "shared", to: "true", at: store.start)
        #expect(eventually { (try? database.recentSettings(scope: "shared")) == ["draft": "true"] })
    }

    @Test func `what was read before a change is not kept after it`() {
        let recent = RecentSettings()
        let seen = recent.changes
        recent.forget()
        recent.keep("shared", ["draft": "false"], seenAt: seen)
        #expect(recent.find("shared") == nil)
        for number in 0...RecentSettings.most {
            recent.keep("user:\(number)", [:], seenAt: recent.changes)
        }
        #expect(recent.find("user:0") == nil)
        #expect(recent.find("user:\(RecentSettings.most)") != nil)
    }

    @Test func `nobody but its owner may read the file`() throws {
        let store = try Store()
        for name in ["porter.sqlite", "porter.sqlite-wal"] {
            var status = stat()
            #expect(stat(store.folder.file(name), &status) == 0)
            #expect(status.st_mode & 0o077 == 0, "\(name)")
        }
    }

    @Test func `a newer Porter's database is refused and left alone`() throws {
        let store = try Store()
        try store.run("INSERT INTO grdb_migrations (identifier) VALUES ('2099-01-01 future')")

        let error = #expect(throws: StoreError.self) { try store.another() }

        #expect(error?.code == .newer)
        #expect(error?.description.contains("newer Porter") == true)
        #expect(try store.value("SELECT count(*) FROM tasks") == 0)
    }

    @Test func `many that open a new file at once migrate it once`() throws {
        let folder = try TemporaryFolder()
        let failures = Mutex<[String]>([])

        DispatchQueue.concurrentPerform(iterations: 8) { _ in
            do {
                _ = try PorterStore.Database(path: folder.file("porter.sqlite"))
            } catch {
                failures.withLock { $0.append("\(error)") }
            }
        }

        #expect(failures.withLock { $0 } == [])
        let database = try PorterStore.Database(path: folder.file("porter.sqlite"))
        let count = try database.read("count") {
            try Int.fetchOne($0, sql: "SELECT count(*) FROM grdb_migrations")
        }
        #expect(count == Migrations.migrator.migrations.count)
    }

    @Test func `a path that is no database is refused with words`() throws {
        let store = try Store()
        let garbage = store.folder.file("garbage.sqlite")
        try Data(repeating: 0x41, count: 8192).write(to: URL(fileURLWithPath: garbage))

        #expect(throws: StoreError.self) { try PorterStore.Database(path: garbage) }
        let missing = #expect(throws: StoreError.self) {
            try PorterStore.Database(path: store.folder.file("no/such/folder/porter.sqlite"))
        }
        #expect(missing?.code == .unavailable)
        #expect(missing?.description.contains("no/such/folder") == true)
    }

    @Test func `all tables are strict`() throws {
        let store = try Store()
        let loose = try store.database.read("list tables") {
            try String.fetchAll(
                $0,
                sql: """
                    SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table'
                        AND NOT strict AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'grdb_%'
                    """)
        }
        #expect(loose == [])
    }

    // Group commit

    @Test func `what 16 threads write at once is all durable`() throws {
        let store = try Store()
        let failures = Mutex<[String]>([])

        let threads = 16
        let each = 25
        DispatchQueue.concurrentPerform(iterations: threads) { thread in
            for number in 0..<each {
                do {
                    try store.database.setMark("mark-\(thread)-\(number)", to: "1", at: store.start)
                } catch {
                    failures.withLock { $0.append("\(error)") }
                }
            }
        }

        #expect(failures.withLock { $0 } == [])
        let seen = try store.another().read("count") {
            try Int.fetchOne($0, sql: "SELECT count(*) FROM marks WHERE name LIKE 'mark-%'")
        }
        #expect(seen == threads * each)
    }

    @Test func `a failing write takes none of its companions along`() throws {
        let store = try Store()
        let refused = Mutex(0)
        let written = Mutex(0)

        DispatchQueue.concurrentPerform(iterations: 64) { number in
            do {
                try store.database.write("write in a test") { transaction in
                    try transaction.run(
                        "INSERT INTO marks (name, value, at) VALUES (?, '1', 0)", ["m-\(number)"])
                    if number % 3 == 0 {
                        try transaction.run("INSERT INTO marks (name, value, at) VALUES (NULL, '1', 0)")
                    }
                }
                written.withLock { $0 += 1 }
            } catch let error as StoreError {
                #expect(error.code == .refused)
                refused.withLock { $0 += 1 }
            } catch {
                Issue.record(error)
            }
        }

        #expect(refused.withLock { $0 } == 22)
        #expect(written.withLock { $0 } == 42)
        #expect(try store.value("SELECT count(*) FROM marks WHERE name LIKE 'm-%'") == 42)
    }

    @Test func `two processes' writes do not get in each other's way`() throws {
        let store = try Store()
        let other = try store.another()
        let failures = Mutex<[String]>([])

        DispatchQueue.concurrentPerform(iterations: 8) { thread in
            let database = thread % 2 == 0 ? store.database : other
            for number in 0..<20 {
                do {
                    try database.setMark("mark-\(thread)-\(number)", to: "1", at: store.start)
                } catch {
                    failures.withLock { $0.append("\(error)") }
                }
            }
        }

        #expect(failures.withLock { $0 } == [])
        #expect(try store.value("SELECT count(*) FROM marks WHERE name LIKE 'mark-%'") == 160)
    }

    @Test func `one that fails takes nobody down who shares its transaction`() throws {
        let store = try Store()
        let (holding, writing) = (Workers(count: 1), Workers(count: 9))
        let written = Written()
        // Whoever commits now holds all others up, so that they share the next transaction.
        Thread.start {
            written.add("held up") {
                try store.database.write("hold") { _ in
                    holding.leave()
                    #expect(eventually { store.database.waitingWrites == 8 })
                }
            }
            writing.leave()
        }
        #expect(holding.wait(atMost: .seconds(60)))
        for number in 0..<8 {
            Thread.start {
                written.add("m-\(number)") { try store.write("m-\(number)", fails: number % 3 == 0) }
                writing.leave()
            }
        }

        #expect(writing.wait(atMost: .seconds(60)))
        #expect(written.names == ["held up", "m-1", "m-2", "m-4", "m-5", "m-7"])
        let names = try store.database.read("names") {
            try String.fetchAll($0, sql: "SELECT name FROM marks WHERE name LIKE 'm-%' ORDER BY name")
        }
        #expect(names == ["m-1", "m-2", "m-4", "m-5", "m-7"])
    }

    @Test func `a commit that makes a job due wakes the dispatcher, another does not`() throws {
        let store = try Store()
        let rings = Mutex(0)
        store.database.whenWorkArrives { rings.withLock { $0 += 1 } }

        try store.database.setMark("a", to: "b", at: store.start)
        #expect(rings.withLock { $0 } == 0)
        try store.accept(1)
        #expect(rings.withLock { $0 } == 1)
    }

    // A full disk

    /// Lets the file grow no more, on the connection that writes.
    private func fill(_ store: Store) throws {
        _ = try store.database.write("fill the disk") { transaction in
            let pages = try Int.fetchOne(transaction.db, sql: "PRAGMA page_count") ?? 0
            _ = try Int.fetchOne(transaction.db, sql: "PRAGMA max_page_count = \(pages)")
        }
    }

    private func empty(_ store: Store) throws {
        _ = try store.database.write("make room") { transaction in
            try Int.fetchOne(transaction.db, sql: "PRAGMA max_page_count = 1000000")
        }
    }

    @Test func `a full disk is unavailable, leaves nothing half done, and mends itself with room`() throws {
        let store = try Store()
        try store.accept(1)
        try fill(store)

        var stored = 1
        var failure: StoreError?
        while failure == nil, stored < 2000 {
            do {
                try store.accept(stored + 1)
                stored += 1
            } catch {
                failure = error as? StoreError
            }
        }

        #expect(failure?.code == .unavailable)
        for table in ["tasks", "commands", "deliveries"] {
            #expect(try store.value("SELECT count(*) FROM \(table)") == stored, "\(table)")
        }
        #expect(try store.value("SELECT count(*) FROM jobs WHERE kind = 'admit'") == stored)
        #expect(try store.database.findDelivery("guid-\(stored + 1)") == nil)

        try empty(store)
        #expect(try !store.accept(stored + 1).isDuplicate)
    }

    @Test func `a full disk fails everybody who committed together`() throws {
        let store = try Store()
        try store.accept(1)
        try fill(store)
        let outcomes = Mutex<[Int: Bool]>([:])
        let text = String(repeating: "x", count: 3000)

        DispatchQueue.concurrentPerform(iterations: 64) { number in
            let isWritten = (try? store.database.setMark("m-\(number)", to: text, at: store.start)) != nil
            outcomes.withLock { $0[number] = isWritten }
        }

        for (number, isWritten) in outcomes.withLock({ $0 }) {
            #expect(try (store.database.findMark("m-\(number)") != nil) == isWritten, "\(number)")
        }
        #expect(outcomes.withLock { $0 }.values.contains(false))
    }

    @Test func `a claim that cannot be given back comes back once the database can be written`() throws {
        let store = try Store()
        try store.accept(1)
        let claim = try #require(try store.database.claimJob(at: store.start))
        try store.run(
            "CREATE TRIGGER broken BEFORE UPDATE ON jobs BEGIN SELECT raise(ABORT, 'broken'); END")
        #expect(throws: StoreError.self) {
            try store.database.postponeJob(claim, until: store.start, failed: true)
        }
        store.database.giveBack(claim)
        #expect(throws: StoreError.self) { try store.database.claimJob(at: store.start) }
        try store.run("DROP TRIGGER broken")

        #expect(try store.database.claimJob(at: store.start)?.subject == claim.subject)
    }
}

/// What several threads say was written.
private final class Written: Sendable {
    private let list = Mutex<[String]>([])

    var names: [String] { list.withLock { $0.sorted() } }

    func add(_ name: String, if body: () throws -> Void) {
        guard (try? body()) != nil else { return }
        list.withLock { $0.append(name) }
    }
}

extension Store {
    /// Writes a mark in a transaction that fails afterwards if asked to.
    fileprivate func write(_ name: String, fails: Bool) throws {
        try database.write("write \(name)") { transaction in
            try transaction.run("INSERT INTO marks (name, value, at) VALUES (?, '', 0)", [name])
            if fails { throw StoreError(.refused, operation: "write \(name)", message: "as asked") }
        }
    }
}
