import Foundation
import Glibc
import PorterHTTP
import PorterTestSupport
import Synchronization
import Testing

@testable import PorterServer

@Suite struct ServerTests {
    @Test func `a request's target, fields and body reach the handler as they were sent`() async throws {
        try await onThread {
            let seen = Mutex<Request?>(nil)
            let server = Server(at: .loopback(port: 0)) { request in
                seen.withLock { $0 = request }
                return Response(status: 201, fields: ["X-Answer": "yes"], body: Data("done".utf8))
            }
            let port = try server.start()
            defer { server.stop(atMost: 1) }

            let response = try Transport.curl(CurlOptions()).send(
                Request(
                    method: "POST", target: "http://127.0.0.1:\(port)/a%2Fb?x=1&y=%20",
                    fields: ["X-One": "two"], body: Data("body".utf8)),
                Transport.Limits())

            #expect(response.status == 201)
            #expect(response.fields["X-Answer"] == "yes")
            #expect(response.body == Data("done".utf8))
            let request = try #require(seen.withLock { $0 })
            #expect(request.target == "/a%2Fb?x=1&y=%20")
            #expect(request.fields["x-one"] == "two")
            #expect(request.body == Data("body".utf8))
        }
    }

    @Test func `a unix socket gets its mode, and one that was left behind is replaced`() async throws {
        try await onThread {
            let path = "/tmp/porter-server-\(UInt32.random(in: 0 ... .max)).sock"
            for _ in 0..<2 {
                let server = Server(at: .unix(path: path, mode: 0o660)) { _ in Response(status: 204) }
                #expect(try server.start() == 0)
                var status = stat()
                #expect(stat(path, &status) == 0)
                #expect(status.st_mode & 0o777 == 0o660)
                var options = CurlOptions()
                options.unixSocket = path
                let response = try Transport.curl(options).send(
                    Request(method: "GET", target: "http://localhost/"), Transport.Limits())
                #expect(response.status == 204)
                server.stop(atMost: 1)
            }
        }
    }

    @Test func `a second server at a unix socket in use is refused`() async throws {
        try await onThread {
            let path = "/tmp/porter-server-\(UInt32.random(in: 0 ... .max)).sock"
            let first = Server(at: .unix(path: path, mode: 0o600)) { _ in Response(status: 204) }
            _ = try first.start()
            defer { first.stop(atMost: 1) }

            #expect(throws: ServerError.self) {
                try Server(at: .unix(path: path, mode: 0o600)) { _ in Response(status: 204) }.start()
            }
        }
    }
}
