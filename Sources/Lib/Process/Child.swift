import CLinux
import Glibc

/// A program that was started.
package struct Child: Sendable {
    /// Its process id, which is its process group's as well.
    package let pid: Int32
    /// Our ends of its pipes.
    let output: Int32
    let errors: Int32?
    let feed: Int32?
    let input: [UInt8]

    /// How a program ended.
    package enum Ending: Hashable, Sendable {
        /// It left with the code.
        case exited(Int)
        /// The signal ended it.
        case killed(signal: Int)

        /// The exit code as a shell gives it: 128 + n for signal n.
        package var code: Int {
            switch self {
            case .exited(let code): code
            case .killed(let signal): 128 + signal
            }
        }
    }

    /// Which of its two streams a piece came on.
    package enum Stream: Sendable {
        case output
        case errors
    }

    /// How a child is looked after.
    package struct Care {
        /// Takes what it writes, piece by piece.
        package var onOutput: (Stream, UnsafeRawBufferPointer) -> Void
        /// Looks at it now and then; whatever must be done to it (a signal) is done there.
        package var onTick: () -> Void
        /// Milliseconds between two looks.
        package var tick: Int32
        /// Milliseconds that are left to whoever holds its pipes after its end.
        package var drain: Int32

        /// Care that looks every tenth of a second.
        package init(
            onOutput: @escaping (Stream, UnsafeRawBufferPointer) -> Void,
            onTick: @escaping () -> Void
        ) {
            self.onOutput = onOutput
            self.onTick = onTick
            tick = 100
            drain = 1000
        }
    }

    /// Sends the signal to its process group.
    package func signalGroup(_ number: Int32) {
        kill(-pid, number)
    }

    /// Feeds it, reads it and waits for its end; call it once.
    package func watch(_ care: Care) -> Ending {
        var io = ChildIO(self)
        // Without it (no descriptor left) every tick asks.
        let end = pidfd_open(pid, 0)
        while true {
            if io.poll(end, care) || (end < 0 && Self.hasEnded(pid)) { break }
            care.onTick()
        }
        if end >= 0 { close(end) }
        io.drain(care)
        return reap()
    }

    /// Whether that child of this process has ended and waits to be reaped.
    package static func hasEnded(_ pid: Int32) -> Bool {
        var info = siginfo_t()
        let result = waitid(P_PID, id_t(pid), &info, WEXITED | WNOHANG | WNOWAIT)
        return result == 0 && info.si_signo == SIGCHLD
    }

    private func reap() -> Ending {
        // Whatever it left in its group goes with it; before it is reaped nobody else can have its number.
        kill(-pid, SIGKILL)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        return porter_exited(status) != 0
            ? .exited(Int(porter_exit_code(status))) : .killed(signal: Int(porter_signal(status)))
    }
}

/// The pipes of one child while it is watched.
private struct ChildIO {
    private var output: Int32
    private var errors: Int32
    private var feed: Int32
    private var input: ArraySlice<UInt8>

    init(_ child: Child) {
        output = child.output
        errors = child.errors ?? -1
        feed = child.feed ?? -1
        input = child.input[...]
        for descriptor in [output, errors, feed] where descriptor >= 0 {
            _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
        }
        if input.isEmpty { closeFeed() }
    }

    /// Moves bytes until something happens or a tick is over; true when the child has ended.
    mutating func poll(_ end: Int32, _ care: Child.Care) -> Bool {
        var polled = [
            pollfd(fd: end, events: Int16(POLLIN), revents: 0),
            pollfd(fd: output, events: Int16(POLLIN), revents: 0),
            pollfd(fd: errors, events: Int16(POLLIN), revents: 0),
            pollfd(fd: feed, events: Int16(POLLOUT), revents: 0),
        ]
        guard Glibc.poll(&polled, nfds_t(polled.count), care.tick) > 0 else { return false }
        if polled[1].revents != 0 { read(&output, .output, care) }
        if polled[2].revents != 0 { read(&errors, .errors, care) }
        if polled[3].revents != 0 { write() }
        return polled[0].revents != 0
    }

    /// Reads what is left after the child's end, and closes everything.
    mutating func drain(_ care: Child.Care) {
        let deadline = ContinuousClock.now + .milliseconds(Int(care.drain))
        while output >= 0 || errors >= 0, ContinuousClock.now < deadline {
            var polled = [
                pollfd(fd: output, events: Int16(POLLIN), revents: 0),
                pollfd(fd: errors, events: Int16(POLLIN), revents: 0),
            ]
            guard Glibc.poll(&polled, 2, 50) > 0 else { continue }
            if polled[0].revents != 0 { read(&output, .output, care) }
            if polled[1].revents != 0 { read(&errors, .errors, care) }
        }
        if output >= 0 { close(output) }
        if errors >= 0 { close(errors) }
        closeFeed()
    }

    private func read(_ descriptor: inout Int32, _ stream: Child.Stream, _ care: Child.Care) {
        let from = descriptor
        let count = withUnsafeTemporaryAllocation(byteCount: 65_536, alignment: 1) { buffer in
            let count = Glibc.read(from, buffer.baseAddress, buffer.count)
            if count > 0 { care.onOutput(stream, UnsafeRawBufferPointer(rebasing: buffer[..<count])) }
            return count
        }
        let isOver = count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)
        if isOver {
            close(descriptor)
            descriptor = -1
        }
    }

    private mutating func write() {
        let descriptor = feed
        let count = input.withUnsafeBytes { buffer in
            SilentPipe.write { Glibc.write(descriptor, buffer.baseAddress, buffer.count) }
        }
        if count > 0 { input = input.dropFirst(count) }
        let isOver = count < 0 && errno != EAGAIN && errno != EINTR
        if input.isEmpty || isOver { closeFeed() }
    }

    private mutating func closeFeed() {
        if feed >= 0 { close(feed) }
        feed = -1
    }
}

/// Writing to a pipe that nobody reads any more, without a SIGPIPE for the whole program.
private enum SilentPipe {
    /// Blocks the signal in this thread for the write, and takes the one that the write caused.
    static func write(_ body: () -> Int) -> Int {
        var pipe = sigset_t()
        sigemptyset(&pipe)
        sigaddset(&pipe, SIGPIPE)
        var before = sigset_t()
        pthread_sigmask(SIG_BLOCK, &pipe, &before)
        let count = body()
        let number = errno
        if count < 0, number == EPIPE {
            var none = timespec()
            sigtimedwait(&pipe, nil, &none)
        }
        pthread_sigmask(SIG_SETMASK, &before, nil)
        errno = number
        return count
    }
}
