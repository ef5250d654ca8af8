import Foundation
import Porter
import Synchronization
import Testing

@testable import PorterStore

@Suite struct AcceptTests {
    @Test func `a delivery and a comment are stored once, with the task of the first time`() throws {
        let store = try Store()
        let first = try store.accept(1, guid: "a", comment: 5)
        #expect(first == Acceptance(isDuplicate: false, task: Store.id(1)))
        let again = Acceptance(isDuplicate: true, task: Store.id(1))
        #expect(try store.accept(2, guid: "a", comment: 5) == again)
        #expect(try store.accept(3, guid: "b", comment: 5) == again)
        #expect(try store.accept(4, guid: "a", comment: 6) == again)
        #expect(try store.value("SELECT count(*) FROM tasks") == 1)
        #expect(try store.value("SELECT count(*) FROM jobs") == 1)
    }

    @Test func `a known delivery with another body differs, and one under another key does not`() throws {
        let store = try Store()
        func accept(_ digest: [UInt8]) throws -> Acceptance {
            try store.database.accept(
                Delivery(guid: "g", event: "e", action: nil, digest: digest), Store.command(1),
                newID: Store.id(1), executor: "local", at: store.start)
        }
        #expect(try !accept([7, 1, 2]).isDuplicate)
        #expect(try accept([7, 1, 3]).differs && accept([7, 2, 2]).differs)
        // The same, one under another key, one of another kind, and one whose body is not known.
        for digest in [[7, 1, 2], [8, 1, 3], [7, 1], []] as [[UInt8]] {
            let again = try accept(digest)
            #expect(again.isDuplicate && !again.differs, "\(digest)")
        }
        let lines = try store.database.listEvents(Store.id(1)).filter { $0.kind == "delivery_differs" }
        #expect(lines.count == 1)
    }

    @Test func `everything that a command carries is frozen`() throws {
        let store = try Store()
        let wish = TaskWish(
            agent: "codex", model: "m1", priority: .high, base: "release", timeout: 90, isDraft: true,
            context: "all", instructions: "grüße 🎉\n'; DROP TABLE tasks; --")
        _ = try store.database.accept(
            Delivery(guid: "g", event: "e", action: nil, digest: []),
            Store.command(1, wish: .run(wish)), newID: Store.id(1), executor: "fly", at: store.start)
        let task = try store.task(1)

        #expect(task.agent == "codex" && task.model == "m1" && task.priority == .high)
        #expect(task.baseBranch == "release" && task.timeout == 90 && task.isDraft && task.context == "all")
        #expect(task.instructions == wish.instructions)
        #expect(task.executor == "fly" && task.branch == Store.id(1).branch)
        #expect(task.createdAt == store.start && task.state == .queued && task.attempt == 0)
    }

    @Test func `closing an issue stops its unfinished tasks and no others`() throws {
        let store = try Store()
        try store.accept(1)
        try store.accept(2)
        try store.accept(3, issue: 8)
        try store.admit(2)
        try store.start(2)
        let result = try store.database.acceptClosing(
            Delivery(guid: "close", event: "issues", action: "closed", digest: []), repository: 42, issue: 7,
            closedAt: nil, at: store.start)

        #expect(!result.isDuplicate)
        #expect(try store.task(1).state == .cancelled)
        #expect(try store.task(1).reason == .issueClosed)
        #expect(try store.task(2).state == .running)
        #expect(try store.task(2).stopReason == .issueClosed)
        #expect(try store.task(3).state == .queued)
    }

    @Test func `whoever signs in under another name is called so in all tasks, admitted or not`() throws {
        let store = try Store()
        func signIn(_ login: String, _ id: Int64) throws {
            try store.database.write("sign in") { try $0.save(Person(id: id, login: login), at: store.start) }
        }
        for (number, person) in [(1, 1), (2, 1), (3, 2), (4, 3)] {
            try store.accept(number, by: Int64(person))
        }
        try store.admit(1)

        try signIn("maria", 1)
        #expect(try (1...4).map { try store.task($0).author.login } == ["maria", "maria", "p2", "p3"])
        // The only task is not admitted yet, and the person was known under another name.
        try signIn("p3", 3)
        try signIn("rita", 3)
        #expect(try (1...4).map { try store.task($0).author.login } == ["maria", "maria", "p2", "rita"])
    }

