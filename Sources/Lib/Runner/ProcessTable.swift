import Glibc

/// The processes of the host at one moment, as `/proc` shows them.
///
/// - SeeAlso: <https://man7.org/linux/man-pages/man5/proc_pid_status.5.html>
struct ProcessTable: Sendable {
    /// One process.
    struct Entry: Hashable, Sendable {
        let pid: pid_t
        let parent: pid_t
        /// Bytes that it holds itself: anonymous and shared memory, not the pages of files.
        let memory: Int
        let threads: Int
    }

    private let children: [pid_t: [Entry]]
    private let entries: [pid_t: Entry]

    init(_ entries: [Entry]) {
        self.entries = Dictionary(entries.map { ($0.pid, $0) }) { $1 }
        children = Dictionary(grouping: entries, by: \.parent)
    }

    /// Reads all of `/proc`.
    static func read() -> ProcessTable {
        let pids = Files.names(in: "/proc").compactMap { pid_t($0) }
        return ProcessTable(
            pids.compactMap { pid in Files.text("/proc/\(pid)/status").map { parse($0, pid) } })
    }

    /// The children of a process.
    func children(of pid: pid_t) -> [Entry] { children[pid] ?? [] }

    /// A process and all that descends from it.
    func tree(of pid: pid_t) -> [Entry] {
        var found = [entries[pid]].compactMap(\.self)
        var next = children(of: pid)
        while let entry = next.popLast() {
            found.append(entry)
            next += children(of: entry.pid)
        }
        return found
    }

    static func parse(_ status: String, _ pid: pid_t) -> Entry {
        var parent: pid_t = 0
        var kibibytes = 0
        var threads = 1
        for line in status.split(separator: "\n") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let words = line[line.index(after: colon)...].split { $0 == " " || $0 == "\t" }
            guard let value = words.first.flatMap({ Int($0) }) else { continue }
            switch line[..<colon] {
            case "PPid": parent = pid_t(value)
            case "RssAnon", "RssShmem": kibibytes += value
            case "Threads": threads = value
            default: break
            }
        }
        return Entry(pid: pid, parent: parent, memory: kibibytes * 1024, threads: threads)
    }
}
