import Glibc
import Porter
import PorterProcess
import Synchronization

/// All machines of this box.
///
/// Their records outlive the runner; their processes never do.
final class Fleet: Sendable {
    /// Days for which a destroyed machine is remembered.
    static let keptDays = 7
    /// Destroyed machines that are remembered at most.
    static let mostKept = 1000
    /// Seconds that a forced destroy waits for the last process.
    static let destroyTime = 10

    private struct State {
        var records: [String: MachineRecord] = [:]
        var lives: [String: Life] = [:]
        var isDraining = false
    }

    private let host: Host
    private let state = Mutex(State())

    /// The machines that earlier runs left behind: all of them are destroyed by now.
    init(host: Host) {
        self.host = host
        let now = host.clock.now()
        var records = host.folder.load { name in
            host.journal.record(.warning, "record cannot be read", ["file": name])
        }
        for index in records.indices where records[index].state != .destroyed {
            let id = records[index].id
            // Nothing should be left; where the kernel keeps a list, it is asked.
            let group = host.groups.leftover(id)
            group.kill()
            group.remove()
            records[index].end(
                MachineEvent.Exit(
                    code: 128 + Int(SIGKILL), outOfMemory: false, wasRequested: false, at: now,
                    error: "the runner ended while the machine ran, and the machine with it"), at: now)
            save(records[index])
            host.journal.record(.warning, "machine was lost with the runner", ["machine.id": id])
        }
        host.folder.removeWorkspaces(but: [])
        state.withLock { $0.records = Dictionary(uniqueKeysWithValues: records.map { ($0.id, $0) }) }
        prune()
    }

    /// Whether machines are refused because the runner is about to end.
    var isDraining: Bool { state.withLock { $0.isDraining } }

    /// How many machines are not destroyed.
    var liveCount: Int { state.withLock { $0.lives.count } }

    /// Creates a machine; it is on the disk when this returns, and begins on its own thread.
    func create(_ plan: CreateBody.Plan) throws(Refusal) -> MachineRecord {
        prune()
        let life = Life(host: host)
        let outcome = state.withLock { state -> Result<MachineRecord, Refusal> in
            guard !state.isDraining else {
                return .failure(Refusal(503, "unavailable: the runner is ending; try again"))
            }
            let namesake = state.records.values.first { $0.name == plan.name && $0.state != .destroyed }
            if let namesake {
                return .failure(
                    Refusal(
                        409,
                        "already_exists: unique machine name violation, machine ID \(namesake.id) already "
                            + "exists with name \"\(namesake.name)\""))
            }
            var id = Self.makeID()
            while state.records[id] != nil { id = Self.makeID() }
            let record = MachineRecord(id: id, plan, at: host.clock.now())
            state.records[id] = record
            state.lives[id] = life
            return .success(record)
        }
        let record = try outcome.get()
        do throws(RunnerFailure) {
            try host.folder.save(record)
        } catch {
            takeBack(record, life)
            throw Refusal(503, "unavailable: \(error)")
        }
        let reports = Life.Reports(
            onStart: { self.didStart(record.id) }, onEnd: { self.didEnd(record.id, $0) })
        do throws(Shortage) {
            try Thread.attempt {
                life.run(record, plan.token, reports)
                self.state.withLock { $0.lives[record.id] = nil }
            }
        } catch {
            takeBack(record, life)
            throw Refusal(503, "unavailable: \(error)")
        }
        host.journal.record(
            .notice, "machine created", ["machine.id": record.id, "machine.name": record.name])
        return record
    }

    /// Forgets a machine that could not begin; whoever already waits for its end need not.
    private func takeBack(_ record: MachineRecord, _ life: Life) {
        state.withLock { state in
            state.records[record.id] = nil
            state.lives[record.id] = nil
        }
        host.folder.forget(record.id)
        life.gone.leave()
        life.cleared.leave()
    }

    /// The machine, destroyed or not.
    func find(_ id: String) -> MachineRecord? { state.withLock { $0.records[id] } }

