import Porter
import PorterStore
import PorterTestWorld
import Testing

@testable import PorterWork

/// Stop works in every state and ends with no machine.
@Suite struct StopTests {
    /// The entries of that action: every stop and retry says who, what, when and from where.
    private func record(_ world: World, _ action: String) throws -> [AuditEntry] {
        try world.store.listAudit(AuditFilter(limit: 50)).map(\.entry).filter { $0.action == action }
    }

    @Test func `a stop by comment is in the record of changes, each task once`() throws {
        let world = try World { $0.caps = Caps(perPerson: 1, total: 1) }
        world.crew.change { $0.hangs = .agent }
        let running = try world.ask()
        try world.live(seconds: 10)
        let queued = try world.ask()
        try world.settle()
        try world.say("@porter stop", by: World.rita, comment: 8)
        try world.live(seconds: 5)
        #expect(try record(world, "task.stopped").isEmpty)

        try world.say("@porter stop", by: World.wim, comment: 9)
        try world.settle()
        try world.say("@porter stop", by: World.maria, comment: 10)
        try world.live(seconds: 60)

        let entries = try record(world, "task.stopped")
        #expect(Set(entries.map(\.subject)) == [running.rawValue, queued.rawValue])
        #expect(entries.count == 2)
        #expect(entries.allSatisfy { $0.actorID == 2 && $0.actorLogin == "wim" && $0.address == nil })
        #expect(entries.allSatisfy { $0.detail == "by a command on acme/shop#7" })
    }

    @Test func `what runs can be stopped though its repository was switched off meanwhile`() throws {
        let world = try World()
        world.crew.change { $0.hangs = .agent }
        let id = try world.ask()
        try world.live(seconds: 10)
        try world.store.switchRepository(42, on: false, at: world.now)

        try world.say("@porter stop", by: World.wim, comment: 9)
        try world.live(seconds: 60)

        #expect(try world.task(id).reason == .cancelledByUser)
        #expect(world.comments(ending: "<!-- porter:reply:9 -->").isEmpty)
        try world.say("@porter status", by: World.wim, comment: 10)
        try world.live(seconds: 10)
        let answers = world.comments(ending: "<!-- porter:reply:10 -->")
        #expect(answers.map { $0.body.contains("repository_not_enabled") } == [true])
    }

    @Test func `a closed issue's stops are in the record of changes as GitHub's`() throws {
        let world = try World()
        world.crew.change { $0.hangs = .agent }
        let id = try world.ask()
        try world.live(seconds: 10)
        try world.close()
        try world.live(seconds: 60)
        let entries = try record(world, "task.stopped")
        #expect(entries.map(\.subject) == [id.rawValue])
        #expect(entries.map(\.actorLogin) == ["GitHub"])
        #expect(entries.map(\.detail) == ["its issue acme/shop#7 was closed"])
    }

    @Test func `a retry by comment is in the record of changes once its author is found to be allowed`()
        throws
    {
        let world = try World()
        world.crew.change { $0.outcome = .failed }
        let first = try world.ask()
        try world.live(until: first)
        let stranger = try world.ask("@porter retry", by: World.rita)
        try world.live(seconds: 10)
        #expect(try world.task(stranger).reason == .notPermitted)
        #expect(try record(world, "task.retried").isEmpty)

        // A look at the branch that fails has all of admission done again.
        world.github.faults.plant(.unreachable, at: "branchHead")
        let again = try world.ask("@porter retry", by: World.wim)
        try world.live(seconds: 60)

        let entries = try record(world, "task.retried")
        #expect(entries.map(\.subject) == [first.rawValue])
        #expect(entries.map(\.actorLogin) == ["wim"])
        #expect(entries.map(\.detail) == ["as \(again.rawValue), by a command on acme/shop#7"])
    }

    @Test func `a queued task is cancelled at once`() throws {
        let world = try World { $0.caps = Caps(perPerson: 1, total: 1) }
        world.crew.change { $0.hangs = .agent }
        _ = try world.ask(issue: World.issue)
        world.github.change { state in
            state.issues[8] = GitHub.Issue(
                number: 8, title: "Other", isOpen: true, isLocked: false, isPullRequest: false)
        }
        let waiting = try world.ask(issue: 8)
        try world.live(seconds: 10)
        #expect(world.statuses(waiting).first?.body.contains("place 1 in the queue") == true)

        try world.say("@porter stop", by: World.wim, issue: 8)
        try world.settle()

        #expect(try world.task(waiting).state == .cancelled)
        #expect(try world.task(waiting).reason == .cancelledByUser)
        #expect(try world.task(waiting).startedAt == nil)
        try world.live(seconds: 30)
        #expect(world.endings(waiting).count == 1)
        #expect(world.statuses(waiting).first?.body.hasPrefix("**Cancelled**") == true)
    }

