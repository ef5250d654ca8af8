import Porter
import PorterStore
import PorterTestWorld
import Testing

@testable import PorterWork

/// Attempts, limits, lost machines.
@Suite struct AttemptTests {
    @Test func `a machine that nobody claims is replaced after 300 seconds, to attempt 3`() throws {
        let world = try World()
        world.crew.change { $0.claims = false }
        let id = try world.ask()

        try world.live(seconds: 299)
        #expect(try world.task(id).attempt == 1)
        try world.live(seconds: 7)
        #expect(try world.task(id).attempt == 2)
        #expect(world.engine.running.count == 1)
        try world.live(seconds: 320)
        #expect(try world.task(id).attempt == 3)
        try world.live(seconds: 320)

        let task = try world.task(id)
        #expect(task.state == .failed)
        #expect(task.reason == .launchFailed)
        #expect(task.attempt == 3)
        #expect(world.engine.all.map(\.machine.name) == (1...3).map { id.machineName(attempt: $0) })
        #expect(try world.flaws(id) == [])
    }

    @Test func `a machine that is gone before the agent started is replaced at once`() throws {
        let world = try World()
        world.crew.change { $0.hangs = .clone }
        let id = try world.ask()
        try world.live(seconds: 10)

        world.engine.end("m1", code: 1)
        try world.live(seconds: 10)

        #expect(try world.task(id).attempt == 2)
        #expect(try world.task(id).state == .running)
    }

    @Test func `three machines lost after a claim but before the agent are machine_lost`() throws {
        let world = try World()
        world.crew.change { $0.hangs = .clone }
        let id = try world.ask()
        for _ in 1...3 {
            try world.live(seconds: 10)
            let machine = try #require(world.engine.running.first)
            world.engine.end(machine.machine.id, code: 1)
        }
        try world.live(seconds: 60)

        #expect(try world.task(id).state == .failed)
        #expect(try world.task(id).reason == .machineLost)
        #expect(try world.flaws(id) == [])
    }

    @Test func `a machine lost after the agent started is the end, and what was pushed is named`() throws {
        let world = try World()
        world.crew.change { $0.hangs = .agent }
        let id = try world.ask()
        try world.live(seconds: 10)
        world.github.change { $0.branches[id.branch] = String(repeating: "e", count: 40) }

        world.engine.end("m1", code: 1)
        try world.live(seconds: 30)

        let task = try world.task(id)
        #expect(task.state == .failed)
        #expect(task.reason == .machineLost)
        #expect(task.attempt == 1)
        #expect(world.endings(id).first?.body.contains("`\(id.branch)`") == true)
        #expect(try world.flaws(id) == [])
    }

    @Test func `a machine that ran out of memory says so`() throws {
        let world = try World()
        world.crew.change { $0.hangs = .agent }
        let id = try world.ask()
        try world.live(seconds: 10)

        world.engine.end("m1", code: 137, outOfMemory: true)
        try world.live(seconds: 30)

        #expect(try world.task(id).reason == .outOfMemory)
        #expect(try world.flaws(id) == [])
    }

    @Test(arguments: [true, false])
    func `an agent that was killed ran out of memory only if the engine says so`(wasMemory: Bool) throws {
        let world = try World()
        world.crew.change { $0.hangs = .agent }
        let id = try world.ask()
        try world.live(seconds: 10)
        let token = try #require(world.crew.callbackToken(of: "m1"))
        world.crew.change { $0.claims = false }

        try world.work.complete(
            token: token, named: id.rawValue,
            Attempt.Report(outcome: .failed, reason: .agentFailed, exitCode: 137))
        try world.live(seconds: 1)
        world.engine.end("m1", outOfMemory: wasMemory)
        try world.live(seconds: 60)

        #expect(try world.task(id).reason == (wasMemory ? .outOfMemory : .agentFailed))
        #expect(try world.flaws(id) == [])
    }

    @Test func `a worker that falls silent is destroyed after the grace`() throws {
        let world = try World()
        world.crew.change { $0.hangs = .agent }
        let id = try world.ask()
        try world.live(seconds: 10)
        world.crew.change { $0.claims = false }

        try world.live(seconds: 54)
        #expect(try world.task(id).state == .running)
        try world.live(seconds: 12)

        #expect(try world.task(id).state == .failed)
        #expect(try world.task(id).reason == .machineLost)
        #expect(world.engine.running.isEmpty)
    }

