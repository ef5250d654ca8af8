import CLinux
import Glibc

/// The pages of files that a program's start touched and that nothing needs afterwards.
package enum StartupPages {
    /// Lets the system take the code of this process, and what it only reads of its files, out of its memory; what is
    /// needed comes back from the file, or from the system's cache of it, at the next step into it.
    ///
    /// To begin, a program runs through far more code than it serves with, and the linker's look at each library
    /// leaves its mark as well. Only what was never written is given back: a page that the linker has changed is
    /// not in the file.
    ///
    /// Call it before any thread that may load a library or unmap a file, such as one that calls somebody: between the
    /// look and the giving back, an address may come to hold something else, which would be lost.
    ///
    /// - SeeAlso: <https://man7.org/linux/man-pages/man2/madvise.2.html> (`MADV_DONTNEED`),
    ///   <https://man7.org/linux/man-pages/man5/proc_pid_smaps.5.html>
    package static func giveBack() {
        let unchanged = unchangedMappings(SmallFiles.text("/proc/self/smaps") ?? "")
        for mapping in unchanged {
            madvise(
                UnsafeMutableRawPointer(bitPattern: mapping.lowerBound), mapping.count, MADV_DONTNEED)
        }
    }

    /// The addresses of files that are mapped to be read, and of which no page differs from its file.
    ///
    /// - Parameter text: what `/proc/self/smaps` says; what is not understood there counts as changed.
    static func unchangedMappings(_ text: String) -> [Range<UInt>] {
        var unchanged: [Range<UInt>] = []
        var current: Range<UInt>?
        var marks: [Substring: Substring] = [:]
        func close() {
            // A changed page that was swapped out counts under `Swap` only.
            if let current, marks["Anonymous:"] == "0", marks["Swap:"] == "0" { unchanged.append(current) }
            marks = [:]
        }
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: " ", omittingEmptySubsequences: true)
            if let bounds = bounds(fields[0]) {
                close()
                let isReadOnlyFile =
                    fields.count > 5 && ["r--p", "r-xp"].contains(fields[1]) && fields[5].hasPrefix("/")
                current = isReadOnlyFile ? bounds : nil
            } else if fields.count > 1 {
                marks[fields[0]] = fields[1]
            }
        }
        close()
        return unchanged
    }

    /// The addresses of `559a3fbf9000-559a4164e000`.
    private static func bounds(_ text: Substring) -> Range<UInt>? {
        let bounds = text.split(separator: "-").compactMap { UInt($0, radix: 16) }
        guard bounds.count == 2, bounds[0] < bounds[1] else { return nil }
        return bounds[0]..<bounds[1]
    }
}