    @Test func `a running task learns it by progress, saves, and is cancelled with its branch named`() throws
    {
        let world = try World()
        world.crew.change { $0.hangs = .agent }
        let id = try world.ask()
        try world.live(seconds: 20)

        try world.say("@porter stop", by: World.wim, comment: 9)
        try world.live(seconds: 60)

        let task = try world.task(id)
        #expect(task.state == .cancelled)
        #expect(task.headSHA == WorldCrew.commit(of: id.rawValue))
        #expect(world.endings(id).first?.body.contains("`\(task.branch)`") == true)
        #expect(world.endings(id).first?.body.contains("`cancelled_by_user`") == true)
        #expect(world.github.seen.pulls.isEmpty)
        #expect(try world.flaws(id) == [])
        // "`stop`: a reaction and the edited status comment; an answer only when there is nothing to stop."
        #expect(world.github.seen.reactions[9] == [.eyes])
        #expect(world.comments(ending: "<!-- porter:reply:9 -->").isEmpty)
    }

    @Test func `an answer that nothing ran is the end of its stop, though nobody lived to note it`() throws {
        let world = try World()
        world.crew.change { $0.hangs = .agent }
        try world.say("@porter stop", by: World.wim, comment: 9)
        #expect(try world.crash(at: "reply.called") { _ = try? world.settle() })

        // What had been written before arrives late.
        let id = try world.ask()
        try world.live(seconds: 60)

        #expect(try world.task(id).state == .running)
        #expect(try world.store.findCommand(comment: 9)?.outcome == "answered")
        #expect(world.comments(ending: "<!-- porter:reply:9 -->").count == 1)
    }

    @Test func `a stop that could not be shown at once is not answered as if nothing had run`() throws {
        for fault in ["react", "crash"] {
            let world = try World { $0.caps = Caps(perPerson: 1, total: 1) }
            world.crew.change { $0.hangs = .agent }
            let id = try world.ask()
            try world.live(seconds: 10)
            let waiting = try world.ask()
            try world.live(seconds: 10)
            let stop = { @Sendable in
                _ = try? world.say("@porter stop \(waiting.rawValue)", by: World.wim, comment: 9)
                _ = try? world.settle()
            }
            if fault == "react" {
                world.github.faults.plant(.unreachable, at: "react")
                stop()
            } else {
                #expect(try world.crash(at: "stop.carried", during: stop))
            }
            try world.live(seconds: 60)

            #expect(try world.task(waiting).state == .cancelled, "\(fault)")
            #expect(try world.task(id).state == .running)
            #expect(world.comments(ending: "<!-- porter:reply:9 -->").isEmpty, "\(fault)")
            #expect(world.github.seen.reactions[9] == [.eyes], "\(fault)")
        }
    }

    @Test func `a stopped task ends though its engine never answers again`() throws {
        let world = try World()
        world.crew.change { $0.hangs = .agent }
        let id = try world.ask()
        try world.live(seconds: 10)
        world.crew.change { $0.claims = false }
        world.engine.faults.plant(.machines(.unreachable), at: "find", times: 100_000)
        try world.say("@porter stop", by: World.wim)

        try world.live(seconds: 300)
        #expect(try world.task(id).state == .running)
        try world.live(seconds: 90)

        #expect(try world.task(id).state == .cancelled)
        // What is left is destroyed as soon as the engine answers.
        world.engine.faults.clear()
        try world.live(seconds: 900)
        #expect(world.engine.running.isEmpty)
        #expect(try world.flaws(id) == [])
    }

    @Test func `a worker that does not answer is destroyed by force after 15 seconds`() throws {
        let world = try World()
        world.crew.change { $0.hangs = .clone }
        let id = try world.ask()
        try world.live(seconds: 10)
        world.crew.change { $0.claims = false }
        try world.say("@porter stop", by: World.wim)
        try world.live(seconds: 10)
        #expect(world.engine.running.count == 1)

        try world.live(seconds: 8)

        #expect(world.engine.running.isEmpty)
        #expect(try world.task(id).state == .cancelled)
    }

    @Test func `a machine that is being created when the stop arrives does not stay`() throws {
        let world = try World()
        world.engine.faults.plant(.uncertainAfter, at: "create")
        let id = try world.ask()
        try world.settle()
        #expect(world.engine.running.count == 1)

        try world.say("@porter stop", by: World.wim)
        try world.live(seconds: 60)

        #expect(world.engine.running.isEmpty)
        #expect(try world.task(id).state == .cancelled)
        #expect(try world.flaws(id) == [])
    }

    @Test func `success that was stored before the stop stays a success`() throws {
        let world = try World()
        world.github.faults.plant(.unreachable, at: "branchHead", times: 3)
        world.crew.change { $0.hangs = .saving }
        let id = try world.ask()
        try world.live(seconds: 20)
        world.crew.change { $0.hangs = nil }
        world.github.faults.clear()
        world.github.faults.plant(.unreachable, at: "branchHead", times: 2)
        try world.live(seconds: 1)
        #expect(try world.task(id).phase == .publishing)

        try world.say("@porter stop", by: World.wim)
        try world.live(seconds: 120)

        #expect(try world.task(id).state == .success)
        #expect(try world.flaws(id) == [])
    }

