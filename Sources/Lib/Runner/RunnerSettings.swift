import Glibc
import Porter
import PorterSettings

/// What the operator chose for the local engine (`docs/operating.md`).
struct RunnerSettings: Sendable {
    /// How machines are walled in.
    enum Isolation: String, CaseIterable, Sendable {
        /// A box of namespaces around each.
        case box
        /// Another user and a tree that is killed; nothing more.
        case weak
    }

    let socket: String
    /// Whom machines run as; nil is the runner's own user.
    let user: RunAs?
    let worker: String
    let state: String
    let agentPath: String?
    let authorityFile: String?
    /// The program of the agent `demo`, which machines must be able to see.
    let demoAgent: String?
    let logLevel: String
    let isolation: Isolation

    /// Reads the environment.
    ///
    /// - Parameters:
    ///   - isRoot: whether the runner is root and machines become another user.
    ///   - folder: where the runner's own program lies.
    /// - Throws: ``ConfigurationErrors`` with every problem, one line each.
    static func load(
        _ environment: [String: String], isRoot: Bool, folder: String
    ) throws(ConfigurationErrors) -> RunnerSettings {
        var lines: [String] = []
        func text(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        func path(_ name: String) -> String? {
            guard let value = text(name) else { return nil }
            if !value.hasPrefix("/") { lines.append("\(name) is \"\(value)\": write an absolute path.") }
            return value
        }
        let socket = path("PORTER_RUNNER_SOCKET") ?? "/run/porter/runner.sock"
        if socket.utf8.count > mostSocketPath {
            lines.append("PORTER_RUNNER_SOCKET is longer than \(mostSocketPath) bytes.")
        } else if socket.hasPrefix("/"), !isFolder(parent(of: socket)) {
            lines.append("PORTER_RUNNER_SOCKET: there is no folder \(parent(of: socket)); make it.")
        }
        var user: RunAs?
        if isRoot {
            let name = text("PORTER_RUNNER_USER") ?? "nobody"
            user = RunAs.find(name)
            if user == nil {
                lines.append("PORTER_RUNNER_USER is \"\(name)\": there is no such user; make it.")
            } else if user?.user == 0 || user?.group == 0 {
                lines.append("PORTER_RUNNER_USER is \"\(name)\", which is root: name an ordinary user.")
            }
        }
        let worker = path("PORTER_WORKER_COMMAND") ?? folder + "/porter-worker"
        if worker.hasPrefix("/"), !isProgram(worker) {
            lines.append("PORTER_WORKER_COMMAND: \(worker) is no program; name the worker's.")
        }
        // systemd gives a list; ours has one entry.
        let given = text("STATE_DIRECTORY")?.split(separator: ":").first.map(String.init)
        let state = given ?? "/var/lib/porter-runner"
        if !state.hasPrefix("/") { lines.append("STATE_DIRECTORY is \"\(state)\": write an absolute path.") }
        let agentPath = text("PORTER_AGENT_PATH")
        for entry in agentPath?.split(separator: ":") ?? [] where !entry.hasPrefix("/") {
            lines.append("PORTER_AGENT_PATH holds \"\(entry)\": write absolute paths.")
        }
        let authorityFile = path("PORTER_CA_FILE")
        if let authorityFile, authorityFile.hasPrefix("/"), access(authorityFile, R_OK) != 0 {
            lines.append("PORTER_CA_FILE cannot be read: \(authorityFile).")
        }
        func choice(_ name: String, _ byDefault: String) -> String {
            let value = text(name) ?? byDefault
            guard case .choice(let choices) = Setting.all.first(where: { $0.name == name })?.kind else {
                preconditionFailure("\(name) is a choice")
            }
            if !choices.contains(value) {
                lines.append("\(name) is \"\(value)\": write \(choices.joined(separator: " or ")).")
            }
            return value
        }
        let logLevel = choice("PORTER_LOG_LEVEL", "notice")
        let isolation = choice("PORTER_RUNNER_ISOLATION", "box")
        guard lines.isEmpty else { throw ConfigurationErrors(lines: lines) }
        return RunnerSettings(
            socket: socket, user: user, worker: worker, state: state, agentPath: agentPath,
            authorityFile: authorityFile, demoAgent: text("PORTER_DEMO_AGENT"), logLevel: logLevel,
            isolation: Isolation(rawValue: isolation) ?? .box)
    }

    /// Bytes of a unix socket's path at most.
    static let mostSocketPath = MemoryLayout<sockaddr_un>.size - MemoryLayout<sa_family_t>.size - 1

    private static func parent(of path: String) -> String {
        let folder = path[..<(path.lastIndex(of: "/") ?? path.startIndex)]
        return folder.isEmpty ? "/" : String(folder)
    }

    private static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    private static func isProgram(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && access(path, X_OK) == 0
    }
}
