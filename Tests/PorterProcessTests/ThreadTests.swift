import Foundation
import Glibc
import Synchronization
import Testing

@testable import PorterProcess

@Suite struct BellTests {
    @Test func `without a ring the time is waited for`() {
        let bell = Bell()
        let time = ContinuousClock().measure { bell.wait(milliseconds: 50) }
        #expect(time >= .milliseconds(45))
    }

    @Test func `a ring before the wait is not lost, and is used up`() {
        let bell = Bell()
        bell.ring()
        #expect(ContinuousClock().measure { bell.wait(milliseconds: 20_000) } < .seconds(10))
        #expect(ContinuousClock().measure { bell.wait(milliseconds: 50) } >= .milliseconds(45))
    }

    @Test func `as many rings wake as many waits`() {
        let bell = Bell()
        bell.ring(times: 3)
        #expect(
            ContinuousClock().measure { for _ in 0..<3 { bell.wait(milliseconds: 20_000) } } < .seconds(10))
        #expect(ContinuousClock().measure { bell.wait(milliseconds: 50) } >= .milliseconds(45))
    }

    @Test func `a ring wakes threads that wait`() {
        let bell = Bell()
        let workers = Workers(count: 4)
        for _ in 0..<4 {
            PorterProcess.Thread.start {
                bell.wait(milliseconds: 60_000)
                workers.leave()
            }
        }
        bell.ring(times: 4)
        #expect(workers.wait(atMost: .seconds(30)))
    }
}

@Suite struct ShortageTests {
    /// No machine has room for a stack of this size.
    private static let stack = 1 << 47

    private final class Witness: Sendable {}

    @Test func `a thread that the system does not give is an error, and its closure is let go`() {
        weak var left: Witness?
        let error = #expect(throws: Shortage.self) {
            let witness = Witness()
            left = witness
            try PorterProcess.Thread.attempt(stackBytes: Self.stack) { withExtendedLifetime(witness) {} }
        }

        #expect(error?.description == "the system gives no thread: Resource temporarily unavailable")
        #expect(left == nil)
    }

    @Test func `bells and workers hold no descriptor`() {
        let before = Self.waiters
        let kept = (0..<100).map { _ in (Bell(), Workers(count: 1)) }
        #expect(Self.waiters - before < 100)
        withExtendedLifetime(kept) {}
    }

    /// Descriptors of this process that are there to wait for; other tests may open some.
    private static var waiters: Int {
        SmallFiles.names(in: "/proc/self/fd").count { name in
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(name)"))
                == "anon_inode:[eventfd]"
        }
    }
}

@Suite struct WorkersTests {
    @Test func `waiting ends when the last has left, not before`() {
        let workers = Workers(count: 2)
        #expect(!workers.wait(atMost: .milliseconds(20)))
        workers.leave()
        #expect(!workers.wait(atMost: .zero))
        workers.leave()
        #expect(workers.wait(atMost: .zero))
        #expect(workers.wait(atMost: .seconds(10)))
    }

    @Test func `for none there is nothing to wait for`() {
        #expect(Workers(count: 0).wait(atMost: .zero))
    }

    @Test(arguments: [Duration.seconds(-5), .seconds(4_000_000), .seconds(1_000_000_000_000)])
    func `a time that is over, or longer than the system can wait, is right`(time: Duration) {
        let workers = Workers(count: 1)
        PorterProcess.Thread.start {
            usleep(20_000)
            workers.leave()
        }
        #expect(workers.wait(atMost: time) == (time > .zero))
        #expect(workers.wait(atMost: .seconds(20)))
    }

    @Test func `threads run what they are given`() {
        let sum = Atomic(0)
        let workers = Workers(count: 50)
        for number in 1...50 {
            PorterProcess.Thread.start {
                sum.add(number, ordering: .relaxed)
                workers.leave()
            }
        }
        #expect(workers.wait(atMost: .seconds(30)))
        #expect(sum.load(ordering: .acquiring) == 1275)
    }
}
