import CLinux
import Glibc

/// Whom machines run as when the runner itself is root.
struct RunAs: Hashable, Sendable {
    let name: String
    let user: uid_t
    let group: gid_t

    /// The account of that name, nil when there is none.
    static func find(_ name: String) -> RunAs? {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var room = [CChar](repeating: 0, count: 16_384)
        guard getpwnam_r(name, &entry, &room, room.count, &found) == 0, found != nil else { return nil }
        return RunAs(name: name, user: entry.pw_uid, group: entry.pw_gid)
    }
}

/// A program of a machine, to be begun below a keeper.
///
/// The keeper, a process of the runner's without rights, kills all that is below it when the program ends and
/// when the runner does, however that dies. The program has a session of its own, can gain no rights, dumps
/// no core and inherits nothing that is not named here.
struct Launch: Sendable {
    let program: String
    var arguments: [String]
    var environment: [String: String] = [:]
    var directory = "/"
    /// Whom it becomes; nil stays.
    var user: RunAs?
    /// Where standard output and error go.
    var output: Int32 = 2
    /// An open file that the program finds on descriptor 3.
    var options: Int32 = -1
    /// `cgroup.procs` of the groups that it joins.
    var groups: [String] = []
    /// `RLIMIT_NPROC`, 0 leaves it.
    var processes: UInt = 0
    /// Whether orphans below it become its children.
    var adoptsOrphans = false

    init(_ program: String, _ arguments: [String]) {
        self.program = program
        self.arguments = arguments
    }

    /// Starts the program.
    ///
    /// - Returns: the keeper's process id, and the lifeline: everything dies when that descriptor is closed.
    func start() throws(RunnerFailure) -> (keeper: pid_t, lifeline: Int32) {
        var joined: [Int32] = []
        defer { for descriptor in joined { close(descriptor) } }
        for path in groups {
            let descriptor = open(path, O_WRONLY | O_CLOEXEC)
            guard descriptor >= 0 else { throw RunnerFailure("cannot join \(path)", errno) }
            joined.append(descriptor)
        }
        let variables = environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        var number: Int32 = 0
        var lifeline: Int32 = -1
        let pid = Self.withCStrings([program] + arguments) { argv in
            Self.withCStrings(variables) { envp in
                program.withCString { program in
                    directory.withCString { directory in
                        joined.withUnsafeBufferPointer { groups in
                            var launch = porter_launch()
                            launch.program = program
                            launch.arguments = argv
                            launch.environment = envp
                            launch.directory = directory
                            launch.user = user.map { Int($0.user) } ?? -1
                            launch.group = user.map { Int($0.group) } ?? -1
                            launch.output = output
                            launch.options = options
                            launch.groups = groups.baseAddress
                            launch.group_count = Int32(groups.count)
                            launch.processes = processes
                            launch.adopts_orphans = adoptsOrphans ? 1 : 0
                            let pid = porter_launch(&launch)
                            number = errno
                            lifeline = launch.lifeline
                            return pid
                        }
                    }
                }
            }
        }
        guard pid > 0 else { throw RunnerFailure("cannot start \(program)", number) }
        return (pid, lifeline)
    }

    /// A file in memory that holds the options, each ended by a zero byte, read from its start.
    static func memoryFile(_ options: [String]) throws(RunnerFailure) -> Int32 {
        let descriptor = porter_memory_file("options")
        guard descriptor >= 0 else { throw RunnerFailure("cannot make a file in memory", errno) }
        var bytes: [UInt8] = []
        for option in options { bytes += Array(option.utf8) + [0] }
        guard write(descriptor, bytes, bytes.count) == bytes.count, lseek(descriptor, 0, SEEK_SET) == 0 else {
            let number = errno
            close(descriptor)
            throw RunnerFailure("cannot fill a file in memory", number)
        }
        return descriptor
    }

    private static func withCStrings<Result>(
        _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>?) -> Result
    ) -> Result {
        let pointers: [UnsafeMutablePointer<CChar>?] = strings.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        return pointers.withUnsafeBufferPointer { body($0.baseAddress) }
    }
}
