import Porter
import PorterStore
import PorterTestWorld
import Testing

@testable import PorterWork

/// `--context=writers`: the prompt quotes the comments of people who can push, as GitHub says.
@Suite struct WriterTests {
    private func comment(_ id: Int64, by login: String, person: Int64, _ association: String)
        -> GitHub.Comment
    {
        let moment = Instant(seconds: 1)
        return GitHub.Comment(
            id: id, url: "", body: "words-of-\(login)", author: Person(id: person, login: login),
            association: association, isByApp: false, createdAt: moment, updatedAt: moment)
    }

    /// The prompt of a run on an issue with those comments.
    private func prompt(_ world: World, _ text: String = "@porter demo fix it") throws -> String {
        world.crew.change { $0.claims = false }
        let id = try world.ask(text, comment: 4000)
        try world.settle()
        return try #require(try world.store.findPrompt(id)).text
    }

    @Test func `members without write access are not quoted, and private members with it are`() throws {
        let world = try World()
        world.github.change {
            $0.comments = [
                comment(1, by: "rita", person: 3, "MEMBER"),
                comment(2, by: "wim", person: 2, "NONE"),
                comment(3, by: "maria", person: 1, "CONTRIBUTOR"),
                comment(4, by: "nobody", person: 77, "COLLABORATOR"),
            ]
        }
        let text = try prompt(world)
        #expect(text.contains("words-of-wim") && text.contains("words-of-maria"))
        #expect(!text.contains("words-of-rita") && !text.contains("words-of-nobody"))
        #expect(text.contains("2 comments by people who are not known to be able to push"))
    }

    @Test func `a login that belongs to another person by now is not quoted`() throws {
        let world = try World()
        world.github.change { $0.comments = [comment(1, by: "wim", person: 5, "MEMBER")] }
        #expect(!(try prompt(world)).contains("words-of-wim"))
    }

    @Test func `each person is asked about once, the asker by admission only`() throws {
        let world = try World()
        world.github.change { state in
            state.comments = (1...8).map {
                comment($0, by: $0 > 4 ? "wim" : "maria", person: $0 > 4 ? 2 : 1, "MEMBER")
            }
        }
        _ = try prompt(world)
        #expect(world.github.faults.count("permission") == 2)
    }

    @Test func `nobody is asked about when all are quoted`() throws {
        let world = try World()
        world.github.change { $0.comments = [comment(1, by: "rita", person: 3, "NONE")] }
        #expect(try prompt(world, "@porter demo --context=all fix it").contains("words-of-rita"))
        #expect(world.github.faults.count("permission") == 1)
    }

    @Test func `beyond the limit nobody is asked about, or quoted`() throws {
        let world = try World()
        let most = Work.mostWriterLookups
        world.github.change { state in
            for number in 1...Int64(most + 5) {
                let login = "person-\(number)."
                state.comments.append(comment(number, by: login, person: 100 + number, "MEMBER"))
                state.permissions[login] = GitHub.Permission(level: "write", userID: 100 + number)
            }
        }
        let text = try prompt(world)
        #expect(world.github.faults.count("permission") == 1 + most)
        #expect(!text.contains("words-of-person-5.") && text.contains("words-of-person-6."))
    }

    @Test func `while GitHub does not say, nobody is quoted, and the task is admitted all the same`() throws {
        let world = try World()
        world.github.change { state in
            state.comments = [
                comment(1, by: "wim", person: 2, "OWNER"), comment(2, by: "rita", person: 3, "OWNER"),
            ]
        }
        // The question about the asker came before.
        let faults = world.github.faults
        faults.during("comments") { faults.plant(.github(.uncertain), at: "permission") }
        let text = try prompt(world)
        #expect(!text.contains("words-of-wim") && !text.contains("words-of-rita"))
        #expect(world.github.faults.count("permission") == 2)
    }
}