    @Test func `a rename follows into the tasks, and what is not said is kept`() throws {
        let store = try Store()
        try store.accept(1)
        try store.database.saveRepository(
            RepositoryChange(
                repository: Store.repository, owner: Person(id: 900, login: "acme"), defaultBranch: "trunk",
                isArchived: true), at: store.start)
        var renamed = Store.repository
        renamed.owner = "umbrella"
        renamed.name = "store"
        try store.database.saveRepository(
            RepositoryChange(repository: renamed, owner: Person(id: 900, login: "umbrella")), at: store.start)

        #expect(try store.task(1).repository.fullName == "umbrella/store")
        #expect(try store.value("SELECT is_archived FROM repositories") == 1)
        #expect(try store.value("SELECT default_branch = 'trunk' FROM repositories") == 1)
    }
}

@Suite struct TransitionTests {
    /// A task in the state, as transitions make it.
    private func task(_ state: TaskState) throws -> Store {
        let store = try Store()
        try store.accept(1)
        if state == .queued { return store }
        try store.admit(1)
        try store.start(1)
        if state == .running { return store }
        let reason: Reason? = state == .success ? nil : .internal
        #expect(try store.database.end(store.task(1), Ending(state, reason: reason), at: store.start))
        return store
    }

    @Test
    func
        `a person's new name follows into their tasks when they sign in, and the old one is somebody else's`()
        throws
    {
        let store = try Store()
        try store.accept(1, by: 1)
        try store.accept(2, by: 2, issue: 8)
        try store.run("UPDATE tasks SET admitted_at = 1, agent = 'demo', base_branch = 'main'")
        try store.database.savePerson(Person(id: 1, login: "renamed"), at: store.start)
        try store.database.savePerson(Person(id: 2, login: "p1"), at: store.start)
        func tasks(of login: String) throws -> [TaskID] {
            var filter = TaskFilter(limit: 9)
            filter.createdBy = login
            return try store.database.listTasks(filter).tasks.map(\.task.id)
        }
        #expect(try store.task(1).author.login == "renamed")
        #expect(try tasks(of: "renamed") == [Store.id(1)])
        #expect(try tasks(of: "p1") == [Store.id(2)])
    }

    @Test(arguments: TaskState.allCases)
    func `a state is followed by those that the domain allows, and by no other`(state: TaskState) throws {
        for next in TaskState.allCases where next.isFinal && state.mayBecome(next) {
            let store = try task(state)
            let before = try store.task(1)
            #expect(try store.database.end(before, Ending(next, reason: .internal), at: store.start))
            // The same compare-and-set a second time finds another state.
            #expect(try !store.database.end(before, Ending(next, reason: .timeout), at: store.start))
            #expect(try store.task(1).state == next)
            #expect(try store.task(1).reason == .internal)
        }
    }

    @Test func `of many that end a task at once one does`() throws {
        let store = try task(.running)
        let before = try store.task(1)
        let count = Mutex(0)
        DispatchQueue.concurrentPerform(iterations: 8) { number in
            let ending = Ending(number % 2 == 0 ? .failed : .cancelled, reason: .internal)
            if (try? store.database.end(before, ending, at: store.start)) == true {
                count.withLock { $0 += 1 }
            }
        }
        #expect(count.withLock { $0 } == 1)
        #expect(try store.value("SELECT count(*) FROM events WHERE kind = 'ended'") == 1)
    }