    @Test func `silence counts only since somebody listens`() throws {
        let world = try World()
        world.crew.change { $0.hangs = .agent }
        let id = try world.ask()
        try world.live(seconds: 10)
        // The web server stops; the worker is well and is heard by nobody.
        world.listen(false)

        try world.live(seconds: 300)
        #expect(try world.task(id).state == .running)
        world.listen(true)
        world.crew.change { $0.claims = false }
        try world.live(seconds: 54)
        #expect(try world.task(id).state == .running)
        try world.live(seconds: 16)

        #expect(try world.task(id).reason == .machineLost)
    }

    @Test func `a host that was down for minutes takes nobody's silence for a death`() throws {
        let world = try World()
        world.crew.change { $0.hangs = .agent }
        let id = try world.ask()
        try world.live(seconds: 30)
        world.advance(seconds: 120)
        try world.reboot()

        try world.settle()
        #expect(try world.task(id).state == .running)
        try world.live(seconds: 30)
        #expect(try world.task(id).state == .running)
    }

    @Test func `an address that never once answered does not keep a silent worker`() throws {
        let world = try World()
        world.crew.change { $0.hangs = .agent }
        world.deafen()
        let id = try world.ask()
        try world.live(seconds: 10)
        world.crew.change { $0.claims = false }

        try world.live(seconds: 66)

        #expect(try world.task(id).reason == .machineLost)
    }

    @Test func `a task ends though its engine does not answer any more, and its machine goes later`() throws {
        let world = try World()
        world.crew.change { $0.hangs = .agent }
        let id = try world.ask("@porter demo --timeout=60s fix it")
        try world.live(seconds: 10)
        world.engine.faults.plant(.machines(.unreachable), at: "find", times: 100_000)

        // The server's deadline is at 540 s, the engine's patience ends 300 s later.
        try world.live(seconds: 810)
        #expect(try world.task(id).state == .running)
        try world.live(seconds: 70)

        #expect(try world.task(id).state == .timedOut)
        #expect(world.endings(id).count == 1)
        #expect(try world.store.listEvents(id).filter { $0.kind == "supervise_failed" }.count == 1)
        world.engine.faults.clear()
        try world.live(seconds: 900)
        #expect(world.engine.running.isEmpty)
        #expect(try world.flaws(id) == [])
    }

    @Test func `heartbeats keep a task until the server's own deadline, not beyond`() throws {
        let world = try World()
        world.crew.change { $0.hangs = .agent }
        let id = try world.ask("@porter demo --timeout=60s fix it")

        // clone 300 + agent 60 + saving 120 + grace 60
        try world.live(seconds: 535)
        #expect(try world.task(id).state == .running)
        try world.live(seconds: 20)

        #expect(try world.task(id).state == .timedOut)
        #expect(try world.task(id).reason == .timeout)
        #expect(world.engine.running.isEmpty)
        #expect(try world.flaws(id) == [])
    }

    @Test func `an engine that cannot be reached is no proof that a machine is gone`() throws {
        let world = try World()
        world.crew.change { $0.hangs = .agent }
        let id = try world.ask()
        try world.live(seconds: 20)
        let asked = world.engine.faults.count("find")
        world.engine.faults.plant(.unreachable, at: "find", times: 3)

        try world.live(seconds: 60)

        #expect(world.engine.faults.count("find") >= asked + 3)
        #expect(try world.task(id).state == .running)
        #expect(try world.task(id).attempt == 1)
    }

    @Test func `an empty list of machines is no proof that one is gone`() throws {
        let world = try World()
        world.crew.change { $0.hangs = .agent }
        let id = try world.ask()
        try world.live(seconds: 20)
        world.engine.hidesMachines = true

        // The watchdog lists what is there, and still looks after the task by its machine's own id.
        for _ in 1...3 {
            #expect(try world.work.pass().destroyed == 0)
            try world.live(seconds: 20)
        }

        #expect(world.engine.faults.count("list") >= 3)
        #expect(try world.task(id).state == .running)
        #expect(try world.task(id).attempt == 1)
    }

    @Test func `a full region ends as a full region when it stays full`() throws {
        let world = try World { $0.engine.name = "fly" }
        world.engine.faults.plant(.machines(.noCapacity), at: "create", times: 10_000)
        let id = try world.ask()

        try world.live(seconds: 1000)

        #expect(try world.task(id).state == .failed)
        #expect(try world.task(id).reason == .flyCapacity)
        #expect(try world.flaws(id) == [])
    }

    @Test(arguments: [
        (MachinesError.Code.unauthorized, Reason.flyAuth), (.imageUnavailable, .imageUnavailable),
        (.refused, .launchFailed),
    ])
    func `what waiting does not mend ends the task at once`(code: MachinesError.Code, reason: Reason) throws {
        let world = try World { $0.engine.name = "fly" }
        world.engine.faults.plant(.machines(code), at: "create")
        let id = try world.ask()

        try world.live(seconds: 30)

        #expect(try world.task(id).state == .failed)
        #expect(try world.task(id).reason == reason)
        #expect(try world.flaws(id) == [])
    }

