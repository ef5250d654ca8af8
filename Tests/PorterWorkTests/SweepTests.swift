import Foundation
import Porter
import PorterStore
import PorterTestWorld
import Testing

@testable import PorterWork

/// Promise 1: a command that no delivery tells of is found on GitHub itself, and acted on once.
@Suite struct SweepTests {
    /// A box that GitHub cannot reach, and an App without a webhook.
    private func polling(change: (inout Policy) -> Void = { _ in }) throws -> World {
        let world = try World {
            $0.isPolling = true
            change(&$0)
        }
        world.github.change { $0.isLogReadable = false }
        try world.work.ensureRecovery()
        return world
    }

    @Test func `with polling a command begins within 40 s, and nothing had to be known before`() throws {
        let world = try polling()
        try world.live(seconds: 90)
        world.write("@porter demo fix it", id: 9)

        try world.live(seconds: 40)

        let task = try #require(try world.store.findTask(comment: 9))
        #expect(task.startedAt != nil)
        #expect(task.issueTitle == "Login is flaky")
        try world.live(until: task.id)
        #expect(try world.flaws(task.id) == [])
        try world.live(seconds: 120)
        #expect(try world.tasks == 1)
    }

    @Test func `its delivery is a repeat afterwards`() throws {
        let world = try polling()
        world.write("@porter demo fix it", id: 9)
        try world.live(seconds: 40)

        let task = try #require(try world.store.findTask(comment: 9)).id
        #expect(try world.say("@porter demo fix it", comment: 9) == .duplicate(task))
        #expect(try world.tasks == 1)
    }

    @Test(arguments: [86_400, 31_536_000, -86_400])
    func `what was written is found though the clock was wrong when GitHub was last looked at`(jump: Int)
        throws
    {
        for isLogReadable in [true, false] {
            let world = try World()
            world.github.change { $0.isLogReadable = isLogReadable }
            world.jump(seconds: jump)
            _ = try world.work.pass()
            try world.live(seconds: 90)
            _ = try world.work.pass()
            world.jump(seconds: -jump)
            world.github.change { $0.isLogReadable = false }
            world.write("@porter demo fix it", id: 9)
            try world.live(seconds: 90)

            _ = try world.work.pass()
            try world.live(seconds: 30)

            #expect(try world.store.findTask(comment: 9) != nil)
        }
    }

    @Test(arguments: [86_400, 31_536_000])
    func `what was wished for with a wrong clock is looked for once`(jump: Int) throws {
        let world = try World()
        world.github.change { $0.isLogReadable = false }
        world.jump(seconds: jump)
        try world.work.ensureRecovery()
        try world.store.wantSweep(since: world.now, at: world.now)
        world.jump(seconds: -jump)

        try world.live(seconds: 90)

        #expect(try world.store.wantedSweep() == nil)
        #expect(world.github.faults.calls.count { $0 == "installations" } == 1)
    }

    @Test func `a wish that comes while a round is under way has a round of its own`() throws {
        let world = try World()
        try world.store.wantSweep(since: world.now, at: world.now)
        let claim = try #require(try world.store.claimJob(at: world.now))
        let round = SweepRound(number: 1, stage: .contents, begunAt: world.now)
        try world.store.save(round, for: claim, at: world.now)
        try world.store.wantSweep(since: world.now, at: world.now)
        var done = round
        done.stage = .done
        try world.store.save(done, for: claim, at: world.now)

        #expect(try world.store.wantedSweep() == world.now)
    }

    @Test(arguments: [86_400, -86_400])
    func `how old the database is does not depend on the clock`(jump: Int) throws {
        let world = try World()
        let made = world.time.real
        try world.settle()
        world.jump(seconds: jump)
        try world.live(seconds: 60)

        let first = try world.store.madeAt(world.work.now, theirs: world.time.real)
        world.jump(seconds: -jump)

        #expect(first == made)
        #expect(try world.store.madeAt(world.work.now, theirs: nil) == made)
    }

    @Test(arguments: [true, false])
    func `quiet polling costs nothing of the rate limit`(isLogReadable: Bool) throws {
        let world = try polling()
        world.github.change { $0.isLogReadable = isLogReadable }
        world.write("@porter help", id: 9)
        try world.live(seconds: 120)
        let calls = world.github.faults.calls.count
        let unchanged = world.github.seen.unchanged

        try world.live(seconds: 600)

        // The App is asked for now and then, and is remembered by the client; a refusal is no list.
        let lists = world.github.faults.calls.dropFirst(calls).filter {
            $0 != "app" && ($0 != "deliveries" || isLogReadable)
        }
        #expect(lists.count >= 60)
        #expect(world.github.seen.unchanged - unchanged == lists.count)
    }

