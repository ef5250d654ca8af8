import Porter
import PorterStore
import PorterTestWorld
import Testing

@testable import PorterWork

/// A push may reach GitHub after the machine that sent it is gone.
@Suite struct LatePushTests {
    /// A task whose machine was lost with a push credential, as far as the supervisor's look that finds no branch.
    private static func lost() throws -> (World, TaskID) {
        let world = try World()
        world.crew.change { $0.hangs = .saving }
        let id = try world.ask()
        try world.live(seconds: 10)
        let token = try #require(world.crew.callbackToken(of: "m1"))
        _ = try world.work.credential(token: token)

        world.engine.end("m1", code: 137)
        // As far as the supervisor's next look, which finds no branch.
        for _ in 1...Work.supervisionInterval where try world.store.findAttempt(id, 1)?.goneAt == nil {
            try world.live(seconds: 1)
        }
        return (world, id)
    }

    @Test(arguments: [true, false])
    func `what a lost machine had pushed may arrive after it, and is awaited`(arrives: Bool) throws {
        let (world, id) = try Self.lost()
        #expect(try world.task(id).state == .running)
        if arrives { world.github.change { $0.branches[id.branch] = String(repeating: "e", count: 40) } }
        try world.live(seconds: Work.pushSettles + 1)

        #expect(try world.task(id).reason == .machineLost)
        #expect(try world.task(id).headSHA == (arrives ? String(repeating: "e", count: 40) : nil))
        #expect(try world.flaws(id) == [])
    }

    @Test func `a clock that is set back makes nobody wait for a push`() throws {
        let (world, id) = try Self.lost()

        world.jump(seconds: -86_400)
        try world.live(seconds: Work.pushSettles + 1)

        #expect(try world.task(id).reason == .machineLost)
    }
}
