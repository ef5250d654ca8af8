import Glibc
import PorterProcess
import Synchronization

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

/// Whether the machine is being shut down, and what is to be done then.
final class Shutdown: Sendable {
    private struct State {
        var isAsked = false
        var body: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    /// Whether the machine is being shut down.
    var isAsked: Bool { state.withLock { $0.isAsked } }

    /// The machine is being shut down.
    func ask() {
        let body = state.withLock { state in
            state.isAsked = true
            return state.body
        }
        body?()
    }

    /// Does it when asked, at once if that was before.
    func whenAsked(_ body: @escaping @Sendable () -> Void) {
        let isAsked = state.withLock { state in
            state.body = body
            return state.isAsked
        }
        if isAsked { body() }
    }
}
