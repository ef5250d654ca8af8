import Glibc
import PorterTestSupport
import Synchronization
import Testing

@testable import PorterProcess

/// A shell line as a command.
func shell(_ line: String, _ arguments: String..., input: [UInt8]? = nil) -> Command {
    Command("/bin/sh", ["-c", line, "sh"] + arguments, environment: ["PATH": "/usr/bin:/bin"], input: input)
}

/// Whether no process of that id does anything any more.
func isGone(_ pid: Int32) -> Bool {
    guard kill(pid, 0) == 0 else { return true }
    guard let file = fopen("/proc/\(pid)/stat", "re") else { return true }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 512)
    let count = fread(&bytes, 1, bytes.count, file)
    let words = String(decoding: bytes[..<count], as: UTF8.self).split(separator: " ")
    return words.count < 3 || words[2] == "Z"
}

@Suite struct InheritanceTests {
    @Test func `a child has the variables that it is given and no other`() throws {
        var command = Command("/usr/bin/env", [], environment: ["B": "two words", "A": "1=2", "EMPTY": ""])
        #expect(try command.run(timeout: .seconds(20)).text == "A=1=2\nB=two words\nEMPTY=")
        command.environment = [:]
        #expect(try command.run(timeout: .seconds(20)).text.isEmpty)
    }

    /// Prints which of its descriptors from 3 on are open.
    private static let listing =
        "i=3; while [ $i -lt 130 ]; do [ -e /proc/$$/fd/$i ] && echo $i; i=$((i+1)); done; true"

    @Test func `a child has no descriptor but its three`() throws {
        let leak = open("/dev/null", O_RDONLY)
        defer { close(leak) }
        let high = fcntl(leak, F_DUPFD, 100)
        defer { close(high) }
        #expect(try shell(Self.listing).run(timeout: .seconds(20)).text.isEmpty)
        let zero = try shell("readlink /proc/self/fd/0").run(timeout: .seconds(20))
        #expect(zero.text == "/dev/null")
    }

    @Test func `a descriptor that is handed over comes under its number, and none between`() throws {
        // Low numbers that are open and not closed on exec.
        let leaks = (0..<12).map { _ in open("/dev/null", O_RDONLY) }
        defer { for leak in leaks { close(leak) } }
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        defer { close(ends[0]) }
        write(ends[1], "handed\n", 7)
        close(ends[1])
        var command = shell(Self.listing + "; cat <&5; readlink /proc/self/fd/9")
        command.descriptors = [(child: 9, ours: leaks[0]), (child: 5, ours: ends[0])]
        #expect(try command.run(timeout: .seconds(20)).text == "5\n9\nhanded\n/dev/null")
    }

    @Test func `two descriptors may swap numbers`() throws {
        try TemporaryFolder.use { folder in
            let one = open(try folder.write("one\n", to: "1"), O_RDONLY)
            let two = open(try folder.write("two\n", to: "2"), O_RDONLY)
            defer {
                close(one)
                close(two)
            }
            guard one < 60, two < 60 else { return }
            var command = shell("cat /proc/$$/fd/\(one) /proc/$$/fd/\(two)")
            command.descriptors = [(child: one, ours: two), (child: two, ours: one)]
            #expect(try command.run(timeout: .seconds(20)).text == "two\none")
        }
    }

    @Test func `no signal is blocked or ignored in a child`() throws {
        var blocked = sigset_t()
        sigemptyset(&blocked)
        sigaddset(&blocked, SIGTERM)
        sigaddset(&blocked, SIGUSR1)
        var before = sigset_t()
        pthread_sigmask(SIG_BLOCK, &blocked, &before)
        signal(SIGUSR2, SIG_IGN)
        defer {
            pthread_sigmask(SIG_SETMASK, &before, nil)
            signal(SIGUSR2, SIG_DFL)
        }
        let capture = try Command("/bin/cat", ["/proc/self/status"], environment: [:]).run(
            timeout: .seconds(20))
        func mask(_ name: String) -> UInt64? {
            capture.text.split(separator: "\n").first { $0.hasPrefix(name + ":\t") }
                .flatMap { UInt64($0.dropFirst(name.count + 2), radix: 16) }
        }
        #expect(mask("SigBlk") == 0)
        // 32 and 33 are the C library's own, which it sets so in every child.
        #expect(mask("SigIgn").map { $0 & ~0x1_8000_0000 } == 0)
    }

