import Porter
import PorterStore
import PorterTestWorld
import Testing

@testable import PorterWork

/// How a reported run ends, by what is really on GitHub.
@Suite struct PublicationTests {
    /// Reports at once as the only worker.
    private func report(
        _ world: World, _ report: Attempt.Report, branch: String? = nil, below: Set<String> = [],
        isStopped: Bool = false
    ) throws -> TaskID {
        world.crew.change { $0.claims = false }
        let id = try world.ask()
        try world.settle()
        if let branch { world.github.change { $0.branches[id.branch] = branch } }
        world.github.change { $0.buried[id.branch] = below }
        let machine = try #require(world.engine.running.last)
        if isStopped {
            _ = try world.store.requestStop(id, reason: .cancelledByUser, detail: nil, at: world.now)
        }
        try world.work.complete(token: machine.token, named: id.rawValue, report)
        return id
    }

    private static let commit = String(repeating: "a", count: 40)
    private static let other = String(repeating: "b", count: 40)

    @Test func `a reported head that the branch does not have is push_rejected after some looks`() throws {
        let world = try World()
        let id = try report(
            world, Attempt.Report(outcome: .success, headSHA: Self.commit), branch: Self.other)

        try world.live(seconds: 300)

        #expect(try world.task(id).state == .failed)
        #expect(try world.task(id).reason == .pushRejected)
        #expect(try world.flaws(id) == [])
        #expect((3...20).contains(world.github.faults.count("branchHead")))
    }

    @Test func `a reported head that others have pushed upon is on the branch`() throws {
        let world = try World()
        let id = try report(
            world, Attempt.Report(outcome: .success, headSHA: Self.commit), branch: Self.other,
            below: [Self.commit])

        try world.live(seconds: 60)

        #expect(try world.task(id).state == .success)
        #expect(try world.task(id).headSHA == Self.other)
        #expect(world.github.faults.count("createPullRequest") == 1)
        #expect(try world.flaws(id) == [])
    }

    @Test(arguments: [Outcome.failed, .timedOut])
    func `what a run without success has saved is waited for as well`(
        outcome: Outcome
    ) throws {
        let world = try World()
        let id = try report(world, Attempt.Report(outcome: outcome, headSHA: Self.commit))
        try world.live(seconds: 3)
        #expect(try world.task(id).finishedAt == nil)
        world.github.change { $0.branches[id.branch] = Self.commit }

        try world.live(seconds: 60)

        #expect(try world.task(id).finishedAt != nil)
        #expect(try world.task(id).headSHA == Self.commit)
        #expect(try world.flaws(id) == [])
    }

    @Test func `what a stopped run has saved is waited for as well`() throws {
        let world = try World()
        let id = try report(world, Attempt.Report(outcome: .cancelled, headSHA: Self.commit), isStopped: true)
        try world.live(seconds: 20)
        #expect(try world.task(id).finishedAt == nil)
        world.github.change { $0.branches[id.branch] = Self.commit }

        try world.live(seconds: 60)

        #expect(try world.task(id).reason == .cancelledByUser)
        #expect(try world.task(id).headSHA == Self.commit)
        #expect(try world.flaws(id) == [])
    }

    @Test(arguments: [Reason.secretInChanges, .agentFailed])
    func `a stopped run whose branch nobody could look at ends as stopped, and a secret is told`(
        reason: Reason
    ) throws {
        let world = try World()
        let told = Attempt.Report(outcome: .failed, reason: reason, headSHA: Self.commit)
        let id = try report(world, told, isStopped: true)

        let ending = world.work.endingWithoutLook(try world.task(id), told)

        #expect(ending.state == .cancelled)
        #expect(ending.reason == (reason == .secretInChanges ? .secretInChanges : .cancelledByUser))
        #expect(ending.headSHA == (reason == .secretInChanges ? nil : Self.commit))
    }

    @Test(arguments: [7, 60])
    func `an outage of GitHub before it shows no branch changes no ending`(failures: Int) throws {
        let world = try World()
        let id = try report(world, Attempt.Report(outcome: .timedOut, headSHA: Self.commit))
        world.github.faults.plant(.unreachable, at: "branchHead", times: failures)

        try world.live(seconds: 24 * 3600)

        let task = try world.task(id)
        #expect(task.state == .timedOut)
        #expect(task.reason == .timeout)
        #expect(try world.flaws(id) == [])
    }

    @Test func `a branch that never comes holds up no ending for long`() throws {
        let world = try World()
        let id = try report(world, Attempt.Report(outcome: .failed, headSHA: Self.commit))

        try world.live(seconds: 120)

        #expect(try world.task(id).reason == .agentFailed)
        #expect(try world.task(id).headSHA == nil)
        #expect(try world.flaws(id) == [])
    }

