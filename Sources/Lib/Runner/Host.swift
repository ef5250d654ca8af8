import Glibc
import Porter

/// What the box offers its machines: folders, rights, limits and the worker's program.
struct Host: Sendable {
    /// Processes and threads of one machine at most.
    static let mostProcesses = 1024
    /// `RLIMIT_NPROC` where the kernel cannot count a machine's processes: it counts all of the user's.
    static let mostProcessesOfUser: UInt = 8192

    let folder: StateFolder
    let settings: RunnerSettings
    /// The copy of the worker's program.
    let worker: String
    let groups: ControlGroups
    let children: Children
    let journal: Journal
    let clock: Clock

    /// Prepares the worker of a machine.
    ///
    /// The caller closes the launch's `options`.
    func launch(
        _ record: MachineRecord, _ token: Secret, group: MachineGroup
    ) throws(RunnerFailure) -> Launch {
        var launch = try enclose([worker], record.id, variables(record, token), record.config.guest)
        launch.groups = group.joins
        if groups.places[.pids] == nil { launch.processes = Self.mostProcessesOfUser }
        return launch
    }

    /// A program as the machine of that id runs it: in its box, as its user.
    ///
    /// The caller closes the launch's `options`.
    func enclose(
        _ program: [String], _ id: String, _ environment: [String: String], _ guest: MachineRecord.Guest
    ) throws(RunnerFailure) -> Launch {
        let workspace = folder.workspace(id)
        var launch: Launch
        switch settings.isolation {
        case .box:
            let box = OuterBox(
                workspace: workspace, state: folder.root, readable: [folder.programs] + shown,
                temporaryBytes: guest.memory_mb * 1_048_576, environment: environment)
            launch = OuterBox.launch(program, options: try Launch.memoryFile(box.options))
        case .weak:
            launch = Launch(program[0], Array(program.dropFirst()))
            launch.environment = environment
            launch.directory = workspace
            launch.adoptsOrphans = true
        }
        launch.user = settings.user
        return launch
    }

    /// The operator's folders and files that a machine must be able to read, by their real paths.
    private var shown: [String] {
        var paths = settings.agentPath?.split(separator: ":").map(String.init) ?? []
        paths += [settings.authorityFile, settings.demoAgent].compactMap(\.self)
        return paths.compactMap { path in
            guard let resolved = realpath(path, nil) else { return nil }
            defer { free(resolved) }
            return String(cString: resolved)
        }
    }

    private func variables(_ record: MachineRecord, _ token: Secret) -> [String: String] {
        var variables = [
            "PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8",
            "HOME": folder.workspace(record.id), "PORTER_WORKSPACE": folder.workspace(record.id),
            "PORTER_LOG_LEVEL": settings.logLevel,
        ]
        variables["PORTER_AGENT_PATH"] = settings.agentPath
        variables["PORTER_CA_FILE"] = settings.authorityFile
        if settings.isolation == .weak { variables["PORTER_ISOLATION"] = "weak" }
        variables.merge(record.config.env) { $1 }
        variables[CreateBody.token] = token.reveal { $0 }
        return variables
    }
}
