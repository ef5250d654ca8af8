import Foundation
import Glibc
import PorterHTTP
import PorterProcess
import PorterTestSupport
import Synchronization
import Testing

@testable import PorterFastCGI

@Suite struct ResponderTests {
    private final class Counter: Sendable {
        private let value = Mutex(0)
        var count: Int { value.withLock { $0 } }
        @discardableResult func add() -> Int {
            value.withLock {
                $0 += 1
                return $0
            }
        }
    }

    @Test func `parameters become the request that the client sent`() throws {
        let seen = Seen()
        let responder = try RunningResponder { incoming in
            seen.add(incoming)
            return Response(status: 204)
        }
        let long = String(repeating: "ö", count: 40_000)

        let answer = try FastCGIClient.ask(
            responder.path,
            [
                ("REQUEST_METHOD", "PUT"), ("REQUEST_URI", "/a%2Fb?x=1&y=%20"), ("SCRIPT_NAME", "/other"),
                ("QUERY_STRING", "no=1"), ("CONTENT_TYPE", "text/plain"), ("CONTENT_LENGTH", ""),
                ("REMOTE_ADDR", "192.0.2.7"), ("HTTPS", "on"), ("HTTP_X_GITHUB_EVENT", "ping"),
                ("HTTP_AUTHORIZATION", "Bearer x=y"), ("HTTP_PROXY", "http://evil"), ("HTTP_X_LONG", long),
                ("HTTP_EMPTY", ""), ("HTTP_CONTENT_TYPE", "text/plain"), ("SERVER_NAME", "s"),
            ])

        #expect(answer?.status == "Status: 204 No Content")
        let incoming = try #require(seen.requests.first)
        let request = incoming.request
        #expect(request.method == "PUT")
        #expect(request.target == "/a%2Fb?x=1&y=%20")
        #expect(request.fields.pairs.filter { $0.value == "text/plain" }.map(\.name) == ["Content-Type"])
        #expect(request.fields["x-github-event"] == "ping")
        #expect(request.fields["Authorization"] == "Bearer x=y")
        #expect(request.fields["X-Long"] == long)
        #expect(request.fields["Empty"] == "")
        #expect(request.fields["Proxy"] == nil)
        #expect(request.fields.pairs.count == 5)
        #expect(request.body.isEmpty)
        responder.stop()
    }

    @Test(arguments: [0, 1, 65_528, 26_214_400])
    func `a body arrives whole, to 25 MiB`(count: Int) throws {
        let seen = Seen()
        let responder = try RunningResponder { incoming in
            seen.add(incoming)
            return Response(status: 200)
        }
        let body = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }

        let answer = try FastCGIClient.ask(responder.path, Parameter.post("\(count)"), body: body)

