import Foundation
import Glibc
import PorterProcess
import PorterTestSupport
import Synchronization
import Testing

@testable import PorterFastCGI

/// The real `porter-fcgi` as a process of its own.
private final class Program: Sendable {
    private let child: Child
    private let written = Mutex<[UInt8]>([])
    private let ended = DispatchSemaphore(value: 0)
    private let ending = Mutex<Child.Ending?>(nil)

    static func environment(_ folder: TemporaryFolder, _ more: [String: String] = [:]) -> [String: String] {
        [
            "PORTER_PUBLIC_URL": "http://127.0.0.1:1",
            "PORTER_SECRET_KEYS": "k:" + Data(repeating: 0, count: 32).base64EncodedString(),
            "PORTER_DATABASE": folder.file("porter.sqlite"),
            "PORTER_RUNNER_SOCKET": folder.file("runner.sock"),
        ].merging(more) { $1 }
    }

    /// Starts it with that socket, if any, as its descriptor 0.
    init(_ folder: TemporaryFolder, socket: Int32?, _ more: [String: String] = [:]) throws {
        var command = Command(
            try Programs.path("porter-fcgi"), [], environment: Self.environment(folder, more))
        if let socket { command.descriptors = [(child: 0, ours: socket)] }
        child = try command.start()
        PorterProcess.Thread.start {
            let found = self.child.watch(
                Child.Care(
                    onOutput: { _, bytes in self.written.withLock { $0 += bytes } }, onTick: {}))
            self.ending.withLock { $0 = found }
            self.ended.signal()
        }
    }

    var text: String { written.withLock { String(decoding: $0, as: UTF8.self) } }

    func signal(_ number: Int32) { kill(child.pid, number) }

    /// Kilobytes of memory that it uses now.
    var resident: Int {
        let status = (try? String(contentsOfFile: "/proc/\(child.pid)/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") } ?? ""
        return Int(line.filter(\.isNumber)) ?? 0
    }

    /// How it ended; nil when it did not within the time, and then it is killed.
    func end(within seconds: Double) -> Child.Ending? {
        guard ended.wait(timeout: .now() + seconds) == .success else {
            kill(child.pid, SIGKILL)
            return nil
        }
        return ending.withLock { $0 }
    }
}

@Suite struct ProgramTests {
    private let folder: TemporaryFolder
    private static let health = [("REQUEST_METHOD", "GET"), ("REQUEST_URI", "/healthz")]

    init() throws {
        folder = try TemporaryFolder()
    }

    private func listen(_ name: String) throws -> (descriptor: Int32, path: String) {
        let path = folder.file(name)
        guard case .listening(let descriptor) = try Ingress.find(environment: [:], address: path) else {
            throw POSIXError(.EINVAL)
        }
        return (descriptor, path)
    }

    private func ask(_ path: String) throws -> Answer? { try FastCGIClient.ask(path, Self.health) }

    @Test func `a listening descriptor 0 comes before the address and before CGI`() throws {
        let (socket, path) = try listen("inherited.sock")
        defer { close(socket) }
        let other = folder.file("other.sock")
        let program = try Program(
            folder, socket: socket, ["PORTER_FCGI_SOCKET": other, "REQUEST_METHOD": "GET"])

        #expect(try ask(path)?.status == "Status: 200 OK")

        #expect(access(other, F_OK) != 0)
        program.signal(SIGTERM)
        #expect(program.end(within: 20) == .exited(0))
    }

    @Test func `the address is served where nothing is inherited, and left by SIGINT`() throws {
        let path = folder.file("own.sock")
        let program = try Program(folder, socket: nil, ["PORTER_FCGI_SOCKET": path, "REQUEST_METHOD": "GET"])
        #expect(eventually { FastCGIClient.isListening(at: path) }, "it does not listen")

        #expect(try ask(path)?.status == "Status: 200 OK")

        program.signal(SIGINT)
        #expect(program.end(within: 20) == .exited(0))
    }

    private func runOnce(_ more: [String: String], input: [UInt8] = []) throws -> Capture {
        let command = Command(
            try Programs.path("porter-fcgi"), [], environment: Program.environment(folder, more),
            input: input)
        return try command.run(timeout: .seconds(60))
    }

    @Test func `as a CGI program it answers the one request on standard output`() throws {
        let result = try runOnce(["REQUEST_METHOD": "GET", "REQUEST_URI": "/healthz"])

        #expect(result.ending == .exited(0))
        let answer = try #require(Answer(Data(result.output)))
        #expect(answer.status == "Status: 200 OK")
        #expect(answer.head.contains("Content-Length: \(answer.body.count)"))
    }

    @Test func `as a CGI program it reads the body and keeps to HEAD`() throws {
        let head = try runOnce(["REQUEST_METHOD": "HEAD", "REQUEST_URI": "/healthz"])
        #expect(Answer(Data(head.output))?.status == "Status: 200 OK")
        #expect(Answer(Data(head.output))?.body.isEmpty == true)

        let post = ["REQUEST_METHOD": "POST", "REQUEST_URI": "/api/callbacks/claim"]
        let large = try runOnce(post.merging(["CONTENT_LENGTH": "26214401"]) { $1 }, input: [1])
        // The worker's token comes before the body.
        #expect(Answer(Data(large.output))?.status == "Status: 401 Unauthorized")
        let webhook = ["REQUEST_METHOD": "POST", "REQUEST_URI": "/api/webhooks/github"]
        let delivery = try runOnce(
            webhook.merging(["CONTENT_LENGTH": "26214401"]) { $1 }, input: [1])
        #expect(Answer(Data(delivery.output))?.status == "Status: 413 Content Too Large")
    }

