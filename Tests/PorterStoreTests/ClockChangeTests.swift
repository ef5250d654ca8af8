import Porter
import PorterTestSupport
import Synchronization
import Testing

@testable import PorterStore

/// The clock is set while two processes have the file open.
@Suite struct ClockChangeTests {
    private final class Clocks: Sendable {
        let reading = Mutex(
            ClockReading(boot: "first", wall: Instant(seconds: 1_800_000_000), uptime: 5_000_000))

        func change(_ body: (inout ClockReading) -> Void) { reading.withLock { body(&$0) } }
    }

    @Test func `stored times follow once, whoever notices first`() throws {
        let folder = try TemporaryFolder()
        let clocks = Clocks()
        let read = { @Sendable in clocks.reading.withLock { $0 } }
        let one = try Database(path: folder.path + "/porter.sqlite", readClock: read)
        let other = try Database(path: folder.path + "/porter.sqlite", readClock: read)
        let due = Instant(seconds: 1_800_000_060)
        try one.ensureRecovery(at: due)
        #expect(try other.followClock() == nil)

        clocks.change { $0.wall = $0.wall.adding(seconds: 86_400) }

        #expect(try one.followClock() == 86_400_000)
        #expect(try other.followClock() == nil)
        #expect(try one.followClock() == nil)
        #expect(try one.nextJob() == due.adding(seconds: 86_400))
    }

    @Test
    func `time that passes, a clock that is steered and a machine that was started again change nothing`()
        throws
    {
        let folder = try TemporaryFolder()
        let clocks = Clocks()
        let store = try Database(
            path: folder.path + "/porter.sqlite", readClock: { clocks.reading.withLock { $0 } })
        let due = Instant(seconds: 1_800_000_060)
        try store.ensureRecovery(at: due)

        clocks.change { reading in
            reading.wall = reading.wall.adding(seconds: 3600)
            reading.uptime += 3_600_000 - 4_000
        }
        #expect(try store.followClock() == nil)
        clocks.change { reading in
            reading.boot = "second"
            reading.uptime = 1000
        }
        #expect(try store.followClock() == nil)
        try store.setMark("any", to: "write", at: due)

        #expect(try store.nextJob() == due)
    }
}
