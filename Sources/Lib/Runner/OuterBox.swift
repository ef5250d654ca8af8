import Glibc

/// How a machine is walled in: one bubblewrap around the worker (design section 5).
///
/// It must be begun by an ordinary user, or the worker could make no box of its own inside. Its options travel
/// on a descriptor, so that no command line shows the machine's token.
///
/// - SeeAlso: <https://github.com/containers/bubblewrap>
struct OuterBox: Sendable {
    /// The program that makes boxes.
    static let program = "/usr/bin/bwrap"

    /// The one folder that can be written, at its own path.
    let workspace: String
    /// The runner's folder, of which nothing else is seen.
    let state: String
    /// Folders and files that are seen at their own paths, wherever they lie.
    let readable: [String]
    /// Bytes that `/tmp` holds at most.
    let temporaryBytes: Int
    let environment: [String: String]

    /// Bubblewrap's options, without the program.
    var options: [String] {
        var options = [
            "--unshare-user", "--unshare-pid", "--unshare-ipc", "--die-with-parent", "--new-session",
            "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc",
            "--size", String(temporaryBytes), "--tmpfs", "/tmp", "--tmpfs", state,
        ]
        for path in readable { options += ["--ro-bind", path, path] }
        options += ["--bind", workspace, workspace, "--chdir", workspace, "--clearenv"]
        for (name, value) in environment.sorted(by: { $0.key < $1.key }) {
            options += ["--setenv", name, value]
        }
        return options
    }

    /// The command that runs a program in the box.
    ///
    /// - Parameter descriptor: holds the ``options``.
    static func launch(_ program: [String], options descriptor: Int32) -> Launch {
        var launch = Launch(Self.program, ["--args", "3", "--"] + program)
        launch.options = descriptor
        return launch
    }
}
