import PorterHTTP
import Testing

@testable import PorterFastCGI

/// How conversations end: clients that leave, break off, stay or owe something, and threads that are free again.
@Suite struct ClosingTests {
    @Test func `a client that leaves in the middle is not answered, and its thread is free again`() throws {
        let seen = Seen()
        let responder = try RunningResponder(threads: 1) { incoming in
            seen.add(incoming)
            return Response(status: 200)
        }
        for stage in 0..<4 {
            let client = try FastCGIClient(responder.path)
            if stage > 0 { client.begin() }
            if stage > 1 { client.parameters(Parameter.post("1000000"), isWhole: stage > 2) }
            if stage > 2 { client.input([UInt8](repeating: 1, count: 70_000)) }
            client.leave()
        }

        let answer = try FastCGIClient.ask(responder.path, Parameter.get)

        #expect(answer?.status == "Status: 200 OK")
        #expect(seen.requests.map(\.request.method) == ["GET"])
        responder.stop()
    }

    @Test func `an aborted request is not answered, and its thread is free again`() throws {
        let seen = Seen()
        let responder = try RunningResponder(threads: 1) { incoming in
            seen.add(incoming)
            return Response(status: 200)
        }
        let client = try FastCGIClient(responder.path)
        client.begin()
        client.parameters(Parameter.post("1000"))
        client.input(Array("half".utf8))
        client.abort()

        let answer = try FastCGIClient.ask(responder.path, Parameter.get)

        #expect(answer?.status == "Status: 200 OK")
        #expect(seen.requests.map(\.request.method) == ["GET"])
        responder.stop()
    }

    @Test func `bytes that are no FastCGI free their thread as well`() throws {
        let responder = try RunningResponder(threads: 1) { _ in Response(status: 200) }
        let client = try FastCGIClient(responder.path)
        client.parameters([("GET / HTTP/1.1\r\nHost: x\r\n\r\n", "")])
        client.leave()

        #expect(try FastCGIClient.ask(responder.path, Parameter.get)?.status == "Status: 200 OK")
        responder.stop()
    }

    @Test func `a connection that the web server would keep is answered too`() throws {
        let responder = try RunningResponder(threads: 1) { _ in Response(status: 200) }
        for _ in 0..<2 {
            let client = try FastCGIClient(responder.path)
            client.begin(keepsConnection: true)
            client.parameters(Parameter.get)
            client.input([])
            #expect(client.answer()?.status == "Status: 200 OK")
        }
        responder.stop()
    }

    @Test(arguments: [0, 5, 70_000])
    func `a request that was read whole is closed without waiting for its client`(count: Int) throws {
        let responder = try RunningResponder(threads: 1) { _ in Response(status: 200) }
        let client = try FastCGIClient(responder.path)
        client.together {
            client.begin()
            client.parameters(Parameter.post("\(count)"))
            if count > 0 { client.input([UInt8](repeating: 1, count: count)) }
            client.input([])
        }

        #expect(client.answer()?.status == "Status: 200 OK")
        #expect(client.readsToAClosedEnd())
        responder.stop()
    }

    @Test func `a client that says more than it announced gets its whole answer`() throws {
        let responder = try RunningResponder(threads: 1) { _ in Response(status: 200) }
        let client = try FastCGIClient(responder.path)
        client.begin()
        client.parameters(Parameter.post("3"))
        client.input([UInt8](repeating: 1, count: 70_000))

        #expect(client.answer()?.status == "Status: 200 OK")
        responder.stop()
    }

    @Test(arguments: [0, 5])
    func `a request without its closing record is answered, and its thread is free again`(count: Int) throws {
        let responder = try RunningResponder(threads: 1) { _ in Response(status: 200) }
        let client = try FastCGIClient(responder.path)
        client.begin()
        client.parameters(Parameter.post("\(count)"))
        if count > 0 { client.input([UInt8](repeating: 1, count: count)) }

        #expect(client.answer()?.status == "Status: 200 OK")
        #expect(try FastCGIClient.ask(responder.path, Parameter.get)?.status == "Status: 200 OK")
        responder.stop()
    }
}
