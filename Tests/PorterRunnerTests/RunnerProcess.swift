import Foundation
import Glibc
import Porter
import PorterHTTP
import PorterMachines
import PorterProcess
import Synchronization
import PorterTestSupport
import Testing

/// The real `porter-runner`, with a shell script in the worker's place.
final class RunnerProcess: Sendable {
    let folder: TemporaryFolder
    let pid: Int32
    private let shared: Shared

    /// Begins a runner and waits until it answers.
    ///
    /// - Parameters:
    ///   - folder: where an earlier runner's state lies.
    ///   - asNobody: whether the runner itself is an ordinary user.
    static func begin(
        worker: String, in folder: TemporaryFolder? = nil, asNobody: Bool = false,
        _ extra: [String: String] = [:]
    ) throws -> RunnerProcess {
        let runner = try RunnerProcess(worker: worker, in: folder, asNobody: asNobody, extra)
        try #require(
            eventually { (try? runner.call("GET", ""))?.status == 200 || runner.hasEnded },
            "the runner never answered")
        try #require(!runner.hasEnded, "the runner ended: \(runner.words)")
        return runner
    }

    init(
        worker: String?, in given: TemporaryFolder? = nil, asNobody: Bool = false, prefix: [String] = [],
        arguments: [String] = [], _ extra: [String: String] = [:]
    ) throws {
        let folder = try given ?? TemporaryFolder(mode: 0o755)
        self.folder = folder
        var environment = [
            "STATE_DIRECTORY": folder.path + "/state",
            "PORTER_RUNNER_SOCKET": folder.path + "/runner.sock", "PORTER_LOG_LEVEL": "debug",
        ]
        if let worker {
            environment["PORTER_WORKER_COMMAND"] = try folder.write(
                "#!/bin/sh\n" + worker, to: "worker", mode: 0o755)
        }
        environment.merge(extra) { $1 }
        var program = try Self.program()
        var before = ["/usr/bin/setpriv", "--pdeathsig", "KILL"]
        if asNobody, geteuid() == 0 {
            let copy = folder.path + "/porter-runner"
            if !FileManager.default.fileExists(atPath: copy) {
                try FileManager.default.copyItem(atPath: program, toPath: copy)
            }
            program = copy
            chown(folder.path, 65_534, 65_534)
            before += ["--reuid", "65534", "--regid", "65534", "--clear-groups"]
        }
        let words = before + prefix + [program] + arguments
        var command = Command(words[0], Array(words.dropFirst()), environment: environment)
        command.joinsErrors = true
        // The thread that begins the runner watches it: with this thread the runner would die.
        let begun = Mutex<Result<Int32, ProcessError>?>(nil)
        let started = DispatchSemaphore(value: 0)
        let shared = Shared()
        PorterProcess.Thread.start { [command] in
            do throws(ProcessError) {
                let child = try command.start()
                begun.withLock { $0 = .success(child.pid) }
                started.signal()
                let ending = child.watch(
                    Child.Care(
                        onOutput: { _, bytes in shared.log.withLock { $0 += bytes } }, onTick: {}))
                shared.ending.withLock { $0 = ending }
            } catch {
                begun.withLock { $0 = .failure(error) }
                started.signal()
            }
        }
        started.wait()
        let result = try #require(begun.withLock { $0 })
        pid = try result.get()
        self.shared = shared
    }

    private final class Shared: Sendable {
        let log = Mutex<[UInt8]>([])
        let ending = Mutex<Child.Ending?>(nil)
    }

    deinit {
        // Asked, not killed, so that it tidies up; twice, so that it does so at once.
        let isOver = eventually {
            if !hasEnded { kill(pid, SIGTERM) }
            return hasEnded
        }
        if !isOver { kill(pid, SIGKILL) }
    }

    /// Where the tests' own program lies, and the runner beside it.
    static func program() throws -> String {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        let tests = CommandLine.arguments.filter { $0.contains(".xctest") }
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().path
        var candidates = ([own] + tests).map {
            URL(fileURLWithPath: $0).deletingLastPathComponent().path + "/porter-runner"
        }
        candidates.append(root + "/.build/debug/porter-runner")
        return try #require(
            candidates.first { FileManager.default.isExecutableFile(atPath: $0) },
            "porter-runner is not built: run swift build")
    }

    // MARK: - What it says and how it ends

    var words: String { String(decoding: shared.log.withLock { $0 }, as: UTF8.self) }
    var exit: Child.Ending? { shared.ending.withLock { $0 } }
    var hasEnded: Bool { exit != nil }

    /// Waits for its end.
    func wait() throws -> Child.Ending {
        try #require(eventually { hasEnded }, "the runner did not end: \(words)")
        return try #require(exit)
    }

    // MARK: - Its API

    struct Answer {
        let status: Int
        let fields: Fields
        let body: Data

        var error: String {
            ((try? JSONSerialization.jsonObject(with: body)) as? [String: Any])?["error"] as? String ?? ""
        }
    }

    private var transport: Transport {
        var options = CurlOptions()
        options.unixSocket = folder.path + "/runner.sock"
        return .curl(options)
    }

    /// The client that Porter itself uses.
    var machines: Machines {
        .live(transport: transport, baseURL: "http://localhost/v1", app: "local", token: nil)
    }

    /// A call below `/v1/apps/local`, or of the absolute path.
    func call(_ method: String, _ rest: String, body: String? = nil) throws -> Answer {
        let path = rest.hasPrefix("/v1/") || rest.hasPrefix("/nothing") ? rest : "/v1/apps/local" + rest
        let response = try transport.send(
            Request(
                method: method, target: "http://localhost" + path, body: Data((body ?? "").utf8)),
            Transport.Limits(total: .seconds(40)))
        return Answer(status: response.status, fields: response.fields, body: response.body)
    }

    static func plan(
        _ name: String, task: String = "task_1", token: String = "machine-token", memory: Int = 512
    ) -> MachinePlan {
        MachinePlan(
            name: name, image: "porter-worker",
            environment: [
                "PORTER_CALLBACK_URL": Secret("http://127.0.0.1:1"), "PORTER_TASK_ID": Secret(task),
                "PORTER_CALLBACK_TOKEN": Secret(token),
            ], metadata: ["porter_task": task, "porter_attempt": "1", "porter_instance": "here"],
            region: nil, cpus: 1, memory: memory)
    }

    /// Waits until the machine is destroyed.
    func end(of machine: Machine) throws -> Machine {
        var found: Machine?
        try #require(
            eventually {
                found = try? machines.find(machine.id)
                return found?.isGone == true
            }, "the machine did not end: \(words)")
        return try #require(found)
    }

    /// Waits until the log holds the text.
    func says(_ text: String) -> Bool { eventually { words.contains(text) } }
}

