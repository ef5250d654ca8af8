import Foundation
import Porter
import PorterStore
import PorterTestWorld
import Testing

@testable import PorterWork

/// Promise 1: a delivery that never arrived is found in GitHub's log, and acted on once.
@Suite struct RecoveryTests {
    @Test func `a command whose delivery failed runs once, and its redelivery is a duplicate`() throws {
        let world = try World()
        let guid = try world.miss("@porter demo fix it", comment: 9)

        try world.pass()

        let task = try #require(try world.store.findTask(comment: 9)).id
        try world.live(until: task)
        #expect(try world.flaws(task) == [])
        #expect(try world.say("@porter demo fix it", comment: 9, delivery: guid) == .duplicate(task))
        try world.live(seconds: 120)
        try world.pass()
        #expect(world.engine.all.count == 1)
    }

    @Test func `what arrived at any try is not asked for`() throws {
        let world = try World()
        let guid = try world.miss("@porter demo fix it", comment: 9)
        world.github.change { state in
            var again = state.log[0]
            again.logged.id += 1
            again.logged.isSuccess = true
            state.log.append(again)
        }

        try world.pass()

        #expect(world.github.faults.count("delivery") == 0)
        #expect(try world.store.findDelivery(guid) == nil)
    }

    @Test func `1000 missed commands are all taken in, none twice, within the calls of each turn`() throws {
        let world = try World { $0.caps = Caps(perPerson: 0, total: 0) }
        world.github.change { $0.pageSize = 10 }
        for comment in 1...1000 { try world.miss("@porter demo fix it", comment: Int64(comment)) }

        var turns = 0
        repeat {
            let before = world.github.faults.count("deliveries") + world.github.faults.count("delivery")
            try world.store.ensureRecovery(at: world.now)
            let claim = try #require(try world.claimRecovery())
            let outcome = try world.work.recover(claim)
            let calls =
                world.github.faults.count("deliveries") + world.github.faults.count("delivery") - before
            #expect(calls <= 2 * Work.recoveryCalls)
            try world.store.finishJob(claim, at: world.now)
            turns += 1
            if outcome == .done { break }
        } while turns < 100

        #expect(try world.tasks == 1000)
        #expect(world.github.faults.count("delivery") == 1000)
    }

    @Test(arguments: [
        "deliveries.page", "deliveries.recorded", "delivery.recovering", "delivery.recovered",
    ])
    func `a death in the middle loses nothing and doubles nothing`(moment: String) throws {
        let world = try World()
        for comment in 1...3 { try world.miss("@porter demo fix it", comment: Int64(comment)) }

        #expect(try world.crash(at: moment) { try? world.pass() })
        try world.pass()
        try world.live(seconds: 200)

        #expect(try world.tasks == 3)
        #expect(world.engine.all.count == 3)
    }

    @Test func `an issue that is open again stops nothing for a closing of the past`() throws {
        let world = try World()
        world.crew.change { $0.hangs = .agent }
        let id = try world.ask()
        try world.live(seconds: 10)
        world.missClosing()

        try world.pass()
        #expect(try world.task(id).stopRequestedAt == nil)

        world.github.change { $0.issues[World.issue]?.isOpen = false }
        world.missClosing()
        world.advance(seconds: Work.recoveryInterval)
        try world.pass()
        #expect(try world.task(id).stopRequestedAt != nil)
    }

    @Test func `what the log has dropped meanwhile holds nothing up`() throws {
        let world = try World()
        try world.miss("@porter demo fix it", comment: 8)
        try world.miss("@porter demo fix it", comment: 9)
        world.github.faults.plant(.github(.notFound), at: "delivery")

        try world.pass()

        #expect(try world.store.findTask(comment: 8) == nil)
        #expect(try world.store.findTask(comment: 9) != nil)
    }

    @Test(arguments: [GitHubError.Code.uncertain, .refused, .forbidden])
    func `a missed delivery that GitHub cannot show holds nothing up, and is found otherwise`(
        code: GitHubError.Code
    ) throws {
        let world = try World()
        try world.miss("@porter demo fix it", comment: 9)
        world.write("@porter demo fix it", id: 9)
        // A refusal is believed at once.
        let times = code == .uncertain ? Work.payloadTries : 1
        world.github.faults.plant(.github(code), at: "delivery", times: times)
        world.advance(seconds: 1)
        try world.miss("@porter help", comment: 10)

        try world.pass()
        try world.live(seconds: 600)

        #expect(try world.store.findCommand(comment: 10)?.outcome == "answered")
        #expect(try world.store.findTask(comment: 9) != nil)
        #expect(try world.tasks == 1)
    }

