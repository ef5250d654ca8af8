import CLinux
import Glibc

/// Other programs, and threads: how they are begun, watched and ended.
///
/// ``Command`` says what to start, ``Child`` is what was started, ``Child/watch(_:)`` looks after it until its
/// end. A child inherits nothing that is not named: no descriptor, no variable, no blocked signal.
package struct ProcessError: Error, Equatable, CustomStringConvertible {
    /// The program's path.
    package let program: String
    /// The system's error number.
    package let number: Int32

    /// What could not be started and why.
    package var description: String { "cannot start \(program): \(String(cString: strerror(number)))" }

    /// The system refused with that error number.
    package init(_ program: String, _ number: Int32) {
        self.program = program
        self.number = number
    }
}

/// A program and everything that it gets.
package struct Command: Sendable {
    /// Its absolute path.
    package var program: String
    /// What follows the name.
    package var arguments: [String]
    /// All of its environment.
    package var environment: [String: String]
    /// Where it starts, an absolute path; nil is our own working directory.
    package var directory: String?
    /// What stands on its standard input; nil is `/dev/null`.
    package var input: [UInt8]?
    /// Further descriptors: the child's number and ours.
    package var descriptors: [(child: Int32, ours: Int32)]
    /// Whether what it writes on standard error joins its standard output.
    package var joinsErrors: Bool
    /// Whether it leads a session of its own, not only a process group.
    package var hasOwnSession: Bool

    /// A program with its arguments.
    package init(
        _ program: String, _ arguments: [String], environment: [String: String],
        directory: String? = nil, input: [UInt8]? = nil
    ) {
        self.program = program
        self.arguments = arguments
        self.environment = environment
        self.directory = directory
        self.input = input
        descriptors = []
        joinsErrors = false
        hasOwnSession = false
    }

    /// Starts the program in a process group of its own.
    ///
    /// - Throws: ``ProcessError`` when the system cannot start it.
    package func start() throws(ProcessError) -> Child {
        let (output, errors, feed) = try pipes()
        defer {
            close(output.writing)
            if let errors { close(errors.writing) }
            if let feed { close(feed.reading) }
        }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let feed {
            posix_spawn_file_actions_adddup2(&actions, feed.reading, 0)
        } else {
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        }
        posix_spawn_file_actions_adddup2(&actions, output.writing, 1)
        posix_spawn_file_actions_adddup2(&actions, errors?.writing ?? output.writing, 2)
        var highest: Int32 = 2
        // Copies out of the way of the child's numbers, so that no copy overwrites the source of another.
        let sources = descriptors.map { fcntl($0.ours, F_DUPFD_CLOEXEC, Self.firstCopy) }
        defer { for source in sources { close(source) } }
        for (descriptor, source) in zip(descriptors, sources) {
            posix_spawn_file_actions_adddup2(&actions, source, descriptor.child)
            highest = max(highest, descriptor.child)
        }
        let given = Set(descriptors.map(\.child))
        for gap in 3..<max(3, highest) where !given.contains(gap) {
            posix_spawn_file_actions_addclose(&actions, gap)
        }
        porter_spawn_close_from(&actions, highest + 1)
        if let directory { porter_spawn_directory(&actions, directory) }
        var pid = pid_t()
        let result = spawn(&pid, &actions)
        guard result == 0 else {
            close(output.reading)
            if let errors { close(errors.reading) }
            if let feed { close(feed.writing) }
            throw ProcessError(program, result)
        }
        return Child(
            pid: pid, output: output.reading, errors: errors?.reading, feed: feed?.writing,
            input: input ?? [])
    }

    /// The lowest number of a copied descriptor, above any that a child is given.
    private static let firstCopy: Int32 = 64

    private func spawn(
        _ pid: inout pid_t, _ actions: inout posix_spawn_file_actions_t
    ) -> Int32 {
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes,
            Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF)
                | (hasOwnSession ? porter_spawn_session : Int16(POSIX_SPAWN_SETPGROUP)))
        let variables = environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        return Self.withCStrings([program] + arguments) { argv in
            Self.withCStrings(variables) { envp in
                posix_spawn(&pid, program, &actions, &attributes, argv, envp)
            }
        }
    }

    private typealias Pipe = (reading: Int32, writing: Int32)

    /// All pipes or, when the system has no room for them, none.
    private func pipes() throws(ProcessError) -> (output: Pipe, errors: Pipe?, feed: Pipe?) {
        var made: [Pipe] = []
        for _ in 0..<(1 + (joinsErrors ? 0 : 1) + (input == nil ? 0 : 1)) {
            var ends: [Int32] = [0, 0]
            guard porter_pipe(&ends) == 0 else {
                let number = errno
                for pipe in made {
                    close(pipe.reading)
                    close(pipe.writing)
                }
                throw ProcessError(program, number)
            }
            made.append((ends[0], ends[1]))
        }
        return (made[0], joinsErrors ? nil : made[1], input == nil ? nil : made[made.count - 1])
    }

    private static func withCStrings(
        _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Int32
    ) -> Int32 {
        var pointers: [UnsafeMutablePointer<CChar>?] = strings.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        return pointers.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return ENOMEM }
            return body(UnsafePointer(base))
        }
    }
}
