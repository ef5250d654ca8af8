import Glibc

/// The processor time that the closure takes on this thread: what else the machine does at the time does not
/// count, so that a bound on it is a bound on the work.
package func effort(_ body: () -> Void) -> Duration {
    func now() -> Duration {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
    let start = now()
    body()
    return now() - start
}
