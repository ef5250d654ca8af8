import Glibc
import Porter
import PorterAgents
import PorterProcess

/// One run of an agent's program in its box, to its end or to a limit.
struct AgentRun: Sendable {
    /// Seconds between SIGTERM and SIGKILL.
    static let grace = 5

    /// Why a run ended.
    enum End: Equatable, Sendable {
        /// The program left by itself.
        case left
        /// It took longer than it may.
        case timeout
        /// It wrote nothing for longer than it may.
        case stalled
        /// Somebody stopped the run.
        case stopped
    }

    /// How a run went.
    struct Result: Sendable {
        let end: End
        let ending: Child.Ending
        let report: AgentReport
    }

    let program: [String]
    let box: Box
    let prompt: [UInt8]?
    let limits: Assignment.Limits
    let scratch: String

    /// Runs the program; whatever it started is gone when this returns.
    func run(_ definition: AgentDefinition?, _ pulse: Pulse) throws(ProcessError) -> Result {
        let boxed = try BoxedProgram.start(program, in: box, input: prompt, scratch: scratch)
        var reader = definition?.reader()
        let start = ContinuousClock.now
        var heardAt = start
        var end = End.left
        var terminatedAt: ContinuousClock.Instant?
        let ending = boxed.watch(
            Child.Care(
                onOutput: { stream, bytes in
                    heardAt = .now
                    pulse.log.append(bytes)
                    if stream == .output { reader?.read(bytes) }
                },
                onTick: {
                    let now = ContinuousClock.now
                    if let terminatedAt {
                        if now - terminatedAt > .seconds(Self.grace) { boxed.destroy() }
                        return
                    }
                    if pulse.stop != nil {
                        end = .stopped
                    } else if now - start > .seconds(limits.timeout_s) {
                        end = .timeout
                    } else if now - heardAt > .seconds(limits.stall_s) {
                        end = .stalled
                    } else {
                        return
                    }
                    terminatedAt = now
                    boxed.terminate()
                }))
        return Result(end: end, ending: ending, report: reader?.finish() ?? AgentReport())
    }
}
