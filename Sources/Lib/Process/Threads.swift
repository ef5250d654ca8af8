import CLinux
import Glibc
import Synchronization

/// Threads of the operating system, without a library around them.
package enum Thread {
    /// Bytes of a thread's stack.
    package static let stackBytes = 1_048_576

    /// Runs the closure on a new thread that nobody joins.
    package static func start(_ body: @escaping @Sendable () -> Void) {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setstacksize(&attributes, stackBytes)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        let box = Unmanaged.passRetained(Box(body))
        var thread = pthread_t()
        let result = pthread_create(
            &thread, &attributes,
            { context in
                guard let context else { return nil }
                Unmanaged<Box>.fromOpaque(context).takeRetainedValue().body()
                return nil
            }, box.toOpaque())
        pthread_attr_destroy(&attributes)
        precondition(result == 0, "the system gives no thread")
    }

    private final class Box: Sendable {
        let body: @Sendable () -> Void

        init(_ body: @escaping @Sendable () -> Void) {
            self.body = body
        }
    }
}

/// Counts threads that are still at work.
package final class Workers: Sendable {
    private let left: Atomic<Int>
    private let done: Int32

    /// That many threads are about to begin.
    package init(count: Int) {
        left = Atomic(count)
        done = eventfd(count == 0 ? 1 : 0, Int32(EFD_CLOEXEC))
    }

    deinit {
        close(done)
    }

    /// One thread has ended.
    package func leave() {
        guard left.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 else { return }
        var one: UInt64 = 1
        write(done, &one, 8)
    }

    /// Waits until all have ended.
    ///
    /// - Returns: false when the time was over first.
    package func wait(atMost time: Duration) -> Bool {
        let deadline = ContinuousClock.now + time
        while true {
            // Looks again at the latest after a day: poll takes no more than 24 of them.
            let rest = min(deadline - .now, .seconds(86_400)).components
            let milliseconds = max(0, rest.seconds * 1000 + rest.attoseconds / 1_000_000_000_000_000)
            var polled = pollfd(fd: done, events: Int16(POLLIN), revents: 0)
            if poll(&polled, 1, Int32(milliseconds)) > 0 { return true }
            if milliseconds == 0 { return false }
        }
    }
}
