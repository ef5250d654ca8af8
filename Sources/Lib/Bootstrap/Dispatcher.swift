import Porter
import PorterProcess
import PorterStore
import PorterWork
import Synchronization

/// Threads that work the job queue: woken by a commit of this process, and by a clock for what others left.
package final class Dispatcher: Sendable {
    /// Threads that each work one job at a time.
    package static let threads = 4
    /// Milliseconds after which a thread looks for work without being woken.
    static let longestWait: Int64 = 1000
    /// Milliseconds that a thread waits at least when what is due is in other hands.
    static let shortestWait: Int64 = 50
    /// Seconds between two looks for jobs of processes that died.
    static let rescueInterval = 5

    private let work: Work
    private let journal: Journal
    private let bell = Bell()
    private let isStopping = Atomic(false)
    private let workers = Workers(count: Dispatcher.threads)
    private let rescuedAt: Mutex<ContinuousClock.Instant>

    /// Begins to work the queue.
    init(work: Work, journal: Journal) {
        self.work = work
        self.journal = journal
        rescuedAt = Mutex(.now)
        let bell = bell
        work.world.store.whenWorkArrives { bell.ring() }
        for _ in 0..<Self.threads {
            Thread.start {
                self.run()
                self.workers.leave()
            }
        }
    }

    /// Takes no further job; the jobs in hand go on.
    package func prepareToStop() {
        isStopping.store(true, ordering: .releasing)
        bell.ring(times: Self.threads)
    }

    /// Lets the threads finish the job in hand, and gives back what they hold after the time.
    package func stop(atMost time: Duration) {
        prepareToStop()
        let isDone = workers.wait(atMost: time)
        if !isDone { journal.record(.warning, "jobs cut", [:]) }
        do throws(StoreError) {
            try work.world.store.releaseOwnJobs()
        } catch {
            // The lock of this process ends with it, so that others find the jobs anyway.
            journal.record(.warning, "jobs not given back", ["error": "\(error)"])
        }
    }

    private func run() {
        beginPolling()
        while !isStopping.load(ordering: .acquiring) {
            do throws(StoreError) {
                try rescue()
                if case .idle = try work.turn() { bell.wait(milliseconds: try pause()) }
            } catch {
                journal.record(.error, "queue not worked", ["error": "\(error)"])
                bell.wait(milliseconds: Int32(Self.longestWait))
            }
        }
    }

    /// The first look does not wait for the watchdog's pass; the job repeats itself.
    private func beginPolling() {
        guard work.policy.isPolling else { return }
        do throws(StoreError) {
            try work.ensureRecovery()
        } catch {
            journal.record(.error, "queue not worked", ["error": "\(error)"])
        }
    }

    private func pause() throws(StoreError) -> Int32 {
        guard let next = try work.world.store.nextJob() else { return Int32(Self.longestWait) }
        let wait = next - work.world.clock.now()
        return Int32(min(Self.longestWait, max(Self.shortestWait, wait)))
    }

    private func rescue() throws(StoreError) {
        let isDue = rescuedAt.withLock { last in
            guard ContinuousClock.now - last >= .seconds(Self.rescueInterval) else { return false }
            last = .now
            return true
        }
        if isDue { try work.world.store.releaseDeadHolders() }
    }
}
