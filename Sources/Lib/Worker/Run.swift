import Glibc
import Porter
import PorterAgents
import PorterHTTP
import PorterProcess

/// The run of one claimed task.
struct Run: Sendable {
    /// Seconds for which Porter is asked whether the agent may begin.
    static let beginTime = 300
    /// Bytes of what is said for the ending at most.
    static let mostWords = 900

    let assignment: Assignment
    let settings: WorkerSettings
    let callbacks: Callbacks
    let pulse: Pulse
    let token: Secret
    /// What must stand in no file that is pushed.
    let secrets: [String]

    /// Does everything, and says how it went.
    func report() -> CompleteBody {
        do throws(WorkerFailure) {
            let workspace = try Workspace(
                root: settings.workspace, authorityFile: settings.authorityFile, hasWalls: !settings.isWeak)
            let base = try prepare(workspace)
            guard pulse.enter(.agent, atMost: .seconds(Self.beginTime)) else {
                throw WorkerFailure(.setupFailed, "Porter did not say that the agent may begin.")
            }
            let result = try runAgent(workspace)
            return save(verdict(on: result), workspace, base: base)
        } catch {
            if pulse.stop != nil { return ended(.cancelled, stopReason) }
            pulse.log.note("porter: \(error.reason.rawValue): \(error.detail)")
            tell(error.detail)
            return ended(error.outcome, error.reason)
        }
    }

    private func prepare(_ workspace: Workspace) throws(WorkerFailure) -> String {
        guard pulse.enter(.clone) else {
            throw WorkerFailure(.setupFailed, "Porter did not say that the clone may begin.")
        }
        let repository = assignment.repository
        pulse.log.note(
            "porter: cloning \(repository.owner)/\(repository.name), branch \(assignment.base_branch)")
        return try workspace.clone(assignment, isCancelled: { pulse.stop != nil })
    }

    private func runAgent(_ workspace: Workspace) throws(WorkerFailure) -> AgentRun.Result {
        guard let name = assignment.agent.argv.first else {
            throw WorkerFailure(.agentMissing, "The agent has no program.")
        }
        guard let program = find(name) else {
            throw WorkerFailure(.agentMissing, "The program `\(name)` is not on this machine.")
        }
        var box = workspace.box(hasNetwork: true)
        box.searched = settings.agentPath
        box.readable = settings.agentPath.filter { access($0, R_OK | X_OK) == 0 }
        // A program elsewhere is shown to the box by itself; /usr is there already.
        let isCovered = (box.readable + ["/usr"]).contains { program.hasPrefix($0 + "/") }
        if !isCovered { box.readable.append(program) }
        box.environment = assignment.agent.environment
        var input: [UInt8]?
        switch assignment.agent.prompt {
        case .stdin: input = Array(assignment.prompt.utf8)
        case .file:
            let file = workspace.root + "/prompt.md"
            try write(assignment.prompt, to: file)
            box.mounts.append((file, AgentInvocation.promptPath, false))
        }
        if settings.isWeak { pulse.log.note("porter: this machine has no boxes; the agent runs without one") }
        pulse.log.note("porter: running \(assignment.agent.name) (\(version(of: program, box, workspace)))")
        let run = AgentRun(
            program: [program] + assignment.agent.argv.dropFirst().map(box.seen), box: box, prompt: input,
            limits: assignment.limits, scratch: workspace.scratch)
        let definition = AgentCatalog.standard(demo: assignment.agent.argv.first).find(assignment.agent.name)
        let result = try workspace.attempt { () throws(ProcessError) in try run.run(definition, pulse) }
        pulse.log.finish()
        if let usage = result.report.usage { pulse.record(usage) }
        return result
    }

    /// The agent's program: by its path, or in the searched folders.
    private func find(_ name: String) -> String? {
        if name.hasPrefix("/") { return access(name, X_OK) == 0 ? name : nil }
        return (settings.agentPath + Box.systemPath).map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
    }

    /// What the program says about its version, for the log; it is asked in a box without network, keys and
    /// anything to write; a program of the operator's own is not asked: nobody knows what it would do.
    private func version(of program: String, _ box: Box, _ workspace: Workspace) -> String {
        if assignment.agent.name == "demo" { return program }
        var quiet = box
        quiet.hasNetwork = false
        quiet.environment = [:]
        quiet.mounts = quiet.mounts.map { ($0.source, $0.place, false) }
        guard
            let boxed = try? BoxedProgram.start(
                [program, "--version"], in: quiet, input: nil, scratch: workspace.scratch)
        else { return "version unknown" }
        let start = ContinuousClock.now
        var words: [UInt8] = []
        _ = boxed.watch(
            Child.Care(
                onOutput: { stream, bytes in
                    if stream == .output { words += bytes.prefix(200 - min(200, words.count)) }
                },
                onTick: {
                    if ContinuousClock.now - start > .seconds(5) || pulse.stop != nil { boxed.destroy() }
                }))
        let line = String(decoding: words, as: UTF8.self).split(whereSeparator: \.isNewline).first
        return line.map(String.init) ?? "version unknown"
    }

