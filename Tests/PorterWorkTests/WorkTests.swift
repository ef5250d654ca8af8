import Porter
import PorterStore
import PorterTestWorld
import Testing

@testable import PorterWork

@Suite struct RunTests {
    @Test func `one command makes one machine, one pull request, one status comment and one ending`() throws {
        let world = try World()
        let id = try world.ask()

        try world.live(seconds: 120)

        let task = try world.task(id)
        #expect(task.state == .success)
        #expect(task.pullRequestNumber == 100)
        #expect(world.engine.all.count == 1)
        #expect(world.github.seen.pulls.count == 1)
        #expect(world.github.seen.reactions[task.commentID] == [.eyes, .rocket])
        #expect(try world.flaws(id) == [])
    }
}
