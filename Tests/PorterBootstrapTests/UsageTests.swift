import PorterTestSupport
import Testing

@Suite struct UsageTests {
    private static let programs = ["porter-fcgi", "porter-watchdog", "porter-worker", "porterctl"]
    private let here: ProgramRun

    init() throws {
        here = try ProgramRun()
    }

    @Test(arguments: programs, ["--help", "-h"])
    func `help needs no settings and ends well`(program: String, argument: String) throws {
        let result = try here.run(program, [argument], [:])

        #expect(result.code == 0)
        #expect(result.output.contains(program))
        #expect(result.errors.isEmpty)
    }

    @Test(arguments: programs)
    func `the version is one line of name and number`(program: String) throws {
        let result = try here.run(program, ["--version"], [:])

        #expect(result.code == 0)
        let words = result.output.split(separator: " ")
        #expect(words.count == 2)
        #expect(words.first == Substring(program))
        #expect(words.last?.split(separator: ".").count == 3)
        #expect(result.errors.isEmpty)
    }

    @Test(
        arguments: programs,
        [["--verbose"], ["-x"], ["please"], ["--help", "me"], ["--version", "2"], [""]])
    func `an argument that it does not know ends it with 64`(program: String, arguments: [String]) throws {
        let result = try here.run(program, arguments, here.sound)

        #expect(result.code == 64)
        #expect(result.lines.first?.hasPrefix(program + ": ") == true)
        #expect(result.output.isEmpty)
    }

    @Test func `porterctl without a word tells its commands and ends with 64`() throws {
        let result = try here.run("porterctl", [], here.sound)

        #expect(result.code == 64)
        for command in ["check", "tasks", "show TASK"] {
            #expect(result.errors.contains("porterctl " + command))
        }
    }

    @Test func `porterctl show without a task says what is missing`() throws {
        let result = try here.run("porterctl", ["show"], here.sound)

        #expect(result.code == 64)
        #expect(result.lines.first == "porterctl: show needs the id of a task")
    }

    @Test(arguments: [
        ["show", "1", "2"], ["tasks", "all"], ["check", "--all"], ["show", "task_x"], ["Check"],
    ])
    func `porterctl refuses a command that it cannot read`(arguments: [String]) throws {
        let result = try here.run("porterctl", arguments, here.sound)

        #expect(result.code == 64)
    }
}
