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
    /// Requests that wait for their answer at most; beyond that no more are accepted until one is answered.
    package var mostWaiting = 256
    /// Answers one request by calling its last argument once: at once, or later from any thread.
    ///
    /// A thread does not wait for an answer that comes later: it serves others meanwhile.
    package var handler: Handler

    /// What answers requests.
    package typealias Handler =
        @Sendable (Incoming, _ respond: @escaping @Sendable (Response) -> Void) -> Void

    /// A responder with that many threads.
    package init(
        threads: Int, log: @escaping @Sendable (String, [String: String]) -> Void,
        handler: @escaping Handler
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

    /// Bytes of a body from which memory is given back to the system at once.
    static let largeBody = 1_048_576
    /// Pools of freed memory that glibc keeps at most.
    private static let mostArenas: Int32 = 3

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
        let desk = Desk()
        let workers = Workers(count: threads)
        for _ in 0..<threads {
            Thread.start {
                work(descriptor, drain, desk)
                workers.leave()
            }
        }
        until()
        drain.begin()
        whenDraining()
        return workers.wait(atMost: drainDeadline)
    }

    /// Accepts, serves, and sends what was answered meanwhile, until the responder has drained.
    private func work(_ descriptor: Int32, _ drain: Drain, _ desk: Desk) {
        let sleep = drain.makeSleep(descriptor, desk.bell)
        var spare: Conversation?
        var failures = 0
        var hasYielded = false
        while true {
            if let (conversation, response) = desk.take() {
                finish(conversation, response)
                spare = conversation
                continue
            }
            guard !drain.hasBegun else {
                guard desk.waiting > 0 else { return }
                desk.sleep()
                continue
            }
            guard desk.waiting < mostWaiting else {
                desk.sleep()
                continue
            }
            let conversation = spare ?? Conversation(descriptor)
            spare = conversation
            let result = conversation.accept()
            if result == -EAGAIN {
                // Under load somebody is about to connect. Who lets them run once, and looks again, need not sleep and
                // be woken for each: that cost as much as a delivery's signature.
                if !hasYielded {
                    hasYielded = true
                    sched_yield()
                    continue
                }
                hasYielded = false
                switch sleep.untilSomethingIsToDo() {
                case .answer: desk.hush()
                case .connection, .nothing: break
                case .noSocket: return
                }
                continue
            }
            guard result == 0 else {
                failures += 1
                if failures == 1 { log("accepting failed", ["code": "\(result)"]) }
                poll(nil, 0, Int32(min(1000, failures * 10)))
                continue
            }
            failures = 0
            hasYielded = false
            if !serve(conversation, desk) { spare = nil }
        }
    }

    /// Has one request answered.
    ///
    /// - Returns: whether the conversation is over.
    private func serve(_ conversation: Conversation, _ desk: Desk) -> Bool {
        guard let incoming = conversation.read(atMost: maximumBodyBytes) else {
            conversation.end()
            return true
        }
        let turn = Turn(conversation, desk)
        handler(incoming) { turn.answer($0) }
        guard let response = turn.leave() else { return false }
        finish(conversation, response)
        return true
    }

    private func finish(_ conversation: Conversation, _ response: Response) {
        if !conversation.send(response) { log("an answer with unsound fields became 500", [:]) }
        conversation.end()
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

    /// What one thread sleeps on: the end, a connection, an answer to send.
    ///
    /// Of the threads that sleep one is woken for a connection. With a `poll` all were, and all but one for
    /// nothing: that was a third of a delivery's time in the system.
    ///
    /// - SeeAlso: <https://man7.org/linux/man-pages/man2/epoll_ctl.2.html> (`EPOLLEXCLUSIVE`)
    func makeSleep(_ listener: Int32, _ bell: Int32) -> Sleep {
        Sleep(listener, bell, wake)
    }

    struct Sleep: ~Copyable {
        /// Milliseconds after which a thread looks by itself: of two processes at one socket the one that drains
        /// may have been woken for a connection that it leaves.
        private static let longest: Int32 = 1000

        private let set: Int32
        private let listener: Int32
        private let bell: Int32

        fileprivate init(_ listener: Int32, _ bell: Int32, _ wake: Int32) {
            self.listener = listener
            self.bell = bell
            set = epoll_create1(Int32(EPOLL_CLOEXEC))
            var waking = epoll_event(events: EPOLLIN.rawValue, data: epoll_data(fd: wake))
            var connecting = epoll_event(
                events: EPOLLIN.rawValue | EPOLLEXCLUSIVE.rawValue, data: epoll_data(fd: listener))
            var answering = epoll_event(
                events: EPOLLIN.rawValue | EPOLLEXCLUSIVE.rawValue, data: epoll_data(fd: bell))
            guard set >= 0, epoll_ctl(set, EPOLL_CTL_ADD, wake, &waking) == 0,
                epoll_ctl(set, EPOLL_CTL_ADD, listener, &connecting) == 0,
                epoll_ctl(set, EPOLL_CTL_ADD, bell, &answering) == 0
            else { Shortage("descriptor", errno).endProgram() }
        }

        deinit {
            close(set)
        }

        enum Finding {
            /// Somebody connects, whom another thread may accept first.
            case connection
            /// An answer is to be sent, which another thread may do first.
            case answer
            /// The drain begins, or the longest time is over.
            case nothing
            case noSocket
        }

        /// Sleeps until there is something to look at, or for a while.
        func untilSomethingIsToDo() -> Finding {
            var event = epoll_event()
            guard epoll_wait(set, &event, 1, Self.longest) > 0 else { return .nothing }
            switch event.data.fd {
            case bell: return .answer
            case listener: return event.events & EPOLLIN.rawValue != 0 ? .connection : .noSocket
            default: return .nothing
            }
        }
    }
}