    @Test func `a branch that GitHub shows late is waited for`() throws {
        let world = try World()
        let id = try report(world, Attempt.Report(outcome: .success, headSHA: Self.commit))
        try world.live(seconds: 3)
        world.github.change { $0.branches[id.branch] = Self.commit }

        try world.live(seconds: 60)

        #expect(try world.task(id).state == .success)
        #expect(try world.task(id).headSHA == Self.commit)
        #expect(try world.flaws(id) == [])
    }

    @Test func `a job that keeps failing while a task is supervised is given up all the same`() throws {
        let world = try World()
        let id = try report(
            world, Attempt.Report(outcome: .success, headSHA: Self.commit), branch: Self.commit)
        world.github.faults.plant(.github(.forbidden), at: "branchHead", times: 60)

        try world.live(seconds: 4 * 3600)

        let task = try world.task(id)
        #expect(task.state == .failed)
        #expect(task.reason == .pullRequestFailed)
        // "The branch is there": so the ending must name it.
        #expect(world.endings(id).first?.body.contains("`\(id.branch)`") == true)
    }

    @Test func `tries that failed for other reasons are no looks at the branch`() throws {
        let world = try World()
        let id = try report(world, Attempt.Report(outcome: .success, headSHA: Self.commit))
        // The five tries until 31 seconds: a budget of tries would be used up.
        world.github.faults.plant(.unreachable, at: "branchHead", times: 5)
        try world.live(seconds: 40)
        #expect(world.github.faults.count("branchHead") > 5)
        world.github.change { $0.branches[id.branch] = Self.commit }

        try world.live(seconds: 60)

        #expect(try world.task(id).state == .success)
        #expect(try world.flaws(id) == [])
    }

    // A plain report names no commit.
    @Test(arguments: [commit, nil])
    func `a pull request that was merged before the task ended is its pull request`(
        reported: String?
    ) throws {
        for keepsBranch in [true, false] {
            let world = try World()
            world.github.faults.plant(.unreachable, at: "requestReview")
            let id = try report(
                world, Attempt.Report(outcome: .success, headSHA: reported), branch: Self.commit)
            try world.settle()
            #expect(world.github.seen.pulls.count == 1)
            #expect(try world.task(id).state == .running)
            // Merging makes the base hold the commit; many repositories delete the branch as well.
            world.github.change { state in
                state.branches["trunk"] = Self.commit
                if !keepsBranch { state.branches[id.branch] = nil }
            }

            try world.live(seconds: 60)

            let task = try world.task(id)
            #expect(task.state == .success)
            #expect(task.reason == nil)
            #expect(task.pullRequestNumber == world.github.seen.pulls.first?.pull.number)
            #expect(try world.flaws(id) == [])
        }
    }

    @Test func `success without a new commit is a success with the reason no_changes`() throws {
        let base = "0000000000000000000000000000000000000000"
        for (branch, head) in [(nil, nil), (base, base), (nil, base)] as [(String?, String?)] {
            let world = try World()
            let id = try report(world, Attempt.Report(outcome: .success, headSHA: head), branch: branch)

            try world.live(seconds: 60)

            #expect(try world.task(id).state == .success)
            #expect(try world.task(id).reason == .noChanges)
            #expect(world.github.seen.pulls.isEmpty)
            #expect(world.endings(id).first?.body.contains("`no_changes`") == true)
            #expect(try world.flaws(id) == [])
        }
    }

    @Test func `GitHub's word that nothing lies between the branches is believed`() throws {
        let world = try World()
        world.github.faults.plant(
            .refused("Validation Failed: No commits between trunk and porter/x"), at: "createPullRequest")
        let id = try report(
            world, Attempt.Report(outcome: .success, headSHA: Self.commit), branch: Self.commit)

        try world.live(seconds: 60)

        #expect(try world.task(id).state == .success)
        #expect(try world.task(id).reason == .noChanges)
    }

    @Test func `a pull request that exists already is found`() throws {
        let world = try World()
        let id = try report(
            world, Attempt.Report(outcome: .success, headSHA: Self.commit), branch: Self.commit)
        let draft = GitHub.PullRequestDraft(
            title: "By hand", body: "", head: id.branch, base: "trunk", isDraft: false)
        world.github.change {
            $0.pulls.append((GitHub.PullRequest(number: 61, url: "u", headSHA: Self.commit), draft))
        }

        try world.live(seconds: 60)

        #expect(try world.task(id).state == .success)
        #expect(try world.task(id).pullRequestNumber == 61)
        #expect(world.github.seen.pulls.count == 1)
    }

