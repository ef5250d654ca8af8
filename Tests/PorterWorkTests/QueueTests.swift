import Porter
import PorterTestSupport
import PorterTestWorld
import Testing

@testable import PorterStore
@testable import PorterWork

/// Who starts when, and what a job's failure leaves behind.
@Suite struct QueueTests {
    @Test func `a job whose end cannot be written is free again once it can`() throws {
        let world = try World()
        let id = try world.ask()
        try world.store.write("break") {
            try $0.run(
                "CREATE TRIGGER broken BEFORE UPDATE OF run_at ON jobs BEGIN SELECT raise(ABORT, 'x'); END")
        }
        world.github.faults.plant(.unreachable, at: "app")
        #expect(throws: StoreError.self) { try world.work.turn() }
        try world.store.write("mend") { try $0.run("DROP TRIGGER broken") }

        try world.live(seconds: 120)

        #expect(try world.task(id).state == .success)
        #expect(try world.flaws(id) == [])
    }

    @Test func `no more than the caps run, and the comment says which place one has`() throws {
        let world = try World { $0.caps = Caps(perPerson: 2, total: 3) }
        world.crew.change { $0.hangs = .agent }
        let ids = try (0..<4).map { _ in try world.ask(by: World.maria) }
        try world.live(seconds: 40)
        #expect(try ids.filter { try world.task($0).state == .running }.count == 2)
        let waiting = try ids.filter { try world.task($0).state == .queued }
        let places = waiting.compactMap { id in
            world.statuses(id).first?.body.firstMatch(of: /place (\d+) in the queue/).map { String($0.1) }
        }
        #expect(places.sorted() == ["1", "2"])
        #expect(waiting.allSatisfy { world.statuses($0).first?.body.hasPrefix("**Queued**") == true })

        let other = try world.ask(by: World.wim)
        let second = try world.ask(by: World.wim)
        try world.live(seconds: 40)

        #expect(try world.task(other).state == .running)
        #expect(try world.task(second).state == .queued)
    }

    @Test func `an ended run makes room for the next, and places move up`() throws {
        let world = try World { $0.caps = Caps(perPerson: 1, total: 1) }
        let ids = try (0..<3).map { _ in try world.ask() }

        try world.live(seconds: 300)

        for id in ids {
            #expect(try world.task(id).state == .success)
            #expect(try world.flaws(id) == [])
        }
        let starts = try ids.map { try world.task($0).startedAt }.compactMap { $0 }
        #expect(Set(starts).count == 3)
    }

    @Test func `a repeated delivery, and the same comment under another delivery, change nothing`() throws {
        let world = try World()
        let first = try world.say("@porter demo fix it", comment: 5, delivery: "d-1")
        guard case .accepted(let id?) = first else { throw Trouble("no task") }

        #expect(try world.say("@porter demo fix it", comment: 5, delivery: "d-1") == .duplicate(id))
        #expect(try world.say("@porter demo fix it", comment: 5, delivery: "d-2") == .duplicate(id))
        try world.live(seconds: 120)
        #expect(try world.say("@porter demo fix it", comment: 5, delivery: "d-3") == .duplicate(id))
        try world.live(seconds: 120)

        #expect(world.engine.all.count == 1)
        #expect(try world.flaws(id) == [])
    }

    @Test func `a repeated command in a comment of its own makes its own task`() throws {
        let world = try World()
        let one = try world.ask()
        let two = try world.ask()
        try world.live(seconds: 120)

        #expect(one != two)
        #expect(try world.flaws(one) == [])
        #expect(try world.flaws(two) == [])
        #expect(world.github.seen.pulls.count == 2)
    }

    @Test func `two watchdogs and a dispatcher at once still make one of everything`() async throws {
        let world = try World()
        let id = try world.ask()
        for _ in 0..<6 {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 1...2 { group.addTask { try await onThread { _ = try world.work.pass() } } }
                group.addTask { try await onThread { _ = try world.settle() } }
                try await group.waitForAll()
            }
            try world.live(seconds: 10)
        }

        #expect(try world.flaws(id) == [])
        #expect(world.engine.all.count == 1)
    }
}
