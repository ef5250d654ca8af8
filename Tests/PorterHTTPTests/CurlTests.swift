import Foundation
import PorterTestSupport
import Testing

@testable import PorterHTTP

/// Sends a request, and gives the answer or why there is none.
func send(
    _ method: String = "GET", _ url: String, _ fields: Fields = Fields(), _ body: String = "",
    limits: Transport.Limits = Transport.Limits(), through transport: Transport = .curl(CurlOptions())
) -> Result<Response, TransportError> {
    Result { () throws(TransportError) in
        try transport.send(
            Request(method: method, target: url, fields: fields, body: Data(body.utf8)), limits)
    }
}

extension Result where Success == Response, Failure == TransportError {
    var code: TransportError.Code? {
        if case .failure(let error) = self { error.code } else { nil }
    }

    var status: Int? { try? get().status }

    var text: String? { (try? get()).map { String(decoding: $0.body, as: UTF8.self) } }
}

/// A server that answers all requests of a connection with 200 and the request's number.
func echo() throws -> RawServer {
    try RawServer { peer in
        while let request = peer.request() { peer.answer("200 OK", [], request.line) }
    }
}

@Suite struct CurlRequestTests {
    @Test(arguments: ["GET", "POST", "PUT", "PATCH", "DELETE"])
    func `method, path, fields and body arrive as they are`(method: String) throws {
        let server = try echo()
        let answer = send(
            method, server.url("/a%2Fb?x=1&y=%20"), ["X-One": "two", "Content-Type": "text/plain"], "a\0b\r\n"
        )
        #expect(answer.text == "\(method) /a%2Fb?x=1&y=%20 HTTP/1.1")
        let request = try #require(server.received.first)
        #expect(request.body == Data("a\0b\r\n".utf8))
        #expect(request.field("x-one") == "two")
        #expect(request.field("content-type") == "text/plain")
        #expect(request.field("content-length") == "5")
        #expect(request.field("host") == "127.0.0.1:\(server.port)")
        #expect(request.field("expect") == nil)
    }

    @Test(
        arguments: [("POST", "0"), ("PUT", "0"), ("PATCH", "0"), ("GET", nil), ("DELETE", nil)]
            as [(String, String?)])
    func `an empty body is empty, and no type is made up`(method: String, length: String?) throws {
        let server = try echo()
        #expect(send(method, server.url()).status == 200)
        let request = try #require(server.received.first)
        #expect(request.field("content-length") == length)
        #expect(request.field("content-type") == nil)
        #expect(request.field("transfer-encoding") == nil)
        #expect(request.body.isEmpty)
    }

    @Test func `HEAD waits for no body`() throws {
        let server = try RawServer { peer in
            peer.request()
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            peer.waitForEnd()
        }
        let answer = send("HEAD", server.url())
        #expect(answer.status == 200)
        #expect(answer.text?.isEmpty == true)
        #expect(server.received.first?.line == "HEAD / HTTP/1.1")
    }

    @Test func `a large body is sent in one go, without asking first`() throws {
        let server = try echo()
        let body = String(repeating: "0123456789", count: 300_000)
        #expect(send("POST", server.url(), Fields(), body).status == 200)
        #expect(server.received.first?.body == Data(body.utf8))
    }

    @Test func `an empty value is sent as one`() throws {
        let server = try echo()
        #expect(send("GET", server.url(), ["X-Empty": ""]).status == 200)
        #expect(server.received.first?.field("x-empty")?.isEmpty == true)
    }

    @Test(arguments: [
        ("X-A", "b\r\nX-Evil: 1"), ("X-A", "b\nX-Evil: 1"), ("X-A", "b\rX-Evil: 1"), ("X-A", "a\0b"),
        ("X-A\r\nX-Evil", "1"), ("X-A: 1\r\nX-Evil", "1"), ("X:A", "1"), ("X A", "1"), ("", "1"),
        ("X-A", "\u{7F}"), ("X-Ä", "1"), ("@/etc/passwd", "1"), ("X;", ""), ("X-A", "a\u{1B}b"),
    ])
    func `what would begin another header is refused, and nothing is sent`(name: String, value: String) throws
    {
        let server = try echo()
        var fields = Fields()
        fields.append(name, value)
        #expect(send("GET", server.url(), fields).code == .notAllowed)
        #expect(server.connections == 0)
    }

    @Test(arguments: ["", "get", "GET /x", "GET\r\nX: y", "G\0T", "GÉT", "*"])
    func `a method is a word in upper case`(method: String) throws {
        let server = try echo()
        #expect(send(method, server.url()).code == .notAllowed)
        #expect(server.connections == 0)
    }