    @Test func `a refused pull request is pull_request_failed and names the branch`() throws {
        let world = try World()
        world.github.faults.plant(.refused("not allowed"), at: "createPullRequest", times: 100)
        let id = try report(
            world, Attempt.Report(outcome: .success, headSHA: Self.commit), branch: Self.commit)

        try world.live(seconds: 120)

        #expect(try world.task(id).state == .failed)
        #expect(try world.task(id).reason == .pullRequestFailed)
        #expect(world.endings(id).first?.body.contains("`\(id.branch)`") == true)
        #expect(try world.flaws(id) == [])
    }

    @Test(arguments: [
        GitHubError.Code.refused, .forbidden, .notFound, .gone,
    ])
    func `a review that cannot be requested costs nothing`(code: GitHubError.Code) throws {
        let world = try World()
        world.github.faults.plant(.github(code), at: "requestReview", times: 100)
        let id = try world.ask()

        try world.live(seconds: 120)

        #expect(try world.task(id).state == .success)
        #expect(try world.flaws(id) == [])
    }

    @Test func `the asker's review is requested`() throws {
        let world = try World()
        let id = try world.ask()
        try world.live(seconds: 60)

        #expect(world.github.seen.reviews.map(\.login) == ["maria"])
        #expect(try world.task(id).pullRequestNumber == 100)
    }

    @Test func `a failure names the branch with what was saved`() throws {
        let world = try World()
        let id = try report(
            world, Attempt.Report(outcome: .failed, reason: .agentFailed, exitCode: 3), branch: Self.commit)
        try world.live(seconds: 60)

        #expect(try world.task(id).state == .failed)
        #expect(try world.task(id).reason == .agentFailed)
        #expect(world.github.seen.pulls.isEmpty)
        let body = try #require(world.endings(id).first?.body)
        #expect(body.contains("`\(id.branch)`"))
        #expect(body.contains("Exit code 3."))
    }

    @Test func `after secret_in_changes no branch is named, and the ending says that nothing was pushed`()
        throws
    {
        let world = try World()
        let id = try report(
            world, Attempt.Report(outcome: .failed, reason: .secretInChanges), branch: Self.commit)
        try world.live(seconds: 60)

        let body = try #require(world.endings(id).first?.body)
        #expect(!body.contains(id.branch))
        #expect(body.contains("nothing was pushed"))
        #expect(try world.task(id).headSHA == nil)
    }

    @Test(arguments: [
        (Reason?.none, Reason.timeout), (.some(.stalled), .stalled), (.some(.timeout), .timeout),
    ])
    func `a report of timed_out ends so, with its reason`(given: Reason?, reason: Reason) throws {
        let world = try World()
        let id = try report(
            world, Attempt.Report(outcome: .timedOut, reason: given), branch: Self.commit)
        try world.live(seconds: 60)

        #expect(try world.task(id).state == .timedOut)
        #expect(try world.task(id).reason == reason)
        #expect(world.endings(id).first?.body.contains("`\(id.branch)`") == true)
    }

    @Test func `a worker that was told to leave, by nobody of ours, is machine_lost`() throws {
        let world = try World()
        let id = try report(world, Attempt.Report(outcome: .cancelled), branch: Self.commit)
        try world.live(seconds: 60)

        #expect(try world.task(id).state == .failed)
        #expect(try world.task(id).reason == .machineLost)
    }

    @Test func `a failure without a reason still has one`() throws {
        let world = try World()
        let id = try report(world, Attempt.Report(outcome: .failed))
        try world.live(seconds: 60)

        #expect(try world.task(id).reason == .agentFailed)
        #expect(try world.flaws(id) == [])
    }

    @Test func `a draft is a draft`() throws {
        let world = try World()
        _ = try world.ask("@porter demo --draft fix it")
        try world.live(seconds: 60)

        #expect(world.github.seen.pulls.first?.draft.isDraft == true)
    }

    @Test func `the pull request closes its issue, and nobody else's`() throws {
        let world = try World()
        let hostile = "Fixes #1, closes acme/shop#2: resolves https://github.com/acme/shop/issues/3 fix GH-4"
        world.crew.change { $0.summary = hostile }
        var event = World.event(
            "@porter demo do it\nand " + hostile, by: World.maria, comment: 33, issue: World.issue)
        event.issueTitle = hostile
        _ = try world.work.accept(
            Delivery(guid: "g", event: "issue_comment", action: "created", digest: []), .comment(event))
        try world.live(seconds: 60)

        let draft = try #require(world.github.seen.pulls.first?.draft)
        let closing = /(?i)\b(close[sd]?|fix(?:e[sd])?|resolve[sd]?):?\s+(#|gh-|[\w.-]+\/[\w.-]+#|https?:)/
        #expect(draft.title.firstMatch(of: closing) == nil)
        #expect(draft.body.hasPrefix("Closes #7\n"))
        #expect(draft.body.matches(of: closing).count == 1)
    }
}