    /// A port of loopback where GitHub is awaited.
    private func listenForGitHub() throws -> (descriptor: Int32, port: UInt16) {
        guard case .listening(let descriptor) = try Ingress.find(environment: [:], address: "127.0.0.1:0")
        else { throw POSIXError(.EINVAL) }
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let named = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        try #require(named == 0)
        return (descriptor, UInt16(bigEndian: address.sin_port))
    }

    @Test func `as a CGI program it does not ask GitHub about the App`() throws {
        let (listener, port) = try listenForGitHub()
        defer { close(listener) }
        let key = folder.file("app.pem")
        let made = try Command("/usr/bin/openssl", ["genrsa", "-out", key, "2048"], environment: [:])
            .run(timeout: .seconds(60))
        try #require(made.isGood)
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let program = try Program(
            folder, socket: ends[0],
            [
                "REQUEST_METHOD": "POST", "REQUEST_URI": "/api/webhooks/github", "CONTENT_LENGTH": "2",
                "PORTER_GITHUB_API_URL": "http://127.0.0.1:\(port)", "PORTER_GITHUB_APP_ID": "1",
                "PORTER_GITHUB_APP_PRIVATE_KEY_FILE": key, "PORTER_GITHUB_CLIENT_ID": "c",
                "PORTER_GITHUB_CLIENT_SECRET": "s", "PORTER_GITHUB_WEBHOOK_SECRET": "w",
            ])
        #expect(write(ends[1], "{", 1) == 1)
        // Once it reads the body it has begun everything that it begins.
        #expect(
            eventually {
                var left: Int32 = 1
                return ioctl(ends[0], UInt(FIONREAD), &left) == 0 && left == 0
            }, "it reads no body")

        var polled = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
        #expect(poll(&polled, 1, 500) == 0)

        #expect(write(ends[1], "}", 1) == 1)
        close(ends[1])
        #expect(program.end(within: 20) == .exited(0))
        close(ends[0])
        #expect(program.text.hasPrefix("Status: 401 "))
        #expect(poll(&polled, 1, 0) == 0)
    }

    @Test func `without a socket and a request it is called wrongly`() throws {
        let result = try runOnce([:])

        #expect(result.ending == .exited(64))
        #expect(result.lastError.contains("PORTER_FCGI_SOCKET"))
        #expect(result.output.isEmpty)
    }

    @Test func `an address that cannot be listened at ends it with 69`() throws {
        let result = try runOnce(["PORTER_FCGI_SOCKET": folder.file("nowhere/s")])

        #expect(result.ending == .exited(69))
        #expect(result.lastError.contains("nowhere/s"))
    }

    @Test func `a connection that comes while it stops is served by the next process`() throws {
        let (socket, path) = try listen("inherited.sock")
        defer { close(socket) }
        let first = try Program(folder, socket: socket)
        #expect(try ask(path)?.status == "Status: 200 OK")

        first.signal(SIGTERM)
        #expect(first.end(within: 20) == .exited(0))
        let waiting = try FastCGIClient(path)
        waiting.begin()
        waiting.parameters(Self.health)
        waiting.input([])
        let second = try Program(folder, socket: socket)

        #expect(waiting.answer()?.status == "Status: 200 OK")
        second.signal(SIGTERM)
        #expect(second.end(within: 20) == .exited(0))
    }

    @Test func `requests that are half sent do not hold it for more than two seconds`() throws {
        let (socket, path) = try listen("inherited.sock")
        defer { close(socket) }
        let program = try Program(folder, socket: socket)
        #expect(try ask(path)?.status == "Status: 200 OK")
        var halves: [FastCGIClient] = []
        for number in 0..<12 {
            let half = try FastCGIClient(path)
            if number > 2 { half.begin() }
            if number > 4 {
                half.parameters(
                    [
                        ("REQUEST_METHOD", "POST"), ("REQUEST_URI", "/api/webhooks/github"),
                        ("CONTENT_LENGTH", "1000000"),
                    ], isWhole: number > 6)
            }
            if number > 8 { half.input([UInt8](repeating: 1, count: 100_000)) }
            halves.append(half)
        }
        defer { withExtendedLifetime(halves) {} }
        let start = ContinuousClock.now

        program.signal(SIGTERM)

        #expect(program.end(within: 20) == .exited(0))
        // 1.8 s for requests, 1.5 s for the queue at the same time or after; generous for a busy machine.
        #expect(ContinuousClock.now - start < .seconds(6))
    }

    @Test func `memory of large bodies is given back`() throws {
        let (socket, path) = try listen("inherited.sock")
        defer { close(socket) }
        let program = try Program(folder, socket: socket)
        #expect(try ask(path)?.status == "Status: 200 OK")
        let body = [UInt8](repeating: 120, count: 26_214_400)
        let parameters = [
            ("REQUEST_METHOD", "POST"), ("REQUEST_URI", "/api/webhooks/github"),
            ("CONTENT_LENGTH", "\(body.count)"), ("CONTENT_TYPE", "application/json"),
        ]

        atOnce(8) {
            // No App is configured: the body is read, and refused after that.
            let answer = try? FastCGIClient.ask(path, parameters, body: body)
            #expect(answer?.status == "Status: 503 Service Unavailable")
        }

        // Eight bodies are 200 MiB.
        #expect(eventually { program.resident < 100_000 }, "it keeps \(program.resident) kB")
        #expect(program.resident > 1000)
        program.signal(SIGTERM)
        #expect(program.end(within: 20) == .exited(0))
    }
}
