import FoundationEssentials
import Glibc
import Porter
import PorterHTTP
import PorterStore
import PorterWork

/// How Porter is: `GET /healthz`, `/readyz`, `/metrics`.
extension Site {
    /// Seconds after which a watchdog that made no pass counts as missing.
    static var passInterval: Int { 300 }

    static var operationRoutes: [Route] {
        [
            Route("GET", "/healthz", .open) { (_, _) throws(Failure) in
                .json(200, .object(["status": .string("ok"), "version": .string(Porter.version)]))
            },
            Route("GET", "/readyz", .open) { (site, exchange) throws(Failure) in site.ready(exchange) },
            Route("GET", "/metrics", .operatorToken) { (site, _) throws(Failure) in try site.metrics() },
        ]
    }

    /// One thing that must be right before Porter can do its work.
    private struct Check {
        let name: String
        /// What is wrong and how to mend it; nil when it is right.
        let problem: String?
    }

    private func ready(_ exchange: Exchange) -> Response {
        let checks = [databaseCheck, appCheck, watchdogCheck]
        let isReady = checks.allSatisfy { $0.problem == nil }
        var body: [String: JSON] = ["status": .string(isReady ? "ready" : "not ready")]
        if isOperator(exchange.request) {
            body["checks"] = .array(
                checks.map { check in
                    .object([
                        "name": .string(check.name), "ok": .bool(check.problem == nil),
                        "message": .text(check.problem),
                    ])
                })
        }
        return .json(isReady ? 200 : 503, .object(body))
    }

    private var databaseCheck: Check {
        let now = clock.now()
        let problem = writing.problem(at: now) { () throws(StoreError) in
            try work.world.store.checkWritable(at: now)
        }
        return Check(
            name: "database", problem: problem.map { "The database cannot be written: \($0)" })
    }

    private var appCheck: Check {
        switch work.world.app.standing() {
        case .missing: Check(name: "github_app", problem: "No GitHub App is configured yet.")
        case .broken(let words): Check(name: "github_app", problem: words)
        case .ready: Check(name: "github_app", problem: appProblem())
        }
    }

    private var watchdogCheck: Check {
        let oldest = clock.now().adding(seconds: -Self.passInterval)
        do throws(StoreError) {
            let made = try work.world.store.madeAt(clock.now())
            let pass = try work.world.store.findMark(Work.passMark)?.at
            let isRecent = max(made, pass ?? made) >= oldest
            return Check(
                name: "watchdog",
                problem: isRecent
                    ? nil : "porter-watchdog made no pass for five minutes: look at its timer.")
        } catch {
            return Check(name: "watchdog", problem: "The database cannot be read: \(error)")
        }
    }

    private func metrics() throws(Failure) -> Response {
        var text = ""
        func family(_ name: String, _ kind: String, _ help: String, _ samples: [(String, Int)]) {
            text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind)\n"
            for (labels, value) in samples { text += "\(name)\(labels) \(value)\n" }
        }
        let tasks: [TaskState: Int]
        let jobs: [String: Int]
        do throws(StoreError) {
            tasks = try work.world.store.countTasks()
            jobs = try work.world.store.countJobs()
        } catch {
            throw Failure(error)
        }
        family("porter_build_info", "gauge", "The version.", [("{version=\"\(Porter.version)\"}", 1)])
        family(
            "porter_tasks", "gauge", "Tasks by status.",
            TaskState.allCases.map { ("{status=\"\($0.rawValue)\"}", tasks[$0] ?? 0) })
        family(
            "porter_jobs", "gauge", "Jobs that wait, by kind.",
            JobKind.allCases.map { ("{kind=\"\($0.rawValue)\"}", jobs[$0.rawValue] ?? 0) })
        family(
            "porter_deliveries_total", "counter", "Webhook deliveries, by what they came to.",
            Counters.Delivery.allCases.map { ("{result=\"\($0.rawValue)\"}", counters.deliveries($0)) })
        family(
            "porter_http_responses_total", "counter", "Answers, by the class of their status.",
            counters.answers.map { ("{status=\"\($0.statuses)\"}", $0.count) })
        family(
            "porter_wal_bytes", "gauge", "The database's write-ahead log, as of this process's last commit.",
            [("", work.world.store.logBytes)])
        family(
            "process_resident_memory_bytes", "gauge", "Memory in use.", [("", Self.residentBytes)])
        return Response(
            status: 200,
            fields: [
                "Content-Type": "text/plain; version=0.0.4; charset=utf-8", "Cache-Control": "no-store",
            ], body: Data(text.utf8))
    }

    /// - SeeAlso: <https://man7.org/linux/man-pages/man5/proc_pid_statm.5.html>
    private static var residentBytes: Int {
        guard let file = fopen("/proc/self/statm", "re") else { return 0 }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        guard fgets(&line, Int32(line.count), file) != nil else { return 0 }
        let words = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init), as: UTF8.self)
            .split(separator: " ")
        return words.count > 1 ? (Int(words[1]) ?? 0) * sysconf(Int32(_SC_PAGESIZE)) : 0
    }
}
