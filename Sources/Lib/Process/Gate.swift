import CLinux
import Glibc

/// A number that threads change and wait for.
///
/// A lock and a condition of the C library: unlike a descriptor, there is nothing here that the system could
/// lack.
final class Gate: Sendable {
    // Safe because it is made for all threads at once.
    private nonisolated(unsafe) let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    // Safe because it is made for all threads at once.
    private nonisolated(unsafe) let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    // Safe because it is touched under the mutex only.
    private nonisolated(unsafe) var number: Int

    init(_ number: Int) {
        self.number = number
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        let results = (pthread_mutex_init(mutex, nil), pthread_cond_init(condition, &attributes))
        pthread_condattr_destroy(&attributes)
        precondition(results == (0, 0), "locks and conditions need nothing of the system")
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Adds to the number and wakes whoever waits: one, or all that may want it.
    func add(_ difference: Int, wakesAll: Bool) {
        pthread_mutex_lock(mutex)
        number += difference
        if wakesAll { pthread_cond_broadcast(condition) } else { pthread_cond_signal(condition) }
        pthread_mutex_unlock(mutex)
    }

    /// Waits until the closure lets the thread pass; it may change the number then.
    ///
    /// - Returns: false when the time was over first.
    func wait(atMost time: Duration, _ mayPass: (inout Int) -> Bool) -> Bool {
        let deadline = ContinuousClock.now + time
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            if mayPass(&number) { return true }
            // The moment at which it looks again is at most a day away, which every clock can tell.
            let rest = min(deadline - .now, .seconds(86_400))
            guard rest > .zero else { return false }
            var end = Self.moment(after: rest)
            pthread_cond_timedwait(condition, mutex, &end)
        }
    }

    private static func moment(after time: Duration) -> timespec {
        var moment = timespec()
        clock_gettime(CLOCK_MONOTONIC, &moment)
        let (seconds, attoseconds) = time.components
        let nanoseconds = moment.tv_nsec + Int(attoseconds / 1_000_000_000)
        return timespec(
            tv_sec: moment.tv_sec + Int(seconds) + nanoseconds / 1_000_000_000,
            tv_nsec: nanoseconds % 1_000_000_000)
    }
}
