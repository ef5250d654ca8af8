import Foundation
import Porter
import Synchronization
import Testing

@testable import PorterStore

@Suite struct JobTests {
    private let store: Store
    private var now: Instant { store.start }

    init() throws {
        store = try Store()
    }

    private func later(_ seconds: Int) -> Instant { store.start.adding(seconds: seconds) }

    /// Three tasks without any job, to hang jobs on.
    private func makeTasks() throws {
        for number in 1...3 { try store.accept(number) }
        try store.run("DELETE FROM jobs")
    }

    @Test func `the job that has been due the longest comes first`() throws {
        try makeTasks()
        try store.database.enqueue(.status, for: Store.id(1), at: later(3))
        try store.database.enqueue(.status, for: Store.id(2), at: later(1))
        try store.database.enqueue(.status, for: Store.id(3), at: later(2))

        var subjects: [String] = []
        while let claim = try store.database.claimJob(at: later(10)) { subjects.append(claim.subject) }

        #expect(subjects == [2, 3, 1].map { Store.id($0).rawValue })
    }

    @Test func `what is not due yet is not claimed`() throws {
        try makeTasks()
        try store.database.enqueue(.status, for: Store.id(1), at: later(5))

        #expect(try store.database.claimJob(at: later(4)) == nil)
        #expect(try store.database.nextJob() == later(5))
        #expect(try store.database.claimJob(at: later(5)) != nil)
        #expect(try store.database.nextJob() == nil)
    }

    @Test func `one subject is in one pair of hands`() throws {
        try makeTasks()
        try store.database.enqueue(.status, for: Store.id(1), at: now)
        try store.database.enqueue(.react, for: Store.id(1), at: now)
        let other = try store.another()

        let first = try #require(try store.database.claimJob(at: now))
        #expect(try other.claimJob(at: now) == nil)
        try store.database.finishJob(first, at: now)
        #expect(try other.claimJob(at: now)?.kind == .react)
    }

    @Test func `of many that claim at once each job goes to one`() throws {
        for number in 1...40 { try store.accept(number) }
        let other = try store.another()
        let claimed = Mutex<[String]>([])

        DispatchQueue.concurrentPerform(iterations: 8) { thread in
            let database = thread % 2 == 0 ? store.database : other
            while let claim = try? database.claimJob(at: now) {
                claimed.withLock { $0.append(claim.subject) }
            }
        }

        let all = claimed.withLock { $0 }
        #expect(all.count == 40)
        #expect(Set(all).count == 40)
    }

    @Test func `a wish for a waiting job brings it forward and starts its tries anew`() throws {
        try makeTasks()
        try store.database.enqueue(.status, for: Store.id(1), at: now)
        let claim = try #require(try store.database.claimJob(at: now))
        try store.database.postponeJob(claim, until: later(100), failed: true)
        #expect(try store.database.claimJob(at: later(99)) == nil)

        try store.database.enqueue(.status, for: Store.id(1), at: later(200))
        #expect(try store.database.nextJob() == later(100))
        try store.database.enqueue(.status, for: Store.id(1), at: later(10))
        let again = try #require(try store.database.claimJob(at: later(10)))

        #expect(again.tries == 0)
    }

    @Test func `seeing to it that a job is there hurries none and forgets no try`() throws {
        try makeTasks()
        try store.database.ensureJob(.publish, for: Store.id(1), at: now)
        let claim = try #require(try store.database.claimJob(at: now))
        try store.database.postponeJob(claim, until: later(100), failed: true)

        try store.database.ensureJob(.publish, for: Store.id(1), at: now)

        #expect(try store.database.nextJob() == later(100))
        #expect(try store.database.claimJob(at: later(100))?.tries == 1)
    }

    @Test func `tries count failures, not waits`() throws {
        try makeTasks()
        try store.database.enqueue(.status, for: Store.id(1), at: now)
        for (failed, tries) in [(true, 0), (false, 1), (true, 1), (true, 2)] {
            let claim = try #require(try store.database.claimJob(at: now))
            #expect(claim.tries == tries)
            try store.database.postponeJob(claim, until: now, failed: failed)
        }
        #expect(try store.database.claimJob(at: now)?.tries == 3)
    }

    @Test func `what is wished for again while it is worked on is done once more`() throws {
        try makeTasks()
        try store.database.enqueue(.status, for: Store.id(1), at: now)
        let claim = try #require(try store.database.claimJob(at: now))
        try store.database.enqueue(.status, for: Store.id(1), at: later(2))

        try store.database.finishJob(claim, at: now)

        #expect(try store.database.claimJob(at: later(1)) == nil)
        let again = try #require(try store.database.claimJob(at: later(2)))
        try store.database.finishJob(again, at: now)
        #expect(try store.database.nextJob() == nil)
    }

    @Test func `a wish made meanwhile is not put off by a failure`() throws {
        try makeTasks()
        try store.database.enqueue(.status, for: Store.id(1), at: now)
        let claim = try #require(try store.database.claimJob(at: now))
        try store.database.enqueue(.status, for: Store.id(1), at: later(1))

        try store.database.postponeJob(claim, until: later(600), failed: true)

        #expect(try store.database.claimJob(at: later(1))?.tries == 0)
    }

