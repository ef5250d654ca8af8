import Porter
import PorterStore
import PorterTestWorld
import Testing

@testable import PorterWork

/// Somebody sets the clock of the machine, forwards or back, while things are under way.
@Suite struct ClockTests {
    /// A day and a year, forwards and back.
    static let jumps = [86_400, 31_536_000, -86_400, -31_536_000]

    @Test(arguments: jumps) func `a clock that is set expires no live task`(jump: Int) throws {
        let world = try World()
        world.crew.change { $0.hangs = .agent }
        let id = try world.ask()
        try world.live(seconds: 30)

        world.time.turn(seconds: jump)
        try world.live(seconds: 20)
        #expect(try world.task(id).state == .running)
        world.crew.change { $0.hangs = nil }
        try world.live(until: id, atMost: 120)
        try world.live(seconds: 20)

        #expect(try world.task(id).state == .success)
        #expect(try world.task(id).attempt == 1)
        #expect(try world.flaws(id) == [])
    }

    @Test(arguments: jumps) func `a clock that is set lets no silent task live longer`(jump: Int) throws {
        let world = try World()
        world.crew.change { $0.hangs = .agent }
        let id = try world.ask()
        try world.live(seconds: 30)
        world.crew.change { $0.claims = false }

        world.time.turn(seconds: jump)
        try world.live(seconds: 70)

        #expect(try world.task(id).reason == .machineLost)
    }

    @Test(arguments: jumps) func `a clock that is set extends no token, and each is revoked`(jump: Int) throws
    {
        let world = try World()
        world.crew.change { $0.hangs = .agent }
        let id = try world.ask()
        try world.live(seconds: 30)
        let before = try world.store.liveTokens(id).map(\.expiresAt)

        world.time.turn(seconds: jump)
        try world.live(seconds: 20)
        #expect(try world.store.liveTokens(id).map(\.expiresAt) == before)
        world.crew.change { $0.hangs = nil }
        try world.live(until: id, atMost: 120)
        try world.live(seconds: 20)

        #expect(!before.isEmpty)
        #expect(world.github.liveTokens == [])
    }

    @Test(arguments: jumps) func `what was put off before the clock was set is done in time`(jump: Int) throws
    {
        let world = try World()
        world.github.faults.plant(.unreachable, at: "issue", times: 6)
        let id = try world.ask()
        try world.live(seconds: 5)

        world.time.turn(seconds: jump)
        try world.live(until: id, atMost: 300)

        #expect(try world.task(id).state == .success)
    }

    @Test(arguments: jumps) func `a lost answer settles for its whole time whatever the clock shows`(
        jump: Int
    ) throws {
        let world = try World()
        world.github.faults.plant(.uncertainAfter, at: "createComment")
        let id = try world.ask()
        try world.live(seconds: 1)

        world.time.turn(seconds: jump)
        try world.live(seconds: 10)
        #expect(world.github.faults.count("ownComments") == 0)
        try world.live(until: id, atMost: 300)
        try world.live(seconds: 20)

        #expect(try world.flaws(id) == [])
    }

    @Test func `an ending that could not be published is not given up because the clock was set`() throws {
        let world = try World()
        let id = try world.ask(by: World.rita)
        world.github.faults.plant(.unreachable, at: "createComment", times: 3)
        try world.live(seconds: 2)

        world.time.turn(seconds: 31_536_000)
        try world.live(until: id, atMost: 600)

        #expect(try world.flaws(id) == [])
    }
}
