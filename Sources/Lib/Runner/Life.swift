import CLinux
import Glibc
import Porter
import PorterProcess
import Synchronization

/// One machine, from its beginning to its end, on a thread of its own.
///
/// The thread starts the machine's keeper and waits for it; the keeper sees to it that nothing outlives the
/// runner, however that dies.
final class Life: Sendable {
    /// Milliseconds between two looks at what was asked for.
    static let tick: Int32 = 100
    /// Milliseconds between two looks at the limits.
    static let meterInterval = 1000
    /// Seconds after which processes that survive SIGKILL are told of.
    static let strayTime = 10

    private struct State {
        var pid: pid_t?
        var isStopAsked = false
        var isDestroyAsked = false
    }

    /// How the keeper, and with it the worker, ended.
    private struct Outcome {
        var code = 128 + Int(SIGKILL)
        var isOutOfMemory = false
        var words = ""
    }

    /// What the fleet learns.
    struct Reports: Sendable {
        var onStart: @Sendable () -> Void
        var onEnd: @Sendable (MachineEvent.Exit) -> Void
    }

    /// Ends when nothing of the machine runs any more and its record says so.
    let gone = Workers(count: 1)
    /// Ends when its workspace is removed as well.
    let cleared = Workers(count: 1)
    private let host: Host
    private let state = Mutex(State())

    /// A machine that has not begun.
    init(host: Host) {
        self.host = host
    }

    /// Asks the worker to save and end.
    func stop() {
        state.withLock { $0.isStopAsked = true }
    }

    /// Kills all of it at once.
    func destroy() {
        state.withLock { state in
            state.isDestroyAsked = true
            if let pid = state.pid { kill(pid, SIGKILL) }
        }
    }

    /// Lives the life; returns after its end.
    func run(_ record: MachineRecord, _ token: Secret, _ reports: Reports) {
        let facts = ["machine.id": record.id, "machine.name": record.name]
        var outcome: Outcome
        do throws(RunnerFailure) {
            outcome = try live(record, token, reports)
        } catch {
            outcome = Outcome(code: 1, words: error.description)
            host.journal.record(.error, "machine not begun", facts.merging(["error": "\(error)"]) { $1 })
        }
        let wasRequested = state.withLock { $0.isStopAsked || $0.isDestroyAsked }
        let exit = MachineEvent.Exit(
            code: outcome.code, outOfMemory: outcome.isOutOfMemory, wasRequested: wasRequested,
            at: host.clock.now(), error: outcome.words)
        reports.onEnd(exit)
        gone.leave()
        if !host.folder.removeWorkspace(record.id) {
            host.journal.record(.warning, "workspace not removed", facts)
        }
        cleared.leave()
    }

    private func live(
        _ record: MachineRecord, _ token: Secret, _ reports: Reports
    ) throws(RunnerFailure) -> Outcome {
        try host.folder.makeWorkspace(record.id)
        let group = try host.groups.make(
            record.id, record.config.guest, processes: Host.mostProcesses)
        defer { group.remove() }
        let launch = try host.launch(record, token, group: group)
        defer { if launch.options >= 0 { close(launch.options) } }
        guard let pid = try begin(launch) else {
            return Outcome(words: "the machine was destroyed before it began")
        }
        reports.onStart()
        var outcome = Outcome()
        let polledKills = watch(pid, record.config.guest, &outcome)
        state.withLock { $0.pid = nil }
        let ending = host.children.reap(pid)
        while !host.children.killStrays(atMost: .seconds(Self.strayTime)) {
            host.journal.record(.error, "processes survive SIGKILL", ["machine.id": record.id])
        }
        outcome.code = ending.code
        let wasKilled = ending.code == 128 + Int(SIGKILL)
        // A worker survives its agent: then the server reads here what the agent was killed for.
        outcome.isOutOfMemory = outcome.isOutOfMemory || polledKills + group.memoryKills > 0
        if wasKilled, outcome.isOutOfMemory { outcome.words = Meter.words(record.config.guest) }
        return outcome
    }

    /// Starts the keeper, unless somebody was quicker with the end.
    private func begin(_ launch: Launch) throws(RunnerFailure) -> pid_t? {
        let result = state.withLock { state -> Result<pid_t?, RunnerFailure> in
            guard !state.isStopAsked, !state.isDestroyAsked else { return .success(nil) }
            do throws(RunnerFailure) {
                let pid = try host.children.start(launch)
                state.pid = pid
                return .success(pid)
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// Waits for the keeper's end; returns how many processes were killed for memory.
    private func watch(_ pid: pid_t, _ guest: MachineRecord.Guest, _ outcome: inout Outcome) -> Int {
        let meter = Meter(
            guest: guest, watchesMemory: host.groups.places[.memory] == nil,
            watchesProcesses: host.groups.places[.pids] == nil)
        // Without it (no descriptor is left) every tick asks.
        let end = pidfd_open(pid, 0)
        defer { if end >= 0 { close(end) } }
        var isStopSent = false
        var kills = 0
        var lookedAt = ContinuousClock.now
        while true {
            var polled = pollfd(fd: end, events: Int16(POLLIN), revents: 0)
            if poll(&polled, 1, Self.tick) > 0 || (end < 0 && Child.hasEnded(pid)) { return kills }
            if !isStopSent, state.withLock({ $0.isStopAsked }), let worker = worker(pid, .read()) {
                kill(worker, SIGTERM)
                isStopSent = true
            }
            let isMetered = meter.watchesMemory || meter.watchesProcesses
            guard isMetered, ContinuousClock.now - lookedAt > .milliseconds(Self.meterInterval) else {
                continue
            }
            lookedAt = .now
            let table = ProcessTable.read()
            guard let first = table.children(of: pid).first?.pid else { continue }
            switch meter.judge(table, first: first, worker: worker(pid, table)) {
            case .fine: break
            case .kill(let pid):
                kills += 1
                kill(pid, SIGKILL)
            case .destroy(let isOutOfMemory, let words):
                outcome.words = words
                if isOutOfMemory { kills += 1 }
                kill(pid, SIGKILL)
            }
        }
    }

    /// The worker's process: below the keeper, and in a box below the box's two.
    private func worker(_ keeper: pid_t, _ table: ProcessTable) -> pid_t? {
        let levels = host.settings.isolation == .box ? 3 : 1
        var pid: pid_t? = keeper
        for _ in 0..<levels { pid = pid.flatMap { table.children(of: $0).first?.pid } }
        return pid
    }
}