    /// What the agent's end means.
    private func verdict(on result: AgentRun.Result) -> CompleteBody {
        let report = result.report
        let summary = report.finalText
        var body: CompleteBody
        switch result.end {
        case .stopped: body = ended(.cancelled, stopReason, summary: summary)
        case .timeout: body = ended(.timedOut, .timeout, summary: summary)
        case .stalled: body = ended(.timedOut, .stalled, summary: summary)
        case .left:
            if result.ending == .exited(0), report.failure == nil {
                body = ended(.success, nil, summary: summary)
            } else {
                body = ended(.failed, report.failure ?? .agentFailed, summary: report.failureText ?? summary)
            }
        }
        body.exit_code = result.ending.code
        body.usage = UsageBody(report.usage)
        return body
    }

    /// Why a stopped run was stopped; a machine that is shut down is no wish of a person's.
    private var stopReason: Reason {
        guard case .asked(let reason) = pulse.stop else { return .cancelledByUser }
        return reason
    }

    private func ended(_ outcome: Outcome, _ reason: Reason?, summary: String? = nil) -> CompleteBody {
        let isShutdown = outcome == .cancelled && pulse.stop == .machineEnds
        return CompleteBody(
            task_id: assignment.task_id, status: isShutdown ? Outcome.failed.rawValue : outcome.rawValue,
            reason: isShutdown ? Reason.machineLost.rawValue : reason?.rawValue, summary: summary)
    }

    /// Says something for the ending, where the report has no place for it.
    private func tell(_ words: String) {
        guard !words.isEmpty else { return }
        pulse.say(Redactor.shared.redact(words).begun(atMost: Self.mostWords))
    }

    /// Brings out whatever the agent left, and adds to the verdict what became of it.
    private func save(_ verdict: CompleteBody, _ workspace: Workspace, base: String) -> CompleteBody {
        var body = verdict
        let limit = TimeLimit("Saving", seconds: assignment.limits.save_s)
        do throws(WorkerFailure) {
            // Whatever the answer, the work is saved; a stop is no reason to throw it away.
            _ = pulse.enter(.saving, atMost: .seconds(60))
            guard pulse.stop != .superseded else { return body }
            let box = SaveBox(workspace: workspace, assignment: assignment)
            let saved = try box.save(base: base, limit)
            if let leftOut = saved.leftOut {
                pulse.log.note("porter: left out of what is saved: \(leftOut)")
                tell("Left out of what is saved: \(leftOut)")
            }
            guard let head = saved.head else {
                if let leftOut = saved.leftOut { throw SaveBox.failure(leftOut) }
                if body.status == Outcome.success.rawValue { body.reason = Reason.noChanges.rawValue }
                return body
            }
            let inspection = Inspection(workspace: workspace, secrets: secrets)
            try inspection.check(from: base, to: head, limit)
            let credential = try fetchCredential(limit)
            try Push(workspace: workspace, assignment: assignment).run(
                head, with: credential, limit, isStopped: { pulse.stop != nil })
            body.branch = assignment.branch
            body.head_sha = head
            if let leftOut = saved.leftOut, Workspace.isFull(leftOut) { throw SaveBox.failure(leftOut) }
            return body
        } catch {
            pulse.log.note("porter: \(error.reason.rawValue): \(error.detail)")
            // Without its work a success is none; a secret is told whatever else happened.
            if body.status == Outcome.success.rawValue || error.reason == .secretInChanges {
                body.status = error.outcome.rawValue
                body.reason = error.reason.rawValue
                tell(error.detail)
            } else {
                tell("Not saved (\(error.reason.rawValue)): \(error.detail)")
            }
            return body
        }
    }

    private func fetchCredential(_ limit: TimeLimit) throws(WorkerFailure) -> Credential {
        do {
            return try callbacks.askOn(
                "credential", CredentialBody(), token: token, for: Credential.self,
                atMost: limit.left(atLeast: .seconds(Push.least)))
        } catch let refusal as Callbacks.Refusal {
            throw WorkerFailure(.pushRejected, "Porter gave no credential: \(refusal)")
        } catch {
            throw limit.failure
        }
    }
}

extension WorkerFailure {
    /// How a run ends that nothing else has ended.
    fileprivate var outcome: Outcome { reason == .timeout ? .timedOut : .failed }
}

extension String {
    /// The text, or its first part of so many bytes.
    fileprivate func begun(atMost most: Int) -> String {
        guard utf8.count > most else { return self }
        // A character that was cut in two is left out, as is its mark.
        return String(decoding: utf8.prefix(most), as: UTF8.self).prefix { $0 != "\u{FFFD}" } + "…"
    }
}
