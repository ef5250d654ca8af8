import CLinux
import FoundationEssentials
import Glibc
import PorterProcess

/// The runner's folder: what survives it.
///
/// `machines/ID.json` is a machine's record, `workspaces/ID` what it may write, `bin` the worker's program
/// where machines can read it.
struct StateFolder: Sendable {
    let root: String
    /// Whom the workspaces belong to; nil is the runner's own user.
    let user: RunAs?

    private var machines: String { root + "/machines" }
    private var workspaces: String { root + "/workspaces" }
    /// Where the worker's program is copied to.
    var programs: String { root + "/bin" }

    /// Makes the folders, and takes the folder for this process alone, until its end.
    ///
    /// - Throws: ``RunnerFailure`` with number `EWOULDBLOCK` when another runner has it.
    static func open(_ path: String, user: RunAs?) throws(RunnerFailure) -> StateFolder {
        guard makeFolder(path, 0o755), let resolved = realpath(path, nil) else {
            throw RunnerFailure("cannot make the folder \(path)", errno)
        }
        defer { free(resolved) }
        let folder = StateFolder(root: String(cString: resolved), user: user)
        for (path, mode) in [
            (folder.machines, mode_t(0o700)), (folder.workspaces, 0o711), (folder.programs, 0o755),
        ] {
            guard makeFolder(path, mode), chmod(path, mode) == 0 else {
                throw RunnerFailure("cannot make the folder \(path)", errno)
            }
        }
        try folder.letThrough()
        let lock = Glibc.open(folder.root + "/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard lock >= 0 else { throw RunnerFailure("cannot write \(path)", errno) }
        // The descriptor stays open, and the lock with it, until the process ends.
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            throw RunnerFailure("another runner uses \(path)", errno)
        }
        return folder
    }

    private static func makeFolder(_ path: String, _ mode: mode_t) -> Bool {
        mkdir(path, mode) == 0 || errno == EEXIST
    }

    /// Machines pass through the folder on the way to theirs.
    private func letThrough() throws(RunnerFailure) {
        var status = stat()
        guard stat(root, &status) == 0 else { throw RunnerFailure("cannot look at \(root)", errno) }
        let mode = status.st_mode & 0o7777
        guard mode & 0o011 != 0o011, user != nil else { return }
        guard chmod(root, mode | 0o011) == 0 else { throw RunnerFailure("cannot open \(root)", errno) }
    }

    // MARK: - The worker's program

    /// Copies the program to where every machine can read it.
    ///
    /// - Returns: the copy's path.
    func install(_ program: String) throws(RunnerFailure) -> String {
        guard let bytes = FileManager.default.contents(atPath: program) else {
            throw RunnerFailure("cannot read \(program)", errno)
        }
        let name = program.split(separator: "/").last.map(String.init) ?? "worker"
        let copy = programs + "/" + name
        try Files.replace(copy, Array(bytes), mode: 0o755)
        return copy
    }

    // MARK: - Records

    /// Writes the record so that it survives a power cut.
    func save(_ record: MachineRecord) throws(RunnerFailure) {
        try Files.replace(file(record.id), MachineRecord.encode(record), mode: 0o600)
    }

    /// Forgets the record.
    func forget(_ id: String) {
        unlink(file(id))
    }

    /// All records; a file that is none is set aside, and its name is told.
    func load(onUnreadable: (String) -> Void) -> [MachineRecord] {
        var records: [MachineRecord] = []
        for name in SmallFiles.names(in: machines) {
            let path = machines + "/" + name
            if name.hasSuffix(".new") { unlink(path) }
            guard name.hasSuffix(".json") else { continue }
            let data = FileManager.default.contents(atPath: path) ?? Data()
            if let record = try? JSONDecoder().decode(MachineRecord.self, from: data),
                name == record.id + ".json"
            {
                records.append(record)
            } else {
                rename(path, path + ".unreadable")
                onUnreadable(name)
            }
        }
        return records
    }

    private func file(_ id: String) -> String { "\(machines)/\(id).json" }

    // MARK: - Workspaces

    /// Where the machine's workspace lies.
    func workspace(_ id: String) -> String { "\(workspaces)/\(id)" }

    /// Makes the machine's workspace, which is its user's alone.
    func makeWorkspace(_ id: String) throws(RunnerFailure) {
        let path = workspace(id)
        guard mkdir(path, 0o700) == 0 else { throw RunnerFailure("cannot make \(path)", errno) }
        guard let user else { return }
        guard chown(path, user.user, user.group) == 0 else {
            throw RunnerFailure("cannot give \(path) to \(user.name)", errno)
        }
    }

    /// Removes the machine's workspace with all that is in it; false when something is left.
    func removeWorkspace(_ id: String) -> Bool { Removal.remove(workspace(id)) }

    /// Removes every workspace but those.
    func removeWorkspaces(but kept: Set<String>) {
        for name in SmallFiles.names(in: workspaces) where !kept.contains(name) { _ = removeWorkspace(name) }
    }
}
