import Glibc
import PorterProcess

/// SIGTERM and SIGINT, which say that the machine is being shut down.
enum ShutdownSignal {
    /// Blocks the signals; call it before any thread is made.
    static func prepare() {
        var set = signals
        pthread_sigmask(SIG_BLOCK, &set, nil)
        signal(SIGPIPE, SIG_IGN)
    }

    /// Calls the closure, on a thread of its own, when one arrives.
    static func watch(_ body: @escaping @Sendable () -> Void) {
        Thread.start {
            var set = signals
            var number: Int32 = 0
            while sigwait(&set, &number) != 0 {}
            body()
        }
    }

    private static var signals: sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGTERM)
        sigaddset(&set, SIGINT)
        return set
    }
}
