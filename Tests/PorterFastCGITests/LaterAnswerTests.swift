import Foundation
import PorterHTTP
import PorterTestSupport
import Synchronization
import Testing

@testable import PorterFastCGI

/// Answers that come when their handler has long returned.
@Suite struct LaterAnswerTests {
    /// Requests whose answer the test gives.
    private final class Held: Sendable {
        private let all = Mutex<[@Sendable (Response) -> Void]>([])

        func add(_ respond: @escaping @Sendable (Response) -> Void) { all.withLock { $0.append(respond) } }
        var count: Int { all.withLock { $0.count } }

        func answer(_ status: Int) {
            for respond in all.withLock({ $0 }) { respond(Response(status: status)) }
        }

        func forget() { all.withLock { $0 = [] } }
    }

    private func client(_ responder: RunningResponder, _ target: String) throws -> FastCGIClient {
        let client = try FastCGIClient(responder.path)
        client.begin()
        client.parameters([("REQUEST_METHOD", "GET"), ("REQUEST_URI", target)])
        client.input([])
        return client
    }

    /// Holds `/held`, answers everything else.
    private func responder(_ held: Held, mostWaiting: Int = 256) throws -> RunningResponder {
        try RunningResponder(
            threads: 1, mostWaiting: mostWaiting,
            later: { incoming, respond in
                if incoming.request.target == "/held" { return held.add(respond) }
                respond(Response(status: 204))
            })
    }

    @Test func `a thread serves others while an answer is not there yet`() throws {
        let held = Held()
        let responder = try responder(held)
        let waiting = try (0..<5).map { _ in try client(responder, "/held") }
        #expect(eventually { held.count == 5 })

        #expect(try client(responder, "/other").answer()?.status == "Status: 204 No Content")
        held.answer(202)

        for client in waiting { #expect(client.answer()?.status == "Status: 202 Accepted") }
        responder.stop()
    }

    @Test func `a second answer to one request is overlooked`() throws {
        let held = Held()
        let responder = try responder(held)
        let waiting = try client(responder, "/held")
        #expect(eventually { held.count == 1 })

        held.answer(202)
        held.answer(500)

        #expect(waiting.answer()?.status == "Status: 202 Accepted")
        #expect(try client(responder, "/other").answer()?.status == "Status: 204 No Content")
        responder.stop()
    }

    @Test func `a request whose handler forgets it is answered 500`() throws {
        let held = Held()
        let responder = try responder(held)
        let waiting = try client(responder, "/held")
        #expect(eventually { held.count == 1 })

        held.forget()

        #expect(waiting.answer()?.status == "Status: 500 Internal Server Error")
        responder.stop()
    }

    @Test func `nobody more is accepted while the most are waiting`() throws {
        let held = Held()
        let responder = try responder(held, mostWaiting: 2)
        let waiting = try (0..<2).map { _ in try client(responder, "/held") }
        #expect(eventually { held.count == 2 })

        let late = try client(responder, "/other")
        #expect(eventually { responder.hasBacklog })
        held.answer(202)

        #expect(late.answer()?.status == "Status: 204 No Content")
        for client in waiting { #expect(client.answer()?.status == "Status: 202 Accepted") }
        responder.stop()
    }

    @Test func `a drain waits for answers that are not there yet`() throws {
        let held = Held()
        let responder = try responder(held)
        let waiting = try client(responder, "/held")
        #expect(eventually { held.count == 1 })

        responder.beginToStop()
        held.answer(202)

        #expect(responder.waitForEnd())
        #expect(waiting.answer()?.status == "Status: 202 Accepted")
    }
}
