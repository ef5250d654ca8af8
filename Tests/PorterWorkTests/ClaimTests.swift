import Foundation
import Porter
import PorterStore
import PorterTestWorld
import Synchronization
import Testing

@testable import PorterWork

/// `public/openapi.json`: who may claim, and which token opens what.
@Suite struct ClaimTests {
    @Test func `a claim answers with everything that the contract names`() throws {
        let scene = try CallbackScene("@porter codex --timeout=10m fix it") {
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
        let scene = try CallbackScene()
        let plan = try #require(scene.world.engine.all.first?.plan)

        #expect(
            Set(plan.environment.keys) == [
                "PORTER_CALLBACK_URL", "PORTER_TASK_ID", "PORTER_CALLBACK_TOKEN",
            ])
        #expect(Set(plan.metadata.keys) == ["porter_task", "porter_attempt", "porter_instance"])
        #expect(plan.name == scene.id.machineName(attempt: 1))
    }

    @Test func `the same nonce gets the same answer for 60 seconds, and then 409`() throws {
        let scene = try CallbackScene()
        let first = try scene.world.work.claim(token: scene.machine, nonce: Secret("nonce-one"))

        scene.world.advance(seconds: 59)
        #expect(try scene.world.work.claim(token: scene.machine, nonce: Secret("nonce-one")) == first)

        scene.world.advance(seconds: 1)
        let late = scene.failure { _ = try scene.claim() }
        #expect(late?.status == 409)
        #expect(try scene.events.contains("second_claim_refused"))
    }

    @Test func `a claim that is repeated after its answer was pruned is 409 and takes nothing away`() throws {
        let scene = try CallbackScene()
        let token = try scene.callback()
        scene.world.advance(seconds: 121)
        _ = try scene.world.store.prune(
            before: scene.world.now.adding(seconds: -86_400),
            answersBefore: scene.world.now.adding(seconds: -120), at: scene.world.now)

        #expect(scene.failure { _ = try scene.claim() }?.status == 409)

        #expect(try scene.world.work.progress(token: token, Progress(phase: .clone)).goesOn)
    }

    @Test func `a claim that waits for GitHub is answered once GitHub is back, in the same attempt`() throws {
        let scene = try CallbackScene()
        scene.world.github.faults.plant(.unreachable, at: "contentsToken", times: 20)
        for _ in 0..<20 {
            #expect(scene.failure { _ = try scene.claim() }?.status == 503)
            try scene.world.live(seconds: 10)
        }

        let token = try scene.callback()

        #expect(try scene.world.task(scene.id).attempt == 1)
        #expect(try scene.world.work.progress(token: token, Progress(phase: .clone)).goesOn)
    }

    @Test func `a token that nobody can be given any more is revoked at once`() throws {
        let scene = try CallbackScene()
        let world = scene.world
        world.github.faults.during("contentsToken") {
            guard let task = try? world.task(scene.id) else { return }
            _ = try? world.store.end(task, Ending(.failed, reason: .internal), at: world.now)
        }

        #expect(scene.failure { _ = try scene.claim() }?.status == 409)

        #expect(world.github.seen.tokens.count == 1)
        #expect(world.github.seen.revoked.count == 1)
    }

    @Test func `a claim after a stop, or after the report, is 409 and recorded`() throws {
        let stopped = try CallbackScene()
        _ = try stopped.world.store.requestStop(
            stopped.id, reason: .cancelledByUser, detail: nil, at: stopped.world.now)
        #expect(stopped.failure { _ = try stopped.claim() }?.status == 409)
        #expect(try stopped.events.contains("claim_refused"))

        let reported = try CallbackScene()
        try reported.world.work.complete(
            token: reported.machine, named: reported.id.rawValue, Attempt.Report(outcome: .failed))
        #expect(reported.failure { _ = try reported.claim() }?.status == 409)
        #expect(try reported.events.contains("claim_refused"))
    }

    @Test func `a second nonce is 409 and recorded, and the run goes on`() throws {
        let scene = try CallbackScene()
        let token = try scene.callback()

        #expect(scene.failure { _ = try scene.claim("nonce-two") }?.status == 409)

        #expect(try scene.events.contains("second_claim_refused"))
        #expect(try scene.world.work.progress(token: token, Progress(phase: .clone)).goesOn)
    }

    @Test func `two claims at once with one nonce get one answer, and its token works`() throws {
        let scene = try CallbackScene()
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
        let scene = try CallbackScene()
        scene.world.github.faults.plant(.unreachable, at: "contentsToken")

        #expect(scene.failure { _ = try scene.claim() }?.status == 503)
        let token = try scene.callback()

        #expect(try scene.world.work.progress(token: token, Progress(phase: .clone)).goesOn)
    }

    @Test func `the machine's token opens nothing but the claim, and complete until then`() throws {
        let scene = try CallbackScene()
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
        let scene = try CallbackScene()
        let token = try scene.callback()

        #expect(
            scene.failure { _ = try scene.world.work.claim(token: token, nonce: Secret("nonce-one")) }?.status
                == 401)
    }

    @Test func `a worker that could not claim may say why`() throws {
        let scene = try CallbackScene()
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
        let scene = try CallbackScene()
        for work in [Secret("nothing"), Secret(""), Secret(String(repeating: "0", count: 64))] {
            #expect(scene.failure { try scene.world.work.checkToken(work) }?.status == 401)
        }
    }

    @Test func `a report about another task is 401 and changes nothing`() throws {
        let scene = try CallbackScene()
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
        let scene = try CallbackScene()
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
        let scene = try CallbackScene()
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
}