    @Test func `a machine of the name that is there already is taken, not doubled`() throws {
        let world = try World()
        world.crew.change { $0.claims = false }
        let id = try world.ask()
        world.engine.plant(
            Machine(
                id: "earlier", name: id.machineName(attempt: 1), state: .started,
                metadata: ["porter_task": id.rawValue]))

        try world.settle()

        #expect(try world.store.findAttempt(id, 1)?.machineID == "earlier")
        #expect(world.engine.running.count == 1)
    }

    @Test func `no attempt is replaced once an agent was allowed to start`() throws {
        let world = try World()
        world.crew.change { $0.hangs = .agent }
        let id = try world.ask()
        try world.live(seconds: 10)
        let claim = try #require(try claimSupervision(world))

        let replaced = try world.store.replaceAttempt(
            world.task(id),
            with: Launch(engine: "local", machineTokenDigest: [1], machineTokenSealed: [1]), why: "test",
            for: claim, at: world.now)

        #expect(!replaced)
        #expect(try world.task(id).attempt == 1)
    }

    private func claimSupervision(_ world: World) throws -> JobClaim? {
        world.advance(seconds: 10)
        return try world.store.claimJob(at: world.now)
    }

    @Test func `leftover machines with our mark are destroyed, others are left alone`() throws {
        let world = try World()
        world.crew.change { $0.hangs = .agent }
        let id = try world.ask()
        try world.live(seconds: 10)
        let mark = try #require(world.engine.running.first?.machine.metadata["porter_instance"])
        world.engine.plant(
            Machine(
                id: "stray", name: "porter-task-x-1", state: .started,
                metadata: ["porter_instance": mark, "porter_task": "task_01ARZ3NDEKTSV4RRFFQ69G5FAV"]))
        world.engine.plant(
            Machine(
                id: "foreign", name: "db", state: .started, metadata: ["porter_instance": "another"]))

        let report = try world.work.pass()

        #expect(report.destroyed == 1)
        #expect(Set(world.engine.running.map(\.machine.id)) == ["m1", "foreign"])
        #expect(try world.task(id).state == .running)
    }

    @Test(arguments: [JobKind.admit, .supervise, .ending, .cleanup])
    func `a task that lost its job is found by the watchdog`(kind: JobKind) throws {
        let world = try World()
        let id = try world.ask()
        switch kind {
        case .admit: break
        case .supervise: try world.settle()
        default:
            let hasDied = try world.crash(at: "task.ended") { try? world.live(seconds: 60) }
            #expect(hasDied)
            #expect(try world.task(id).publishedAt == nil)
            #expect(try world.store.findAttempt(id, 1)?.goneAt == nil)
        }
        try dropJobs(kind, of: id, in: world)

        _ = try world.work.pass()
        try world.live(seconds: 120)

        #expect(try world.flaws(id) == [])
        #expect(try world.store.findAttempt(id, 1)?.goneAt != nil)
    }

    /// Takes all that waits and never does it, as a defect might; of an ended task only the job of the kind.
    private func dropJobs(_ kind: JobKind, of id: TaskID, in world: World) throws {
        while let claim = try world.store.claimJob(at: world.now.adding(seconds: 1000)) {
            try world.store.finishJob(claim, at: world.now)
        }
        for other in [JobKind.ending, .cleanup] where try world.task(id).state.isFinal && other != kind {
            try world.store.enqueue(other, for: id, at: world.now)
        }
        let stranded = try world.store.strandedTasks()
        #expect(stranded.map(\.0) == [id])
        #expect(stranded.map(\.1) == [kind])
    }

    @Test func `a clock that jumps back takes nothing from a run`() throws {
        let world = try World()
        let id = try world.ask()
        try world.settle()
        world.advance(seconds: -3600)

        try world.live(seconds: 7200)

        #expect(try world.flaws(id) == [])
        #expect(try world.task(id).state == .success)
    }

    @Test(arguments: [false, true])
    func `a run that is over before its machine's creation was known gets no second machine`(
        listsAreEmpty: Bool
    ) throws {
        let world = try World()
        world.engine.faults.plant(.uncertainAfter, at: "create")
        world.engine.hidesMachines = listsAreEmpty
        let id = try world.ask()

        try world.live(seconds: 60)
        world.engine.hidesMachines = false
        try world.live(until: id)

        #expect(world.engine.all.count == 1)
        #expect(try world.task(id).state == .success)
        #expect(try world.flaws(id) == [])
    }
}
