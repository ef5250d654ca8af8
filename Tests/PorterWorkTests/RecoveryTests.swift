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
        world.github.change { $0.logPage = 10 }
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

    @Test func `a page that GitHub does not know any more begins the walk anew`() throws {
        let world = try World()
        world.github.change { $0.logPage = 2 }
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

    /// How many tasks there are.
    fileprivate var tasks: Int { get throws { try store.countTasks().values.reduce(0, +) } }

    fileprivate func pass() throws {
        _ = try work.pass()
    }

    /// The job that looks for what never arrived, claimed.
    fileprivate func claimRecovery() throws -> JobClaim? {
        while let claim = try store.claimJob(at: now) {
            if claim.kind == .recover { return claim }
            try store.postponeJob(claim, until: now.adding(seconds: 86_400), failed: false)
        }
        return nil
    }
}