        #expect(answer?.status == "Status: 200 OK")
        let incoming = try #require(seen.requests.first)
        #expect(incoming.bodyState == .whole)
        #expect(incoming.request.body == Data(body))
        responder.stop()
    }

    @Test func `a body of one byte more is not read`() throws {
        let seen = Seen()
        let responder = try RunningResponder { incoming in
            seen.add(incoming)
            return Response(status: 413)
        }

        let answer = try FastCGIClient.ask(
            responder.path, Parameter.post("26214401"), body: [UInt8](repeating: 7, count: 26_214_401))

        #expect(answer?.status == "Status: 413 Content Too Large")
        #expect(seen.requests.map(\.bodyState) == [.tooLarge])
        #expect(seen.requests.first?.request.body.isEmpty == true)
        responder.stop()
    }

    @Test(arguments: [
        "abc", "-1", "1e3", " 5", "5 ", "+5", "0x5", "99999999999999999999", "9223372036854775808",
    ])
    func `a length that is no number is said to be unknown`(length: String) throws {
        let seen = Seen()
        let responder = try RunningResponder { incoming in
            seen.add(incoming)
            return Response(status: 400)
        }

        let answer = try FastCGIClient.ask(responder.path, Parameter.post(length), body: Array("12345".utf8))

        #expect(answer?.status == "Status: 400 Bad Request")
        #expect(seen.requests.map(\.bodyState) == [.unknown])
        responder.stop()
    }

    @Test func `a body that ends early is short, and one that goes on is cut at its length`() throws {
        let seen = Seen()
        let responder = try RunningResponder { incoming in
            seen.add(incoming)
            return Response(status: 200)
        }

        _ = try FastCGIClient.ask(responder.path, Parameter.post("10"), body: Array("12345".utf8))
        _ = try FastCGIClient.ask(responder.path, Parameter.post("10"))
        _ = try FastCGIClient.ask(responder.path, Parameter.post("3"), body: Array("12345".utf8))

        #expect(seen.requests.map(\.bodyState) == [.short, .short, .whole])
        #expect(
            seen.requests.map { String(decoding: $0.request.body, as: UTF8.self) } == ["12345", "", "123"])
        responder.stop()
    }

    @Test func `an answer of 5 MB arrives whole, with its fields and its length`() throws {
        let body = Data((0..<5_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7) })
        let responder = try RunningResponder { _ in
            Response(status: 404, fields: ["X-One": "1", "Set-Cookie": "a=ö"], body: body)
        }

        let answer = try #require(try FastCGIClient.ask(responder.path, Parameter.get))

        #expect(
            answer.head == [
                "Status: 404 Not Found", "X-One: 1", "Set-Cookie: a=ö", "Content-Length: 5000000",
            ])
        #expect(answer.body == body)
        responder.stop()
    }

    @Test func `HEAD gets the length and no body, and 204 and 304 no length`() throws {
        let responder = try RunningResponder { incoming in
            switch incoming.request.target {
            case "/204": Response(status: 204)
            case "/304": Response(status: 304)
            default: Response(status: 200, body: Data("hello".utf8))
            }
        }
        func ask(_ method: String, _ target: String) throws -> Answer? {
            try FastCGIClient.ask(
                responder.path, [("REQUEST_METHOD", method), ("REQUEST_URI", target)])
        }

        #expect(try ask("GET", "/")?.text == "hello")
        let head = try #require(try ask("HEAD", "/"))
        #expect(head.head == ["Status: 200 OK", "Content-Length: 5"])
        #expect(head.body.isEmpty)
        #expect(try ask("GET", "/204")?.head == ["Status: 204 No Content"])
        #expect(try ask("GET", "/304")?.head == ["Status: 304 Not Modified"])
        responder.stop()
    }

    @Test(arguments: [
        ("X", "a\r\nSet-Cookie: evil=1"), ("X", "a\nb"), ("X", "a\rb"), ("X", "a\u{0}b"), ("X", "\u{7f}"),
        ("X\r\nY", "a"), ("X: Y", "a"), ("X Y", "a"), ("", "a"), ("Ö", "a"),
    ])
    func `fields that would begin another one become a plain 500`(name: String, value: String) throws {
        let responder = try RunningResponder { _ in
            var fields = Fields()
            fields.append(name, value)
            return Response(status: 200, fields: fields, body: Data("secret".utf8))
        }

        let answer = try #require(try FastCGIClient.ask(responder.path, Parameter.get))

        #expect(answer.head == ["Status: 500 Internal Server Error", "Content-Length: 0"])
        #expect(answer.body.isEmpty)
        responder.stop()
    }

    @Test(arguments: [0, 99, 100, 101, 199, 600, 1000, -1])
    func `a status that is no ending becomes 500`(status: Int) throws {
        #expect(!ResponseHead.bytes(Response(status: status)).isSound)
    }

    @Test func `as many requests as threads are served at once`() throws {
        let (together, answers) = (Counter(), Counter())
        let most = 6
        let responder = try RunningResponder(threads: most) { _ in
            together.add()
            #expect(eventually { together.count == most }, "the others did not arrive")
            return Response(status: 200)
        }
        let path = responder.path

        atOnce(most) {
            let answer = try? FastCGIClient.ask(path, Parameter.get)
            if answer?.status == "Status: 200 OK" { answers.add() }
        }

        #expect(answers.count == most)
        responder.stop()
    }

    @Test func `requests of many clients keep to their own answers`() throws {
        let responder = try RunningResponder(threads: 8) { incoming in
            Response(status: 200, body: Data(incoming.request.target.utf8) + incoming.request.body)
        }
        let (clients, right) = (Counter(), Counter())
        let path = responder.path

        atOnce(16) {
            let client = clients.add()
            for number in 0..<25 {
                let body = [UInt8](repeating: UInt8(client), count: number * 1000)
                let target = "/\(client)/\(number)"
                let answer = try? FastCGIClient.ask(
                    path,
                    [
                        ("REQUEST_METHOD", "POST"), ("REQUEST_URI", target),
                        ("CONTENT_LENGTH", "\(body.count)"),
                    ], body: body)
                if answer?.body == Data(target.utf8) + Data(body) { right.add() }
            }
        }

        #expect(right.count == 16 * 25)
        #expect(responder.stop())
    }

    @Test func `draining lets requests in flight finish and leaves the others in the backlog`() throws {
        let entered = Mutex(0)
        let mayEnd = Mutex(false)
        let responder = try RunningResponder(threads: 1) { incoming in
            entered.withLock { $0 += 1 }
            if incoming.request.target == "/slow" {
                #expect(eventually { mayEnd.withLock { $0 } }, "nobody let it end")
            }
            return Response(status: 200, body: Data(incoming.request.target.utf8))
        }
        let slow = try FastCGIClient(responder.path)
        slow.begin()
        slow.parameters([("REQUEST_METHOD", "GET"), ("REQUEST_URI", "/slow")])
        slow.input([])
        #expect(eventually { entered.withLock { $0 } == 1 }, "the slow one did not arrive")
        let waiting = try FastCGIClient(responder.path)
        waiting.begin()
        waiting.parameters([("REQUEST_METHOD", "GET"), ("REQUEST_URI", "/waiting")])
        waiting.input([])

        responder.beginToStop()
        mayEnd.withLock { $0 = true }

        #expect(responder.waitForEnd())
        #expect(slow.answer()?.text == "/slow")
        #expect(entered.withLock { $0 } == 1)
        #expect(responder.hasBacklog)
        // The next process at the same socket.
        responder.start()
        #expect(waiting.answer()?.text == "/waiting")
        responder.stop()
    }

    @Test func `a request that is half sent holds nobody past the deadline`() throws {
        let responder = try RunningResponder(threads: 2, drainDeadline: .milliseconds(300)) { _ in
            Response(status: 200)
        }
        let half = try FastCGIClient(responder.path)
        half.begin()
        half.parameters([("REQUEST_METHOD", "GET")], isWhole: false)
        #expect(eventually { !responder.hasBacklog }, "nobody accepted it")
        let start = ContinuousClock.now

        let isDrained = responder.stop()

        #expect(!isDrained)
        #expect(ContinuousClock.now - start < .seconds(10))
        half.leave()
    }

    @Test func `a handler that takes too long is left behind at the deadline`() throws {
        let mayEnd = Mutex(false)
        let hasBegun = Mutex(false)
        let responder = try RunningResponder(threads: 1, drainDeadline: .milliseconds(100)) { _ in
            hasBegun.withLock { $0 = true }
            #expect(eventually { mayEnd.withLock { $0 } }, "nobody let it end")
            return Response(status: 200)
        }
        let client = try FastCGIClient(responder.path)
        client.begin()
        client.parameters(Parameter.get)
        client.input([])
        #expect(eventually { hasBegun.withLock { $0 } }, "it did not arrive")

        #expect(!responder.stop())

        mayEnd.withLock { $0 = true }
        #expect(client.answer()?.status == "Status: 200 OK")
    }
}
