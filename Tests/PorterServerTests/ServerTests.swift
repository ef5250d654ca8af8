import Foundation
import Glibc
import PorterHTTP
import PorterProcess
import PorterTestSupport
import Synchronization
import Testing

@testable import PorterServer

@Suite struct ServerTests {
    /// Calls a server at a free port once.
    private func exchange(
        _ request: Request, atMost limits: Transport.Limits = Transport.Limits(),
        _ handler: @escaping @Sendable (Request) -> Response
    ) async throws -> Result<Response, TransportError> {
        try await onThread {
            let server = Server(at: .loopback(port: 0), handler)
            let port = try server.start()
            defer { server.stop(atMost: 1) }
            var request = request
            request.target = "http://127.0.0.1:\(port)\(request.target)"
            do throws(TransportError) {
                return .success(try Transport.curl(CurlOptions()).send(request, limits))
            } catch {
                return .failure(error)
            }
        }
    }

    @Test func `a request's target, fields and body reach the handler as they were sent`() async throws {
        let seen = Mutex<Request?>(nil)
        let request = Request(
            method: "POST", target: "/a%2Fb?x=1&y=%20", fields: ["X-One": "two"], body: Data("body".utf8))

        let response = try await exchange(request) { request in
            seen.withLock { $0 = request }
            return Response(status: 201, fields: ["X-Answer": "yes"], body: Data("done".utf8))
        }.get()

        #expect(response.status == 201)
        #expect(response.fields["X-Answer"] == "yes")
        #expect(response.body == Data("done".utf8))
        let received = try #require(seen.withLock { $0 })
        #expect(received.target == "/a%2Fb?x=1&y=%20")
        #expect(received.fields["x-one"] == "two")
        #expect(received.body == Data("body".utf8))
    }

    @Test func `a request for which there is no thread is answered 503, and the next is served`() async throws
    {
        let isShort = Mutex(true)
        let answers = try await onThread {
            let server = Server(
                at: .loopback(port: 0),
                starting: { (body) throws(Shortage) in
                    if isShort.withLock({ $0 }) { throw Shortage("thread", EAGAIN) }
                    try PorterProcess.Thread.attempt(body)
                },
                { _ in Response(status: 204) })
            let port = try server.start()
            defer { server.stop(atMost: 1) }
            let request = Request(method: "GET", target: "http://127.0.0.1:\(port)/")
            let first = try Transport.curl(CurlOptions()).send(request, Transport.Limits())
            isShort.withLock { $0 = false }
            return [first, try Transport.curl(CurlOptions()).send(request, Transport.Limits())]
        }

        #expect(answers.map(\.status) == [503, 204])
        #expect(answers[0].fields["Retry-After"] == "1")
        #expect(
            String(decoding: answers[0].body, as: UTF8.self)
                == #"{"error":"unavailable: the system gives no thread: Resource temporarily unavailable"}"#)
    }

    @Test func `a unix socket gets its mode, and one that was left behind is replaced`() async throws {
        let path = "/tmp/porter-server-\(UInt32.random(in: 0 ... .max)).sock"
        for _ in 0..<2 {
            let (mode, answer) = try await onThread {
                let server = Server(at: .unix(path: path, mode: 0o660)) { _ in Response(status: 204) }
                #expect(try server.start() == 0)
                defer { server.stop(atMost: 1) }
                var status = stat()
                _ = stat(path, &status)
                var options = CurlOptions()
                options.unixSocket = path
                let response = try Transport.curl(options).send(
                    Request(method: "GET", target: "http://localhost/"), Transport.Limits())
                return (status.st_mode & 0o777, response.status)
            }
            #expect(mode == 0o660)
            #expect(answer == 204)
        }
    }

    @Test func `a second server at a unix socket in use is refused`() async throws {
        let path = "/tmp/porter-server-\(UInt32.random(in: 0 ... .max)).sock"
        await #expect(throws: ServerError.self) {
            try await onThread {
                let first = Server(at: .unix(path: path, mode: 0o600)) { _ in Response(status: 204) }
                _ = try first.start()
                defer { first.stop(atMost: 1) }
                _ = try Server(at: .unix(path: path, mode: 0o600)) { _ in Response(status: 204) }.start()
            }
        }
    }

    @Test(arguments: [
        Response.cut, Response(status: 200, fields: ["Content-Length": "100"], body: Data("half".utf8)),
    ])
    func `an answer that is broken off reaches the client as a closed connection, at once`(
        answer: Response
    ) async throws {
        // A connection that stayed open would be waited for much longer than the test is.
        let result = try await exchange(
            Request(method: "GET", target: "/"), atMost: Transport.Limits(total: .seconds(600))
        ) { _ in answer }

        let error = #expect(throws: TransportError.self) { try result.get() }
        #expect(error?.code == .interrupted)
    }
}