    @Test func `a task that was read in an earlier attempt cannot be ended`() throws {
        let store = try task(.running)
        let before = try store.task(1)
        let claim = try store.claim(.supervise, of: 1)
        #expect(
            try store.database.replaceAttempt(
                before, with: Store.launch(1, attempt: 2), why: "w", for: claim, at: store.start))
        #expect(try !store.database.end(before, Ending(.failed, reason: .internal), at: store.start))
        #expect(try store.task(1).attempt == 2)
    }

    @Test func `a stored report stands in the way of an end from outside`() throws {
        let store = try task(.running)
        _ = try store.database.recordReport(
            store.attempt(1), Attempt.Report(outcome: .success), at: store.start)
        let before = try store.task(1)
        let ending = Ending(.timedOut, reason: .timeout)
        #expect(try !store.database.end(before, ending, unlessReported: true, at: store.start))
        #expect(try store.database.end(before, Ending(.success), at: store.start))
    }

    @Test func `an attempt is replaced twice, and never after its agent, its report or a stop`() throws {
        let store = try task(.running)
        func replace(_ next: Int) throws -> Bool {
            let claim = try store.claim(.supervise, of: 1)
            defer { try? store.database.postponeJob(claim, until: store.start, failed: false) }
            return try store.database.replaceAttempt(
                store.task(1), with: Store.launch(1, attempt: next), why: "w", for: claim, at: store.start)
        }
        #expect(try replace(2))
        #expect(try replace(3))
        #expect(try !replace(4))
        #expect(try store.task(1).attempt == 3)

        for spoil in [
            "UPDATE attempts SET claimed_at = 1, agent_started_at = 1",
            "UPDATE attempts SET report_status = 'failed', reported_at = 1",
            "UPDATE tasks SET stop_requested_at = 1",
        ] {
            let store = try task(.running)
            try store.run(spoil)
            let claim = try store.claim(.supervise, of: 1)
            #expect(
                try !store.database.replaceAttempt(
                    store.task(1), with: Store.launch(1, attempt: 2), why: "w", for: claim, at: store.start),
                "\(spoil)")
        }
    }

    @Test func `a stop is asked for once, and the first reason stays`() throws {
        let store = try task(.running)
        let id = Store.id(1)
        #expect(
            try store.database.requestStop(id, reason: .cancelledByUser, detail: "a", at: store.start))
        #expect(try store.database.requestStop(id, reason: .issueClosed, detail: "b", at: store.start))
        #expect(try store.task(1).stopReason == .cancelledByUser)
        #expect(try store.value("SELECT count(*) FROM events WHERE kind = 'stop_requested'") == 1)
        #expect(try store.database.end(store.task(1), Ending(.success), at: store.start))
        #expect(
            try !store.database.requestStop(id, reason: .cancelledByUser, detail: nil, at: store.start))
    }

    @Test func `what ends leaves its jobs: an ending and a cleanup`() throws {
        for state in [TaskState.queued, .running] {
            let store = try task(state)
            try store.run("DELETE FROM jobs")
            #expect(
                try store.database.end(store.task(1), Ending(.failed, reason: .internal), at: store.start))
            #expect(try store.database.countJobs() == ["ending": 1, "cleanup": 1])
        }
    }
}

@Suite struct KeepingTests {
    @Test func `a log is read by bytes from any offset, and a piece never holds a gap`() throws {
        let store = try Store()
        try store.accept(1)
        try store.admit(1)
        try store.start(1)
        _ = try store.database.claimAttempt(
            store.attempt(1), nonceDigest: [1], callbackTokenDigest: [2], repeatable: 60, at: store.start)
        var whole: [UInt8] = []
        for number in 0..<40 {
            let piece = Array("line \(number)\n".utf8)
            _ = try store.database.recordProgress(
                store.attempt(1), Progress(phase: .clone, logOffset: whole.count, logText: piece),
                logLimit: 10_000, at: store.start)
            whole += piece
        }
        for offset in 0...whole.count {
            for most in [1, 7, 100, 1000] {
                let piece = try store.database.readLog(Store.id(1), from: offset, most: most)
                #expect(piece.text == Array(whole[offset...].prefix(most)))
                #expect(piece.nextOffset == offset + piece.text.count)
            }
        }
        #expect(try store.database.readLog(Store.id(1), from: 99_999, most: 10).text == [])
    }

