import Glibc

/// The processes of the host at one moment, as `/proc` shows them.
///
/// - SeeAlso: <https://man7.org/linux/man-pages/man5/proc_pid_status.5.html>
package struct ProcessTable: Sendable {
    /// One process.
    package struct Entry: Hashable, Sendable {
        /// Its process id.
        package let pid: Int32
        /// The process id of its parent.
        package let parent: Int32
        /// Bytes that it holds itself: anonymous and shared memory, not the pages of files.
        package let memory: Int
        /// How many threads it has.
        package let threads: Int

        /// A process with those facts.
        package init(pid: Int32, parent: Int32, memory: Int, threads: Int) {
            self.pid = pid
            self.parent = parent
            self.memory = memory
            self.threads = threads
        }
    }

    private let children: [Int32: [Entry]]
    private let entries: [Int32: Entry]

    /// A table of those processes.
    package init(_ entries: [Entry]) {
        self.entries = Dictionary(entries.map { ($0.pid, $0) }) { $1 }
        children = Dictionary(grouping: entries, by: \.parent)
    }

    /// Reads all of `/proc`.
    package static func read() -> ProcessTable {
        let pids = SmallFiles.names(in: "/proc").compactMap { Int32($0) }
        return ProcessTable(
            pids.compactMap { pid in SmallFiles.text("/proc/\(pid)/status").map { parse($0, pid) } })
    }

    /// The children of a process.
    package func children(of pid: Int32) -> [Entry] { children[pid] ?? [] }

    /// A process and all that descends from it.
    package func tree(of pid: Int32) -> [Entry] {
        var found = [entries[pid]].compactMap(\.self)
        var next = children(of: pid)
        while let entry = next.popLast() {
            found.append(entry)
            next += children(of: entry.pid)
        }
        return found
    }

    /// One process's status file.
    package static func parse(_ status: String, _ pid: Int32) -> Entry {
        var parent: Int32 = 0
        var kibibytes = 0
        var threads = 1
        for line in status.split(separator: "\n") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let words = line[line.index(after: colon)...].split { $0 == " " || $0 == "\t" }
            guard let value = words.first.flatMap({ Int($0) }) else { continue }
            switch line[..<colon] {
            case "PPid": parent = Int32(value)
            case "RssAnon", "RssShmem": kibibytes += value
            case "Threads": threads = value
            default: break
            }
        }
        return Entry(pid: pid, parent: parent, memory: kibibytes * 1024, threads: threads)
    }
}
