import Foundation
import Synchronization
import PorterTestSupport
import Testing

@testable import PorterHTTP

@Suite struct CurlConnectionTests {
    @Test func `requests that change nothing share a connection`() throws {
        let server = try echo()
        let transport = Transport.curl(CurlOptions())
        for _ in 0..<5 { #expect(send("GET", server.url(), through: transport).status == 200) }
        #expect(send("HEAD", server.url(), through: transport).status == 200)
        #expect(server.connections == 1)
    }

    @Test(arguments: ["POST", "PUT", "PATCH", "DELETE"])
    func `one that changes something has a connection of its own`(method: String) throws {
        let server = try echo()
        let transport = Transport.curl(CurlOptions())
        #expect(send("GET", server.url(), through: transport).status == 200)
        for _ in 0..<3 {
            #expect(send(method, server.url(), Fields(), "b", through: transport).status == 200)
        }
        #expect(send("GET", server.url(), through: transport).status == 200)
        #expect(server.received.map(\.connection) == [1, 2, 3, 4, 1])
    }

    /// A server that answers one request a connection and then closes it without a word.
    private func forgetful() throws -> RawServer {
        try RawServer { peer in
            peer.request()
            peer.answer("200 OK", ["Connection: keep-alive"], "x")
        }
    }

    @Test(arguments: ["GET", "POST", "PATCH"])
    func `a kept connection that died harms nobody`(method: String) throws {
        let server = try forgetful()
        let transport = Transport.curl(CurlOptions())
        for _ in 0..<4 {
            #expect(send("GET", server.url(), through: transport).status == 200)
            #expect(send(method, server.url(), Fields(), "b", through: transport).status == 200)
        }
        #expect(server.received.count == 8)
    }

    @Test func `a change is never sent twice, even when its connection dies at once`() throws {
        let answered = Mutex(0)
        let server = try RawServer { peer in
            while let request = peer.request() {
                guard request.line.hasPrefix("GET") else { return }
                answered.withLock { $0 += 1 }
                peer.answer()
            }
        }
        let transport = Transport.curl(CurlOptions())
        for number in 1...5 {
            #expect(send("GET", server.url(), through: transport).status == 200)
            #expect(
                send("POST", server.url(), Fields(), "b", through: transport).code == .interrupted)
            #expect(server.received.filter { $0.line.hasPrefix("POST") }.count == number)
        }
    }

    @Test func `many threads call at once and each gets its own answer`() throws {
        let server = try echo()
        let transport = Transport.curl(CurlOptions())
        DispatchQueue.concurrentPerform(iterations: 40) { number in
            let method = number.isMultiple(of: 2) ? "GET" : "POST"
            for round in 0..<5 {
                let path = "/\(number)/\(round)"
                let answer = send(
                    method, server.url(path), Fields(), method == "GET" ? "" : path, through: transport)
                #expect(answer.text == "\(method) \(path) HTTP/1.1")
            }
        }
        #expect(server.received.count == 200)
        #expect(
            server.received.allSatisfy {
                $0.line.hasPrefix("GET") || $0.line.contains(String(decoding: $0.body, as: UTF8.self))
            })
    }

    @Test func `cancelling cuts a call that waits`() throws {
        let server = try RawServer { peer in
            peer.request()
            peer.waitForEnd()
        }
        let options = CurlOptions()
        let cutAt = Mutex<ContinuousClock.Instant?>(nil)
        Thread.detachNewThread {
            _ = eventually { !server.received.isEmpty }
            cutAt.withLock { $0 = .now }
            options.cancellation.cancel()
        }
        let answer = send("POST", server.url(), Fields(), "b", through: .curl(options))
        let ended = ContinuousClock.now
        #expect(answer.code == .cancelled)
        // A tenth of a second between two looks, and a machine that may be busy with other things.
        let time = ended - (try #require(cutAt.withLock { $0 }))
        #expect(time < .seconds(2))
        #expect(Cancellation.pollInterval <= 100)
    }

    @Test func `after cancelling nothing is begun`() throws {
        let server = try echo()
        let options = CurlOptions()
        options.cancellation.cancel()
        #expect(options.cancellation.isCancelled)
        // Certain to have done nothing, unlike a call that was cut.
        #expect(send("POST", server.url(), through: .curl(options)).code == .unreachable)
        #expect(server.connections == 0)
    }

    @Test func `errors say what is certain, and nothing of the request`() throws {
        let port = try RawServer.freePort()
        let answer = send(
            "POST", "http://127.0.0.1:\(port)/canary-path", ["Authorization": "Bearer canary-token"],
            "canary-body")
        guard case .failure(let error) = answer else {
            Issue.record("somebody answered")
            return
        }
        #expect(error.description.hasPrefix("unreachable: "))
        #expect(!error.description.contains("canary"))
        #expect(!error.message.isEmpty)
    }
}
