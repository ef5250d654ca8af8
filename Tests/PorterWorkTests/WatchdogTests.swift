import Porter
import PorterStore
import PorterTestWorld
import Testing

@testable import PorterWork

/// The watchdog alone, by its timer: no dispatcher works beside it.
@Suite struct WatchdogTests {
    /// Seconds from one pass to the next: the timer's half minute and what a pass takes itself.
    private static let period = 31
    /// Seconds after a deadline in which a task must be finished and its issue show it.
    private static let patience = 60

    /// Passes by the timer, workers between, until the task is published.
    private static func passes(_ world: World, _ id: TaskID, atMost count: Int = 100) throws {
        for _ in 0..<count where try world.task(id).publishedAt == nil {
            for _ in 0..<period {
                try world.crew.act(in: world)
                world.advance(seconds: 1)
            }
            _ = try world.work.pass()
        }
    }

    private static func lateness(_ world: World, _ id: TaskID, since deadline: Instant?) throws
        -> ClosedRange<Int64>
    {
        let task = try world.task(id)
        let begun = try #require(deadline)
        return (try #require(task.finishedAt) - begun)...(try #require(task.publishedAt) - begun)
    }

    @Test(arguments: [1, 10, 20, 30]) func `a stale worker is finished within a minute after its deadline`(
        silentAfter seconds: Int
    ) throws {
        let world = try World()
        world.crew.change { $0.hangs = .agent }
        let id = try world.ask()
        for _ in 0..<4 { try Self.step(world, Self.period) }
        try Self.step(world, seconds, isPass: false)
        world.crew.change { $0.claims = false }
        let attempt = try #require(try world.store.findAttempt(id, 1))
        let deadline = attempt.heartbeatAt?.adding(seconds: world.work.policy.limits.grace)

        try Self.step(world, Self.period - seconds)
        try Self.passes(world, id)

        #expect(try world.task(id).reason == .machineLost)
        #expect(try world.task(id).detail?.hasPrefix("Nothing was heard from the machine for ") == true)
        let late = try Self.lateness(world, id, since: deadline)
        #expect(late.lowerBound >= 0 && late.upperBound <= Int64(Self.patience) * 1000)
        #expect(try world.flaws(id) == [])
    }

    @Test func `one pass goes on where all that could had died in the middle of a call`() throws {
        let world = try World()
        let id = try world.ask()
        #expect(try world.crash(at: "machine.create.1.called") { _ = try? world.settle() })
        let died = world.now

        _ = try world.work.pass()

        #expect(try world.store.findAttempt(id, 1)?.machineID != nil)
        #expect(world.engine.running.count == 1)
        #expect(world.now - died <= Work.settling + 1000)
    }

    private static func step(_ world: World, _ seconds: Int, isPass: Bool = true) throws {
        for _ in 0..<seconds {
            try world.crew.act(in: world)
            world.advance(seconds: 1)
        }
        if isPass { _ = try world.work.pass() }
    }

    @Test func `a worker that never ends is finished within a minute after the server's deadline`() throws {
        let world = try World()
        world.crew.change { $0.hangs = .agent }
        let id = try world.ask()
        for _ in 0..<4 { try Self.step(world, Self.period) }
        let limits = world.work.policy.limits
        let whole = limits.clone + (try world.task(id).timeout) + limits.saving + limits.grace
        let deadline = try #require(try world.store.findAttempt(id, 1)).claimedAt?.adding(seconds: whole)

        try Self.passes(world, id)

        #expect(try world.task(id).state == .timedOut)
        let late = try Self.lateness(world, id, since: deadline)
        #expect(late.lowerBound >= 0 && late.upperBound <= Int64(Self.patience) * 1000)
    }

    @Test func `one pause in which the host was down is no worker's death`() throws {
        let world = try World()
        world.crew.change { $0.hangs = .agent }
        let id = try world.ask()
        for _ in 0..<4 { try Self.step(world, Self.period) }
        // Nobody could be heard, and nobody looked.
        world.advance(seconds: 70)
        _ = try world.work.pass()
        #expect(try world.task(id).state == .running)

        for _ in 0..<4 { try Self.step(world, Self.period) }

        #expect(try world.task(id).state == .running)
    }

    @Test func `engines that hang take a pass no longer than it has, and each has its turn`() throws {
        let world = try World()
        world.change { $0.engine.name = "fly" }
        world.allowOwnEngines()
        let people = 1...6
        for person in people {
            _ = try world.store.saveFly(
                scope: "user:\(person)", token: Secret("fly-canary"), app: "runs", region: nil,
                sealer: World.sealer,
                audit: AuditEntry(at: world.now, actorID: 1, actorLogin: "maria", action: "a", subject: "s"),
                at: world.now)
        }
        _ = try world.ask()
        try world.live(seconds: 600)
        world.forgetEngines()
        Self.slowDown(world)

        var passes = 0
        while world.askedEngines.count < people.count, passes < 200 {
            let before = world.engine.faults.count("list")
            _ = try world.work.pass()
            passes += 1
            #expect(world.engine.faults.count("list") - before == Work.leftoverLimit / Self.delay)
        }

        #expect(world.askedEngines.count == people.count)
    }

    /// Seconds that each look for machines takes.
    private static let delay = 10

    private static func slowDown(_ world: World) {
        world.engine.faults.during("list") {
            world.advance(seconds: Self.delay)
            slowDown(world)
        }
    }
}