    @Test(arguments: [
        (CommandSource.comment, "9"), (.reviewComment, "9"), (.review, "review-9"),
    ])
    func `a command on a pull request is answered under its own name, once`(
        source: CommandSource, marker: String
    ) throws {
        let world = try polling()
        world.github.change {
            $0.issues[8] = GitHub.Issue(
                number: 8, title: "Mend it", isOpen: true, isLocked: false, isPullRequest: true)
        }
        world.write("@porter help", source, id: 9, issue: 8)
        try world.live(seconds: 60)
        world.write("Nice.", .comment, id: 10, issue: 8)
        try world.live(seconds: 60)

        #expect(world.comments(ending: "<!-- porter:reply:\(marker) -->").count == 1)
        #expect(world.github.seen.ours.count == 1)
    }

    @Test func `an opening text runs, and its issue gets the reactions`() throws {
        let world = try polling()
        let id = world.write("@porter demo fix it", .opening, id: 70, issue: 12)

        try world.live(seconds: 40)

        let task = try #require(try world.store.findTask(comment: id.rawValue)).id
        try world.live(until: task)
        try world.live(seconds: 30)
        #expect(try world.flaws(task) == [])
        #expect(world.github.seen.reactions[id.rawValue] == [.eyes, .rocket])
    }

    @Test func `an issue that was seen without a command does not start with its edit`() throws {
        let world = try polling()
        let id = world.write("It is slow.", .opening, id: 70, issue: 12)
        try world.live(seconds: 60)
        world.edit(id, to: "@porter demo fix it")

        try world.live(seconds: 60)

        #expect(try world.tasks == 0)
    }

    @Test func `one number names a comment, an issue, a review and a review comment apart`() throws {
        let world = try polling()
        world.github.change {
            $0.issues[8] = GitHub.Issue(
                number: 8, title: "Mend it", isOpen: true, isLocked: false, isPullRequest: true)
        }
        world.write("@porter help", .opening, id: 9, issue: 12)
        world.write("@porter help", .comment, id: 9)
        world.write("@porter help", .review, id: 9, issue: 8)
        world.write("@porter help", .reviewComment, id: 9, issue: 8)

        try world.live(seconds: 60)

        #expect(world.github.seen.ours.count == 4)
    }

    // An edit may have put the command there, or other words into it.
    @Test func `a comment that was edited before it was seen is answered once and not run`() throws {
        let world = try polling()
        let id = world.write("@porter demo drop the tests", id: 9)
        world.advance(seconds: 5)
        world.edit(id, to: "@porter demo fix it")

        try world.live(seconds: 90)

        #expect(try world.tasks == 0)
        let answers = world.comments(ending: "<!-- porter:reply:9 -->")
        #expect(answers.count == 1)
        #expect(answers.first?.body.contains("Please repeat the command") == true)
    }

    @Test func `an edit of what was run changes nothing`() throws {
        let world = try polling()
        let id = world.write("@porter demo fix it", id: 9)
        try world.live(seconds: 60)
        world.edit(id, to: "@porter demo drop the tests")
        world.write("Thanks.", id: 10)

        try world.live(seconds: 60)

        #expect(try world.tasks == 1)
        #expect(world.comments(ending: "<!-- porter:reply:9 -->").isEmpty)
    }

    @Test func `bots, Apps and Porter itself start nothing`() throws {
        let world = try polling()
        for id in [1, 2, 3] as [Int64] { world.write("@porter help", id: id) }
        world.github.change { state in
            for index in state.contents.indices {
                switch state.contents[index].id.number {
                case 1: state.contents[index].authorType = "Bot"
                case 2: state.contents[index].isByApp = true
                case 3:
                    state.contents[index].authorType = "Bot"
                    state.contents[index].author = state.app.bot
                default: break
                }
            }
        }

        try world.live(seconds: 60)

        #expect(world.github.seen.ours.isEmpty)
    }

