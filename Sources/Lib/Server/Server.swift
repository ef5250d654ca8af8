import FlyingFox
import FlyingSocks
import Foundation
package import Glibc
package import PorterHTTP
import PorterProcess
import Synchronization

/// A small HTTP server for sockets of our own, `porter-runner`'s and the playground's.
///
/// FlyingFox speaks HTTP/1.1; every request is answered on a thread of its own, so that handlers are
/// straight-line code that may block. Bodies arrive whole, in memory. A handler may break off an answer:
/// ``PorterHTTP/Response/cut`` closes the connection at once, and a `Content-Length` that is larger than the
/// body closes it after the body. Where the system has no thread for a request, that request is answered 503;
/// where it has no descriptor for a connection, the connection is lost and the server listens again.
///
/// - SeeAlso: <https://github.com/swhitty/FlyingFox>
package final class Server: Sendable {
    /// Where a server listens.
    package enum Address: Sendable {
        /// A unix socket; a file that nobody listens at is replaced.
        case unix(path: String, mode: mode_t)
        /// 127.0.0.1; port 0 takes a free one.
        case loopback(port: UInt16)
    }

    /// Seconds after which an answer that has not come becomes a plain 500.
    static let answerTime = 3600.0

    /// Milliseconds before it listens again when it has just begun to: the system has no descriptor for it.
    static let pause = 100

    /// How a thread is begun.
    typealias ThreadStart = @Sendable (@escaping @Sendable () -> Void) throws(Shortage) -> Void

    private struct State {
        var server: HTTPServer
        var isStopping = false
    }

    private let address: Address
    private let answer: Answerer
    private let state: Mutex<State>

    /// A server that does not listen yet.
    package convenience init(
        at address: Address, _ handler: @escaping @Sendable (Request) -> PorterHTTP.Response
    ) {
        self.init(
            at: address,
            starting: { (body) throws(Shortage) in try PorterProcess.Thread.attempt(body) }, handler)
    }

    init(
        at address: Address, starting start: @escaping ThreadStart,
        _ handler: @escaping @Sendable (Request) -> PorterHTTP.Response
    ) {
        self.address = address
        answer = Answerer(handler: handler, start: start)
        state = Mutex(State(server: Self.make(address, answer)))
    }

    private static func make(_ address: Address, _ answer: Answerer) -> HTTPServer {
        switch address {
        case .unix(let path, _):
            return HTTPServer(
                address: .unix(path: path), timeout: answerTime, logger: .disabled, handler: answer)
        case .loopback(let port):
            // 127.0.0.1 has this form always; an address that cannot be read would be a defect here.
            let loopback = sockaddr_in(
                sin_family: sa_family_t(AF_INET), sin_port: port.bigEndian,
                sin_addr: in_addr(s_addr: UInt32(0x7F00_0001).bigEndian), sin_zero: (0, 0, 0, 0, 0, 0, 0, 0))
            return HTTPServer(address: loopback, timeout: answerTime, logger: .disabled, handler: answer)
        }
    }

    /// Begins to listen and returns once it does.
    ///
    /// Call it on a thread of your own: FlyingFox needs Swift's shared pool, which has one thread a core.
    ///
    /// - Returns: the port, 0 for a unix socket.
    /// - Throws: ``ServerError`` when the address is taken or may not be listened at.
    package func start() throws(ServerError) -> UInt16 {
        if case .unix(let path, _) = address { try Self.clear(path) }
        let server = state.withLock { $0.server }
        let outcome = Mutex<Result<UInt16, ServerError>?>(nil)
        let done = DispatchSemaphore(value: 0)
        let running = Task.detached { try await server.run() }
        Task.detached {
            do {
                try await server.waitUntilListening()
                var port: UInt16 = 0
                if case .ip4(_, let bound) = await server.listeningAddress { port = bound }
                outcome.withLock { $0 = .success(port) }
            } catch {
                running.cancel()
                outcome.withLock {
                    $0 = .failure(ServerError("cannot listen: \(error.localizedDescription)"))
                }
            }
            done.signal()
        }
        done.wait()
        guard let result = outcome.withLock({ $0 }) else { throw ServerError("cannot listen") }
        let port = try result.get()
        if case .unix(let path, let mode) = address { chmod(path, mode) }
        let begun = ContinuousClock.now
        Task.detached {
            _ = await running.result
            await self.listenAgain(port, after: begun)
        }
        return port
    }

    /// Listens again whenever it has ended without being told to: FlyingFox ends when a connection cannot be
    /// accepted, which is so as long as the system has no descriptor for it, and now and then for a fault of its
    /// own when peers are killed.
    private func listenAgain(_ port: UInt16, after first: ContinuousClock.Instant) async {
        var begun = first
        while true {
            if ContinuousClock.now - begun < .seconds(1) {
                try? await Task.sleep(for: .milliseconds(Self.pause))
            }
            begun = .now
            let place: Address
            switch address {
            case .unix(let path, _):
                place = address
                // Where there is no descriptor to look with, there is none to listen with either.
                do { try Self.clear(path) } catch { continue }
            case .loopback: place = .loopback(port: port)
            }
            let server = Self.make(place, answer)
            let goesOn = state.withLock { state in
                if !state.isStopping { state.server = server }
                return !state.isStopping
            }
            guard goesOn else { return }
            let running = Task.detached { try await server.run() }
            if case .unix(let path, let mode) = address {
                if (try? await server.waitUntilListening()) != nil { chmod(path, mode) }
            }
            _ = await running.result
        }
    }

    /// Stops listening and leaves answers that are under way the time.
    package func stop(atMost seconds: Double) {
        let done = DispatchSemaphore(value: 0)
        let server = state.withLock { state in
            state.isStopping = true
            return state.server
        }
        Task.detached {
            await server.stop(timeout: seconds)
            done.signal()
        }
        done.wait()
        if case .unix(let path, _) = address { unlink(path) }
    }

    /// Removes a socket that was left by a program that is gone; one that somebody listens at stays.
    private static func clear(_ path: String) throws(ServerError) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let room = MemoryLayout.size(ofValue: address.sun_path)
        guard path.utf8.count < room else {
            throw ServerError("the path \(path) is longer than \(room - 1) bytes")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let probe = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard probe >= 0 else { throw ServerError("no socket: \(String(cString: strerror(errno)))") }
        defer { close(probe) }
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(probe, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result != 0 else { throw ServerError("another program listens at \(path)") }
        if errno == ECONNREFUSED { unlink(path) }
    }
}

/// A server could not begin to listen.
package struct ServerError: Error, Equatable, CustomStringConvertible {
    /// What is wrong with the address.
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// Takes a request from FlyingFox's world into ours and the answer back.
private struct Answerer: HTTPHandler {
    let handler: @Sendable (Request) -> PorterHTTP.Response
    let start: Server.ThreadStart

    func handleRequest(_ request: HTTPRequest) async throws -> HTTPResponse {
        var fields = Fields()
        for name in request.headers.keys {
            for value in request.headers.values(for: name) { fields.append(name.rawValue, value) }
        }
        let ours = Request(
            method: request.method.rawValue, target: request.target.rawValue, fields: fields,
            body: try await request.bodyData)
        let handler = handler
        let response = await withCheckedContinuation { continuation in
            do throws(Shortage) {
                try start { continuation.resume(returning: handler(ours)) }
            } catch {
                continuation.resume(returning: Self.busy(error))
            }
        }
        if response.status == 0 { return HTTPResponse(webSocket: CutBeforeAnswer()) }
        var headers = HTTPHeaders()
        for pair in response.fields.pairs { headers.addValue(pair.value, for: HTTPHeader(pair.name)) }
        let status = HTTPStatusCode(response.status, phrase: "")
        if let count = response.fields["Content-Length"].flatMap({ Int($0) }), count > response.body.count {
            let body = HTTPBodySequence(from: CutBody(bytes: response.body), count: count)
            return HTTPResponse(statusCode: status, headers: headers, body: body)
        }
        return HTTPResponse(
            statusCode: status, headers: headers,
            body: request.method == .HEAD ? Data() : response.body)
    }

    /// The answer to a request for which there is no thread.
    private static func busy(_ shortage: Shortage) -> PorterHTTP.Response {
        PorterHTTP.Response(
            status: 503, fields: ["Content-Type": "application/json", "Retry-After": "1"],
            body: Data(#"{"error":"unavailable: \#(shortage)"}"#.utf8))
    }
}
