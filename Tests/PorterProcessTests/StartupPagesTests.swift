import PorterProcess
import Testing

@Suite struct StartupPagesTests {
    /// Kilobytes of files that are in this process's memory.
    private func residentFiles() throws -> Int {
        let status = try #require(SmallFiles.text("/proc/self/status"))
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("RssFile:") })
        return try #require(line.split(separator: " ").dropFirst().first.flatMap { Int($0) })
    }

    @Test func `code is given back, and comes back when it is needed`() throws {
        let before = try residentFiles()

        StartupPages.giveBack()

        #expect(try residentFiles() < before)
        #expect([3, 1, 2].sorted() == [1, 2, 3])
    }
}