    @Test func `nothing from before Porter was installed is run`() throws {
        let world = try World()
        try world.miss("@porter demo fix it", comment: 9, before: 3600)

        try world.pass()

        #expect(try world.tasks == 0)
        #expect(world.github.faults.count("delivery") == 0)
    }

    @Test func `with polling, a command is found within 20 seconds and no pass is needed`() throws {
        let world = try World { $0.isPolling = true }
        try world.work.ensureRecovery()
        try world.live(seconds: 90)
        try world.miss("@porter demo fix it", comment: 9)

        try world.live(seconds: 21)

        let task = try #require(try world.store.findTask(comment: 9)).id
        try world.live(until: task)
        #expect(try world.flaws(task) == [])
    }

    @Test func `1000 missed commands, half of them older than the log reaches, are all found, none twice`()
        throws
    {
        let world = try World { $0.caps = Caps(perPerson: 0, total: 0) }
        world.github.change { state in
            for number in 1...20 {
                state.issues[number] = GitHub.Issue(
                    number: number, title: "T", isOpen: true, isLocked: false, isPullRequest: false)
            }
        }
        try world.pass()
        for comment in 1...1000 as ClosedRange<Int64> {
            // Six days, of which the log has three.
            world.advance(seconds: 518)
            let issue = 1 + Int(comment) % 20
            world.write("@porter demo fix it", id: comment, issue: issue)
            try world.miss("@porter demo fix it", comment: comment, issue: issue)
        }
        world.dropOldLog()
        #expect((490...510).contains(world.github.seen.log.count))
        let before = world.github.faults.calls.count

        try world.recoverAll { #expect($0 <= 2 * Work.recoveryCalls) }

        #expect(try world.tasks == 1000)
        // An installation has 5,000 calls an hour.
        #expect(world.github.faults.calls.count - before < 1000)
        let tasks = try (1...1000).map { try world.store.findTask(comment: $0)?.id }
        for comment in 1...1000 as ClosedRange<Int64> {
            let answer = try world.say("@porter demo fix it", comment: comment, delivery: "missed-\(comment)")
            #expect(answer == .duplicate(tasks[Int(comment) - 1]))
        }
        world.advance(seconds: 120)
        try world.recoverAll { _ in }
        #expect(try world.tasks == 1000)
    }

    @Test func `while the log reaches back, GitHub itself is not looked at`() throws {
        let world = try World()
        for day in 1...3 as ClosedRange<Int64> {
            try world.pass()
            world.advance(seconds: 2 * 86_400)
            try world.miss("@porter help", comment: day)
            world.dropOldLog()
        }

        try world.pass()

        #expect(world.comments(ending: "-->").count == 3)
        #expect(world.github.faults.count("installations") == 0)
    }

    @Test func `a log that has lost what it should still have is not relied upon`() throws {
        let world = try World()
        try world.miss("@porter help", comment: 8)
        try world.pass()
        world.github.change { $0.log = [] }
        world.advance(seconds: 3600)
        world.write("@porter help", id: 9)

        try world.pass()
        try world.live(seconds: 30)

        #expect(world.comments(ending: "<!-- porter:reply:9 -->").count == 1)
    }

    @Test func `while the log cannot be read, GitHub itself is looked at, and no longer than that`() throws {
        let world = try World()
        world.github.change { $0.isLogReadable = false }
        world.write("@porter help", id: 9)
        try world.pass()
        try world.live(seconds: 30)
        #expect(world.comments(ending: "<!-- porter:reply:9 -->").count == 1)

        world.github.change { $0.isLogReadable = true }
        world.advance(seconds: 60)
        try world.pass()
        try world.live(seconds: 30)
        let looks = world.github.faults.count("contents")
        for _ in 1...5 {
            world.advance(seconds: 60)
            try world.pass()
        }

        #expect(world.github.faults.count("contents") == looks)
    }

    @Test func `a missed delivery that asks for nothing is asked for once`() throws {
        let world = try World()
        try world.miss("Nice.", comment: 9)

        for _ in 1...5 {
            try world.pass()
            world.advance(seconds: 60)
            world.github.change { state in
                var other = state.log[0]
                other.logged.id += 100 + Int64(state.log.count)
                other.logged.guid = "other-\(state.log.count)"
                other.logged.isSuccess = true
                other.logged.deliveredAt = other.logged.deliveredAt.adding(seconds: 60)
                state.log.append(other)
            }
        }

        #expect(world.github.faults.count("delivery") == 1)
    }

    @Test func `a stop that comes late stops nothing that was asked for after it`() throws {
        let world = try World()
        world.crew.change { $0.hangs = .agent }
        var early = World.event("@porter demo fix it", by: World.wim, comment: 1, issue: World.issue)
        early.createdAt = world.now.adding(seconds: -100)
        var stop = World.event("@porter stop", by: World.wim, comment: 2, issue: World.issue)
        stop.createdAt = world.now.adding(seconds: -50)
        var late = World.event("@porter demo fix it", by: World.wim, comment: 3, issue: World.issue)
        late.createdAt = world.now
        for (number, event) in [early, late, stop].enumerated() {
            let delivery = Delivery(guid: "\(number)", event: "issue_comment", action: "created", digest: [1])
            _ = try world.work.accept(delivery, .comment(event))
            world.advance(seconds: 1)
        }

        try world.live(seconds: 60)

        #expect(try world.store.findTask(comment: 1)?.state == .cancelled)
        #expect(try world.store.findTask(comment: 3)?.state == .running)
    }

    @Test func `a closing that comes late stops only what was asked for before it`() throws {
        let world = try World()
        world.crew.change { $0.hangs = .agent }
        let id = try world.ask()
        try world.live(seconds: 10)

        try world.redeliverClosing(at: world.now.adding(seconds: -3600))
        #expect(try world.task(id).stopRequestedAt == nil)
        try world.redeliverClosing(at: world.now)
        #expect(try world.task(id).stopRequestedAt != nil)
    }

    @Test func `a closing older than GitHub keeps its deliveries is no late one`() throws {
        let world = try World()
        world.crew.change { $0.hangs = .agent }
        let id = try world.ask()
        try world.live(seconds: 10)

        try world.redeliverClosing(at: world.now.adding(seconds: -4 * 86_400))
        #expect(try world.task(id).stopRequestedAt == nil)
        try world.redeliverClosing(at: world.now.adding(seconds: -4 * 86_400 - 1))
        #expect(try world.task(id).stopRequestedAt != nil)
    }

    @Test func `a page that GitHub does not know any more begins the walk anew`() throws {
        let world = try World()
        world.github.change { $0.pageSize = 2 }
        for comment in 1...5 { try world.miss("@porter demo fix it", comment: Int64(comment)) }
        world.github.faults.during("deliveries") {
            world.github.faults.during("deliveries") {
                world.github.faults.plant(.github(.refused), at: "deliveries")
            }
        }

        try world.pass()
        world.advance(seconds: 2)
        try world.pass()

        #expect(try world.tasks == 5)
    }
}

extension World {
    fileprivate func missClosing() {
        let issue = IssueEvent(
            repository: RepositoryRef(installationID: 77, id: 42, owner: "acme", name: "shop"),
            repositoryOwner: Person(id: 900, login: "acme"), issueNumber: Self.issue)
        noteMissed("closing-\(github.seen.log.count)", "issues", "closed", .issueClosed(issue))
    }

