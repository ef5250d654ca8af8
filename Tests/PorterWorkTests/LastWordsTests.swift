import Porter
import PorterStore
import PorterTestWorld
import Testing

@testable import PorterWork

/// What a worker said about its last phase is in the ending, beside the agent's own last text.
@Suite struct LastWordsTests {
    private static let words = "remote: error: GH006: Protected branch update failed"
    private static let commit = String(repeating: "a", count: 40)

    /// Reports from phase saving after the words, and lives until the ending is there.
    private func ending(
        _ report: Attempt.Report, stopped: Bool = false, branch: String? = nil,
        words: String? = words
    ) throws -> (task: PorterTask, body: String) {
        let scene = try CallbackScene()
        let world = scene.world
        let token = try scene.callback()
        for phase in [Phase.clone, .agent] {
            _ = try world.work.progress(token: token, Progress(phase: phase))
        }
        if stopped {
            try world.say("@porter stop", by: World.wim, comment: 9)
            try world.settle()
        }
        _ = try world.work.progress(token: token, Progress(phase: .saving))
        _ = try world.work.progress(token: token, Progress(phase: .saving, message: words))
        if let branch { world.github.change { $0.branches[scene.id.branch] = branch } }
        try world.work.complete(token: token, named: scene.id.rawValue, report)
        try world.live(seconds: 60)
        #expect(try world.flaws(scene.id) == [])
        return (try world.task(scene.id), try #require(world.endings(scene.id).first?.body))
    }

    @Test func `a push that was refused is told in git's words, not by the agent's exit code`() throws {
        let (task, body) = try ending(
            Attempt.Report(
                outcome: .failed, reason: .pushRejectedRule, exitCode: 0, summary: "I mended the login."))
        #expect(task.reason == .pushRejectedRule)
        #expect(body.contains("`\(Self.words)`"))
        #expect(!body.contains("Exit code"))
        #expect(body.contains("I mended the login."))
    }

    @Test(arguments: [
        Attempt.Report(outcome: .timedOut, reason: .stalled),
        Attempt.Report(outcome: .failed, reason: .agentFailed, exitCode: 3),
        Attempt.Report(outcome: .cancelled),
    ])
    func `any other ending says why nothing could be saved`(report: Attempt.Report) throws {
        let (_, body) = try ending(report)
        #expect(body.contains(Self.words))
        #expect(body.contains("Exit code 3.") == (report.exitCode == 3))
        #expect(body.contains("nothing was saved to a branch"))
    }

    @Test func `a stopped run says why nothing could be saved`() throws {
        let (task, body) = try ending(Attempt.Report(outcome: .cancelled), stopped: true)
        #expect(task.state == .cancelled && task.reason == .cancelledByUser)
        #expect(body.contains(Self.words))
    }

    @Test func `a stopped run whose changes held a secret is cancelled, and says that`() throws {
        let (task, body) = try ending(
            Attempt.Report(outcome: .failed, reason: .secretInChanges), stopped: true, branch: Self.commit,
            words: nil)
        #expect(task.state == .cancelled && task.reason == .secretInChanges)
        #expect(task.headSHA == nil)
        #expect(body.contains("nothing was pushed") && body.contains("`secret_in_changes`"))
        #expect(!body.contains(task.branch))
    }

    @Test func `a success says none of it`() throws {
        let (task, body) = try ending(
            Attempt.Report(outcome: .success, headSHA: Self.commit), branch: Self.commit)
        #expect(task.state == .success)
        #expect(!body.contains(Self.words))
    }
}