/// The host's processes, as the tests themselves read them.
enum HostProcesses {
    static var all: [Int32] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { Int32($0) }
    }

    /// The command line, zero bytes as spaces; empty for what is dead.
    static func commandLine(_ pid: Int32) -> String {
        let data = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") ?? Data()
        return String(decoding: data.map { $0 == 0 ? 32 : $0 }, as: UTF8.self)
    }

    /// The living processes whose command line holds the text.
    static func running(_ text: String) -> [Int32] { all.filter { commandLine($0).contains(text) } }

    /// The living processes that have to do with the folder: on their command line, or because they work in it.
    static func holding(_ folder: String) -> [Int32] {
        all.filter { pid in
            let place = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/cwd")
            return commandLine(pid).contains(folder) || place?.hasPrefix(folder) == true
        }
    }

    /// One field of `/proc/PID/status`.
    static func status(_ pid: Int32, _ field: String) -> [Int] {
        let data = FileManager.default.contents(atPath: "/proc/\(pid)/status") ?? Data()
        let line = String(decoding: data, as: UTF8.self).split(separator: "\n").first {
            $0.hasPrefix(field + ":")
        }
        return line?.split { $0 == "\t" || $0 == " " }.dropFirst().compactMap { Int($0) } ?? []
    }

    /// All that descends from the process.
    static func descendants(of pid: Int32) -> [Int32] {
        let parents = Dictionary(
            all.map { ($0, Int32(status($0, "PPid").first ?? 0)) }, uniquingKeysWith: { $1 })
        var found: [Int32] = []
        var next = [pid]
        while let parent = next.popLast() {
            let children = parents.filter { $0.value == parent }.map(\.key)
            found += children
            next += children
        }
        return found
    }
}
