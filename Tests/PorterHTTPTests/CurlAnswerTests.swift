import Foundation
import Testing

@testable import PorterHTTP

@Suite struct CurlAnswerTests {
    private let quick = Transport.Limits(connect: .seconds(5), total: .milliseconds(500))

    /// A server that reads one request, sends the text and closes.
    private func server(_ text: String) throws -> RawServer {
        try RawServer { peer in
            peer.request()
            peer.send(text)
        }
    }

    @Test(arguments: [200, 201, 204, 304, 400, 401, 404, 409, 422, 429, 500, 503])
    func `every status is an answer`(status: Int) throws {
        let server = try RawServer { peer in
            peer.request()
            peer.answer("\(status) Words")
        }
        #expect(send("GET", server.url()).status == status)
    }

    @Test func `fields keep their order and lose the space around their values`() throws {
        let server = try server(
            "HTTP/1.1 200 OK\r\nX-A:  one \t\r\nx-a: two\r\nX-Colon: a: b\r\nContent-Length: 4\r\n\r\nbody")
        let answer = try send("GET", server.url()).get()
        #expect(answer.fields["X-A"] == "one")
        #expect(answer.fields.pairs.map(\.value).prefix(3) == ["one", "two", "a: b"])
        #expect(answer.body == Data("body".utf8))
    }

    @Test func `an interim answer leaves no fields behind`() throws {
        let server = try server(
            "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        let answer = try send("GET", server.url()).get()
        #expect(answer.status == 200)
        #expect(answer.fields["Link"] == nil)
    }

    @Test func `a chunked body is put together`() throws {
        let server = try server(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
        #expect(send("GET", server.url()).text == "abcde")
    }

    @Test(arguments: [301, 302, 303, 307, 308])
    func `a redirect is an answer and is not followed`(status: Int) throws {
        let other = try echo()
        let server = try RawServer { peer in
            peer.request()
            peer.answer("\(status) Elsewhere", ["Location: \(other.url("/x"))"])
        }
        let answer = try send("POST", server.url(), Fields(), "b").get()
        #expect(answer.status == status)
        #expect(answer.fields["location"] == other.url("/x"))
        #expect(other.connections == 0)
    }

    @Test(arguments: [false, true])
    func `a body at the limit is whole, one byte more is too large`(isChunked: Bool) throws {
        let server = try RawServer { peer in
            guard let request = peer.request() else { return }
            let count = Int(request.line.split(separator: " ")[1].dropFirst()) ?? 0
            let body = String(repeating: "x", count: count)
            if isChunked {
                peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                peer.send("\(String(count, radix: 16))\r\n\(body)\r\n0\r\n\r\n")
            } else {
                peer.answer("200 OK", [], body)
            }
        }
        let limits = Transport.Limits(maximumBodyBytes: 100_000)
        #expect(send("GET", server.url("/100000"), limits: limits).text?.utf8.count == 100_000)
        #expect(send("GET", server.url("/100001"), limits: limits).code == .tooLarge)
        #expect(send("GET", server.url("/900000"), limits: limits).code == .tooLarge)
    }

    @Test func `an endless body is cut at the limit`() throws {
        let server = try RawServer { peer in
            peer.request()
            peer.send("HTTP/1.1 200 OK\r\n\r\n")
            let piece = Data(repeating: 120, count: 65_536)
            for _ in 0..<2000 { peer.send(piece) }
        }
        #expect(send("GET", server.url(), limits: .init(maximumBodyBytes: 1_000_000)).code == .tooLarge)
    }

    @Test func `header lines without end are cut`() throws {
        let server = try RawServer { peer in
            peer.request()
            peer.send("HTTP/1.1 200 OK\r\n")
            let line = "X-A: " + String(repeating: "x", count: 1000) + "\r\n"
            for _ in 0..<1000 { peer.send(line) }
            peer.waitForEnd()
        }
        #expect(send("GET", server.url()).code == .tooLarge)
    }

    @Test(arguments: ["GET", "POST"])
    func `nobody listening means unreachable`(method: String) throws {
        #expect(send(method, "http://127.0.0.1:\(try RawServer.freePort())/").code == .unreachable)
        #expect(send(method, "https://127.0.0.1:\(try RawServer.freePort())/").code == .unreachable)
    }

    @Test func `a name that does not resolve means unreachable`() {
        #expect(send("GET", "https://nothing.invalid/").code == .unreachable)
    }

    @Test func `time over before the request went out means unreachable`() throws {
        // A handshake that nobody answers.
        let server = try RawServer { peer in peer.waitForEnd() }
        let url = "https://127.0.0.1:\(server.port)/"
        let connect = Transport.Limits(connect: .milliseconds(200), total: .seconds(20))
        #expect(send("POST", url, Fields(), "b", limits: connect).code == .unreachable)
        #expect(send("POST", url, Fields(), "b", limits: quick).code == .unreachable)
    }

    @Test func `a handshake that fails means unreachable`() throws {
        let server = try RawServer { peer in
            peer.send("HTTP/1.1 400 Bad Request\r\n\r\n")
            peer.waitForEnd()
        }
        #expect(send("POST", "https://127.0.0.1:\(server.port)/", Fields(), "b").code == .unreachable)
    }

    @Test(arguments: ["GET", "POST", "PUT", "PATCH", "DELETE"])
    func `time over after the request went out means interrupted`(method: String) throws {
        let server = try RawServer { peer in
            peer.request()
            peer.waitForEnd()
        }
        #expect(send(method, server.url(), Fields(), "b", limits: quick).code == .interrupted)
        #expect(server.received.count == 1)
    }

    @Test func `time over within the answer means interrupted`() throws {
        let server = try RawServer { peer in
            peer.request()
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
            peer.waitForEnd()
        }
        #expect(send("POST", server.url(), Fields(), "b", limits: quick).code == .interrupted)
    }

    @Test(arguments: [
        "", "\r\n", "HTTP", "HTTP/1.1 200 OK", "HTTP/1.1 200 OK\r\nContent-Le",
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nabc\r\n", "SSH-2.0-OpenSSH_9.2\r\n",
        "<html>502</html>", "\0\0\0\0", "220 mail.example.org ESMTP\r\n", "HTTP/9.9 abc\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n",
    ])
    func `an answer that is cut or garbage means interrupted: the request may have worked`(
        text: String
    ) throws {
        for method in ["POST", "GET"] {
            let server = try server(text)
            #expect(send(method, server.url(), Fields(), "b", limits: quick).code == .interrupted)
            if method == "POST" { #expect(server.received.count == 1) }
        }
    }

    @Test(arguments: ["POST", "PUT", "PATCH", "DELETE"])
    func `a reset after the request means interrupted, and it is not sent again`(method: String) throws {
        let server = try RawServer { peer in
            peer.request()
            peer.resetOnClose()
        }
        #expect(send(method, server.url(), Fields(), "b").code == .interrupted)
        #expect(server.received.count == 1)
        #expect(server.connections == 1)
    }
}