    /// Turns bits over, and knows its place.
    private static let sealer = Sealer(
        seal: { value, place throws(Sealer.Failure) in
            value.reveal { Array("\(place)|\($0)".utf8).map { $0 ^ 0xFF } }
        },
        open: { sealed, place throws(Sealer.Failure) in
            let text = String(decoding: sealed.map { $0 ^ 0xFF }, as: UTF8.self)
            guard text.hasPrefix("\(place)|") else { throw Sealer.Failure("another place") }
            return Secret(String(text.dropFirst("\(place)|".count)))
        })

    @Test func `a secret rests sealed, replaces the former, and is listed without its value`() throws {
        let store = try Store()
        for value in ["first-canary", "second-canary"] {
            try store.database.saveSecret(
                Secret(value), scope: "user:1", provider: "openai", name: "OPENAI_API_KEY",
                sealer: Self.sealer, at: store.start)
        }
        let opened = try store.database.openSecrets(scope: "user:1", sealer: Self.sealer)
        #expect(opened["OPENAI_API_KEY"]?.reveal { $0 } == "second-canary")
        #expect(try store.database.openSecrets(scope: "user:2", sealer: Self.sealer).isEmpty)
        let listed = try store.database.listSecrets(scope: "user:1")
        #expect(listed.map(\.name) == ["OPENAI_API_KEY"])
        #expect(try store.value("SELECT count(*) FROM secrets WHERE instr(sealed, 'canary') > 0") == 0)
        #expect(try store.database.deleteSecret(scope: "user:1", provider: "openai", name: "OPENAI_API_KEY"))
        #expect(try !store.database.deleteSecret(scope: "user:1", provider: "openai", name: "OPENAI_API_KEY"))
    }

    @Test(arguments: ["scope = 'user:2'", "name = 'OTHER'", "provider = 'amp'"])
    func `a secret that was moved to another place does not open`(change: String) throws {
        let store = try Store()
        try store.database.saveSecret(
            Secret("canary"), scope: "user:1", provider: "openai", name: "KEY", sealer: Self.sealer,
            at: store.start)
        try store.run("UPDATE secrets SET \(change)")
        let scope = change.contains("scope") ? "user:2" : "user:1"
        let error = #expect(throws: StoreError.self) {
            try store.database.openSecrets(scope: scope, sealer: Self.sealer)
        }
        #expect(error?.code == .corrupt)
        #expect(error?.description.contains("canary") == false)
    }

    @Test func `a token whose time is over is forgotten, one that is good is kept`() throws {
        let store = try Store()
        try store.accept(1)
        for expiry in [-1, 100] {
            _ = try store.database.saveToken(
                task: Store.id(1), attempt: 1, purpose: "push",
                expiresAt: store.start.adding(seconds: expiry),
                at: store.start
            ) { row in [UInt8(row)] }
        }
        _ = try store.database.prune(before: store.start, answersBefore: store.start, at: store.start)
        #expect(try store.database.liveTokens(Store.id(1)).count == 1)
    }

    @Test func `settings and marks are replaced, once is once`() throws {
        let store = try Store()
        try store.database.setSetting("n", scope: "shared", to: "1", at: store.start)
        try store.database.setSetting("n", scope: "shared", to: "2", at: store.start)
        #expect(try store.database.findSetting("n", scope: "shared") == "2")
        #expect(try store.database.findSetting("n", scope: "user:1") == nil)
        try store.database.setSetting("n", scope: "shared", to: nil, at: store.start)
        #expect(try store.database.findSetting("n", scope: "shared") == nil)
        #expect(try store.database.markOnce("m", "first", at: store.start).value == "first")
        #expect(try store.database.markOnce("m", "second", at: store.start).value == "first")
    }
}
