import Glibc
import PorterProcess

/// A program that runs in a box: how its options get there and how all of it is ended.
///
/// Without walls the worker itself sees to it that nothing is left: it adopts every orphan.
struct BoxedProgram: Sendable {
    let child: Child
    private let hasWalls: Bool
    /// Seconds that the last orphan may take to die.
    static let orphanTime = 10

    /// Starts the program in the box.
    ///
    /// - Parameter scratch: a file that may be written and is removed at once.
    static func start(
        _ program: [String], in box: Box, input: [UInt8]?, scratch: String
    ) throws(ProcessError) -> BoxedProgram {
        guard box.hasWalls else {
            return BoxedProgram(child: try box.bareCommand(program, input: input).start(), hasWalls: false)
        }
        // A file without a name holds options of any length, where a pipe would need a writer.
        let descriptor = open(scratch, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw ProcessError(scratch, errno) }
        unlink(scratch)
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        for option in box.options { bytes += Array(option.utf8) + [0] }
        let written = write(descriptor, bytes, bytes.count)
        guard written == bytes.count, lseek(descriptor, 0, SEEK_SET) == 0 else {
            throw ProcessError(scratch, written < 0 ? errno : ENOSPC)
        }
        let command = box.command(program, options: descriptor, input: input)
        return BoxedProgram(child: try command.start(), hasWalls: true)
    }

    /// Looks after it until its end; nothing that it started is left then.
    func watch(_ care: Child.Care) -> Child.Ending {
        let ending = child.watch(care)
        if !hasWalls { _ = Orphans.kill(atMost: .seconds(Self.orphanTime)) { $0() } }
        return ending
    }

    /// Asks the program inside, not the box, to end.
    func terminate() {
        guard hasWalls else { return child.signalGroup(SIGTERM) }
        guard let first = Self.firstChild(of: child.pid) else { return }
        for pid in Self.children(of: first) { kill(pid, SIGTERM) }
    }

    /// Ends everything in the box at once: its first process takes the others along.
    func destroy() {
        guard hasWalls, let first = Self.firstChild(of: child.pid) else {
            child.signalGroup(SIGKILL)
            return
        }
        kill(first, SIGKILL)
    }

    private static func firstChild(of pid: Int32) -> Int32? { children(of: pid).first }

    /// - SeeAlso: <https://man7.org/linux/man-pages/man5/proc_tid_children.5.html>
    private static func children(of pid: Int32) -> [Int32] {
        guard let file = fopen("/proc/\(pid)/task/\(pid)/children", "re") else { return [] }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 4096)
        guard fgets(&line, Int32(line.count), file) != nil else { return [] }
        return String(decoding: line.prefix { $0 != 0 }.map(UInt8.init), as: UTF8.self)
            .split(separator: " ").compactMap { Int32($0) }
    }
}
