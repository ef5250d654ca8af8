import Foundation
import Porter
import PorterStore
import PorterTestWorld
import Synchronization
import Testing

@testable import PorterWork

/// Contract section 5: what a worker may say, and what it is answered.
@Suite struct CallbackTests {
    /// A world with one machine whose worker is the test itself.
    struct Scene {
        let world: World
        let id: TaskID
        let machine: Secret

        init(_ text: String = "@porter demo fix it", change: (inout Policy) -> Void = { _ in }) throws {
            world = try World(change: change)
            world.crew.change { $0.claims = false }
            id = try world.ask(text)
            try world.settle()
            machine = try #require(world.engine.running.last?.token)
        }

        func claim(_ nonce: String = "nonce-one") throws -> [String: Any] {
            let data = try world.work.claim(token: machine, nonce: Secret(nonce))
            return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        }

        /// Claims, and hands back the callback token.
        func callback() throws -> Secret {
            Secret(try #require(try claim()["callback_token"] as? String))
        }

        func failure(_ body: () throws -> Void) -> CallbackFailure? {
            do {
                try body()
                return nil
            } catch {
                return error as? CallbackFailure
            }
        }

        var events: [String] { get throws { try world.store.listEvents(id).map(\.kind) } }
    }

    @Test func `a claim answers with everything that the contract names`() throws {
        let scene = try Scene("@porter codex --timeout=10m fix it") {
            $0.teamKeys = ["OPENAI_API_KEY": Secret("sk-canary"), "AMP_API_KEY": Secret("other-canary")]
        }

        let answer = try scene.claim()

        #expect(
            Set(answer.keys) == [
                "task_id", "attempt", "callback_token", "repository", "base_branch", "branch", "agent",
                "prompt", "limits", "author", "co_author", "credential",
            ])
        #expect(answer["task_id"] as? String == scene.id.rawValue)
        #expect(answer["attempt"] as? Int == 1)
        #expect((answer["callback_token"] as? String)?.utf8.count == 64)
        let repository = try #require(answer["repository"] as? [String: Any])
        #expect(Set(repository.keys) == ["id", "owner", "name", "clone_url"])
        #expect(repository["id"] as? Int == 42)
        let agent = try #require(answer["agent"] as? [String: Any])
        #expect(Set(agent.keys) == ["name", "argv", "prompt", "environment"])
        #expect(agent["environment"] as? [String: String] == ["OPENAI_API_KEY": "sk-canary"])
        let limits = try #require(answer["limits"] as? [String: Int])
        #expect(limits == ["clone_s": 300, "timeout_s": 600, "stall_s": 300, "save_s": 120])
        #expect(
            answer["author"] as? [String: String] == [
                "name": "porter[bot]", "email": "901+porter[bot]@users.noreply.github.com",
            ])
        #expect(answer["co_author"] as? String == "maria <1+maria@users.noreply.github.com>")
        let credential = try #require(answer["credential"] as? [String: String])
        #expect(Set(credential.keys) == ["username", "token", "expires_at"])
        #expect(scene.world.github.seen.tokens.map(\.access) == [.read])
        #expect(answer["branch"] as? String == scene.id.branch)
        #expect(answer["base_branch"] as? String == "trunk")
    }

    @Test func `the machine's configuration holds exactly what the contract names`() throws {
        let scene = try Scene()
        let plan = try #require(scene.world.engine.all.first?.plan)

        #expect(
            Set(plan.environment.keys) == [
                "PORTER_CALLBACK_URL", "PORTER_TASK_ID", "PORTER_CALLBACK_TOKEN",
            ])
        #expect(Set(plan.metadata.keys) == ["porter_task", "porter_attempt", "porter_instance"])
        #expect(plan.name == scene.id.machineName(attempt: 1))
    }

    @Test func `the same nonce gets the same answer for 60 seconds, and then 409`() throws {
        let scene = try Scene()
        let first = try scene.world.work.claim(token: scene.machine, nonce: Secret("nonce-one"))

        scene.world.advance(seconds: 59)
        #expect(try scene.world.work.claim(token: scene.machine, nonce: Secret("nonce-one")) == first)

        scene.world.advance(seconds: 1)
        let late = scene.failure { _ = try scene.claim() }
        #expect(late?.status == 409)
        #expect(try scene.events.contains("second_claim_refused"))
    }

    @Test func `a claim that is repeated after its answer was pruned is 409 and takes nothing away`() throws {
        let scene = try Scene()
        let token = try scene.callback()
        scene.world.advance(seconds: 121)
        _ = try scene.world.store.prune(
            before: scene.world.now.adding(seconds: -86_400),
            answersBefore: scene.world.now.adding(seconds: -120), at: scene.world.now)

        #expect(scene.failure { _ = try scene.claim() }?.status == 409)

        #expect(try scene.world.work.progress(token: token, Progress(phase: .clone)).goesOn)
    }

    @Test func `a second nonce is 409 and recorded, and the run goes on`() throws {
        let scene = try Scene()
        let token = try scene.callback()

        #expect(scene.failure { _ = try scene.claim("nonce-two") }?.status == 409)

        #expect(try scene.events.contains("second_claim_refused"))
        #expect(try scene.world.work.progress(token: token, Progress(phase: .clone)).goesOn)
    }

    @Test func `two claims at once with one nonce get one answer, and its token works`() throws {
        let scene = try Scene()
        let inner = Mutex<Data?>(nil)
        // The second claim comes while the first waits for GitHub's token.
        scene.world.github.faults.during("contentsToken") {
            let answer = try? scene.world.work.claim(token: scene.machine, nonce: Secret("nonce-one"))
            inner.withLock { $0 = answer }
        }

        let outer = try scene.world.work.claim(token: scene.machine, nonce: Secret("nonce-one"))

        #expect(inner.withLock { $0 } == outer)
        for data in [outer, try #require(inner.withLock { $0 })] {
            let body = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
            let token = Secret(try #require(body["callback_token"] as? String))
            #expect(try scene.world.work.progress(token: token, Progress(phase: .clone)).goesOn)
        }
    }

    @Test func `a claim whose answer GitHub prevented is answered when it is repeated`() throws {
        let scene = try Scene()
        scene.world.github.faults.plant(.unreachable, at: "contentsToken")

        #expect(scene.failure { _ = try scene.claim() }?.status == 503)
        let token = try scene.callback()

        #expect(try scene.world.work.progress(token: token, Progress(phase: .clone)).goesOn)
    }

    @Test func `the machine's token opens nothing but the claim, and complete until then`() throws {
        let scene = try Scene()
        #expect(
            scene.failure {
                _ = try scene.world.work.progress(token: scene.machine, Progress(phase: .clone))
            }?.status == 401)
        #expect(scene.failure { _ = try scene.world.work.credential(token: scene.machine) }?.status == 401)

        _ = try scene.claim()
        #expect(
            scene.failure {
                try scene.world.work.complete(
                    token: scene.machine, named: scene.id.rawValue, Attempt.Report(outcome: .failed))
            }?.status == 401)
    }

    @Test func `a callback token opens no claim`() throws {
        let scene = try Scene()
        let token = try scene.callback()

        #expect(
            scene.failure { _ = try scene.world.work.claim(token: token, nonce: Secret("nonce-one")) }?.status
                == 401)
    }

    @Test func `a worker that could not claim may say why`() throws {
        let scene = try Scene()
        let report = Attempt.Report(outcome: .failed, reason: .workerOutdated)

        try scene.world.work.complete(token: scene.machine, named: scene.id.rawValue, report)
        try scene.world.work.complete(token: scene.machine, named: scene.id.rawValue, report)
        #expect(scene.failure { _ = try scene.claim() }?.status == 409)
        #expect(try scene.world.task(scene.id).phase == .publishing)
        try scene.world.live(seconds: 60)

        let task = try scene.world.task(scene.id)
        #expect(task.state == .failed)
        #expect(task.reason == .workerOutdated)
        // "`started_at`: first claim."
        #expect(task.startedAt == nil)
        #expect(try scene.world.flaws(scene.id) == [])
    }

    @Test func `a token that nobody has is 401`() throws {
        let scene = try Scene()
        for work in [Secret("nothing"), Secret(""), Secret(String(repeating: "0", count: 64))] {
            #expect(scene.failure { try scene.world.work.checkToken(work) }?.status == 401)
        }
    }

    @Test func `a report about another task is 401 and changes nothing`() throws {
        let scene = try Scene()
        let token = try scene.callback()
        let other = try scene.world.ask("@porter demo another")

        let failure = scene.failure {
            try scene.world.work.complete(
                token: token, named: other.rawValue, Attempt.Report(outcome: .success))
        }

        #expect(failure?.status == 401)
        #expect(try scene.world.task(scene.id).phase == .clone)
    }

    @Test func `tokens of an earlier attempt are 401`() throws {
        let scene = try Scene()
        let token = try scene.callback()
        scene.world.engine.end("m1", code: 1)
        try scene.world.live(seconds: 10)
        #expect(try scene.world.task(scene.id).attempt == 2)

        for old in [token, scene.machine] {
            #expect(scene.failure { try scene.world.work.checkToken(old) }?.status == 401)
        }
    }

    @Test func `after the end the last attempt's token is known: the stored status 200, all else 409`() throws
    {
        let scene = try Scene()
        let token = try scene.callback()
        func complete(_ outcome: Outcome) -> CallbackFailure? {
            scene.failure {
                try scene.world.work.complete(
                    token: token, named: scene.id.rawValue, Attempt.Report(outcome: outcome))
            }
        }
        #expect(complete(.success) == nil)
        #expect(complete(.success) == nil)
        #expect(complete(.failed)?.status == 409)
        try scene.world.live(seconds: 60)
        #expect(try scene.world.task(scene.id).state == .success)

        #expect(complete(.success) == nil)
        for other in [Outcome.failed, .cancelled, .timedOut] { #expect(complete(other)?.status == 409) }
        #expect(
            scene.failure { _ = try scene.world.work.progress(token: token, Progress(phase: .saving)) }?
                .status
                == 409)
        #expect(scene.failure { _ = try scene.world.work.credential(token: token) }?.status == 409)
        #expect(scene.failure { _ = try scene.claim() }?.status == 409)
        #expect(try scene.world.task(scene.id).state == .success)
    }

    // progress

    @Test func `log offsets count bytes: overlap is ignored, a gap is 409 with what was expected`() throws {
        let scene = try Scene()
        let token = try scene.callback()
        func send(_ offset: Int, _ text: String) -> CallbackFailure? {
            scene.failure {
                _ = try scene.world.work.progress(
                    token: token, Progress(phase: .clone, logOffset: offset, logText: Array(text.utf8)))
            }
        }

        #expect(send(0, "grüße\n") == nil)
        #expect(send(0, "grüße\n") == nil)
        #expect(send(6, "e\nand more") == nil)
        let gap = send(99, "lost")
        #expect(gap?.status == 409)
        #expect(gap?.code == "log_offset")
        #expect(gap?.expected == 16)

        let log = try scene.world.store.readLog(scene.id, from: 0, most: 100)
        #expect(String(decoding: log.text, as: UTF8.self) == "grüße\nand more")
    }

    @Test func `a log is kept to its limit and counted beyond`() throws {
        let scene = try Scene { $0.logLimit = 10 }
        let token = try scene.callback()
        for offset in [0, 6, 12] {
            _ = try scene.world.work.progress(
                token: token, Progress(phase: .clone, logOffset: offset, logText: Array("abcdef".utf8)))
        }

        let log = try scene.world.store.readLog(scene.id, from: 0, most: 100)
        #expect(String(decoding: log.text, as: UTF8.self) == "abcdefabcd")
        #expect(try scene.world.store.findAttempt(scene.id, 1)?.logBytes == 18)
    }

    @Test func `a message belongs to its phase`() throws {
        let scene = try Scene()
        let token = try scene.callback()
        _ = try scene.world.work.progress(token: token, Progress(phase: .clone, message: "history of 50"))
        #expect(try scene.world.task(scene.id).phaseMessage == "history of 50")
        _ = try scene.world.work.progress(token: token, Progress(phase: .clone))
        #expect(try scene.world.task(scene.id).phaseMessage == "history of 50")

        _ = try scene.world.work.progress(token: token, Progress(phase: .agent))

        #expect(try scene.world.task(scene.id).phaseMessage == nil)
    }

    @Test func `the agent counts as started only when it was allowed to start`() throws {
        let scene = try Scene()
        let token = try scene.callback()
        _ = try scene.world.store.requestStop(
            scene.id, reason: .cancelledByUser, detail: nil, at: scene.world.now)

        let answer = try scene.world.work.progress(token: token, Progress(phase: .agent))

        #expect(answer == Continuation(goesOn: false, reason: .cancelledByUser))
        #expect(try scene.world.store.findAttempt(scene.id, 1)?.agentStartedAt == nil)
    }

    @Test func `from saving there is no way back`() throws {
        let scene = try Scene()
        let token = try scene.callback()
        _ = try scene.world.work.progress(token: token, Progress(phase: .saving))

        for phase in [Phase.clone, .setup, .agent] {
            #expect(
                scene.failure { _ = try scene.world.work.progress(token: token, Progress(phase: phase)) }?
                    .status == 409)
        }
        #expect(try scene.world.task(scene.id).phase == .saving)
    }

    @Test func `usage is kept as it grows, and what is not said is not forgotten`() throws {
        let scene = try Scene()
        let token = try scene.callback()
        _ = try scene.world.work.progress(
            token: token,
            Progress(phase: .agent, usage: Usage(inputTokens: 10, outputTokens: 2, costUSD: 0.5)))
        _ = try scene.world.work.progress(
            token: token, Progress(phase: .agent, usage: Usage(inputTokens: 20)))

        #expect(
            try scene.world.task(scene.id).usage == Usage(inputTokens: 20, outputTokens: 2, costUSD: 0.5))
    }

    // credential

    @Test func `a push credential is given in saving only, three times`() throws {
        let scene = try Scene()
        let token = try scene.callback()
        for phase in [Phase.clone, .setup, .agent] {
            _ = try scene.world.work.progress(token: token, Progress(phase: phase))
            #expect(scene.failure { _ = try scene.world.work.credential(token: token) }?.status == 409)
        }
        #expect(try scene.events.contains("credential_refused"))

        _ = try scene.world.work.progress(token: token, Progress(phase: .saving))
        for _ in 0..<3 { #expect(try scene.world.work.credential(token: token).username == "x-access-token") }
        #expect(scene.failure { _ = try scene.world.work.credential(token: token) }?.status == 409)

        #expect(scene.world.github.seen.tokens.map(\.access) == [.read, .write, .write, .write])
    }

    @Test func `a credential that GitHub did not give uses none of the three up`() throws {
        let scene = try Scene()
        let token = try scene.callback()
        _ = try scene.world.work.progress(token: token, Progress(phase: .saving))
        scene.world.github.faults.plant(.unreachable, at: "contentsToken", times: 5)
        for _ in 0..<5 {
            #expect(scene.failure { _ = try scene.world.work.credential(token: token) }?.status == 503)
        }

        for _ in 0..<3 { _ = try scene.world.work.credential(token: token) }
        #expect(scene.failure { _ = try scene.world.work.credential(token: token) }?.status == 409)
    }

    @Test func `a stopped task may still push what there is`() throws {
        let scene = try Scene()
        let token = try scene.callback()
        _ = try scene.world.work.progress(token: token, Progress(phase: .agent))
        _ = try scene.world.store.requestStop(
            scene.id, reason: .cancelledByUser, detail: nil, at: scene.world.now)

        #expect(try !scene.world.work.progress(token: token, Progress(phase: .saving)).goesOn)
        #expect(try scene.world.work.credential(token: token).token.hasPrefix("ghs_canary_write"))
    }

    @Test func `a token that GitHub gives while the task ends is revoked as well`() throws {
        let scene = try Scene()
        let token = try scene.callback()
        _ = try scene.world.work.progress(token: token, Progress(phase: .saving))
        scene.world.github.faults.during("contentsToken") {
            scene.world.change { $0.limits.grace = 0 }
            scene.world.advance(seconds: 2000)
            _ = try? scene.world.live(seconds: 60)
        }

        _ = scene.failure { _ = try scene.world.work.credential(token: token) }
        #expect(try scene.world.task(scene.id).state.isFinal)
        try scene.world.live(seconds: 60)

        #expect(scene.world.github.liveTokens.isEmpty)
    }

    @Test func `an engine that does not answer keeps no token alive after the end`() throws {
        let scene = try Scene()
        let token = try scene.callback()
        scene.world.engine.faults.plant(.unreachable, at: "find", times: 10_000)
        scene.world.engine.faults.plant(.unreachable, at: "destroy", times: 10_000)
        try scene.world.work.complete(
            token: token, named: scene.id.rawValue, Attempt.Report(outcome: .failed, reason: .agentFailed))

        try scene.world.live(seconds: 120)

        #expect(try scene.world.task(scene.id).state == .failed)
        #expect(scene.world.github.liveTokens.isEmpty)
        #expect(scene.world.engine.running.count == 1)
        scene.world.engine.faults.clear()
        try scene.world.live(seconds: 1200)
        #expect(scene.world.engine.running.isEmpty)
    }
}
