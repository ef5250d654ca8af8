import Porter
import PorterStore
import PorterTestSupport
import PorterTestWorld
import Testing

@testable import PorterWork

/// Promise 2: one command, one run, one true ending, however calls fail and processes die.
@Suite struct FaultTests {
    /// The stories that together make every outward effect there is.
    enum Story: String, CaseIterable, Sendable {
        case success
        case failure
        case stopped
        /// A stop that the worker never learns of: its machine is destroyed by force.
        case stoppedByForce
        case refused
        /// A second command that makes no task is answered meanwhile.
        case answered
        /// A second command, whose delivery never arrives, is found in GitHub's log.
        case missed
        /// A second command, which the log of deliveries does not tell of, is found on GitHub itself.
        case swept
        /// The worker says nothing more, and its machine must be destroyed.
        case silent

        func tell(_ world: World) throws -> TaskID {
            switch self {
            case .success, .answered, .missed, .swept: break
            case .failure:
                world.crew.change {
                    $0.outcome = .failed
                    $0.reason = .agentFailed
                }
            case .stopped, .stoppedByForce, .silent: world.crew.change { $0.hangs = .agent }
            case .refused: return try world.ask(by: World.rita)
            }
            return try world.ask()
        }

        /// What a person does once the run is on its way.
        func goOn(_ world: World) throws {
            if [.silent, .stoppedByForce].contains(self) { world.crew.change { $0.claims = false } }
            if [.stopped, .stoppedByForce].contains(self) {
                try world.say("@porter stop", by: World.wim, comment: 9)
            }
            if self == .answered { try world.say("@porter help", by: World.wim, comment: 9) }
            if self == .missed {
                try world.miss("@porter help", comment: 9)
                _ = try world.work.pass()
            }
            if self == .swept {
                world.github.change { state in
                    state.isLogReadable = false
                    state.issues[8] = GitHub.Issue(
                        number: 8, title: "Mend it", isOpen: true, isLocked: false, isPullRequest: true)
                }
                world.write("Nice.", .review, id: 10, issue: 8)
                world.write("@porter help", id: 9)
                _ = try world.work.pass()
            }
        }

        /// Whether the second command gets an answer.
        var hasAnswer: Bool { [.answered, .missed, .swept].contains(self) }
    }

    private static func run(_ story: Story, _ world: World) throws -> TaskID {
        let id = try story.tell(world)
        try world.live(seconds: 30)
        try story.goOn(world)
        try world.live(until: id)
        try world.live(seconds: 60)
        return id
    }

    /// Every call that the story makes, by its name.
    private static func calls(of story: Story) throws -> (github: Set<String>, engine: Set<String>) {
        let world = try World()
        _ = try run(story, world)
        return (Set(world.github.faults.calls), Set(world.engine.faults.calls))
    }

    @Test(arguments: Story.allCases)
    func `whatever call loses its answer, before or after its effect, there is one of everything`(
        story: Story
    ) throws {
        let calls = try Self.calls(of: story)
        #expect(calls.github.count >= 6)

        for kind in [Faults.Kind.uncertainBefore, .uncertainAfter, .unreachable] {
            for (calls, isEngine) in [(calls.github, false), (calls.engine, true)] {
                for operation in calls.sorted() {
                    let world = try World()
                    (isEngine ? world.engine.faults : world.github.faults).plant(kind, at: operation)

                    let id = try Self.run(story, world)

                    let flaws = try world.flaws(id).filter { $0 != excused(kind, operation) }
                    #expect(flaws == [], "\(story): \(kind) at \(operation)")
                    let machines = world.engine.all.filter { $0.task == id.rawValue }
                    #expect(machines.count <= 1, "\(story): \(kind) at \(operation)")
                    let state: TaskState =
                        switch story {
                        case .success, .answered, .missed, .swept: .success
                        case .failure, .refused, .silent: .failed
                        case .stopped, .stoppedByForce: .cancelled
                        }
                    #expect(try world.task(id).state == state, "\(story): \(kind) at \(operation)")
                    #expect(
                        Self.answers(world) == (story.hasAnswer ? 1 : 0),
                        "\(story): \(kind) at \(operation)")
                }
            }
        }
    }

    /// How often the second command was answered.
    private static func answers(_ world: World) -> Int {
        world.comments(ending: "<!-- porter:reply:9 -->").count
    }

    /// A token whose answer was lost is known to nobody, Porter included: it can only expire.
    private func excused(_ kind: Faults.Kind, _ operation: String) -> String? {
        kind == .uncertainAfter && operation == "contentsToken" ? "1 tokens are still good" : nil
    }

    @Test(arguments: Story.allCases)
    func `a process that dies at any named moment leaves one true ending`(story: Story) throws {
        let plain = try World()
        _ = try Self.run(story, plain)
        let moments = plain.moments
        #expect(moments.contains("comment.ending.called"))

        for moment in moments {
            let world = try World()
            let id = try story.tell(world)
            let died = try world.crash(at: moment) {
                try? world.live(seconds: 30)
                try? story.goOn(world)
                try? world.live(until: id)
                try? world.live(seconds: 60)
            }
            #expect(died, "\(story): \(moment) did not come")
            try story.goOn(world)
            _ = try world.work.pass()
            try world.live(until: id)
            try world.live(seconds: 60)
            _ = try world.work.pass()

            let lost = moment == "token.create.called" ? "1 tokens are still good" : nil
            #expect(try world.flaws(id).filter { $0 != lost } == [], "\(story): killed at \(moment)")
            #expect(world.engine.running.isEmpty, "\(story): killed at \(moment)")
            #expect(
                Self.answers(world) == (story.hasAnswer ? 1 : 0),
                "\(story): killed at \(moment)")
        }
    }

    @Test func `every effect that the sources name has its moment in the stories`() throws {
        var seen: Set<String> = []
        for story in Story.allCases {
            let world = try World()
            _ = try Self.run(story, world)
            seen.formUnion(world.moments)
        }
        // A new effect must come into a story, or it is never killed at its moments.
        #expect(seen.sorted() == (try Moments.inSources()).sorted())
    }
}
