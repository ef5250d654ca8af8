import Foundation
import Glibc
import PorterHTTP
import PorterProcess
import PorterTestSupport
import Synchronization
import Testing

@testable import PorterFastCGI

/// A responder that serves a socket in a folder of its own, in the tests' process.
final class RunningResponder {
    let folder: TemporaryFolder
    let path: String
    private let descriptor: Int32
    private var responder: Responder
    private let stopping = DispatchSemaphore(value: 0)
    private let draining = DispatchSemaphore(value: 0)
    private let stopped = DispatchSemaphore(value: 0)
    private let isDrained = Shared(false)

    private final class Shared: Sendable {
        let value: Mutex<Bool>
        init(_ value: Bool) { self.value = Mutex(value) }
    }

    private static let prepared: Void = {
        signal(SIGPIPE, SIG_IGN)
        setenv("LIBFCGI_IS_AF_UNIX_KEEPER_POLL_TIMEOUT", "1000", 1)
        setenv("LIBFCGI_OS_CLOSE_POLL_TIMEOUT", "500", 1)
    }()

    convenience init(
        threads: Int = 2, drainDeadline: Duration = .seconds(20),
        handler: @escaping @Sendable (Incoming) -> Response
    ) throws {
        try self.init(
            threads: threads, drainDeadline: drainDeadline,
            later: { incoming, respond in
                respond(handler(incoming))
            })
    }

    /// One whose handler may answer later.
    init(
        threads: Int = 2, drainDeadline: Duration = .seconds(20), mostWaiting: Int = 256,
        later handler: @escaping Responder.Handler
    ) throws {
        Self.prepared
        folder = try TemporaryFolder()
        path = folder.file("fcgi.sock")
        guard case .listening(let descriptor) = try Ingress.find(environment: [:], address: path) else {
            throw POSIXError(.EINVAL)
        }
        self.descriptor = descriptor
        responder = Responder(threads: threads, log: { _, _ in }, handler: handler)
        responder.drainDeadline = drainDeadline
        responder.mostWaiting = mostWaiting
        start()
    }

    /// Begins to serve; after a stop, it is the next process at the same socket.
    func start() {
        let (responder, descriptor) = (responder, descriptor)
        let (stopping, draining, stopped, isDrained) = (stopping, draining, stopped, isDrained)
        PorterProcess.Thread.start {
            let drained = responder.serve(
                descriptor, until: { stopping.wait() }, whenDraining: { draining.signal() })
            isDrained.value.withLock { $0 = drained }
            stopped.signal()
        }
    }

    /// Whether a connection waits that no thread has accepted.
    var hasBacklog: Bool {
        var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&polled, 1, 0) > 0
    }

    /// Tells it to end, as SIGTERM does, and waits until it accepts no more.
    func beginToStop() {
        stopping.signal()
        #expect(draining.wait(timeout: .now() + 20) == .success)
    }

    /// Waits for its end.
    ///
    /// - Returns: whether everything in flight was answered within the deadline.
    func waitForEnd() -> Bool {
        #expect(stopped.wait(timeout: .now() + 40) == .success)
        return isDrained.value.withLock { $0 }
    }

    /// Ends it.
    @discardableResult
    func stop() -> Bool {
        beginToStop()
        return waitForEnd()
    }

    deinit {
        stopping.signal()
        close(descriptor)
    }
}

/// Runs the closure that many times at once, each on a thread of its own, and waits for all.
func atOnce(_ count: Int, _ body: @escaping @Sendable () -> Void) {
    let group = DispatchGroup()
    for _ in 0..<count {
        group.enter()
        PorterProcess.Thread.start {
            body()
            group.leave()
        }
    }
    #expect(group.wait(timeout: .now() + 120) == .success)
}

/// What handlers saw.
final class Seen: Sendable {
    private let all = Mutex<[Incoming]>([])
    func add(_ incoming: Incoming) { all.withLock { $0.append(incoming) } }
    var requests: [Incoming] { all.withLock { $0 } }
}

/// Parameters of requests.
enum Parameter {
    static let get = [("REQUEST_METHOD", "GET"), ("REQUEST_URI", "/")]

    static func post(_ length: String) -> [(String, String)] {
        [("REQUEST_METHOD", "POST"), ("REQUEST_URI", "/x"), ("CONTENT_LENGTH", length)]
    }
}
