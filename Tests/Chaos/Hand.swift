import CLinux
import Glibc
import Porter

/// A child process in the parent's hands: one order at a time, and every call and moment of it waits for us.
final class Hand {
    /// What a child is at.
    enum Event {
        case call(name: String, arguments: [UInt8])
        case moment(String)
        case wait(until: Instant)
        case done(Reader)
        case died
    }

    /// An order under way.
    struct Flight {
        let order: Order
        /// What the child waits for us with.
        ///
        /// It is awaited at once, so that of all processes one works at a time and a seed decides everything.
        var waiting: Event
        let whenDone: (inout Reader) -> Void
        let whenDead: () -> Void
    }

    let name: String
    private let arguments: [String]
    private(set) var pid: pid_t = 0
    private var line = Line(descriptor: -1)
    private(set) var flight: Flight?

    init(name: String, arguments: [String]) {
        self.name = name
        self.arguments = arguments
    }

    var isIdle: Bool { flight == nil }

    /// Starts a fresh process.
    func start(seed: UInt64, at time: Moment) {
        var ends: [Int32] = [0, 0]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0 else { fail("socketpair") }
        _ = fcntl(ends[0], F_SETFD, FD_CLOEXEC)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_adddup2(&actions, ends[1], Harness.lineOfChild)
        _ = porter_spawn_close_from(&actions, Harness.lineOfChild + 1)
        let words =
            ["porter-chaos", "--child", String(seed), String(time.porter.milliseconds), String(time.uptime)]
            + arguments
        var pointers: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        var empty: [UnsafeMutablePointer<CChar>?] = [nil]
        let code = posix_spawn(&pid, "/proc/self/exe", &actions, nil, &pointers, &empty)
        for pointer in pointers { free(pointer) }
        posix_spawn_file_actions_destroy(&actions)
        close(ends[1])
        guard code == 0 else { fail("posix_spawn: \(String(cString: strerror(code)))") }
        line = Line(descriptor: ends[0])
        flight = nil
    }

    /// Ends the process at once and waits until it is gone.
    func kill() {
        guard pid > 0 else { return }
        Glibc.kill(pid, SIGKILL)
        bury()
    }

    private func bury() {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
        close(line.descriptor)
        pid = 0
    }

    /// Gives an order; what it comes to is told later.
    func give(
        _ order: Order, at time: Moment, _ arguments: Writer = Writer(),
        whenDone: @escaping (inout Reader) -> Void = { _ in }, whenDead: @escaping () -> Void = {}
    ) {
        precondition(isIdle && pid > 0, "\(name) has its hands full")
        var message = Writer()
        message.put(order, time)
        line.send(message.bytes + arguments.bytes)
        flight = Flight(order: order, waiting: next(), whenDone: whenDone, whenDead: whenDead)
    }

    private func next() -> Event {
        guard let message = line.receive() else { return .died }
        var reader = Reader(message)
        switch Word(rawValue: reader.byte()) {
        case .call: return .call(name: reader.get(), arguments: reader.raw())
        case .wait: return .wait(until: reader.get())
        case .moment: return .moment(reader.get())
        case .done: return .done(reader)
        case nil: fail("\(name) says what nobody understands")
        }
    }

    /// Answers a call.
    func answer(_ bytes: [UInt8], at time: Moment) {
        var message = Writer()
        message.put(time)
        line.send(message.bytes + bytes)
        flight?.waiting = next()
    }

    /// Lets a child go on that has waited.
    func answerWait(at time: Moment) {
        var message = Writer()
        message.put(time)
        line.send(message.bytes)
        flight?.waiting = next()
    }

    /// Lets the child go on, or die by its own hand, and waits for that.
    func answer(mayLive: Bool, at time: Moment) {
        var message = Writer()
        message.put(time, mayLive)
        line.send(message.bytes)
        flight?.waiting = next()
    }

    /// The order is at its end: tells who waits for it.
    func finish() {
        guard let flight else { return }
        self.flight = nil
        switch flight.waiting {
        case .done(var reader): flight.whenDone(&reader)
        case .died:
            bury()
            flight.whenDead()
        case .call, .moment, .wait: fail("\(name) is not done")
        }
    }

    /// Kills the process in the middle of what it waits for.
    func cut() {
        let interrupted = flight
        kill()
        flight = nil
        interrupted?.whenDead()
    }
}

/// One moment by both clocks.
struct Moment: Wire {
    /// What Porter's machine shows, right or wrong.
    var porter: Instant
    /// Milliseconds since that machine was started, which no change of its clock touches.
    var uptime: Int64

    init(porter: Instant, uptime: Int64) {
        self.porter = porter
        self.uptime = uptime
    }

    func put(into writer: inout Writer) { writer.put(porter, uptime) }
    init(from reader: inout Reader) { self.init(porter: reader.get(), uptime: reader.get()) }
}

/// Ends the harness itself; no finding about Porter.
func fail(_ words: String) -> Never {
    Harness.say("porter-chaos: \(words)")
    _exit(70)
}
