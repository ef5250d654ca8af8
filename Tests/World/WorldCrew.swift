import Foundation
package import Porter
import PorterStore
import PorterWork
import Synchronization

/// The workers in the machines: each acts out one plan, a step at a time, and repeats what got no answer.
package final class WorldCrew: Sendable {
    /// What workers do once their machine runs.
    package struct Plan: Sendable {
        /// What the worker reports; nil lets it hang in its last phase.
        package var outcome: Outcome? = .success
        package var reason: Reason?
        /// Whether the agent changed anything.
        package var changes = true
        package var summary: String? = "I made the login wait for the session."
        /// The phase in which the worker falls silent for good; nil lets it go on.
        package var hangs: Phase?
        /// Whether it claims at all.
        package var claims = true
        /// Seconds that the agent is at work.
        package var takes = 0

        package init() {}
    }

    private struct Hand {
        var callback: Secret?
        var stage = 0
        var isGone = false
        /// When its agent is done; nil before it began.
        var doneAt: Instant?
    }

    private let plan = Mutex(Plan())
    private let hands = Mutex<[String: Hand]>([:])

    init() {}

    /// Changes what workers do from now on.
    package func change(_ body: (inout Plan) -> Void) {
        plan.withLock { body(&$0) }
    }

    /// The callback token of the worker in that machine, once it has claimed.
    package func callbackToken(of machine: String) -> Secret? {
        hands.withLock { $0[machine]?.callback }
    }

    /// The commit that a task's worker pushes.
    package static func commit(of task: String) -> String {
        String(repeating: "c", count: 14)
            + task.suffix(26).lowercased().map { $0.isHexDigit ? String($0) : "a" }.joined()
    }

    /// Lets each worker do all that it can now.
    package func act(in world: World) throws {
        guard world.isListening else { return }
        for entry in world.engine.running {
            for _ in 0..<12 {
                let before = hands.withLock { $0[entry.machine.id] ?? Hand() }
                if before.isGone { break }
                var hand = before
                try step(&hand, entry, world)
                hands.withLock { $0[entry.machine.id] = hand }
                if hand.stage == before.stage { break }
            }
        }
    }

    private func step(_ hand: inout Hand, _ entry: WorldEngine.Entry, _ world: World) throws {
        let plan = plan.withLock { $0 }
        guard plan.claims else { return }
        do {
            switch hand.stage {
            case 0:
                let answer = try world.work.claim(
                    token: entry.token, nonce: Secret("nonce-of-\(entry.machine.id)"))
                let body = try JSONSerialization.jsonObject(with: answer) as? [String: Any]
                hand.callback = (body?["callback_token"] as? String).map { Secret($0) }
            case 1...3:
                let phase = [Phase.clone, .agent, .saving][hand.stage - 1]
                let answer = try world.work.progress(
                    token: hand.callback ?? Secret(""), Progress(phase: phase))
                if !answer.goesOn, phase != .saving {
                    _ = try world.work.progress(
                        token: hand.callback ?? Secret(""), Progress(phase: .saving))
                    try save(entry, hand, plan, world)
                    return try finish(&hand, entry, .cancelled, answer.reason, world, plan)
                }
                if plan.hangs == phase { return }
                if phase == .agent {
                    let doneAt = hand.doneAt ?? world.now.adding(seconds: plan.takes)
                    hand.doneAt = doneAt
                    if world.now < doneAt { return }
                }
            case 4:
                if plan.changes { try save(entry, hand, plan, world) }
            default:
                guard let outcome = plan.outcome else { return }
                return try finish(&hand, entry, outcome, plan.reason, world, plan)
            }
            hand.stage += 1
        } catch let error as CallbackFailure {
            // As the worker does it: 503 is asked again, everything else ends it.
            if error.status != 503 { leave(&hand, entry, world) }
        }
    }

    private func save(
        _ entry: WorldEngine.Entry, _ hand: Hand, _ plan: Plan, _ world: World
    ) throws {
        _ = try world.work.credential(token: hand.callback ?? Secret(""))
        guard plan.changes else { return }
        world.github.change { $0.branches["porter/" + entry.task] = Self.commit(of: entry.task) }
    }

    private func finish(
        _ hand: inout Hand, _ entry: WorldEngine.Entry, _ outcome: Outcome, _ reason: Reason?,
        _ world: World, _ plan: Plan
    ) throws {
        let head = world.github.seen.branches["porter/" + entry.task]
        try world.work.complete(
            token: hand.callback ?? Secret(""), named: entry.task,
            Attempt.Report(outcome: outcome, reason: reason, headSHA: head, summary: plan.summary))
        leave(&hand, entry, world)
    }

    private func leave(_ hand: inout Hand, _ entry: WorldEngine.Entry, _ world: World) {
        world.engine.end(entry.machine.id)
        hand.isGone = true
        hand.stage += 1
    }
}