    @Test(arguments: [
        "http://example.org/", "http://10.0.0.1/", "http://0.0.0.0/", "http://192.168.0.1:80/",
        "ftp://localhost/",
        "file:///etc/passwd", "http://localhost.evil.org/", "http://user@localhost/", "localhost/", "",
        "http://[::2]/", "http://127.0.0.1.nip.io/", "gopher://127.0.0.1/", "http://[::1]evil.org/",
    ])
    func `plain http goes to loopback alone, other schemes nowhere`(url: String) {
        #expect(send("GET", url).code == .notAllowed)
    }

    @Test(arguments: [
        "https://10.0.0.1:1/", "https://169.254.169.254/", "https://192.168.1.1/", "https://172.16.0.1/",
        "https://100.64.0.1/", "https://0.0.0.0:1/", "https://[fd00::1]/", "https://[fe80::1]/",
        "https://[::ffff:10.0.0.1]/", "https://[::]:1/", "https://2130706433:1/", "https://127.1:1/",
        "https://0x7f.0.0.1:1/", "https://0177.0.0.1:1/", "https://[::ffff:127.0.0.1]:1/",
    ])
    func `a private address is refused, however it is written`(url: String) {
        #expect(send("GET", url).code == .notAllowed)
    }

    // libcurl resolves everything below `localhost` to loopback without asking anybody.
    @Test func `a name that resolves to a private address is refused unless it is listed`() throws {
        let server = try RawServer { peer in peer.waitForEnd() }
        let url = "https://porter.localhost:\(server.port)/"
        let refused = send("POST", url)
        #expect(refused.code == .notAllowed)
        #expect(server.connections == 0)

        var options = CurlOptions()
        options.privateHosts = ["porter.localhost"]
        let limits = Transport.Limits(connect: .milliseconds(300), total: .milliseconds(600))
        #expect(send("POST", url, limits: limits, through: .curl(options)).code == .unreachable)
        #expect(server.connections == 1)
        // The list opens private addresses, not plain http.
        let plain = "http://porter.localhost:\(server.port)/"
        #expect(send("GET", plain, through: .curl(options)).code == .notAllowed)
    }

    @Test func `a unix socket takes all calls, whatever host the address names`() throws {
        try TemporaryFolder.use { folder in
            let server = try RawServer(at: folder.file("s")) { peer in
                while let request = peer.request() { peer.answer("201 Created", [], request.line) }
            }
            var options = CurlOptions()
            options.unixSocket = folder.file("s")
            let transport = Transport.curl(options)
            #expect(send("GET", "http://localhost/v1/x", through: transport).text == "GET /v1/x HTTP/1.1")
            #expect(send("POST", "http://machines.local/y", Fields(), "b", through: transport).status == 201)
            #expect(server.received.last?.body == Data("b".utf8))
            options.unixSocket = folder.file("nobody")
            #expect(send("GET", "http://localhost/", through: .curl(options)).code == .unreachable)
        }
    }

    @Test func `no proxy comes from the environment`() async {
        await #expect(processExitsWith: .exitCode(0)) {
            let proxy = try RawServer { peer in
                peer.request()
                peer.answer("502 Proxy")
            }
            let server = try echo()
            for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
                setenv(name, "http://127.0.0.1:\(proxy.port)", 1)
            }
            guard send("GET", server.url()).status == 200 else { exit(2) }
            // Nobody listens there: through the proxy it would be an answer or a broken tunnel.
            let port = try RawServer.freePort()
            guard send("GET", "https://127.0.0.1:\(port)/").code == .unreachable else { exit(3) }
            exit(proxy.connections == 0 ? 0 : 4)
        }
    }

    @Test func `a proxy that is named is used whatever the environment says, but not for loopback`() async {
        await #expect(processExitsWith: .exitCode(0)) {
            let proxy = try RawServer { peer in
                peer.request()
                peer.answer("403 Forbidden")
            }
            let server = try echo()
            setenv("no_proxy", "*", 1)
            setenv("NO_PROXY", "*", 1)
            var options = CurlOptions()
            options.proxy = "http://127.0.0.1:\(proxy.port)"
            let transport = Transport.curl(options)
            guard send("POST", "https://api.example.invalid/x", through: transport).code != nil else {
                exit(2)
            }
            guard proxy.received.map(\.line) == ["CONNECT api.example.invalid:443 HTTP/1.1"] else { exit(3) }
            guard send("GET", server.url(), through: transport).status == 200 else { exit(4) }
            exit(proxy.connections == 1 ? 0 : 5)
        }
    }
}
