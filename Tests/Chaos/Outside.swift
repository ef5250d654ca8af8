import Porter
import PorterTestWorld

/// What lies outside Porter and outlives each of its processes: GitHub, the engine, their clock, and their bad
/// days.
final class Outside {
    /// How a call went wrong on purpose.
    enum Trouble: CaseIterable {
        case unreachable
        case lostBefore
        case lostAfter
        /// The answer is lost, and what was asked for happens seconds later.
        case lostAndLate
        case rateLimited
    }

    let github = WorldGitHub()
    let engine = WorldEngine()
    private(set) var now = Moment(porter: Harness.start, uptime: 1_000_000)
    /// The clock of everybody else, which is right.
    private let clock = WorldClock(Harness.start)
    private var late: [(at: Instant, run: () -> Void)] = []
    /// Calls that go wrong of a thousand.
    var troubles = 0
    /// What went wrong with the last call.
    private(set) var lastTrouble: Trouble?
    /// Whether an effect may happen after its answer was lost.
    var allowsLate = true
    /// Findings that show at once: two machines of a task at the same time.
    private(set) var findings: [String] = []
    private(set) var calls: [String: Int] = [:]

    init() {
        let clock = clock
        github.now = { clock.now }
    }

    /// The right time.
    var real: Instant { clock.now }

    /// Lets time pass for everybody.
    func pass(seconds: Int) {
        clock.set(clock.now.adding(seconds: seconds))
        now.porter = now.porter.adding(seconds: seconds)
        now.uptime += Int64(seconds) * 1000
        let due = late.filter { $0.at <= real }
        late.removeAll { $0.at <= real }
        for one in due { one.run() }
    }

    /// Sets the clock of Porter's machine, and nothing else.
    func turnClock(seconds: Int) {
        now.porter = now.porter.adding(seconds: seconds)
    }

    /// How far that clock is off.
    var error: Int64 { now.porter - real }

    /// Does the call, or lets it go wrong.
    func answer(_ name: String, _ arguments: [UInt8], _ chance: inout Chance) -> [UInt8] {
        calls[name, default: 0] += 1
        let trouble = chance.permille(troubles) ? Trouble.allCases.randomElement(using: &chance) : nil
        lastTrouble = trouble
        let faults = Served.isEngine(name) ? engine.faults : github.faults
        switch trouble {
        case .unreachable: faults.plant(.unreachable, at: name)
        case .lostBefore: faults.plant(.uncertainBefore, at: name)
        case .lostAfter: faults.plant(.uncertainAfter, at: name)
        case .rateLimited where !Served.isEngine(name):
            faults.plant(.rateLimited(now.porter.adding(seconds: 30 + chance.below(90))), at: name)
        case .lostAndLate where allowsLate:
            faults.plant(.uncertainBefore, at: name)
            late.append(
                (real.adding(seconds: 1 + chance.below(12)), { [self] in _ = serve(name, arguments) }))
        case .rateLimited, .lostAndLate, nil: break
        }
        return serve(name, arguments)
    }

    private func serve(_ name: String, _ arguments: [UInt8]) -> [UInt8] {
        let answer = Served.answer(name, arguments, github.face, engine.face)
        if name == "create" { lookForTwins() }
        return answer
    }

    private func lookForTwins() {
        let running = Dictionary(grouping: engine.running, by: \.task)
        for (task, machines) in running where machines.count > 1 {
            findings.append("\(machines.map(\.machine.name)) of \(task) run at once")
        }
    }
}
