import Glibc
import Testing

@testable import PorterProcess

@Suite struct StartupPagesTests {
    /// Kilobytes of files that are in this process's memory.
    private static func residentFiles() throws -> Int {
        let status = try #require(SmallFiles.text("/proc/self/status"))
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("RssFile:") })
        return try #require(line.split(separator: " ").dropFirst().first.flatMap { Int($0) })
    }

    // In a process of its own: other tests load libraries at any moment.
    @Test func `code is given back, and comes back when it is needed`() async {
        await #expect(processExitsWith: .exitCode(0)) {
            let before = try Self.residentFiles()

            StartupPages.giveBack()

            guard try Self.residentFiles() < before else { exit(1) }
            exit([3, 1, 2].sorted() == [1, 2, 3] ? 0 : 2)
        }
    }

    /// One mapping of a file, as the system tells of it.
    private func mapping(
        _ bounds: String, _ rights: String, _ path: String, anonymous: Int = 0, swap: Int = 0
    ) -> String {
        """
        \(bounds) \(rights) 00000000 fe:00 5925005                    \(path)
        Size:              26964 kB
        Rss:                8764 kB
        Anonymous:       \(anonymous) kB
        Swap:            \(swap) kB
        VmFlags: rd ex mr mw me

        """
    }

    @Test func `what differs from its file, could be written or shows no file is kept`() {
        let text = [
            mapping("1000-2000", "r-xp", "/usr/bin/porter-fcgi"),
            mapping("2000-3000", "r--p", "/usr/bin/porter-fcgi", anonymous: 4),
            mapping("3000-4000", "r--p", "/usr/bin/porter-fcgi", swap: 4),
            mapping("4000-5000", "rw-p", "/usr/bin/porter-fcgi"),
            mapping("5000-6000", "r-xp", "[vdso]"),
            mapping("6000-7000", "r--p", ""),
            mapping("7000-8000", "r--p", "/usr/lib/with space.so (deleted)"),
        ].joined()

        #expect(StartupPages.unchangedMappings(text) == [0x1000..<0x2000, 0x7000..<0x8000])
    }

    @Test func `a mapping whose marks are missing is kept`() {
        #expect(StartupPages.unchangedMappings("1000-2000 r-xp 0 fe:00 1   /bin/sh\nRss: 4 kB\n") == [])
    }
}
