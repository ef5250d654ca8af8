import Foundation
import Porter
import PorterHTTP
import PorterTestSupport
import Testing

@testable import PorterMachines

@Suite struct AnswerTests {
    private func read(_ text: String) throws -> Machine {
        let engine = ScriptedEngine(.json(200, try JSONValue(text)))
        return try #require(try engine.machines.find("m"))
    }

    @Test(arguments: [
        ("created", Machine.State.created), ("starting", .starting), ("started", .started),
        ("stopping", .stopping), ("stopped", .stopped), ("destroying", .destroying),
        ("destroyed", .destroyed), ("failed", .failed), ("suspended", .unknown), ("replaced", .unknown),
        ("launch_failed", .unknown), ("migrated", .unknown), ("Started", .unknown), ("", .unknown),
        ("unknown", .unknown), ("started ", .unknown), ("ready", .unknown),
    ])
    func `a state is known by its word, and a strange word is unknown`(
        word: String, state: Machine.State
    ) throws {
        #expect(try read(#"{"id":"m","state":"\#(word)"}"#).state == state)
    }

    @Test func `only destroyed is gone for certain`() throws {
        let states = [
            "created", "starting", "started", "stopping", "stopped", "destroying", "failed", "replaced",
        ]
        for word in states { #expect(!(try read(#"{"id":"m","state":"\#(word)"}"#).isGone), "\(word)") }
        #expect(try !read(#"{"id":"m","state":null}"#).isGone)
        #expect(try !read(#"{"id":"m"}"#).isGone)
        #expect(try read(#"{"id":"m","state":"destroyed"}"#).isGone)
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let events: String
        let exit: Machine.Exit?

        init(_ events: String, _ exit: Machine.Exit?) {
            self.events = events
            self.exit = exit
        }

        var testDescription: String { events }
    }

    private static func exit(
        _ code: Int, oom: Bool = false, requested: Bool = false, _ words: String = ""
    ) -> Machine.Exit {
        Machine.Exit(code: code, outOfMemory: oom, wasRequested: requested, message: words)
    }

    // api-notes.md A4: newest first; absent `exit_code` is 0; `exited_at` a string or a number.
    @Test(arguments: [
        Case("[]", nil), Case("null", nil), Case(#"[{"type":"start","request":null}]"#, nil),
        Case(#"[{"type":"exit"}]"#, nil), Case(#"[{"type":"exit","request":null}]"#, nil),
        Case(#"[{"type":"exit","request":{}}]"#, nil),
        Case(#"[{"type":"exit","request":{"exit_event":null}}]"#, nil),
        Case(#"[{"type":"exit","request":{"exit_event":{}}}]"#, exit(0)),
        Case(#"[{"type":"exit","request":{"exit_event":{"exit_code":null}}}]"#, exit(0)),
        Case(#"[{"type":"exit","request":{"exit_event":{"exit_code":3}}}]"#, exit(3)),
        Case(#"[{"type":"exit","request":{"exit_event":{"guest_exit_code":4}}}]"#, exit(4)),
        Case(
            #"[{"type":"exit","request":{"exit_event":{"exit_code":1,"exited_at":"2026-10-04T10:05:00Z"}}}]"#,
            exit(1)),
        Case(
            #"[{"type":"exit","request":{"exit_event":{"exit_code":1,"exited_at":1759572300500}}}]"#, exit(1)),
        Case(
            #"[{"type":"exit","request":{"MonitorEvent":{"exit_event":{"exit_code":5}},"restart_count":0}}]"#,
            exit(5)),
        Case(
            #"[{"type":"exit","request":{"exit_event":null,"MonitorEvent":{"exit_event":{"exit_code":6}}}}]"#,
            exit(6)),
        Case(#"[{"type":"exit","request":{"MonitorEvent":null}}]"#, nil),
        Case(
            #"[{"type":"exit","request":{"exit_event":{"exit_code":137,"oom_killed":true}}}]"#,
            exit(137, oom: true)),
        Case(
            #"[{"type":"exit","request":{"exit_event":{"requested_stop":true,"error":"bye"}}}]"#,
            exit(0, requested: true, "bye")),
        // 128 + n where only the signal is told; -1 is none.
        Case(
            #"[{"type":"exit","request":{"exit_event":{"signal":9,"guest_signal":-1,"guest_exit_code":0}}}]"#,
            exit(137)),
        Case(#"[{"type":"exit","request":{"exit_event":{"signal":-1,"guest_signal":15}}}]"#, exit(143)),
        Case(
            #"[{"type":"exit","request":{"exit_event":{"signal":-1,"guest_signal":-1,"exit_code":2}}}]"#,
            exit(2)),
        // Newest first.
        Case(
            #"""
            [{"type":"destroy","request":null},{"type":"exit","request":{"exit_event":{"exit_code":2}}},
             {"type":"exit","request":{"exit_event":{"exit_code":1}}},{"type":"launch","request":null}]
            """#, exit(2)),
        // What other events carry is nobody's business.
        Case(
            #"[{"type":"update","request":{"exit_event":{"exit_code":9}}},{"type":"x","request":"text"}]"#,
            nil),
        Case(
            #"[{"type":"restart","request":[1]},{"type":"exit","request":{"exit_event":{"exit_code":1}}}]"#,
            exit(1)),
        Case(#"[{"type":null,"request":7}, {}]"#, nil),
    ])
    func `an exit is read in every shape that Fly gives it`(_ example: Case) throws {
        let machine = try read(#"{"id":"m","state":"destroyed","events":\#(example.events)}"#)

        #expect(machine.exit == example.exit)
    }

    @Test func `metadata comes from the incomplete configuration where there is no other`() throws {
        let there = #"{"metadata":{"porter_task":"t"}}"#
        #expect(try read(#"{"id":"m","config":\#(there)}"#).metadata == ["porter_task": "t"])
        #expect(
            try read(#"{"id":"m","config":null,"incomplete_config":\#(there)}"#).metadata
                == ["porter_task": "t"])
        #expect(try read(#"{"id":"m","incomplete_config":\#(there)}"#).metadata == ["porter_task": "t"])
        #expect(try read(#"{"id":"m","config":{}}"#).metadata == [:])
        #expect(try read(#"{"id":"m","config":{"metadata":null}}"#).metadata == [:])
        #expect(try read(#"{"id":"m"}"#).metadata == [:])
    }

    @Test func `a list is all of its machines`() throws {
        let engine = ScriptedEngine(.json(200, try JSONValue(#"[{"id":"a"},{"id":"b","state":"started"}]"#)))

        let found = try engine.machines.list("porter_instance", "i", false)

        #expect(found.map(\.id) == ["a", "b"])
        #expect(found.map(\.state) == [.unknown, .started])
    }

    struct Refusal: Sendable, CustomTestStringConvertible {
        let response: Response
        let code: MachinesError.Code

        init(_ response: Response, _ code: MachinesError.Code) {
            self.response = response
            self.code = code
        }

        var testDescription: String {
            "\(response.status) \(String(decoding: response.body, as: UTF8.self))"
        }
    }

    // fly-go's rule: trust `status` where it is given, the phrase only with 409.
    @Test(arguments: [
        Refusal(.refusal(422, "no host", kind: "insufficient_capacity"), .noCapacity),
        Refusal(.refusal(503, "no host", kind: "insufficient_capacity"), .noCapacity),
        Refusal(.refusal(412, "no room", kind: "volume_placement_capacity"), .noCapacity),
        Refusal(.refusal(409, "aborted: insufficient resources available"), .noCapacity),
        Refusal(.refusal(422, "insufficient funds"), .refused),
        Refusal(.refusal(412, "machine not currently stopped"), .refused),
        Refusal(.refusal(409, "machine ID ab12 already exists with name \"n\""), .nameTaken(id: "ab12")),
        Refusal(.refusal(409, "machine already exists"), .uncertain),
        Refusal(.refusal(409, "machine ID  already exists"), .uncertain),
        Refusal(.json(409, .object(["message": .string("lease currently held by x")])), .uncertain),
        Refusal(.refusal(401, "Authenticate: token validation error"), .unauthorized),
        Refusal(.refusal(403, "unauthorized"), .unauthorized),
        Refusal(
            .refusal(400, "failed to get manifest registry.fly.io/x: manifest unknown"), .imageUnavailable),
        Refusal(.refusal(422, "could not resolve image"), .imageUnavailable),
        Refusal(.refusal(408, "deadline_exceeded"), .uncertain),
        Refusal(.refusal(429, "resource_exhausted: rate limit exceeded"), .uncertain),
        Refusal(.refusal(500, "internal"), .uncertain), Refusal(.refusal(502, "bad"), .uncertain),
        Refusal(Response(status: 503), .uncertain), Refusal(.noSuchPage, .refused),
        Refusal(.refusal(404, "App not found"), .refused), Refusal(Response(status: 302), .refused),
        Refusal(Response(status: 200), .uncertain), Refusal(Response(status: 204), .uncertain),
        Refusal(Response(status: 200, body: Data(#"{"id":"x","#.utf8)), .uncertain),
        Refusal(Response(status: 200, body: Data("<html></html>".utf8)), .uncertain),
        Refusal(.json(200, .object(["name": .string("no id")])), .uncertain),
    ])
    func `a create that does not succeed says what to do next`(_ example: Refusal) throws {
        let engine = ScriptedEngine(example.response)

        let error = failure { () throws(MachinesError) in _ = try engine.machines.create(.sample) }

        #expect(error?.code == example.code)
        #expect(error?.status == example.response.status)
        #expect(error?.operation == "create machine")
    }

    @Test func `a machine that the engine never knew is nothing to find and nothing to destroy`() throws {
        let unknown = Response.refusal(404, "not_found: machine not found")

        #expect(try ScriptedEngine(unknown).machines.find("m") == nil)
        try ScriptedEngine(unknown).machines.destroy("m")
    }

    // A wrong address or app says nothing about the machine, which may be running.
    @Test(
        arguments: [
            .noSuchPage, Response(status: 404), .refusal(404, "App not found"),
            .refusal(404, "Could not find App \"porter-workers\""),
            Response(status: 404, fields: ["Content-Type": "text/html"], body: Data("<html>".utf8)),
        ] as [Response])
    func `any other 404 does not mean that the machine is gone`(response: Response) throws {
        let found = failure { () throws(MachinesError) in
            _ = try ScriptedEngine(response).machines.find("m")
        }
        let destroyed = failure { () throws(MachinesError) in
            try ScriptedEngine(response).machines.destroy("m")
        }

        #expect(found?.code == .refused)
        #expect(found?.status == 404)
        #expect(destroyed?.code == .refused)
    }

    @Test(arguments: [
        (TransportError.Code.unreachable, MachinesError.Code.unreachable), (.notAllowed, .unreachable),
        (.interrupted, .uncertain), (.tooLarge, .uncertain), (.cancelled, .uncertain),
    ])
    func `a call without an answer is certain only when nothing was sent`(
        given: TransportError.Code, code: MachinesError.Code
    ) {
        let recorder = TransportRecorder { _, _ throws(TransportError) in throw TransportError(given, "words")
        }
        let machines = Machines.live(
            transport: recorder.transport, baseURL: "https://x.example/v1", app: "a", token: nil)

        let error = failure { () throws(MachinesError) in _ = try machines.create(.sample) }

        #expect(error?.code == code)
        #expect(error?.status == nil)
        #expect(recorder.requests.count == 1)
    }

    @Test func `an error tells the engine's words and request id, and no token`() throws {
        var response = Response.refusal(
            422, "no: callback-secret, plain-token, " + String(repeating: "x", count: 1000))
        response.fields["Fly-Request-Id"] = "01H-iad"
        let engine = ScriptedEngine(response)

        let error = try #require(
            failure { () throws(MachinesError) in _ = try engine.machines.create(.sample) })

        #expect(error.requestID == "01H-iad")
        #expect(error.message.count <= 500)
        #expect(error.description.hasPrefix("The engine could not create machine: refused (422): no: "))
        #expect(error.description.hasSuffix("[request 01H-iad]"))
        #expect(!error.description.contains("plain-token"))
        #expect(!error.description.contains("callback-secret"))
    }
}
