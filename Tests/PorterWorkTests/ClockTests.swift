import Porter
import PorterStore
import PorterTestWorld
import Testing

@testable import PorterWork

/// A clock that is set expires nothing that lives, and lengthens no life.
@Suite struct ClockTests {
    static let jumps = [86_400, -86_400, 31_536_000, -31_536_000]

    @Test(arguments: jumps) func `a run goes on as if the clock had not been set`(jump: Int) throws {
        let world = try World()
        world.crew.change { $0.hangs = .agent }
        let id = try world.ask()
        try world.live(seconds: 20)
        #expect(try world.task(id).state == .running)

        world.jump(seconds: jump)
        try world.live(seconds: 40)

        #expect(try world.task(id).state == .running)
        #expect(try world.task(id).attempt == 1)
        world.crew.change { $0.hangs = nil }
        try world.live(until: id, atMost: 120)
        #expect(try world.task(id).state == .success)
        #expect(try world.flaws(id) == [])
    }

    @Test(arguments: jumps) func `a fresh process sees a jump from while it was down`(jump: Int) throws {
        let world = try World()
        world.crew.change { $0.hangs = .agent }
        let id = try world.ask()
        try world.live(seconds: 20)

        world.jump(seconds: jump)
        try world.reboot()
        _ = try world.work.pass()
        try world.live(seconds: 40)

        #expect(try world.task(id).state == .running)
        #expect(try world.task(id).attempt == 1)
    }

    @Test(arguments: jumps) func `a silent worker counts as lost after the grace, not a day later`(jump: Int)
        throws
    {
        let world = try World()
        world.crew.change { $0.hangs = .agent }
        let id = try world.ask()
        try world.live(seconds: 20)
        world.crew.change { $0.claims = false }

        world.jump(seconds: jump)
        try world.live(seconds: 45)
        #expect(try world.task(id).state == .running)
        try world.live(seconds: 60)

        #expect(try world.task(id).state == .failed)
        #expect(try world.task(id).reason == .machineLost)
    }

    @Test(arguments: jumps) func `a run's deadline comes when it would have come`(jump: Int) throws {
        let world = try World()
        world.crew.change { $0.hangs = .agent }
        let id = try world.ask("@porter demo --timeout=60s fix it")
        try world.live(seconds: 20)
        let limits = world.work.policy.limits
        let whole = limits.clone + 60 + limits.saving + limits.grace

        world.jump(seconds: jump)
        try world.live(seconds: whole - 60)
        #expect(try world.task(id).state == .running)
        try world.live(seconds: 90)

        #expect(try world.task(id).state == .timedOut)
    }

    @Test(arguments: jumps) func `an unclaimed machine is replaced when it would have been`(jump: Int) throws
    {
        let world = try World()
        world.crew.change { $0.claims = false }
        let id = try world.ask()
        try world.live(seconds: 100)

        world.jump(seconds: jump)
        try world.live(seconds: 150)
        #expect(try world.task(id).attempt == 1)
        try world.live(seconds: 70)

        #expect(try world.task(id).attempt == 2)
    }

    @Test(arguments: jumps) func `a claim is answered again for a minute, however the clock is set`(jump: Int)
        throws
    {
        let scene = try CallbackScene()
        let token = Secret(try #require(try scene.claim("n")["callback_token"] as? String))
        scene.world.jump(seconds: jump)

        try scene.world.live(seconds: 30)
        _ = try scene.claim("n")
        _ = try scene.world.work.progress(token: token, Progress(phase: .clone))
        try scene.world.live(seconds: 40)
        let refused = scene.failure { _ = try scene.claim("n") }

        #expect(refused?.status == 409)
    }

    @Test(arguments: jumps) func `a stopped worker that does not listen has its 15 seconds`(jump: Int) throws
    {
        let world = try World()
        world.crew.change { $0.hangs = .agent }
        let id = try world.ask()
        try world.live(seconds: 20)
        world.crew.change { $0.claims = false }
        try world.say("@porter stop", by: World.wim, comment: 9)
        try world.live(seconds: 5)

        world.jump(seconds: jump)
        try world.live(seconds: 5)
        #expect(try world.task(id).state == .running)
        try world.live(seconds: 15)

        #expect(try world.task(id).state == .cancelled)
    }

    @Test(arguments: jumps) func `a session lasts as long as it would have`(jump: Int) throws {
        let world = try World()
        let session = try #require(SessionID(rawValue: String(repeating: "a", count: 32)))
        try world.store.savePerson(World.maria, at: world.now)
        try world.store.beginSession(
            session, digest: [7], person: World.maria.id, address: nil, userAgent: nil, at: world.now)
        _ = try world.work.pass()

        world.jump(seconds: jump)
        world.advance(seconds: Session.idle - 60)
        #expect(try world.store.findSession(digest: [7], at: world.work.now) != nil)
        world.advance(seconds: 120)

        #expect(try world.store.findSession(digest: [7], at: world.work.now) == nil)
    }

    @Test func `a jump back by a year leaves no job waiting for a year`() throws {
        let world = try World()
        world.github.faults.plant(.unreachable, at: "comment", times: 3)
        let id = try world.ask()
        try world.settle()

        world.jump(seconds: -31_536_000)
        try world.live(until: id, atMost: 600)

        #expect(try world.task(id).state == .success)
        #expect(try world.flaws(id) == [])
    }

    @Test func `after a jump by a year nothing is pruned for a day, and what is old goes after that`() throws
    {
        let world = try World()
        let id = try world.ask()
        try world.live(until: id)
        #expect(try world.store.findPrompt(id) != nil)

        world.jump(seconds: 31_536_000)
        _ = try world.work.pass()
        #expect(try world.store.findPrompt(id) != nil)
        world.advance(seconds: 86_500)
        _ = try world.work.pass()

        #expect(try world.store.findPrompt(id) == nil)
        #expect(try world.task(id).state == .success)
    }

    @Test func `a start of the host is no jump`() throws {
        let world = try World()
        world.crew.change { $0.claims = false }
        let id = try world.ask()
        try world.live(seconds: 100)

        world.time.restart(after: 400)
        try world.reboot()
        try world.live(seconds: 5)

        #expect(try world.task(id).attempt == 2)
    }
}