    /// Delivers that the issue had been closed at that moment.
    fileprivate func redeliverClosing(at moment: Instant) throws {
        var issue = IssueEvent(
            repository: RepositoryRef(installationID: 77, id: 42, owner: "acme", name: "shop"),
            repositoryOwner: Person(id: 900, login: "acme"), issueNumber: Self.issue)
        issue.closedAt = moment
        let delivery = Delivery(
            guid: "closing-\(moment.milliseconds)", event: "issues", action: "closed", digest: [2])
        _ = try work.accept(delivery, .issueClosed(issue))
    }

    fileprivate func pass() throws {
        _ = try work.pass()
    }

    /// A job that looks for what never arrived, claimed.
    fileprivate func claimRecovery() throws -> JobClaim? {
        while let claim = try store.claimJob(at: now) {
            if claim.kind == .recover || claim.kind == .sweep { return claim }
            try store.postponeJob(claim, until: now.adding(seconds: 86_400), failed: false)
        }
        return nil
    }

    /// Looks for what never arrived until nothing is left, and does nothing else.
    ///
    /// - Parameter check: is given how many calls a turn has made.
    fileprivate func recoverAll(check: (_ calls: Int) -> Void) throws {
        try work.ensureRecovery()
        for _ in 0..<500 {
            guard let claim = try claimRecovery() else {
                guard try store.countJobs().contains(where: { ["recover", "sweep"].contains($0.key) }) else {
                    return
                }
                advance(seconds: 1)
                continue
            }
            let before = github.faults.calls.count
            let outcome = try claim.kind == .recover ? work.recover(claim) : work.sweep(claim)
            check(github.faults.calls.count - before)
            switch outcome {
            case .done: try store.finishJob(claim, at: now)
            case .again(let moment): try store.postponeJob(claim, until: moment, failed: false)
            }
        }
        throw Trouble("the looking never came to an end")
    }

    /// The log drops what is older than it reaches.
    fileprivate func dropOldLog() {
        let oldest = now.adding(seconds: -work.policy.logReach)
        github.change { state in state.log.removeAll { $0.logged.deliveredAt < oldest } }
    }
}
