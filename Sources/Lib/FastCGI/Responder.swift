import CFastCGI
import CLinux
import FoundationEssentials
import Glibc
package import PorterHTTP
import PorterProcess
import Synchronization

/// Serves requests on threads of its own until the program is told to end.
package struct Responder: Sendable {
    /// Threads that each serve one request at a time.
    package var threads: Int
    /// Bytes of a body at most; GitHub sends no more than 25 MiB.
    package var maximumBodyBytes = 26_214_400
    /// How long requests in flight may take once the program is to end.
    package var drainDeadline: Duration = .milliseconds(1400)
    /// Says what went wrong with the socket: a constant message, and the facts.
    package var log: @Sendable (String, [String: String]) -> Void
    /// Answers one request.
    package var handler: @Sendable (Incoming) -> Response

    /// A responder with that many threads.
    package init(
        threads: Int, log: @escaping @Sendable (String, [String: String]) -> Void,
        handler: @escaping @Sendable (Incoming) -> Response
    ) {
        self.threads = threads
        self.log = log
        self.handler = handler
    }

    /// Blocks SIGTERM and SIGINT, which ``serve(_:until:whenDraining:)`` waits for.
    ///
    /// Call it first in the program, before any thread is made.
    package static func prepareProcess() {
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGTERM)
        sigaddset(&set, SIGINT)
        pthread_sigmask(SIG_BLOCK, &set, nil)
        signal(SIGPIPE, SIG_IGN)
        // Each arena keeps what was freed in it; a dozen threads on few cores need no dozen of them.
        mallopt(M_ARENA_MAX, mostArenas)
        // A fixed limit: glibc raises it to the size of what was freed, and keeps the next body of that size.
        mallopt(M_MMAP_THRESHOLD, Int32(largeBody))
        // A peer that connects and says nothing, or never reads, must not hold up the drain.
        setenv("LIBFCGI_IS_AF_UNIX_KEEPER_POLL_TIMEOUT", "1000", 1)
        setenv("LIBFCGI_OS_CLOSE_POLL_TIMEOUT", "500", 1)
    }

    /// Pools of freed memory that glibc keeps at most.
    private static let mostArenas: Int32 = 2

    /// Waits for SIGTERM or SIGINT.
    package static func waitForSignal() {
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGTERM)
        sigaddset(&set, SIGINT)
        var signal: Int32 = 0
        while sigwait(&set, &signal) != 0 {}
    }

    /// Serves the listening socket until `until` returns, then drains.
    ///
    /// - Parameters:
    ///   - until: blocks as long as the program is to run.
    ///   - whenDraining: called once accepting has stopped; cuts what may take long.
    /// - Returns: whether all requests in flight were answered within the deadline.
    package func serve(
        _ descriptor: Int32, until: () -> Void, whenDraining: () -> Void
    ) -> Bool {
        FCGX_Init()
        let flags = fcntl(descriptor, F_GETFL)
        _ = fcntl(descriptor, F_SETFL, flags | O_NONBLOCK)
        let drain = Drain()
        let workers = Workers(count: threads)
        for _ in 0..<threads {
            Thread.start {
                accept(descriptor, drain)
                workers.leave()
            }
        }
        until()
        drain.begin()
        whenDraining()
        return workers.wait(atMost: drainDeadline)
    }

    /// Accepts and serves until the responder drains.
    private func accept(_ descriptor: Int32, _ drain: Drain) {
        var request = FCGX_Request()
        FCGX_InitRequest(&request, descriptor, 0)
        let sleep = drain.makeSleep(descriptor)
        var failures = 0
        while !drain.hasBegun {
            let result = FCGX_Accept_r(&request)
            if result == -EAGAIN {
                guard sleep.untilConnection() else { return }
                continue
            }
            guard result == 0 else {
                failures += 1
                if failures == 1 { log("accepting failed", ["code": "\(result)"]) }
                poll(nil, 0, Int32(min(1000, failures * 10)))
                continue
            }
            failures = 0
            let length = serve(&request)
            FCGX_Finish_r(&request)
            FCGX_Free(&request, 1)
            // What was made of such a body in small pieces is kept by glibc otherwise.
            if length > Self.largeBody { malloc_trim(0) }
        }
    }

    /// Answers one request.
    ///
    /// - Returns: bytes of its body.
    private func serve(_ request: inout FCGX_Request) -> Int {
        let envp = request.envp
        let parameters = Parameters(
            lookUp: { name in FCGX_GetParam(name, envp).map { String(cString: $0) } },
            all: { Self.pairs(envp) })
        var head = parameters.head
        // A client that left before its parameters were whole: libfcgi hands on those that had come.
        guard !head.method.isEmpty else { return 0 }
        guard let (body, state) = body(of: &request, parameters) else { return 0 }
        head.body = body
        let response = handler(Incoming(request: head, bodyState: state))
        send(response, isHead: head.method == "HEAD", to: request.out)
        return body.count
    }

    /// Bytes of a body from which memory is given back to the system at once.
    private static let largeBody = 1_048_576

    /// The body in one piece of memory that nobody copies; nil when the client has left.
    private func body(
        of request: inout FCGX_Request, _ parameters: Parameters
    ) -> (Data, Incoming.BodyState)? {
        guard let length = parameters.contentLength else { return (Data(), .unknown) }
        guard length <= maximumBodyBytes else { return (Data(), .tooLarge) }
        guard length > 0 else { return (Data(), .whole) }
        guard let memory = malloc(length) else { return (Data(), .tooLarge) }
        var received = 0
        while received < length {
            let wanted = Int32(min(length - received, 1 << 20))
            let count = FCGX_GetStr(
                memory.assumingMemoryBound(to: CChar.self) + received, wanted, request.in)
            guard count > 0 else { break }
            received += Int(count)
        }
        let body = Data(bytesNoCopy: memory, count: received, deallocator: .free)
        if received == length { return (body, .whole) }
        // An error says that the connection broke: nobody is there to read an answer.
        return FCGX_GetError(request.in) == 0 ? (body, .short) : nil
    }

    private func send(
        _ response: Response, isHead: Bool, to stream: UnsafeMutablePointer<FCGX_Stream>?
    ) {
        let (head, isSound) = ResponseHead.bytes(response)
        if !isSound { log("an answer with unsound fields became 500", [:]) }
        put(Array(head.utf8), stream)
        guard isSound, !isHead else { return }
        response.body.withUnsafeBytes { put($0, stream) }
    }

    private func put(_ bytes: some ContiguousBytes, _ stream: UnsafeMutablePointer<FCGX_Stream>?) {
        bytes.withUnsafeBytes { buffer in
            var sent = 0
            while sent < buffer.count {
                let start = buffer.baseAddress?.assumingMemoryBound(to: CChar.self)
                let count = FCGX_PutStr(
                    start?.advanced(by: sent), Int32(min(buffer.count - sent, 1 << 20)), stream)
                guard count > 0 else { return }
                sent += Int(count)
            }
        }
    }

    /// The header fields among the parameters, under their names there.
    private static func pairs(_ envp: FCGX_ParamArray?) -> [(String, String)] {
        var pairs: [(String, String)] = []
        var next = envp
        while let entry = next?.pointee {
            next = next?.advanced(by: 1)
            guard strncmp(entry, "HTTP_", 5) == 0, let equals = strchr(entry, Int32(UInt8(ascii: "="))) else {
                continue
            }
            let bytes = UnsafeRawBufferPointer(start: entry, count: equals - entry)
            pairs.append((String(decoding: bytes, as: UTF8.self), String(cString: equals + 1)))
        }
        return pairs
    }
}

