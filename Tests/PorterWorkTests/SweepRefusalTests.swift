import Porter
import PorterStore
import PorterTestWorld
import Testing

@testable import PorterWork

/// What GitHub refuses to show a sweep is looked for again, and believed in the end.
@Suite struct SweepRefusalTests {
    @Test(arguments: ["repositories", "contents"], [GitHubError.Code.notFound, .forbidden, .refused])
    func `what GitHub refuses once is looked for again`(operation: String, code: GitHubError.Code) throws {
        let world = try World()
        try world.store.wantSweep(since: world.now, at: world.now)
        world.write("@porter demo fix it", id: 9)
        // A repository without a list of issues answers its first call with 404.
        world.github.faults.plant(.github(code), at: operation, times: 2)
        try world.live(seconds: 300)

        #expect(try world.store.findTask(comment: 9) != nil)
    }

    @Test func `what GitHub does not find once is looked for again, whatever it is`() throws {
        for operation in ["contents", "reviews"] {
            let world = try World()
            try world.store.wantSweep(since: world.now, at: world.now)
            world.github.change { state in
                state.issues[8] = GitHub.Issue(
                    number: 8, title: "Mend it", isOpen: true, isLocked: false, isPullRequest: true)
            }
            world.write("@porter help", .opening, id: 9, issue: 9)
            world.write("@porter help", .review, id: 10, issue: 8)
            world.github.faults.plant(.github(.notFound), at: operation)
            try world.live(seconds: 600)

            for name in [CommandID(.opening, 9), CommandID(.review, 10)] {
                #expect(try world.store.knows(name), "\(name) after one 404 at \(operation)")
            }
        }
    }

    @Test(arguments: [true, false])
    func `what GitHub refuses for ever is believed, and what comes later is not looked for since then`(
        isWishedForEver: Bool
    ) throws {
        let world = try World()
        world.github.faults.plant(.github(.forbidden), at: "contents", times: 100_000)
        if isWishedForEver {
            world.github.change { $0.isLogReadable = false }
        } else {
            try world.store.wantSweep(since: world.now, at: world.now)
        }
        for _ in 0..<60 {
            if isWishedForEver { _ = try world.work.pass() }
            try world.live(seconds: 60)
        }

        let swept = try #require(try world.store.lastSweep())
        if isWishedForEver {
            #expect(world.now - swept.begunAt < 600_000)
        } else {
            #expect(try world.store.wantedSweep() == nil)
            #expect(world.github.faults.count("contents") == SweepRound.patience)
            #expect(try world.store.countJobs() == [:])
        }
    }
}
