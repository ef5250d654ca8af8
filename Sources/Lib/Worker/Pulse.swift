import FoundationEssentials
import Glibc
import Porter
import PorterHTTP
import PorterProcess
import Synchronization

/// The worker's heartbeat: tells Porter where the run is, brings the log along, and learns of stops.
///
/// A thread of its own beats every ``interval`` seconds, sooner while there is log to bring.
final class Pulse: Sendable {
    /// Milliseconds between two heartbeats.
    static let interval: Int32 = 10_000
    /// Milliseconds between two deliveries of log.
    static let logInterval: Int32 = 1000

    /// Why the run is to end early.
    enum Stop: Equatable, Sendable {
        /// Porter asked for it.
        case asked(Reason)
        /// The task is not ours any more: nothing that we do counts.
        case superseded
        /// The machine is being shut down.
        case machineEnds
    }

    private struct State {
        var phase = Phase.clone
        var message: String?
        var usage: Usage?
        var stop: Stop?
    }

    let log: LogBuffer
    private let callbacks: Callbacks
    private let token: Secret
    private let state = Mutex(State())
    private let line = Mutex(())
    private let bell = Bell()
    private let isOver = Atomic(false)
    private let thread = Workers(count: 1)

    /// Begins to beat.
    init(callbacks: Callbacks, token: Secret, log: LogBuffer) {
        self.callbacks = callbacks
        self.token = token
        self.log = log
        Thread.start {
            self.run()
            self.thread.leave()
        }
    }

    /// Why the run is to end early; nil while it is not.
    var stop: Stop? { state.withLock { $0.stop } }

    /// Ends the run early for the reason; the first reason stays.
    func end(_ reason: Stop) {
        state.withLock { $0.stop = $0.stop ?? reason }
    }

    /// Says what the agent used so far.
    func record(_ usage: Usage) {
        state.withLock { $0.usage = usage }
    }

    /// Enters a phase and waits until Porter has answered.
    ///
    /// - Returns: whether the run goes on.
    func enter(_ phase: Phase, _ message: String? = nil, atMost time: Duration = .seconds(120)) -> Bool {
        state.withLock {
            $0.phase = phase
            $0.message = message
        }
        let deadline = ContinuousClock.now + time
        var isAnswered = beat()
        while !isAnswered, stop != .superseded, ContinuousClock.now < deadline {
            usleep(500_000)
            isAnswered = beat()
        }
        return isAnswered && stop == nil
    }

    /// Delivers what is left of the log and beats no more.
    func finish() {
        isOver.store(true, ordering: .releasing)
        bell.ring()
        _ = thread.wait(atMost: .seconds(25))
        log.finish()
        var tries = 3
        while log.next() != nil, tries > 0, stop != .superseded {
            if !beat() { tries -= 1 }
        }
    }

    private func run() {
        var last = ContinuousClock.now
        while !isOver.load(ordering: .acquiring) {
            bell.wait(milliseconds: Self.logInterval)
            if isOver.load(ordering: .acquiring) { return }
            let isDue = ContinuousClock.now - last >= .milliseconds(Int(Self.interval))
            guard isDue || log.next() != nil else { continue }
            last = .now
            _ = beat()
        }
    }

    /// One report; false when it was not answered.
    private func beat() -> Bool {
        line.withLock { _ in
            let now = state.withLock { $0 }
            let piece = log.next()
            let body = ProgressBody(
                phase: now.phase.rawValue, message: now.message,
                log: piece.map { ProgressBody.Log(offset: $0.offset, text: $0.text) },
                usage: UsageBody(now.usage))
            do throws(Callbacks.Refusal) {
                guard let answer = try callbacks.ask("progress", body, token: token) else { return false }
                if let piece { log.acknowledge(upTo: piece.offset + piece.text.utf8.count) }
                if let answer = try? JSONDecoder().decode(Answer.self, from: answer), !answer.continue {
                    end(.asked(answer.reason.flatMap(Reason.init(rawValue:)) ?? .cancelledByUser))
                }
                return true
            } catch {
                if error.code == "log_offset", let expected = error.expected {
                    log.acknowledge(upTo: expected)
                    return false
                }
                if error.status == 401 || error.code == "ended" { end(.superseded) }
                return error.status == 409
            }
        }
    }

    private struct Answer: Decodable {
        let `continue`: Bool
        let reason: String?
    }
}