    /// The machines that the closure wants, oldest first.
    func list(_ isWanted: (MachineRecord) -> Bool) -> [MachineRecord] {
        let all = state.withLock { Array($0.records.values) }
        return all.filter(isWanted).sorted { ($0.created_at, $0.id) < ($1.created_at, $1.id) }
    }

    /// Destroys the machine and returns when nothing of it runs any more.
    ///
    /// - Throws: ``Refusal`` 404, 412 for a live one without force, 500 when something survived.
    func destroy(_ id: String, isForced: Bool) throws(Refusal) {
        let outcome = state.withLock { state -> Result<Life?, Refusal> in
            guard let record = state.records[id] else {
                return .failure(Refusal(404, "not_found: machine not found"))
            }
            guard record.state != .destroyed else { return .success(nil) }
            guard isForced else {
                return .failure(
                    Refusal(
                        412,
                        "failed_precondition: unable to destroy machine, not currently stopped, suspended, "
                            + "failed or created"))
            }
            state.records[id]?.become(.destroying, at: host.clock.now())
            return .success(state.lives[id])
        }
        guard let life = try outcome.get() else { return }
        life.destroy()
        guard life.gone.wait(atMost: .seconds(Self.destroyTime)) else {
            throw Refusal(500, "internal: processes of the machine are still there")
        }
    }

    // MARK: - The end of the runner

    /// Refuses new machines from now on, and asks every worker to save and end.
    func drain() {
        let lives = state.withLock { state in
            state.isDraining = true
            return Array(state.lives.values)
        }
        for life in lives { life.stop() }
    }

    /// Kills every machine and waits until their processes and workspaces are gone.
    ///
    /// - Returns: false when the time was over first.
    func destroyAll(atMost time: Duration) -> Bool {
        let lives = state.withLock { state in
            state.isDraining = true
            return Array(state.lives.values)
        }
        for life in lives { life.destroy() }
        let deadline = ContinuousClock.now + time
        return lives.allSatisfy { $0.cleared.wait(atMost: max(.zero, deadline - .now)) }
    }

    // MARK: - What the lives report

    private func didStart(_ id: String) {
        let now = host.clock.now()
        let record = state.withLock { state in
            state.records[id]?.events.insert(
                MachineEvent("start", .started, source: "flyd", at: now), at: 0)
            if state.records[id]?.state == .created { state.records[id]?.become(.started, at: now) }
            return state.records[id]
        }
        if let record { save(record) }
    }

    private func didEnd(_ id: String, _ exit: MachineEvent.Exit) {
        guard var record = find(id) else { return }
        record.end(exit, at: host.clock.now())
        save(record)
        state.withLock { $0.records[id] = record }
        var facts = [
            "machine.id": id, "machine.name": record.name, "exit_code": "\(exit.exit_code)",
            "oom_killed": "\(exit.oom_killed)", "requested_stop": "\(exit.requested_stop)",
        ]
        if !exit.error.isEmpty { facts["error"] = exit.error }
        host.journal.record(.notice, "machine destroyed", facts)
    }

    private func save(_ record: MachineRecord) {
        do throws(RunnerFailure) {
            try host.folder.save(record)
        } catch {
            host.journal.record(
                .error, "machine not recorded", ["machine.id": record.id, "error": "\(error)"])
        }
    }

    /// Forgets what was destroyed long ago, and the oldest of too many.
    private func prune() {
        let oldest = host.clock.now().adding(seconds: -Self.keptDays * 86_400).iso8601
        let forgotten = state.withLock { state in
            let ended = state.records.values.filter { $0.state == .destroyed && state.lives[$0.id] == nil }
                .sorted { $0.updated_at > $1.updated_at }
            let ids = ended.enumerated()
                .filter { $0.offset >= Self.mostKept || $0.element.updated_at < oldest }
                .map(\.element.id)
            for id in ids { state.records[id] = nil }
            return ids
        }
        for id in forgotten { host.folder.forget(id) }
    }

    /// 14 hexadecimal digits, as Fly's.
    private static func makeID() -> String {
        var generator = SystemRandomNumberGenerator()
        let bytes = (0..<7).map { _ in UInt8.random(in: 0...255, using: &generator) }
        return bytes.hexadecimal
    }
}
