import Glibc
import Porter
import PorterSettings

/// What a machine tells its worker: `docs/runner.md`, and where things lie in it.
struct WorkerSettings: Sendable {
    let callbackURL: String
    let taskID: TaskID
    let token: Secret
    /// The one folder that the worker may write.
    let workspace: String
    /// Folders of agents' programs, searched first.
    let agentPath: [String]
    /// A PEM file of certificate authorities instead of the system's.
    let authorityFile: String?
    let logLevel: String
    /// Whether the engine cannot have boxes made, and the operator accepted it.
    let isWeak: Bool

    /// Where a machine without another word has its workspace.
    static let defaultWorkspace = "/workspace"

    /// Reads the environment.
    ///
    /// - Throws: ``ConfigurationErrors`` with every problem, one line each.
    static func load(_ environment: [String: String]) throws(ConfigurationErrors) -> WorkerSettings {
        var lines: [String] = []
        func needed(_ name: String) -> String {
            let value = environment[name] ?? ""
            if value.isEmpty { lines.append("\(name) is missing: the engine sets it for each machine") }
            return value
        }
        let callbackURL = needed("PORTER_CALLBACK_URL")
        let task = needed("PORTER_TASK_ID")
        let token = needed("PORTER_CALLBACK_TOKEN")
        let taskID = TaskID(rawValue: task)
        if taskID == nil, !task.isEmpty { lines.append("PORTER_TASK_ID is no task's id") }
        let isAddress = callbackURL.hasPrefix("https://") || callbackURL.hasPrefix("http://")
        if !callbackURL.isEmpty, !isAddress { lines.append("PORTER_CALLBACK_URL is no http address") }
        let isolation = environment["PORTER_ISOLATION"] ?? "box"
        if !["box", "weak"].contains(isolation) { lines.append("PORTER_ISOLATION is neither box nor weak") }
        guard lines.isEmpty, let taskID else { throw ConfigurationErrors(lines: lines) }
        let folders = (environment["PORTER_AGENT_PATH"] ?? "").split(separator: ":").map(String.init)
        return WorkerSettings(
            callbackURL: String(callbackURL.trimmingSlashes), taskID: taskID, token: Secret(token),
            workspace: environment["PORTER_WORKSPACE"] ?? defaultWorkspace,
            agentPath: folders.filter { $0.hasPrefix("/") },
            authorityFile: environment["PORTER_CA_FILE"],
            logLevel: environment["PORTER_LOG_LEVEL"] ?? "notice", isWeak: isolation == "weak")
    }
}

extension String {
    fileprivate var trimmingSlashes: Substring {
        var text = self[...]
        while text.last == "/" { text = text.dropLast() }
        return text
    }
}