/// Tells the accepting threads that the responder accepts no more.
private final class Drain: Sendable {
    private let isOn = Atomic(false)
    /// Readable once it has begun, for threads that sleep.
    private let wake: Int32

    init() {
        wake = eventfd(0, Int32(EFD_CLOEXEC))
        if wake < 0 { Shortage("descriptor", errno).endProgram() }
    }

    deinit {
        close(wake)
    }

    var hasBegun: Bool { isOn.load(ordering: .acquiring) }

    func begin() {
        isOn.store(true, ordering: .releasing)
        var one: UInt64 = 1
        write(wake, &one, 8)
    }

    /// What one thread sleeps on.
    ///
    /// Of the threads that sleep one is woken for a connection. With a `poll` all were, and all but one for
    /// nothing: that was a third of a delivery's time in the system.
    ///
    /// - SeeAlso: <https://man7.org/linux/man-pages/man2/epoll_ctl.2.html> (`EPOLLEXCLUSIVE`)
    func makeSleep(_ listener: Int32) -> Sleep {
        Sleep(listener, wake)
    }

    struct Sleep: ~Copyable {
        /// Milliseconds after which a thread looks by itself: of two processes at one socket the one that drains
        /// may have been woken for a connection that it leaves.
        private static let longest: Int32 = 1000

        private let set: Int32
        private let listener: Int32

        fileprivate init(_ listener: Int32, _ wake: Int32) {
            self.listener = listener
            set = epoll_create1(Int32(EPOLL_CLOEXEC))
            var waking = epoll_event(events: EPOLLIN.rawValue, data: epoll_data(fd: wake))
            var connecting = epoll_event(
                events: EPOLLIN.rawValue | EPOLLEXCLUSIVE.rawValue, data: epoll_data(fd: listener))
            guard set >= 0, epoll_ctl(set, EPOLL_CTL_ADD, wake, &waking) == 0,
                epoll_ctl(set, EPOLL_CTL_ADD, listener, &connecting) == 0
            else { Shortage("descriptor", errno).endProgram() }
        }

        deinit {
            close(set)
        }

        /// Sleeps until somebody connects, whom another thread may accept first, or the drain begins, or for
        /// a while.
        ///
        /// - Returns: false when the socket is gone.
        func untilConnection() -> Bool {
            var event = epoll_event()
            let count = epoll_wait(set, &event, 1, Self.longest)
            guard count > 0, event.data.fd == listener else { return true }
            return event.events & EPOLLIN.rawValue != 0
        }
    }
}
