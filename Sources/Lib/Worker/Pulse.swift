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
    /// Milliseconds between two tries to enter a phase.
    static let pause: Int32 = 500

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

    /// Begins to beat.
    init(callbacks: Callbacks, token: Secret, log: LogBuffer) {
        self.callbacks = callbacks
        self.token = token
        self.log = log
        Thread.start { self.run() }
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
    /// - Returns: whether Porter said in so many words that the run goes on.
    func enter(_ phase: Phase, _ message: String? = nil, atMost time: Duration = .seconds(120)) -> Bool {
        state.withLock {
            $0.phase = phase
            $0.message = message
        }
        return report(atMost: time) == .goesOn && stop == nil
    }

    /// Says something about the phase that we are in, for the ending; returns once Porter has it.
    func say(_ message: String, atMost time: Duration = .seconds(30)) {
        state.withLock { $0.message = message }
        _ = report(atMost: time)
    }

    /// Delivers what is left of the log.
    func deliver() {
        log.finish()
        var tries = 3
        while log.next() != nil, tries > 0, stop != .superseded {
            let answer = beat()
            if answer == .refused || answer == .silence { tries -= 1 }
        }
    }

    /// Beats no more.
    func finish() {
        isOver.store(true, ordering: .releasing)
        bell.ring()
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

    /// What came of a report.
    private enum Answer {
        /// Porter has it, and the run goes on.
        case goesOn
        /// Porter has it, and the run is to stop.
        case stops
        /// Porter does not want it.
        case refused
        /// Porter has it not yet.
        case silence
    }

    /// Reports until Porter has answered, or the time is over.
    private func report(atMost time: Duration) -> Answer {
        let deadline = ContinuousClock.now + time
        while true {
            let answer = beat()
            guard answer == .silence, ContinuousClock.now < deadline else { return answer }
            usleep(UInt32(Self.pause) * 1000)
        }
    }

    private func beat() -> Answer {
        line.withLock { _ in
            let now = state.withLock { $0 }
            let piece = log.next()
            let body = ProgressBody(
                phase: now.phase.rawValue, message: now.message,
                log: piece.map { ProgressBody.Log(offset: $0.offset, text: $0.text) },
                usage: UsageBody(now.usage))
            do throws(Callbacks.Refusal) {
                let answer = try callbacks.ask("progress", body, token: token, for: ProgressAnswer.self)
                guard let answer else { return .silence }
                if let piece { log.acknowledge(upTo: piece.offset + piece.text.utf8.count) }
                if answer.continue { return .goesOn }
                end(.asked(answer.reason.flatMap(Reason.init(rawValue:)) ?? .cancelledByUser))
                return .stops
            } catch {
                if error.code == "log_offset", let expected = error.expected {
                    log.acknowledge(upTo: expected)
                    return .silence
                }
                if error.status == 401 || error.code == "ended" { end(.superseded) }
                return .refused
            }
        }
    }
}
