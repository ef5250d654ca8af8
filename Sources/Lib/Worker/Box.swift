import Porter
import PorterProcess

/// The agent's box: bubblewrap around one program, which sees its tree, the system's programs, and nothing of
/// the worker.
///
/// Its options travel on a descriptor and its own environment is empty, because the box's first process is
/// readable to whatever runs inside.
///
/// - SeeAlso: <https://github.com/containers/bubblewrap>
struct Box: Sendable {
    /// Bytes that the box's `/tmp` holds at most.
    static let temporaryBytes = 536_870_912
    /// Where the tree lies inside; what an operator's folder lies below would be hidden by it, hence a name
    /// that no checkout, home or mount goes by (`/work` and `/workspace` do).
    static let tree = "/porter-tree"
    /// The home inside; not below `/tmp`, where some agents refuse to keep their programs.
    static let home = "/home/agent"
    /// Where programs are searched for, after the operator's folders.
    static let systemPath = ["/usr/local/bin", "/usr/bin", "/bin"]

    var hasNetwork: Bool
    /// Whether there are walls; without, the program runs beside the worker (``withoutWalls(home:)``).
    private(set) var hasWalls = true
    /// The program's home.
    private var ownHome = Self.home
    /// Folders and files that can be read at their own paths.
    var readable: [String] = []
    /// Further things at other paths: the source, its place, whether it may be written.
    var mounts: [(source: String, place: String, isWritable: Bool)] = []
    var environment: [String: String] = [:]
    /// Folders that are searched for programs before the system's.
    var searched: [String] = []

    /// A box with the tree at ``Box/tree``.
    init(tree: String, hasNetwork: Bool) {
        self.hasNetwork = hasNetwork
        mounts = [(tree, Self.tree, true)]
    }

    /// The same program without walls, for a machine that cannot make any.
    ///
    /// It has its own environment, session and home, and all that it leaves behind is killed. It can read and
    /// write what its user can; the network stays open.
    func withoutWalls(home: String) -> Box {
        var box = self
        box.hasWalls = false
        box.ownHome = home
        return box
    }

    /// Where the program finds what lies at the place in a box.
    func seen(_ place: String) -> String {
        hasWalls ? place : mounts.last { $0.place == place }?.source ?? place
    }

    /// Bubblewrap's options, without the program.
    var options: [String] {
        var options = [
            "--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try",
            "--disable-userns", "--uid", "65534", "--gid", "65534", "--hostname", "porter",
            "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--clearenv",
        ]
        if !hasNetwork { options.append("--unshare-net") }
        options += ["--ro-bind", "/usr", "/usr"]
        for folder in ["bin", "sbin", "lib", "lib64"] {
            options += ["--symlink", "usr/\(folder)", "/\(folder)"]
        }
        var files = [
            "/etc/alternatives", "/etc/ld.so.cache", "/etc/ssl", "/etc/ca-certificates", "/etc/passwd",
            "/etc/group", "/etc/localtime", "/etc/mime.types",
        ]
        if hasNetwork { files += ["/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf"] }
        for file in files { options += ["--ro-bind-try", file, file] }
        options += [
            "--proc", "/proc", "--dev", "/dev", "--size", String(Self.temporaryBytes), "--tmpfs", "/tmp",
            "--tmpfs", "/run", "--tmpfs", "/home", "--dir", Self.home,
        ]
        for path in readable { options += ["--ro-bind", path, path] }
        for mount in mounts {
            options += [mount.isWritable ? "--bind" : "--ro-bind", mount.source, mount.place]
        }
        options += ["--chdir", Self.tree]
        for (name, value) in variables.sorted(by: { $0.key < $1.key }) {
            options += ["--setenv", name, value]
        }
        return options
    }

    /// All of the program's environment.
    private var variables: [String: String] {
        let path = (searched + Self.systemPath).joined(separator: ":")
        let own = [
            "PATH": path, "HOME": ownHome, "LANG": "C.UTF-8", "TMPDIR": hasWalls ? "/tmp" : ownHome,
        ]
        return own.merging(environment) { $1 }
    }

    /// The command that runs a program in the box.
    ///
    /// - Parameter descriptor: holds the ``options``, each ended by a zero byte.
    func command(_ program: [String], options descriptor: Int32, input: [UInt8]?) -> Command {
        var command = Command(
            "/usr/bin/bwrap", ["--args", "3", "--"] + program, environment: [:], directory: "/",
            input: input)
        command.descriptors = [(child: 3, ours: descriptor)]
        return command
    }

    /// The command that runs a program without walls.
    func bareCommand(_ program: [String], input: [UInt8]?) -> Command {
        var command = Command(
            program[0], Array(program.dropFirst()), environment: variables, directory: seen(Self.tree),
            input: input)
        command.hasOwnSession = true
        return command
    }
}
