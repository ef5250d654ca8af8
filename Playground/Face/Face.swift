import Glibc
package import PorterHTTP
import PorterProcess
package import PorterServer
import PorterSettings
import Synchronization

/// What the faces of the playground share: options, the address line, the end by a signal, logs, JSON.
///
/// A face is one process that stands for one part of the outside world, on 127.0.0.1 only. It writes its
/// address on the first line of standard output and runs until SIGTERM or SIGINT.
package final class Face: Sendable {
    /// Seconds that answers under way are given when a face ends.
    static let drainTime = 1.0

    private let handler: @Sendable (Request) -> Response
    private let state: Mutex<(port: UInt16, server: Server?)>

    /// A face that does not listen yet; port 0 takes a free one.
    package init(port: UInt16, _ handler: @escaping @Sendable (Request) -> Response) {
        self.handler = handler
        state = Mutex((port, nil))
    }

    /// Begins to listen; after ``stop()`` at the same port again.
    ///
    /// - Returns: the address, `http://127.0.0.1:PORT`.
    /// - Throws: ``ServerError`` when the port is taken.
    @discardableResult
    package func start() throws(ServerError) -> String {
        let server = Server(at: .loopback(port: state.withLock { $0.port }), handler)
        let port = try server.start()
        state.withLock { $0 = (port, server) }
        return "http://127.0.0.1:\(port)"
    }

    /// Stops listening, so that connections are refused.
    package func stop() {
        let server = state.withLock { state in
            defer { state.server = nil }
            return state.server
        }
        server?.stop(atMost: Self.drainTime)
    }

    /// Runs the face until SIGTERM or SIGINT, as the whole work of a process.
    package func run() -> Never {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGTERM)
        sigaddset(&signals, SIGINT)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        signal(SIGPIPE, SIG_IGN)
        do {
            print(try start())
        } catch {
            Say.line("porter-playground: \(error)")
            ExitCode.unavailable.leave()
        }
        fflush(nil)
        var number: Int32 = 0
        while sigwait(&signals, &number) != 0 {}
        stop()
        _exit(ExitCode.done.rawValue)
    }
}
