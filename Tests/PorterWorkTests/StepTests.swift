import Porter
import PorterStore
import PorterTestWorld
import Testing

@testable import PorterWork

/// What is known of an outward effect while its answer is not.
@Suite struct StepTests {
    private struct Scene {
        let world: World
        let claim: JobClaim

        init() throws {
            world = try World()
            try world.store.ensureRecovery(at: world.now)
            claim = try #require(try world.store.claimJob(at: world.now))
        }

        /// Makes the effect; nil while an earlier call settles.
        func perform(
            find: () throws -> String? = { nil }, _ call: () throws -> String
        ) throws -> String? {
            do {
                return try world.work.perform("task/effect", task: nil, for: claim, find: find, call: call)
                    .outcome
            } catch is Unsettled {
                return nil
            }
        }
    }

    private static let lost = GitHubError(.uncertain, operation: "call", message: "no answer")

    @Test func `a call that was held up settles from when its answer was lost`() throws {
        let scene = try Scene()
        #expect(throws: Self.lost) {
            try scene.perform {
                scene.world.advance(seconds: 60)
                throw Self.lost
            }
        }

        #expect(try scene.perform { "too early" } == nil)
        scene.world.advance(seconds: 14)
        #expect(try scene.perform { "too early" } == nil)
        scene.world.advance(seconds: 1)
        #expect(try scene.perform(find: { "late" }, { "twice" }) == "late")
        #expect(try scene.perform { "again" } == "late")
    }

    @Test func `the call of a process that died settles from when somebody finds it`() throws {
        let scene = try Scene()
        _ = try scene.world.store.beginStep(
            "task/effect", task: nil, for: scene.claim, at: scene.world.now)
        try scene.world.store.callStep("task/effect", for: scene.claim, at: scene.world.now)
        scene.world.advance(seconds: 3600)

        #expect(try scene.perform { "too early" } == nil)
        scene.world.advance(seconds: 15)
        #expect(try scene.perform { "again" } == "again")
    }

    @Test func `a call that is known to have done nothing is made again at once`() throws {
        let scene = try Scene()
        let refused = GitHubError(.refused, operation: "call", message: "no")
        #expect(throws: refused) { try scene.perform { throw refused } }

        #expect(try scene.perform { "made" } == "made")
    }

    @Test func `an edit waits for one before it whose answer was lost, for that could undo it`() throws {
        let scene = try Scene()
        /// nil while an earlier call settles.
        func edit(keep: (String) throws -> Void = { _ in }, _ call: () throws -> String) throws -> String? {
            var kept: String?
            do {
                try scene.world.work.performInTurn("task/edit", task: nil, for: scene.claim, call: call) {
                    try keep($0)
                    kept = $0
                }
            } catch is Unsettled {
                return nil
            }
            return kept
        }
        func isUncertain() throws -> Bool { try scene.world.work.isUncertain("task/edit") }
        #expect(try edit { "one" } == "one")
        #expect(try edit { "two" } == "two")
        #expect(throws: Self.lost) { try edit { throw Self.lost } }

        #expect(try isUncertain())
        #expect(try edit { "too early" } == nil)
        scene.world.advance(seconds: 15)
        // That this one did nothing says nothing about the one before.
        let unreachable = GitHubError(.unreachable, operation: "call", message: "no")
        #expect(throws: unreachable) { try edit { throw unreachable } }
        #expect(try isUncertain())
        #expect(try edit { "three" } == "three")
        #expect(try !isUncertain())

        #expect(throws: Self.lost) { try edit(keep: { _ in throw Self.lost }, { "four" }) }
        #expect(try isUncertain())
    }

    @Test func `a comment whose last edit is uncertain is edited again, though it seems to say it already`()
        throws
    {
        let world = try World()
        world.crew.change { $0.hangs = .agent }
        let id = try world.ask()
        try world.live(seconds: 60)
        let edits = world.github.seen.edits.count
        let key = "\(id.rawValue)/comment.edit"
        try world.store.ensureRecovery(at: world.now)
        let claim = try #require(try world.store.claimJob(at: world.now))
        _ = try world.store.beginStep(key, task: id, for: claim, at: world.now)
        try world.store.callStep(key, for: claim, at: world.now)
        try world.store.enqueue(.status, for: id, at: world.now)
        try world.live(seconds: 30)

        #expect(world.github.seen.edits.count > edits)
        #expect(try world.store.findStep(key) == nil)
    }
}
