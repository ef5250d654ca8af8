import CLinux
import Glibc

/// Wakes threads that wait for work.
package final class Bell: Sendable {
    private let descriptor = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK) | Int32(EFD_SEMAPHORE))

    /// A bell that nobody has rung.
    package init() {}

    deinit {
        close(descriptor)
    }

    /// Wakes one thread, or the next that comes to wait.
    package func ring(times: UInt64 = 1) {
        var count = times
        write(descriptor, &count, 8)
    }

    /// Waits for a ring, at most so long.
    package func wait(milliseconds: Int32) {
        var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        if poll(&polled, 1, milliseconds) > 0 {
            var count: UInt64 = 0
            read(descriptor, &count, 8)
        }
    }
}
