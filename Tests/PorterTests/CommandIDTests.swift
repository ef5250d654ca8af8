import Porter
import Testing

@Suite struct CommandIDTests {
    @Test(arguments: CommandSource.allCases)
    func `a name tells where it was written and its number there`(source: CommandSource) {
        for number in [1, 4_294_967_296, (1 << 53) - 1] as [Int64] {
            let id = CommandID(source, number)

            #expect(id.source == source && id.number == number)
            #expect(CommandID(rawValue: id.rawValue) == id)
        }
    }

    @Test func `a comment's name is GitHub's own number`() {
        #expect(CommandID(.comment, 77).rawValue == 77)
    }

    @Test func `one number has four names`() {
        #expect(Set(CommandSource.allCases.map { CommandID($0, 77).rawValue }).count == 4)
    }

    // `porter:reply:<comment id>`, `issue-<id>` for an opening text, `review-<id>`.
    @Test func `answers name what they answer`() {
        #expect(CommandID(.comment, 77).marker == "77")
        #expect(CommandID(.reviewComment, 77).marker == "77")
        #expect(CommandID(.opening, 77).marker == "issue-77")
        #expect(CommandID(.review, 77).marker == "review-77")
    }

    @Test(arguments: [-1, Int64.min, Int64.max, 9 << 56])
    func `a number of no known source counts as a comment's, and nothing traps`(number: Int64) {
        let id = CommandID(rawValue: number)

        #expect(id.source == .comment && id.number == number)
    }
}
