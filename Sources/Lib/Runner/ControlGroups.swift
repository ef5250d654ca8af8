import Glibc
import PorterProcess

/// The kernel's own limits, where the runner may set them: control groups of version 1 or 2.
///
/// - SeeAlso: <https://docs.kernel.org/admin-guide/cgroup-v2.html>,
///   <https://docs.kernel.org/admin-guide/cgroup-v1/memory.html>
struct ControlGroups: Hashable, Sendable {
    /// What can be limited.
    enum Kind: String, CaseIterable, Sendable {
        case memory
        case pids
        case cpu
    }

    /// Where groups for a kind can be made.
    struct Place: Hashable, Sendable {
        let version: Int
        let folder: String
    }

    let places: [Kind: Place]

    /// None: every limit is looked after from outside.
    static let none = ControlGroups(places: [:])

    /// Looks for a hierarchy that can be written and tries it.
    ///
    /// - Parameters:
    ///   - mounts: `/proc/self/mountinfo`.
    ///   - membership: `/proc/self/cgroup`.
    static func find(mounts: String, membership: String) -> ControlGroups {
        var places: [Kind: Place] = [:]
        if let base = unified(mounts, membership) {
            for kind in Kind.allCases where enable(kind, base) {
                places[kind] = Place(version: 2, folder: base)
            }
        }
        for kind in Kind.allCases where places[kind] == nil {
            guard let base = hierarchy(kind, mounts, membership) else { continue }
            let probe = base + "/porter-probe-\(getpid())"
            guard mkdir(probe, 0o755) == 0 else { continue }
            let (file, value) = first(kind)
            if Files.put(value, probe + file) { places[kind] = Place(version: 1, folder: base) }
            rmdir(probe)
        }
        return ControlGroups(places: places)
    }

    /// Makes the groups of one machine.
    func make(_ id: String, _ guest: MachineRecord.Guest, processes: Int) throws(RunnerFailure)
        -> MachineGroup
    {
        let group = MachineGroup(name: "porter-\(id)", groups: self)
        for folder in group.folders {
            guard mkdir(folder, 0o755) == 0 || errno == EEXIST else {
                let number = errno
                group.remove()
                throw RunnerFailure("cannot make the control group \(folder)", number)
            }
        }
        for (kind, place) in places {
            let folder = place.folder + "/" + group.name
            for (file, value, isNeeded) in Self.limits(kind, place.version, guest, processes) {
                guard Files.put(value, folder + file) || !isNeeded else {
                    let number = errno
                    group.remove()
                    throw RunnerFailure("cannot write \(folder)\(file)", number)
                }
            }
        }
        return group
    }

    /// The groups of a machine of an earlier run.
    func leftover(_ id: String) -> MachineGroup { MachineGroup(name: "porter-\(id)", groups: self) }

    /// The files of a limit, their values, and whether the limit hangs on them.
    static func limits(
        _ kind: Kind, _ version: Int, _ guest: MachineRecord.Guest, _ processes: Int
    ) -> [(file: String, value: String, isNeeded: Bool)] {
        let bytes = String(guest.memory_mb * 1_048_576)
        let period = 100_000
        return switch (kind, version) {
        case (.memory, 1):
            // Swap is only counted where the kernel was started so.
            [
                ("/memory.limit_in_bytes", bytes, true), ("/memory.memsw.limit_in_bytes", bytes, false),
                ("/memory.swappiness", "0", false),
            ]
        case (.memory, _): [("/memory.max", bytes, true), ("/memory.swap.max", "0", false)]
        case (.pids, _): [("/pids.max", String(processes), true)]
        case (.cpu, 1): [("/cpu.cfs_quota_us", String(guest.cpus * period), true)]
        case (.cpu, _): [("/cpu.max", "\(guest.cpus * period) \(period)", true)]
        }
    }

    private static func first(_ kind: Kind) -> (String, String) {
        let guest = MachineRecord.Guest(cpu_kind: "shared", cpus: 1, memory_mb: 1024)
        let limit = limits(kind, 1, guest, 1024)[0]
        return (limit.file, limit.value)
    }