    @Test func `a child leads a process group of its own`() throws {
        let child = try shell("cut -d' ' -f5 /proc/$$/stat").start()
        let text = Mutex("")
        let ending = child.watch(
            Child.Care(
                onOutput: { _, bytes in
                    let piece = String(decoding: bytes, as: UTF8.self)
                    text.withLock { $0 += piece }
                }, onTick: {}))
        #expect(ending == .exited(0))
        #expect(text.withLock { $0 } == "\(child.pid)\n")
    }

    @Test func `arguments and folder are handed over as they are`() throws {
        var command = shell("printf '%s|' \"$@\"; pwd", "a b", "", "$HOME", "'\"`\\", "é\n")
        command.directory = "/usr"
        #expect(try command.run(timeout: .seconds(20)).text == "a b||$HOME|'\"`\\|é\n|/usr")
    }
}

@Suite struct CommandRunTests {
    @Test func `input goes in, both streams come out apart`() throws {
        let capture = try shell("cat; echo to errors >&2", input: Array("hello\n".utf8)).run(
            timeout: .seconds(20))
        #expect(capture.isGood)
        #expect(capture.output == Array("hello\n".utf8))
        #expect(capture.errors == Array("to errors\n".utf8))
        #expect(capture.text == "hello")
        #expect(capture.lastError == "to errors")
    }

    @Test func `errors may join the output`() throws {
        var command = shell("echo one; echo two >&2; echo three")
        command.joinsErrors = true
        let capture = try command.run(timeout: .seconds(20))
        #expect(capture.text == "one\ntwo\nthree")
        #expect(capture.errors.isEmpty)
    }

    @Test func `five megabytes go through in both directions`() throws {
        let input = (0..<5_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let capture = try Command("/bin/cat", [], environment: [:], input: input)
            .run(timeout: .seconds(60), mostOutput: 5_000_000)
        #expect(capture.isGood)
        #expect(capture.output == input)
    }

    @Test func `empty input is an end of file`() throws {
        #expect(try Command("/bin/cat", [], environment: [:], input: []).run(timeout: .seconds(20)).isGood)
    }

    @Test func `a child that does not read its input harms nobody`() async {
        await #expect(processExitsWith: .exitCode(0)) {
            let input = [UInt8](repeating: 120, count: 5_000_000)
            for line in ["exec <&-; sleep 0.3; exit 3", "exit 3", "head -c 1 >/dev/null; exit 3"] {
                let capture = try shell(line, input: input).run(timeout: .seconds(20))
                guard capture.ending == .exited(3) else { exit(1) }
            }
            exit(0)
        }
    }

    @Test(arguments: [
        ("exit 0", Child.Ending.exited(0), 0), ("exit 7", .exited(7), 7), ("exit 255", .exited(255), 255),
        ("kill -9 $$", .killed(signal: 9), 137), ("kill -15 $$", .killed(signal: 15), 143),
        ("kill -11 $$", .killed(signal: 11), 139),
    ])
    func `the ending tells code and signal`(line: String, ending: Child.Ending, code: Int) throws {
        let capture = try shell(line).run(timeout: .seconds(20))
        #expect(capture.ending == ending)
        #expect(capture.ending.code == code)
        #expect(capture.isGood == (code == 0))
    }

