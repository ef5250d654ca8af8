import Glibc

/// Threads of the operating system, without a library around them.
package enum Thread {
    /// Bytes of a thread's stack.
    package static let stackBytes = 1_048_576

    /// Runs the closure on a new thread that nobody joins; for threads that a program begins with.
    ///
    /// Ends the program with 75 (try again) where the system has no thread for it.
    package static func start(_ body: @escaping @Sendable () -> Void) {
        do throws(Shortage) {
            try attempt(body)
        } catch {
            error.endProgram()
        }
    }

    /// Runs the closure on a new thread that nobody joins, if the system has one.
    ///
    /// - Throws: ``Shortage`` when it has none; then the closure is not run.
    package static func attempt(
        stackBytes: Int = Thread.stackBytes, _ body: @escaping @Sendable () -> Void
    ) throws(Shortage) {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
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
        guard result == 0 else {
            box.release()
            throw Shortage("thread", result)
        }
    }

    private final class Box: Sendable {
        let body: @Sendable () -> Void

        init(_ body: @escaping @Sendable () -> Void) {
            self.body = body
        }
    }
}

/// The system has no thread or no descriptor left.
package struct Shortage: Error, Equatable, CustomStringConvertible {
    /// What it does not give, and why.
    package let description: String

    /// A shortage of that thing, with the system's error number.
    package init(_ thing: String, _ number: Int32) {
        description = "the system gives no \(thing): \(String(cString: strerror(number)))"
    }

    /// The exit code that says: try again (`docs/operating.md`).
    private static let tryAgain: Int32 = 75

    /// Says it on standard error and ends the program, for what a program cannot begin without.
    package func endProgram() -> Never {
        let line = Array("\(description)\n".utf8)
        write(2, line, line.count)
        exit(Self.tryAgain)
    }
}

/// Counts threads that are still at work.
package final class Workers: Sendable {
    private let left: Gate

    /// That many threads are about to begin.
    package init(count: Int) {
        left = Gate(count)
    }

    /// One thread has ended.
    package func leave() {
        left.add(-1, wakesAll: true)
    }

    /// Waits until all have ended.
    ///
    /// - Returns: false when the time was over first.
    package func wait(atMost time: Duration) -> Bool {
        left.wait(atMost: time) { $0 <= 0 }
    }
}
