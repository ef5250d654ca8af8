import Porter
import PorterStore
import PorterTestWorld

/// The workers in the machines: each does its part a step at a time, repeats what got no answer, and may hang,
/// die or lie at any of them.
final class Workers {
    private struct Worker {
        /// The step at which it falls silent, or dies; nil lets it come to its end.
        let hangs: Int?
        let dies: Int?
        let outcome: Outcome
        let changes: Bool
        var stage = 0
        var callback: Secret?
        var isAsking = false
        var isStopped = false
    }

    private unowned let season: Season
    private var workers: [String: Worker] = [:]
    /// Commits that workers pushed, by branch.
    private(set) var pushed: [String: [String]] = [:]

    init(_ season: Season) {
        self.season = season
    }

    private var running: [WorldEngine.Entry] { season.outside.engine.running }

    /// Somebody takes a step.
    func act() {
        let machines = running
        guard !machines.isEmpty, let responder = season.freeResponder else { return }
        step(machines[season.draw { $0.below(machines.count) }]) { order, arguments, then in
            responder.give(
                order, at: self.season.outside.now, arguments,
                whenDone: { then($0) }, whenDead: { then(nil) })
        }
    }

    /// All do what they still can.
    func finishAll() {
        for entry in running {
            for _ in 0..<24 where self.running.contains(where: { $0.machine.id == entry.machine.id }) {
                let before = workers[entry.machine.id]?.stage
                step(entry) { order, arguments, then in
                    self.season.carryOut(order, arguments) { then($0) }
                }
                if workers[entry.machine.id]?.stage == before, before != nil { break }
            }
        }
    }

    private func worker(in machine: String) -> Worker {
        if let known = workers[machine] { return known }
        // Who begins when the bad days are over does its work.
        let share = season.isCalm ? 0 : 60
        let worker = season.draw { chance in
            Worker(
                hangs: chance.permille(share) ? chance.below(7) : nil,
                dies: chance.permille(share) ? chance.below(7) : nil,
                outcome: [.success, .success, .success, .failed, .timedOut][chance.below(5)],
                changes: chance.permille(850))
        }
        workers[machine] = worker
        return worker
    }

    private typealias Ask = (Order, Writer, @escaping (Reader?) -> Void) -> Void

    private func step(_ entry: WorldEngine.Entry, _ ask: Ask) {
        let id = entry.machine.id
        let worker = worker(in: id)
        guard !worker.isAsking, worker.hangs != worker.stage else { return }
        if worker.dies == worker.stage { return end(entry, code: 137) }
        var arguments = Writer()
        let order: Order
        switch worker.stage {
        case 0:
            order = .claim
            arguments.put(entry.token, Secret("nonce of \(id)"))
        case 1...4:
            order = .progress
            let phases: [Phase] = [.clone, .agent, .agent, .saving]
            let phase = worker.isStopped ? .saving : phases[worker.stage - 1]
            arguments.put(worker.callback ?? Secret(""), phase)
        case 5 where worker.changes:
            order = .credential
            arguments.put(worker.callback ?? Secret(""))
        case 5:
            workers[id]?.stage += 1
            return
        default:
            order = .complete
            arguments.put(worker.callback ?? Secret(""), entry.task, report(worker, entry))
        }
        workers[id]?.isAsking = true
        ask(order, arguments) { self.hear($0, order, entry) }
    }

    private func report(_ worker: Worker, _ entry: WorldEngine.Entry) -> Attempt.Report {
        let outcome = worker.isStopped ? .cancelled : worker.outcome
        return Attempt.Report(
            outcome: outcome, reason: outcome == .failed ? .agentFailed : nil,
            headSHA: season.outside.github.seen.branches["porter/" + entry.task],
            exitCode: outcome == .failed ? 1 : 0, summary: "I made the login wait.")
    }

    /// An answer, or none because who should have given it died.
    private func hear(_ answer: Reader?, _ order: Order, _ entry: WorldEngine.Entry) {
        let id = entry.machine.id
        workers[id]?.isAsking = false
        guard var answer else { return }
        switch answer.get(String.self) {
        case "refused":
            // As the worker does it: 503 is asked again, everything else ends it.
            if answer.get(Int.self) != 503 { end(entry, code: 1) }
            return
        case "failed": return
        case "stop":
            if workers[id]?.isStopped == false {
                workers[id]?.isStopped = true
                workers[id]?.stage = 4
                return
            }
        default: break
        }
        switch order {
        case .claim: workers[id]?.callback = answer.get(Secret?.self)
        case .credential: push(entry)
        case .complete: return end(entry, code: 0)
        default: break
        }
        workers[id]?.stage += 1
    }

    private func push(_ entry: WorldEngine.Entry) {
        guard running.contains(where: { $0.machine.id == entry.machine.id }) else { return }
        let commit = WorldCrew.commit(of: entry.task)
        season.outside.github.change { $0.branches["porter/" + entry.task] = commit }
        pushed["porter/" + entry.task, default: []].append(commit)
    }

    private func end(_ entry: WorldEngine.Entry, code: Int) {
        season.outside.engine.end(entry.machine.id, code: code)
        workers[entry.machine.id] = nil
    }
}