    @Test(arguments: [
        ("/nowhere/program", ENOENT), ("/etc/passwd", EACCES), ("/", EACCES), ("", ENOENT),
    ])
    func `what cannot be started says so`(program: String, number: Int32) {
        let error = #expect(throws: ProcessError.self) {
            try Command(program, [], environment: [:], input: [1]).run(timeout: .seconds(20))
        }
        #expect(error?.program == program)
        #expect(error?.number == number)
        #expect(error?.description == "cannot start \(program): \(String(cString: strerror(number)))")
    }

    @Test func `a folder that is not there is an error as well`() {
        var command = shell("true")
        command.directory = "/nowhere"
        #expect(throws: ProcessError.self) { try command.run(timeout: .seconds(20)) }
    }

    @Test func `failed starts leave no descriptor open`() async {
        await #expect(processExitsWith: .exitCode(0)) {
            // No gaps below, so that a limit tells how many pipes there is room for.
            while dup(0) < 100 {}
            // A leak shows twenty times; a few may be the test library's own, come and gone.
            func count() -> Int { (0..<512).filter { fcntl($0, F_GETFD) >= 0 }.count }
            let most = count() + 10
            for _ in 0..<20 {
                _ = try? Command("/nowhere", [], environment: [:], input: [1]).start()
            }
            guard count() <= most else { exit(1) }
            // No room for all pipes.
            for more in 0..<6 {
                for _ in 0..<20 {
                    let next = dup(0)
                    close(next)
                    var limit = rlimit(rlim_cur: rlim_t(Int(next) + more), rlim_max: 4096)
                    setrlimit(__rlimit_resource_t(7), &limit)
                    let child = try? Command("/bin/true", [], environment: [:], input: [1]).start()
                    limit.rlim_cur = 4096
                    setrlimit(__rlimit_resource_t(7), &limit)
                    _ = child?.watch(Child.Care(onOutput: { _, _ in }, onTick: {}))
                }
                guard count() <= most else { exit(2) }
            }
            exit(0)
        }
    }

    @Test func `a run with no descriptor left for watching ends all the same`() async {
        await #expect(processExitsWith: .exitCode(0)) {
            let child = try shell("exit 5").start()
            let next = dup(0)
            close(next)
            var limit = rlimit(rlim_cur: rlim_t(next), rlim_max: 4096)
            setrlimit(__rlimit_resource_t(7), &limit)
            let deadline = ContinuousClock.now + .seconds(20)
            let ending = child.watch(
                Child.Care(onOutput: { _, _ in }, onTick: { if ContinuousClock.now > deadline { exit(1) } }))
            exit(ending == .exited(5) ? 0 : 2)
        }
    }

    @Test func `over its time a run is ended with its whole group`() throws {
        let start = ContinuousClock.now
        let capture = try shell("sleep 1000 & echo $!; echo $$; sleep 1000").run(timeout: .milliseconds(400))
        #expect(capture.wasTimedOut && !capture.isGood && !capture.wasCancelled && !capture.wasTooLong)
        #expect(capture.ending == .killed(signal: Int(SIGTERM)))
        #expect(ContinuousClock.now - start < .seconds(15))
        let pids = capture.text.split(separator: "\n").compactMap { Int32($0) }
        #expect(pids.count == 2)
        for pid in pids { #expect(eventually { isGone(pid) }) }
    }

    @Test func `one that takes no notice of SIGTERM is killed`() throws {
        let start = ContinuousClock.now
        let capture = try shell("trap '' TERM; echo $$; while true; do sleep 1; done").run(
            timeout: .milliseconds(300))
        #expect(capture.ending == .killed(signal: Int(SIGKILL)))
        let time = ContinuousClock.now - start
        #expect(time > .milliseconds(Command.killDelay))
        #expect(time < .seconds(20))
        let pid = try #require(Int32(capture.text))
        #expect(eventually { isGone(pid) })
    }

    @Test func `output over the limit ends a run and is cut there`() throws {
        let capture = try shell("while true; do echo 0123456789; done").run(
            timeout: .seconds(30), mostOutput: 1000)
        #expect(capture.wasTooLong && !capture.isGood && !capture.wasTimedOut)
        #expect(capture.output.count == 1000)
        let whole = try shell("printf 0123456789").run(timeout: .seconds(20), mostOutput: 10)
        #expect(whole.isGood)
    }

    @Test func `of the errors the last bytes are kept`() throws {
        let capture = try shell("i=0; while [ $i -lt 3000 ]; do echo line $i >&2; i=$((i+1)); done")
            .run(timeout: .seconds(60))
        #expect(capture.isGood)
        #expect(capture.errors.count == Command.keptErrors)
        #expect(capture.lastError == "line 2999")
    }

    @Test func `a caller that loses interest ends the run`() throws {
        let start = ContinuousClock.now
        let capture = try shell("sleep 1000").run(timeout: .seconds(60)) {
            ContinuousClock.now - start > .milliseconds(300)
        }
        #expect(capture.wasCancelled && !capture.wasTimedOut && !capture.isGood)
        #expect(capture.ending == .killed(signal: Int(SIGTERM)))
        #expect(ContinuousClock.now - start < .seconds(15))
    }

    @Test func `what is left behind with the pipes open is not waited for, and killed`() throws {
        let start = ContinuousClock.now
        let capture = try shell("sleep 1000 & echo $!").run(timeout: .seconds(60))
        #expect(capture.isGood)
        #expect(ContinuousClock.now - start < .seconds(15))
        let pid = try #require(Int32(capture.text))
        #expect(eventually { isGone(pid) })
    }

    @Test func `what is written at the very end is read`() throws {
        for _ in 0..<20 {
            let capture = try shell("head -c 300000 /dev/zero; echo end >&2").run(timeout: .seconds(20))
            #expect(capture.output.count == 300_000)
            #expect(capture.lastError == "end")
        }
    }
}