    @Test func `installations of other accounts are not looked into`() throws {
        let world = try polling()
        world.github.change {
            $0.otherInstallations = [
                GitHub.Installation(id: 78, account: Person(id: 901, login: "else"), isSuspended: false)
            ]
        }

        try world.live(seconds: 5)

        #expect(world.github.faults.count("repositories") == 1)
    }

    @Test func `an issue that was closed unheard stops its runs`() throws {
        let world = try polling()
        world.crew.change { $0.hangs = .agent }
        world.write("@porter demo fix it", id: 9)
        try world.live(seconds: 60)
        let id = try #require(try world.store.findTask(comment: 9)).id
        world.closeUnheard()

        try world.live(seconds: 60)

        #expect(try world.task(id).state == .cancelled)
        #expect(try world.task(id).reason == .issueClosed)
    }

    @Test func `a repository without a list of issues is looked into all the same`() throws {
        let world = try polling()
        world.github.change { $0.hasIssues = false }
        world.write("@porter help", id: 9)

        try world.live(seconds: 60)

        #expect(world.github.seen.ours.count == 1)
    }

    @Test func `nothing from before Porter was installed is run`() throws {
        let world = try polling()
        world.write("@porter demo fix it", id: 9, before: 3600)

        try world.live(seconds: 60)

        #expect(try world.tasks == 0)
    }

    @Test func `what is written within the second in which Porter was installed is found`() throws {
        let world = try polling()
        try world.store.setMark("database.made", to: "", at: world.now.adding(milliseconds: 577))
        world.time.set(world.now.adding(milliseconds: 900))
        world.write("@porter help", id: 9)

        try world.live(seconds: 60)

        #expect(world.github.seen.ours.count == 1)
    }

    @Test func `what changes while pages are read is neither skipped nor doubled`() throws {
        let world = try polling { $0.caps = Caps(perPerson: 0, total: 0) }
        world.github.change { $0.pageSize = 3 }
        for id in 1...12 as ClosedRange<Int64> {
            world.write("@porter demo fix it", id: id)
            world.advance(seconds: 1)
        }
        // Between two pages of comments the first ones vanish, which moves all others.
        world.github.faults.during("issue") {
            world.github.change { state in state.contents.removeAll { $0.id == CommandID(.comment, 2) } }
        }

        try world.live(seconds: 60)

        let missing = try (1...12).filter { $0 != 2 }.filter { try world.store.findTask(comment: $0) == nil }
        #expect(missing == [])
    }

    @Test func `many that were written in one second are all found`() throws {
        let world = try polling { $0.caps = Caps(perPerson: 0, total: 0) }
        world.github.change { $0.pageSize = 3 }
        for id in 1...20 as ClosedRange<Int64> { world.write("@porter demo fix it", id: id) }

        try world.live(seconds: 60)

        #expect(try world.tasks == 20)
    }

    @Test(arguments: [
        "contents.installations", "contents.repositories", "contents.page", "contents.taking",
        "contents.taken", "contents.recorded", "contents.finished", "contents.done",
    ])
    func `a death in the middle loses nothing and doubles nothing`(moment: String) throws {
        let world = try polling()
        world.github.change { $0.pageSize = 2 }
        for id in 1...5 as ClosedRange<Int64> {
            world.write("@porter demo fix it", id: id)
            world.advance(seconds: 2)
        }

        #expect(try world.crash(at: moment) { try? world.live(seconds: 60) })
        try world.live(seconds: 300)

        #expect(try world.tasks == 5)
        #expect(world.engine.all.count == 5)
    }

    @Test func `when GitHub asks to wait, the round goes on afterwards where it was`() throws {
        let world = try polling { $0.caps = Caps(perPerson: 0, total: 0) }
        world.github.change { $0.pageSize = 2 }
        for id in 1...9 as ClosedRange<Int64> {
            world.write("@porter demo fix it", id: id)
            world.advance(seconds: 2)
        }
        world.github.faults.during("contents") {
            world.github.faults.during("contents") {
                world.github.faults.plant(.rateLimited(world.now.adding(seconds: 300)), at: "contents")
            }
        }

        try world.live(seconds: 200)
        #expect(world.github.faults.count("contents") == 3)
        try world.live(seconds: 200)

        #expect(try world.tasks == 9)
    }
}

extension World {
    /// How many tasks there are.
    var tasks: Int { get throws { try store.countTasks().values.reduce(0, +) } }
}
