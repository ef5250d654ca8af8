import Glibc
import PorterProcess

/// Looks after a machine's limits from outside, where the kernel does not.
///
/// About once a second; what is quicker than that gets away with it until the next look.
struct Meter: Sendable {
    /// What a look says.
    enum Verdict: Equatable, Sendable {
        /// Within the limits.
        case fine
        /// Too much memory: the greatest process goes, as under the kernel's own limit, so that the worker can
        /// still save what there is.
        case kill(pid_t)
        /// The machine goes.
        case destroy(outOfMemory: Bool, words: String)
    }

    let guest: MachineRecord.Guest
    let watchesMemory: Bool
    let watchesProcesses: Bool

    /// Judges the tree below a machine's first process.
    ///
    /// - Parameter worker: the worker's process, nil while there is none yet.
    func judge(_ table: ProcessTable, first: pid_t, worker: pid_t?) -> Verdict {
        let tree = table.tree(of: first)
        let threads = tree.reduce(0) { $0 + $1.threads }
        if watchesProcesses, threads > Host.mostProcesses {
            return .destroy(
                outOfMemory: false,
                words: "the machine had more than \(Host.mostProcesses) processes and threads")
        }
        let memory = tree.reduce(0) { $0 + $1.memory }
        guard watchesMemory, memory > guest.memory_mb * 1_048_576 else { return .fine }
        // The box's own processes are no candidates.
        let inner = worker.map { table.tree(of: $0) } ?? []
        guard let greatest = inner.max(by: { $0.memory < $1.memory }), greatest.pid != worker else {
            return .destroy(outOfMemory: true, words: Self.words(guest))
        }
        return .kill(greatest.pid)
    }

    /// What an exit event says of a machine that was killed for memory.
    static func words(_ guest: MachineRecord.Guest) -> String {
        "the machine used more than its \(guest.memory_mb) MiB of memory"
    }
}
