import Porter
import PorterHTTP
import PorterTestSupport
import Testing

@testable import PorterWorker

/// What stands at the callback address may be a proxy, a portal, another program.
@Suite struct CallbackTests {
    private static let strangers: [Response] = [
        FakePorter.page(200), FakePorter.page(404), FakePorter.page(403), FakePorter.page(401),
        FakePorter.page(409), FakePorter.page(302), FakePorter.json(200, "[]"), FakePorter.json(200, ""),
        FakePorter.json(409, "{}"), FakePorter.json(404, #"{"detail": "Not Found"}"#),
        FakePorter.json(404, #"{"error": "Not Found", "message": "no route"}"#),
        FakePorter.json(403, #"{"error": {"code": "x"}, "message": "m"}"#),
        FakePorter.json(503, #"{"error": "unavailable", "message": "later"}"#),
    ]

    @Test(arguments: strangers.indices)
    func `what is none of Porter's answers is silence`(index: Int) throws {
        let porter = FakePorter { _, _, _ in Self.strangers[index] }
        let token = Secret("t")
        for name in ["complete", "claim"] {
            let answer = try porter.callbacks.ask(
                name, ClaimBody(nonce: "n"), token: token, for: StoredAnswer.self)
            #expect(answer == nil)
        }
    }

    @Test(arguments: strangers.indices)
    func `a report goes on until Porter itself has it`(index: Int) throws {
        let porter = FakePorter { _, _, number in number == 0 ? Self.strangers[index] : nil }
        let report = CompleteBody(task_id: RepositoryScene.task, status: "success")
        _ = try porter.callbacks.askOn(
            "complete", report, token: Secret("t"), for: StoredAnswer.self, atMost: .seconds(60))
        #expect(porter.bodies("complete").count == 2)
    }

    @Test(arguments: [(401, "unauthorized"), (409, "refused"), (404, "not_found"), (422, "invalid")])
    func `Porter's own word is final`(status: Int, code: String) {
        let porter = FakePorter { _, _, _ in
            FakePorter.json(status, #"{"error": "\#(code)", "message": "No."}"#)
        }
        let refusal = #expect(throws: Callbacks.Refusal.self) {
            try porter.callbacks.askOn(
                "complete", ClaimBody(nonce: "n"), token: Secret("t"), for: StoredAnswer.self,
                atMost: .seconds(60))
        }
        #expect(refusal?.status == status && refusal?.code == code)
        #expect(porter.bodies("complete").count == 1)
    }
}

@Suite struct PulseTests {
    private func pulse(_ porter: FakePorter) -> Pulse {
        Pulse(callbacks: porter.callbacks, token: Secret("t"), log: LogBuffer(redactor: Redactor()))
    }

    private static let strangers: [Response] = [
        FakePorter.page(200), FakePorter.page(409), FakePorter.page(404), FakePorter.json(200, "{}"),
        FakePorter.json(409, "{}"), FakePorter.json(200, #"{"continue": "yes"}"#),
    ]

    @Test(arguments: strangers.indices)
    func `an agent begins only when Porter said so`(index: Int) {
        let porter = FakePorter { _, _, _ in Self.strangers[index] }
        let pulse = pulse(porter)
        defer { pulse.finish() }
        #expect(!pulse.enter(.agent, atMost: .milliseconds(10)))
        #expect(pulse.stop == nil)
    }

    @Test(arguments: strangers.indices)
    func `the phase is reported until Porter answers`(index: Int) {
        let porter = FakePorter { _, _, number in number < 2 ? Self.strangers[index] : nil }
        let pulse = pulse(porter)
        defer { pulse.finish() }
        #expect(pulse.enter(.agent, atMost: .seconds(60)))
        #expect(porter.bodies("progress").count == 3)
    }

    @Test func `a refusal is no permission, and is not asked again`() {
        let porter = FakePorter { _, _, _ in
            FakePorter.json(409, #"{"error": "refused", "message": "The task is not running."}"#)
        }
        let pulse = pulse(porter)
        defer { pulse.finish() }
        #expect(!pulse.enter(.agent, atMost: .seconds(60)))
        #expect(porter.bodies("progress").count == 1)
    }

    @Test func `a stop is learned with its reason`() {
        let porter = FakePorter { _, _, _ in
            FakePorter.json(200, #"{"continue": false, "reason": "issue_closed"}"#)
        }
        let pulse = pulse(porter)
        defer { pulse.finish() }
        #expect(!pulse.enter(.agent, atMost: .seconds(60)))
        #expect(pulse.stop == .asked(.issueClosed))
    }

    @Test func `a page in Porter's place takes nothing from the log`() {
        let porter = FakePorter { _, _, number in number == 0 ? FakePorter.page(200) : nil }
        let pulse = pulse(porter)
        defer { pulse.finish() }
        pulse.log.note("one line")
        #expect(pulse.enter(.agent, atMost: .seconds(60)))
        pulse.deliver()
        #expect(porter.log == "one line\n")
    }

    @Test func `it beats on after the log was delivered, until it is told to end`() {
        let porter = FakePorter()
        let pulse = pulse(porter)
        pulse.log.note("the last line")
        pulse.deliver()
        #expect(porter.log == "the last line\n")
        pulse.log.note("one more")
        #expect(eventually { porter.log == "the last line\none more\n" })
        pulse.finish()
    }
}