    @Test func `a living holder keeps its job, whatever the clock says`() throws {
        try makeTasks()
        try store.database.enqueue(.status, for: Store.id(1), at: now)
        _ = try store.database.claimJob(at: now)
        let other = try store.another()

        #expect(try other.releaseDeadHolders() == 0)
        #expect(try store.database.releaseDeadHolders() == 0)
        #expect(try other.claimJob(at: later(1_000_000)) == nil)
    }

    @Test func `a dead holder's job is free, and its late commit is fenced`() throws {
        try makeTasks()
        try store.database.enqueue(.status, for: Store.id(1), at: now)
        let claim = try #require(try store.database.claimJob(at: now))
        let other = try store.another()
        // What the kernel does when a process dies, seen from outside.
        #expect(unlink(store.path + "-holders/" + store.database.holder.name) == 0)

        #expect(try other.releaseDeadHolders() == 1)
        let taken = try #require(try other.claimJob(at: now))

        func fenced(_ body: () throws -> Void) -> Bool {
            do {
                try body()
                return false
            } catch {
                return (error as? StoreError)?.code == .fenced
            }
        }
        let id = Store.id(1)
        #expect(fenced { try store.database.finishJob(claim, at: now) })
        #expect(fenced { try store.database.postponeJob(claim, until: now, failed: true) })
        #expect(fenced { _ = try store.database.beginStep("k", task: id, for: claim, at: now) })
        #expect(fenced { try store.database.callStep("k", for: claim, at: now) })
        #expect(fenced { try store.database.finishStep("k", outcome: "x", for: claim, at: now) })
        #expect(
            fenced {
                _ = try store.database.end(
                    store.task(1), Ending(.failed, reason: .internal), for: claim, at: now)
            })
        #expect(
            fenced {
                _ = try store.database.admit(
                    id, Admission(agent: "a", baseBranch: "b", prompt: "", omissions: []), for: claim, at: now
                )
            })
        #expect(fenced { try store.database.publish(id, endingID: 1, url: "", for: claim, at: now) })
        #expect(
            fenced {
                try store.database.saveStatusComment(id, comment: 1, url: "", body: "", for: claim, at: now)
            })
        #expect(fenced { try store.database.closeCommand(comment: 1001, "done", for: claim, at: now) })
        #expect(try store.task(1).state == .queued)
        #expect(try store.value("SELECT count(*) FROM steps") == 0)
        try other.finishJob(taken, at: now)
    }

    @Test func `a database that is closed lets its jobs go`() throws {
        try makeTasks()
        try store.database.enqueue(.status, for: Store.id(1), at: now)
        do {
            let other = try store.another()
            #expect(try other.claimJob(at: now) != nil)
        }

        #expect(try store.database.claimJob(at: now) == nil)
        #expect(try store.database.releaseDeadHolders() == 1)
        #expect(try store.database.claimJob(at: now) != nil)
    }

    @Test func `files of ended processes go, and those of living ones stay`() throws {
        let folder = store.path + "-holders/"
        let other = try store.another()
        for name in ["1-dead", "2-dead"] {
            _ = FileManager.default.createFile(atPath: folder + name, contents: nil)
        }

        // The system decides which file comes first, a living one's perhaps.
        let first = store.database.removeDeadHolders(most: 1)
        #expect(first <= 1)
        #expect(store.database.removeDeadHolders() == 2 - first)
        #expect(store.database.removeDeadHolders() == 0)

        let left = try FileManager.default.contentsOfDirectory(atPath: folder)
        #expect(Set(left) == [store.database.holder.name, other.holder.name])
    }

    @Test func `jobs given back at an orderly end are free at once, and fenced`() throws {
        try makeTasks()
        try store.database.enqueue(.status, for: Store.id(1), at: now)
        let claim = try #require(try store.database.claimJob(at: now))

        try store.database.releaseOwnJobs()

        #expect(throws: StoreError.self) { try store.database.finishJob(claim, at: now) }
        #expect(try store.another().claimJob(at: now) != nil)
    }

    // Steps

    @Test func `an outcome once known is never changed`() throws {
        try makeTasks()
        try store.database.enqueue(.ending, for: Store.id(1), at: now)
        let claim = try #require(try store.database.claimJob(at: now))
        let id = Store.id(1)
        #expect(
            try store.database.beginStep("key", task: id, for: claim, at: now)
                == Step(key: "key", calledAt: nil, lostAt: nil, calls: 0, outcome: nil))
        try store.database.callStep("key", for: claim, at: later(1))
        try store.database.callStep("key", for: claim, at: later(2))
        try store.database.finishStep("key", outcome: "first", for: claim, at: now)
        try store.database.finishStep("key", outcome: "second", for: claim, at: now)

        let step = try store.database.beginStep("key", task: id, for: claim, at: later(9))
        #expect(step == Step(key: "key", calledAt: later(2), lostAt: nil, calls: 2, outcome: "first"))
    }

    @Test func `a call that did nothing needs no look before the next`() throws {
        try makeTasks()
        try store.database.enqueue(.ending, for: Store.id(1), at: now)
        let claim = try #require(try store.database.claimJob(at: now))
        _ = try store.database.beginStep("key", task: nil, for: claim, at: now)
        try store.database.callStep("key", for: claim, at: now)
        try store.database.clearStep("key", for: claim)

        #expect(try store.database.beginStep("key", task: nil, for: claim, at: now).calledAt == nil)
    }
}