    /// Where our own group of version 2 lies.
    static func unified(_ mounts: String, _ membership: String) -> String? {
        guard let point = mountPoint(mounts, type: "cgroup2", option: nil),
            let line = membership.split(separator: "\n").first(where: { $0.hasPrefix("0::") })
        else { return nil }
        return existing(point, String(line.dropFirst(3)))
    }

    /// Where our own group of version 1 lies in the hierarchy of the kind.
    static func hierarchy(_ kind: Kind, _ mounts: String, _ membership: String) -> String? {
        guard let point = mountPoint(mounts, type: "cgroup", option: kind.rawValue) else { return nil }
        let path = membership.split(separator: "\n").lazy
            .map { $0.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false) }
            .first { $0.count == 3 && $0[1].split(separator: ",").contains(Substring(kind.rawValue)) }?[2]
        return existing(point, path.map(String.init) ?? "/")
    }

    /// The group below the mount, or the mount's top where a container shows no more of it.
    private static func existing(_ point: String, _ path: String) -> String {
        let folder = path == "/" ? point : point + path
        return access(folder, F_OK) == 0 ? folder : point
    }

    private static func mountPoint(_ mounts: String, type: String, option: String?) -> String? {
        for line in mounts.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard let dash = words.firstIndex(of: "-"), words.count > dash + 3, words.count > 4,
                words[dash + 1] == type
            else { continue }
            let options = words[dash + 3].split(separator: ",")
            if option.map({ options.contains(Substring($0)) }) ?? true { return String(words[4]) }
        }
        return nil
    }

    /// Hands a controller of version 2 down to the groups below ours.
    ///
    /// A group with processes of its own cannot: then the runner moves into a group below.
    private static func enable(_ kind: Kind, _ base: String) -> Bool {
        func words(_ file: String) -> [Substring] {
            SmallFiles.text(base + file)?.split { $0 == " " || $0 == "\n" } ?? []
        }
        guard words("/cgroup.controllers").contains(Substring(kind.rawValue)) else { return false }
        let control = "/cgroup.subtree_control"
        if !words(control).contains(Substring(kind.rawValue)),
            !Files.put("+\(kind.rawValue)", base + control)
        {
            let below = base + "/porter-runner"
            guard mkdir(below, 0o755) == 0 || errno == EEXIST, Files.put("0", below + "/cgroup.procs"),
                Files.put("+\(kind.rawValue)", base + control)
            else { return false }
        }
        let probe = base + "/porter-probe-\(getpid())"
        guard mkdir(probe, 0o755) == 0 else { return false }
        defer { rmdir(probe) }
        return access(probe + "/cgroup.procs", W_OK) == 0
    }
}

/// The control groups of one machine.
struct MachineGroup: Sendable {
    let name: String
    let groups: ControlGroups

    /// Its folders, each once.
    var folders: [String] { Set(groups.places.values.map { $0.folder + "/" + name }).sorted() }

    /// The files that a process joins by.
    var joins: [String] { folders.map { $0 + "/cgroup.procs" } }

    /// How often the kernel killed one of its processes for memory.
    var memoryKills: Int {
        guard let place = groups.places[.memory] else { return 0 }
        let file = place.version == 1 ? "/memory.oom_control" : "/memory.events"
        let text = SmallFiles.text(place.folder + "/" + name + file) ?? ""
        for line in text.split(separator: "\n") where line.hasPrefix("oom_kill ") {
            return Int(line.dropFirst(9)) ?? 0
        }
        return 0
    }

    /// Kills whatever is in them.
    func kill() {
        for file in joins {
            let pids = (SmallFiles.text(file) ?? "").split(separator: "\n").compactMap { pid_t($0) }
            for pid in pids where pid > 0 { Glibc.kill(pid, SIGKILL) }
        }
    }

    /// Removes them; a group is busy for a moment after its last process.
    func remove() {
        for folder in folders {
            for _ in 0..<200 {
                if rmdir(folder) == 0 || errno != EBUSY { break }
                usleep(5000)
            }
        }
    }
}
