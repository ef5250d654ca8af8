import FoundationEssentials
import Glibc
import Logging
import Porter
import PorterAgents
import PorterHTTP
import PorterProcess
package import PorterSettings

/// The supervisor inside a machine: one task, from its claim to its report.
///
/// ``Worker/main(_:)`` reads as the run goes: claim, clone, agent, save, push, report. ``Workspace`` holds the
/// folders, ``Box`` walls the agent in, ``Pulse`` is the line to Porter, ``SaveBox`` and ``Push`` bring the
/// work out.
package struct Worker: Sendable {
    /// Seconds in which a machine must be claimed.
    static let claimTime = 300
    /// Seconds for which the last report is repeated.
    static let reportTime = 900
    /// Bytes of an agent's last words that are reported.
    static let mostSummary = 20_000

    private let settings: WorkerSettings
    private let callbacks: Callbacks
    private let journal: Journal

    /// Blocks the signals that say that the machine is being shut down; call it first in the program.
    package static func prepareProcess() {
        ShutdownSignal.prepare()
    }

    /// Runs the task that the environment names.
    ///
    /// - Returns: 0 once Porter has the report, 78 for wrong settings or uid 0, 69 without bubblewrap or git,
    ///   1 when Porter would not have this worker.
    package static func main(_ environment: [String: String]) -> ExitCode {
        guard geteuid() != 0 else {
            Say.line("porter-worker: it refuses to run as root; the engine starts it as an ordinary user")
            return .configuration
        }
        do throws(ConfigurationErrors) {
            let settings = try WorkerSettings.load(environment)
            let tools = settings.isWeak ? ["/usr/bin/git"] : ["/usr/bin/bwrap", "/usr/bin/git"]
            for tool in tools where access(tool, X_OK) != 0 {
                Say.line("porter-worker: \(tool) is missing")
                return .unavailable
            }
            if settings.isWeak {
                Privacy.hide()
                Orphans.adopt()
            }
            return Worker(settings).run()
        } catch {
            for line in error.lines { Say.line(line) }
            return .configuration
        }
    }

    private init(_ settings: WorkerSettings) {
        self.settings = settings
        Redactor.shared.watch(settings.token)
        var options = CurlOptions()
        options.authorityFile = settings.authorityFile
        // Porter may well live on the machine's own network.
        options.privateHosts = Set([Self.host(of: settings.callbackURL)])
        callbacks = Callbacks(transport: .curl(options), address: settings.callbackURL)
        let level = Logger.Level(rawValue: settings.logLevel) ?? .notice
        journal = .logging(Logger(label: "porter-worker") { _ in JournalLogHandler(level: level) })
    }

    private func run() -> ExitCode {
        let shutdown = Shutdown()
        ShutdownSignal.watch { shutdown.ask() }
        let assignment: Assignment
        do {
            assignment = try claim(isCancelled: { shutdown.isAsked })
        } catch {
            journal.record(.error, "task not claimed", ["error": "\(error)"])
            return .failed
        }
        let token = Secret(assignment.callback_token)
        let secrets = Inspection.secrets(of: assignment.agent.environment)
        let hidden = [assignment.callback_token, assignment.credential.token] + secrets
        for secret in hidden { Redactor.shared.watch(Secret(secret)) }
        let pulse = Pulse(callbacks: callbacks, token: token, log: LogBuffer(redactor: .shared))
        shutdown.whenAsked { pulse.end(.machineEnds) }
        let run = Run(
            assignment: assignment, settings: settings, callbacks: callbacks, pulse: pulse, token: token,
            secrets: hidden)
        var report = run.report()
        pulse.deliver()
        // It beats on until the report is answered: a worker that is not heard of loses its machine.
        defer { pulse.finish() }
        guard pulse.stop != .superseded else {
            journal.record(.notice, "task is another's now", [:])
            return .failed
        }
        report.summary = report.summary.map { Redactor.shared.redact($0).bounded(to: Self.mostSummary) }
        do {
            _ = try callbacks.askOn(
                "complete", report, token: token, for: StoredAnswer.self, atMost: .seconds(Self.reportTime))
        } catch let refusal as Callbacks.Refusal {
            journal.record(.warning, "report refused", ["error": "\(refusal)"])
            return refusal.status == 409 ? .done : .failed
        } catch {
            journal.record(.error, "report not delivered", [:])
            return .failed
        }
        journal.record(.notice, "task reported", ["status": report.status])
        return .done
    }

    private func claim(isCancelled: () -> Bool) throws -> Assignment {
        var generator = SystemRandomNumberGenerator()
        let nonce = (0..<4).map { _ in
            let part = String(generator.next() as UInt64, radix: 16)
            return String(repeating: "0", count: 16 - part.count) + part
        }.joined()
        do {
            return try callbacks.askOn(
                "claim", ClaimBody(nonce: nonce), token: settings.token, for: Assignment.self,
                atMost: .seconds(Self.claimTime), isCancelled: isCancelled)
        } catch let refusal as Callbacks.Refusal where refusal.code == "worker_outdated" {
            let report = CompleteBody(
                task_id: settings.taskID.rawValue, status: Outcome.failed.rawValue,
                reason: Reason.workerOutdated.rawValue)
            _ = try callbacks.askOn(
                "complete", report, token: settings.token, for: StoredAnswer.self,
                atMost: .seconds(Self.reportTime))
            throw refusal
        }
    }

    private static func host(of url: String) -> String {
        guard let scheme = url.firstRange(of: "://") else { return url }
        let authority = url[scheme.upperBound...].prefix { $0 != "/" }
        if authority.hasPrefix("[") { return String(authority.dropFirst().prefix { $0 != "]" }) }
        return authority.prefix { $0 != ":" }.lowercased()
    }
}

extension String {
    /// The text, or its last part of so many bytes.
    fileprivate func bounded(to most: Int) -> String {
        guard utf8.count > most else { return self }
        return "…" + String(decoding: Array(utf8.suffix(most)), as: UTF8.self)
    }
}
