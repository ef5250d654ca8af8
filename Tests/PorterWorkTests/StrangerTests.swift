import Porter
import PorterStore
import PorterTestWorld
import Testing

@testable import PorterWork

/// Who may not command is answered once, and whatever repeats that is no more than counted.
@Suite struct StrangerTests {
    @Test func `a stranger is answered once a day, and repeats carry the time of that refusal`() throws {
        let world = try World()
        let first = try world.ask(by: World.rita)
        try world.live(seconds: 10)
        let second = try world.ask(by: World.rita)
        try world.live(seconds: 10)

        #expect(try world.task(second).state == .failed)
        #expect(try world.task(second).reason == .notPermitted)
        #expect(try world.task(second).publishedAt == world.task(first).publishedAt)
        #expect(try world.store.listEvents(second).map(\.kind).contains("suppressed"))
        #expect(world.github.seen.ours.count == 1)

        world.advance(seconds: 86_401)
        let third = try world.ask(by: World.rita)
        try world.live(seconds: 10)
        #expect(world.github.seen.ours.count == 2)
        #expect(world.endings(third).count == 1)
    }

    @Test func `another stranger, and another issue, are answered for themselves`() throws {
        let world = try World()
        world.github.change { state in
            state.issues[8] = GitHub.Issue(
                number: 8, title: "Other", isOpen: true, isLocked: false, isPullRequest: false)
        }
        _ = try world.ask(by: World.rita)
        _ = try world.ask(by: Person(id: 4, login: "ruth"))
        _ = try world.ask(by: World.rita, issue: 8)
        try world.live(seconds: 10)

        #expect(world.github.seen.ours.count == 3)
    }

    @Test func `a stranger's questions are refused once as well, whatever they ask`() throws {
        let world = try World()
        try world.say("@porter help", by: World.rita)
        try world.live(seconds: 5)
        try world.say("@porter stop", by: World.rita)
        try world.say("@porter claud fix", by: World.rita)
        let run = try world.ask(by: World.rita)
        try world.live(seconds: 30)

        #expect(world.github.seen.ours.count == 1)
        #expect(world.github.seen.ours.first?.body.contains("`not_permitted`") == true)
        #expect(try world.task(run).reason == .notPermitted)
        #expect(try world.task(run).publishedAt != nil)
    }

    @Test func `a stranger's later command waits until the earlier one is decided`() throws {
        let world = try World()
        world.github.faults.plant(.unreachable, at: "app", times: 1)
        let first = try world.ask(by: World.rita, comment: 11)
        _ = try world.work.turn()
        let second = try world.ask(by: World.rita, comment: 12)
        try world.settle()
        #expect(try world.task(first).state == .queued)
        #expect(try world.task(second).state == .queued)

        try world.live(seconds: 60)

        #expect(world.github.seen.ours.count == 1)
        #expect(world.endings(first).count == 1)
        #expect(try world.task(second).publishedAt == world.task(first).publishedAt)
    }

    @Test func `a stranger's repeats do not ask GitHub each second while the first refusal cannot be said`()
        throws
    {
        let world = try World()
        world.github.faults.plant(.unreachable, at: "createComment", times: 500)
        try world.say("@porter help", by: World.rita, comment: 11)
        try world.settle()
        try world.say("@porter status", by: World.rita, comment: 12)
        let run = try world.ask(by: World.rita)
        try world.live(seconds: 3600)
        #expect(try world.task(run).state == .queued)
        #expect(world.github.faults.count("permission") < 120)

        world.github.faults.clear()
        try world.live(seconds: 1800)

        #expect(world.github.seen.ours.count == 1)
        #expect(try world.task(run).reason == .notPermitted)
        #expect(try world.store.findCommand(comment: 12)?.outcome == "suppressed")
    }

    @Test func `a stranger's repeated run waits longer and longer for a refusal that cannot be said`() throws
    {
        let world = try World()
        world.github.faults.plant(.unreachable, at: "createComment", times: 500)
        let first = try world.ask(by: World.rita, comment: 11)
        try world.settle()
        let second = try world.ask(by: World.rita, comment: 12)
        try world.live(seconds: 3600)
        #expect(try world.task(second).state == .queued)
        #expect(world.github.faults.count("permission") < 60)

        world.github.faults.clear()
        try world.live(until: first)

        // It does not wait any longer than that.
        try world.live(seconds: 1)
        #expect(world.endings(first).count == 1)
        #expect(try world.task(second).publishedAt == world.task(first).publishedAt)
    }

    @Test func `a stranger's later command looks again as soon as the earlier one is decided otherwise`()
        throws
    {
        let world = try World()
        world.github.faults.plant(.unreachable, at: "issue", times: 1)
        let first = try world.ask(by: World.rita, comment: 11)
        _ = try world.work.turn()
        try world.say("@porter help", by: World.rita, comment: 12)
        world.advance(seconds: 3600)
        world.github.faults.plant(.unreachable, at: "issue", times: 1)
        try world.settle()
        #expect(try world.store.findCommand(comment: 12)?.outcome == nil)
        _ = try world.store.requestStop(first, reason: .cancelledByUser, detail: nil, at: world.now)
        try world.settle()

        #expect(try world.store.findCommand(comment: 12)?.outcome == "refused")
    }

    @Test func `two questions of a stranger that are answered at the same time are answered once`() throws {
        let world = try World()
        try world.say("@porter help", by: World.rita, comment: 11)
        try world.say("@porter status", by: World.rita, comment: 12)
        world.github.faults.during("createComment") { _ = try? world.work.turn() }

        try world.live(seconds: 60)

        #expect(world.github.seen.ours.count == 1)
    }
}
