import CLinux
import Glibc
import PorterProcess

/// What is tried at start, so that what cannot work is told before the first machine.
struct Checks: Sendable {
    /// Programs that every machine needs.
    static let tools = [OuterBox.program, "/usr/bin/git"]
    /// Seconds that the trial machine may take.
    static let time = 20

    let host: Host

    /// The programs that are not there.
    static func missing(_ tools: [String]) -> [String] {
        tools.filter { access($0, X_OK) != 0 }
    }

    /// Begins a machine that makes a box inside of its own, as every worker does.
    ///
    /// - Returns: what went wrong, in the words of the program that refused; nil when all is well.
    func trial() throws(RunnerFailure) -> String? {
        let id = "trial"
        _ = host.folder.removeWorkspace(id)
        try host.folder.makeWorkspace(id)
        defer { _ = host.folder.removeWorkspace(id) }
        let guest = MachineRecord.Guest(cpu_kind: "shared", cpus: 1, memory_mb: 256)
        var launch = try host.enclose(
            ["/bin/sh", "-c", script, "trial", host.worker, OuterBox.program], id,
            ["PATH": "/usr/bin:/bin"], guest)
        defer { if launch.options >= 0 { close(launch.options) } }
        let words = try Launch.memoryFile([])
        defer { close(words) }
        launch.output = words
        let pid = try host.children.start(launch)
        let isInTime = wait(for: pid)
        if !isInTime { kill(pid, SIGKILL) }
        let ending = host.children.reap(pid)
        _ = host.children.killStrays(atMost: .seconds(Life.strayTime))
        guard ending != .exited(0) else { return nil }
        lseek(words, 0, SEEK_SET)
        let text = SmallFiles.text(of: words) ?? ""
        let last = text.split(whereSeparator: \.isNewline).last.map(String.init)
        return isInTime ? last ?? "it ended with code \(ending.code)" : "it took longer than \(Self.time) s"
    }

    private var script: String {
        let readable = "test -r \"$1\" && test -x \"$1\" || { echo \"$1 cannot be run\" >&2; exit 1; }\n"
        guard host.settings.isolation == .box else { return readable }
        return readable
            + "exec \"$2\" --unshare-user --unshare-pid --unshare-net --disable-userns --ro-bind / / "
            + "--proc /proc --dev /dev -- /bin/true"
    }

    private func wait(for pid: pid_t) -> Bool {
        let end = pidfd_open(pid, 0)
        guard end >= 0 else { return false }
        defer { close(end) }
        var polled = pollfd(fd: end, events: Int16(POLLIN), revents: 0)
        return poll(&polled, 1, Int32(Self.time * 1000)) > 0
    }

    /// How each limit is held, and what the operator should know about it.
    static func about(_ settings: RunnerSettings, _ groups: ControlGroups) -> API.About {
        var limits: [String: String] = ["core_dumps": "rlimit"]
        var warnings: [String] = []
        if settings.isolation == .weak {
            warnings.append(
                "PORTER_RUNNER_ISOLATION=weak: machines run without a box; an agent can read and "
                    + "write what its user may, and sees other processes.")
        }
        limits["memory"] = groups.places[.memory].map { "cgroup v\($0.version)" } ?? "polled"
        if groups.places[.memory] == nil {
            warnings.append(
                "Memory: no control group can be written. The size of each machine is looked at once a "
                    + "second; what grows faster is caught late, and files in memory do not count.")
        }
        limits["processes"] = groups.places[.pids].map { "cgroup v\($0.version)" } ?? "polled"
        if groups.places[.pids] == nil {
            warnings.append(
                "Processes: no control group can be written. They are counted once a second, and all "
                    + "machines together may have \(Host.mostProcessesOfUser).")
        }
        limits["cpus"] = groups.places[.cpu].map { "cgroup v\($0.version)" } ?? "none"
        if groups.places[.cpu] == nil {
            warnings.append("Cores: no control group can be written. A machine may use all of them.")
        }
        for folder in settings.agentPath?.split(separator: ":") ?? []
        where access(String(folder), R_OK | X_OK) != 0 {
            warnings.append("PORTER_AGENT_PATH: \(folder) cannot be read; no agent is found there.")
        }
        return API.About(isolation: settings.isolation.rawValue, limits: limits, warnings: warnings)
    }
}