    @Test func `success that arrives while the stop is being carried out counts`() throws {
        let world = try World()
        world.crew.change { $0.hangs = .saving }
        let id = try world.ask()
        try world.live(seconds: 20)
        let attempt = try #require(try world.store.findAttempt(id, 1))
        world.github.change { $0.branches[id.branch] = String(repeating: "d", count: 40) }
        world.crew.change { $0.claims = false }
        try world.say("@porter stop", by: World.wim)
        // The look at the branch is the last thing before the task is cancelled.
        world.github.faults.during("branchHead") {
            _ = try? world.store.recordReport(
                attempt, Attempt.Report(outcome: .success, headSHA: String(repeating: "d", count: 40)),
                at: world.now)
        }

        try world.live(seconds: 120)

        #expect(try world.task(id).state == .success)
        #expect(try world.flaws(id) == [])
    }

    @Test func `success that arrives when time is over counts as well`() throws {
        let world = try World { $0.limits.grace = 100_000 }
        world.crew.change { $0.hangs = .saving }
        let id = try world.ask()
        try world.live(seconds: 20)
        world.crew.change { $0.claims = false }
        let attempt = try #require(try world.store.findAttempt(id, 1))
        world.github.change { $0.branches[id.branch] = String(repeating: "d", count: 40) }
        world.change { $0.limits.grace = 0 }
        world.github.faults.during("branchHead") {
            _ = try? world.store.recordReport(
                attempt, Attempt.Report(outcome: .success, headSHA: String(repeating: "d", count: 40)),
                at: world.now)
        }
        world.advance(seconds: 300 + 600 + 120)

        try world.live(seconds: 120)

        #expect(try world.task(id).state == .success)
    }

    @Test func `a stop reaches a task whose admission still waits for GitHub`() throws {
        let world = try World()
        world.github.faults.plant(.unreachable, at: "app", times: 1)
        let id = try world.ask()
        try world.settle()
        #expect(try world.task(id).admittedAt == nil)

        try world.say("@porter stop", by: World.wim, comment: 9)
        try world.live(seconds: 60)

        #expect(try world.task(id).state == .cancelled)
        #expect(world.engine.all.isEmpty)
        #expect(world.comments(ending: "<!-- porter:reply:9 -->").isEmpty)
    }

    @Test func `a stop that is carried out late does not stop what was asked for after it`() throws {
        let world = try World()
        world.crew.change { $0.hangs = .agent }
        let early = try world.ask()
        try world.live(seconds: 10)
        world.github.faults.plant(.unreachable, at: "app", times: 1)
        try world.say("@porter stop", by: World.wim)
        try world.settle()
        world.advance(seconds: 1)
        let late = try world.ask()

        try world.live(seconds: 60)

        #expect(try world.task(early).state == .cancelled)
        #expect(try world.task(late).state == .running)
    }

    @Test func `stop with a task's id stops that one alone`() throws {
        let world = try World()
        world.crew.change { $0.hangs = .agent }
        let one = try world.ask()
        let two = try world.ask()
        try world.live(seconds: 10)

        try world.say("@porter stop \(one.rawValue)", by: World.wim)
        try world.live(seconds: 60)

        #expect(try world.task(one).state == .cancelled)
        #expect(try world.task(two).state == .running)
    }

    @Test func `closing the issue cancels its unfinished tasks`() throws {
        let world = try World()
        world.crew.change { $0.hangs = .agent }
        let id = try world.ask()
        try world.live(seconds: 10)

        try world.close()
        try world.live(seconds: 60)

        #expect(try world.task(id).state == .cancelled)
        #expect(try world.task(id).reason == .issueClosed)
        #expect(try world.flaws(id) == [])
    }

    @Test func `a person who cannot push cannot stop anything`() throws {
        let world = try World()
        world.crew.change { $0.hangs = .agent }
        let id = try world.ask()
        try world.live(seconds: 10)

        try world.say("@porter stop", by: World.rita)
        try world.live(seconds: 30)

        #expect(try world.task(id).state == .running)
        #expect(try world.task(id).stopRequestedAt == nil)
    }

    @Test func `a late callback does not raise a stopped task from the dead`() throws {
        let world = try World()
        world.crew.change { $0.claims = false }
        let id = try world.ask()
        try world.settle()
        let token = try #require(world.engine.running.first?.token)
        try world.say("@porter stop", by: World.wim)
        try world.live(seconds: 30)
        #expect(try world.task(id).state == .cancelled)

        #expect(throws: CallbackFailure.self) {
            try world.work.claim(token: token, nonce: Secret("late-nonce"))
        }
        #expect(throws: CallbackFailure.self) {
            try world.work.complete(
                token: token, named: id.rawValue, Attempt.Report(outcome: .success))
        }
        #expect(try world.task(id).state == .cancelled)
    }
}
