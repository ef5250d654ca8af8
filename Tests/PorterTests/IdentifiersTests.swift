import Porter
import PorterTestSupport
import Testing

@Suite struct TaskIDTests {
    @Test(
        arguments: [
            // The example of the ULID specification.
            (1_469_918_176_385, [UInt8](repeating: 0, count: 10), "task_01ARYZ6S410000000000000000"),
            (0, [UInt8](repeating: 0xFF, count: 10), "task_0000000000ZZZZZZZZZZZZZZZZ"),
            (0, [0, 0, 0, 0, 0, 0, 0, 0, 0, 1], "task_00000000000000000000000001"),
            (0, [0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0], "task_0000000000G000000000000000"),
            (281_474_976_710_655, [UInt8](repeating: 0, count: 10), "task_7ZZZZZZZZZ0000000000000000"),
            (-5, [UInt8](repeating: 0, count: 10), "task_00000000000000000000000000"),
        ] as [(Int64, [UInt8], String)])
    func `an id is the time and chance in Crockford's alphabet`(
        milliseconds: Int64, random: [UInt8], text: String
    ) {
        let id = TaskID(at: Instant(milliseconds: milliseconds), random: random)
        #expect(id.rawValue == text)
        #expect(TaskID(rawValue: text) == id)
    }

    @Test func `ids sort by their creation, whatever chance says`() {
        let entropy = Entropy.seeded()
        let ids = (0..<200).map {
            TaskID.make(at: Instant(milliseconds: 1_795_521_600_000 + $0), entropy: entropy)
        }
        #expect(ids.sorted() == ids)
        #expect(Set(ids).count == ids.count)
    }

    @Test(arguments: [
        "", "task_", "01J0000000000000000000000A", "task_01J000000000000000000000A",
        "task_01J00000000000000000000000A", "TASK_01J0000000000000000000000A",
        "task_01j0000000000000000000000a", "task_81J0000000000000000000000A",
        "task_01J0000000000000000000000I", "task_01J0000000000000000000000L",
        "task_01J0000000000000000000000O", "task_01J0000000000000000000000U",
        "task-01J0000000000000000000000A", " task_01J0000000000000000000000A",
        "task_01J0000000000000000000000A\n", "task_01J000000000000000000000é",
        "task_../../etc/passwd0000000000",
    ])
    func `nothing else is an id`(text: String) {
        #expect(TaskID(rawValue: text) == nil)
    }

    @Test func `branch, machine and markers bear the id as the contract says`() throws {
        let id = try #require(TaskID(rawValue: "task_01ARYZ6S41ABCDEFGHJKMNPQRS"))
        #expect(id.branch == "porter/task_01ARYZ6S41ABCDEFGHJKMNPQRS")
        #expect(id.machineName(attempt: 3) == "porter-task-01aryz6s41abcdefghjkmnpqrs-3")
        #expect(id.marker(.status) == "<!-- porter:task_01ARYZ6S41ABCDEFGHJKMNPQRS:status -->")
        #expect(id.marker(.ending) == "<!-- porter:task_01ARYZ6S41ABCDEFGHJKMNPQRS:ending -->")
    }

    @Test func `a repository's full name is owner and name`() {
        #expect(RepositoryRef(installationID: 1, id: 2, owner: "o", name: "r").fullName == "o/r")
    }
}

@Suite struct AgentNamesTests {
    private let names = AgentNames(
        canonical: ["opencode", "claude"], aliases: ["claude-code": "claude"],
        misspellings: ["cloude": "claude"])

    @Test(
        arguments: [
            ("claude", "claude"), ("CLAUDE", "claude"), ("Claude-Code", "claude"), ("opencode", "opencode"),
            ("cloude", nil), ("claude,", nil), ("", nil), ("claud", nil),
        ] as [(String, String?)])
    func `names and aliases resolve without regard to case, misspellings do not`(
        word: String, agent: String?
    ) {
        #expect(names.resolve(word) == agent)
    }
}

@Suite struct EntropyTests {
    @Test func `a token is 256 bits in hexadecimal`() {
        let entropy = Entropy { count in (0..<count).map { UInt8($0 * 8) } }
        let token = entropy.token().reveal { $0 }
        #expect(token == "0008101820283038404850586068707880889098a0a8b0b8c0c8d0d8e0e8f0f8")
    }

    @Test func `all bytes have two digits`() {
        #expect([0, 1, 15, 16, 255].hexadecimal == "00010f10ff")
        #expect([UInt8]().hexadecimal.isEmpty)
    }
}
