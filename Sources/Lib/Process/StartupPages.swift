import CLinux
import Glibc

/// The pages of code that a program's start touched and that nothing needs afterwards.
package enum StartupPages {
    /// Lets the system take the code of this process out of its memory; what is needed comes back from the file, or
    /// from the system's cache of it, at the next step into it.
    ///
    /// To begin, a program runs through far more code than it serves with, and the linker's look at each library
    /// leaves its mark as well. Only what is never written is given back.
    ///
    /// - SeeAlso: <https://man7.org/linux/man-pages/man2/madvise.2.html> (`MADV_DONTNEED`)
    package static func giveBack() {
        for line in (SmallFiles.text("/proc/self/maps") ?? "").split(separator: "\n") {
            let fields = line.split(separator: " ", omittingEmptySubsequences: true)
            guard fields.count > 5, fields[1] == "r-xp", fields[5].hasPrefix("/") else { continue }
            let bounds = fields[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
            guard bounds.count == 2, bounds[0] < bounds[1] else { continue }
            madvise(
                UnsafeMutableRawPointer(bitPattern: bounds[0]), Int(bounds[1] - bounds[0]), MADV_DONTNEED)
        }
    }
}
