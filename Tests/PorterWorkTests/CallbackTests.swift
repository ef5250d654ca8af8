import Foundation
import Porter
import PorterStore
import PorterTestWorld
import Synchronization
import Testing

@testable import PorterWork

/// `public/openapi.json`: progress, credentials, and tokens at the end.
@Suite struct CallbackTests {
    // progress

    @Test func `log offsets count bytes: overlap is ignored, a gap is 409 with what was expected`() throws {
        let scene = try CallbackScene()
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
        let scene = try CallbackScene { $0.logLimit = 10 }
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
        let scene = try CallbackScene()
        let token = try scene.callback()
        _ = try scene.world.work.progress(token: token, Progress(phase: .clone, message: "history of 50"))
        #expect(try scene.world.task(scene.id).phaseMessage == "history of 50")
        _ = try scene.world.work.progress(token: token, Progress(phase: .clone))
        #expect(try scene.world.task(scene.id).phaseMessage == "history of 50")

        _ = try scene.world.work.progress(token: token, Progress(phase: .agent))

        #expect(try scene.world.task(scene.id).phaseMessage == nil)
    }

    @Test func `the agent counts as started only when it was allowed to start`() throws {
        let scene = try CallbackScene()
        let token = try scene.callback()
        _ = try scene.world.store.requestStop(
            scene.id, reason: .cancelledByUser, detail: nil, at: scene.world.now)

        let answer = try scene.world.work.progress(token: token, Progress(phase: .agent))

        #expect(answer == Continuation(goesOn: false, reason: .cancelledByUser))
        #expect(try scene.world.store.findAttempt(scene.id, 1)?.agentStartedAt == nil)
    }

    @Test func `from saving there is no way back`() throws {
        let scene = try CallbackScene()
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
        let scene = try CallbackScene()
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
        let scene = try CallbackScene()
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
        let scene = try CallbackScene()
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
        let scene = try CallbackScene()
        let token = try scene.callback()
        _ = try scene.world.work.progress(token: token, Progress(phase: .agent))
        _ = try scene.world.store.requestStop(
            scene.id, reason: .cancelledByUser, detail: nil, at: scene.world.now)

        #expect(try !scene.world.work.progress(token: token, Progress(phase: .saving)).goesOn)
        #expect(try scene.world.work.credential(token: token).token.hasPrefix("ghs_canary_write"))
    }

    @Test func `a token that GitHub gives while the task ends is revoked as well`() throws {
        let scene = try CallbackScene()
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
        let scene = try CallbackScene()
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
