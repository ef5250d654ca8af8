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
    /// Byte by byte: there are thousands of lines, and a program that starts has somebody waiting for it.
    ///
    /// - Parameter text: what `/proc/self/smaps` says; what is not understood there counts as changed.
    static func unchangedMappings(_ text: String) -> [Range<UInt>] {
        var text = text
        return text.withUTF8 { text in
            var unchanged: [Range<UInt>] = []
            var current: Range<UInt>?
            var marks = (isAnonymousNowhere: false, isSwappedNowhere: false)
            func close() {
                // A changed page that was swapped out counts under `Swap` only.
                if let current, marks.isAnonymousNowhere, marks.isSwappedNowhere { unchanged.append(current) }
                marks = (false, false)
            }
            for line in text.split(separator: UInt8(ascii: "\n")) {
                // Names of marks begin with a capital letter, addresses with a digit or a small one.
                if (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(line[line.startIndex]) {
                    if line.starts(with: anonymous) { marks.isAnonymousNowhere = isNothing(line) }
                    if line.starts(with: swap) { marks.isSwappedNowhere = isNothing(line) }
                } else {
                    close()
                    current = readOnlyFile(line)
                }
            }
            close()
            return unchanged
        }
    }

    private typealias Line = UnsafeBufferPointer<UInt8>.SubSequence

    private static let anonymous = Array("Anonymous:".utf8)
    private static let swap = Array("Swap:".utf8)

    /// Whether the mark's amount is 0.
    private static func isNothing(_ line: Line) -> Bool {
        let amount = line.drop { $0 != UInt8(ascii: ":") }.dropFirst().drop { $0 == UInt8(ascii: " ") }
        return amount.prefix { $0 != UInt8(ascii: " ") }.elementsEqual([UInt8(ascii: "0")])
    }

    /// The addresses of a mapping that is a file's and cannot be written.
    ///
    /// - Parameter line: `559a3fbf9000-559a4164e000 r-xp 00000000 fe:00 5925005     /usr/bin/porter-fcgi`.
    private static func readOnlyFile(_ line: Line) -> Range<UInt>? {
        let fields = line.split(separator: UInt8(ascii: " "), maxSplits: 5)
        guard fields.count == 6,
            fields[1].elementsEqual("r--p".utf8) || fields[1].elementsEqual("r-xp".utf8),
            fields[5].first(where: { $0 != UInt8(ascii: " ") }) == UInt8(ascii: "/")
        else { return nil }
        let bounds = fields[0].split(separator: UInt8(ascii: "-")).compactMap {
            UInt(String(decoding: $0, as: UTF8.self), radix: 16)
        }
        guard bounds.count == 2, bounds[0] < bounds[1] else { return nil }
        return bounds[0]..<bounds[1]
    }
}
