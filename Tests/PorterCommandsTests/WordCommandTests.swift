import Porter
import Testing

@testable import PorterCommands

// "`help`, `status`, `stop`, `retry` are those commands only if nothing follows, or one task id for the last
// two; else `bad_command` with both readings shown."
@Suite struct WordCommandTests {
    private var task: TaskID? { TaskID(rawValue: id) }

    @Test(
        arguments: [
            ("help", .help), ("HELP", .help), ("status", .status), ("Status", .status), ("stop", .stop(nil)),
            ("retry", .retry(nil)), ("stop \(id)", .stop(TaskID(rawValue: id))),
            ("retry \(id)", .retry(TaskID(rawValue: id))), ("RETRY  \(id) ", .retry(TaskID(rawValue: id))),
            ("stop\n\(id)", .stop(TaskID(rawValue: id))),
        ] as [(String, Command)])
    func `alone, or with one task id, it is the command`(words: String, command: Command) {
        for mention in ["@porter", "/porter", "@porter:", "@Porter,"] {
            for end in ["", "  ", "\n", "\r\n\r\n", "\n \t\n"] {
                for gap in [" ", "\t", "\n", "\r\n\r\n", "\n  ", "\u{A0}"] {
                    #expect(parse(mention + gap + words + end) == command)
                }
            }
        }
    }

    @Test(arguments: [
        ("help me with the tests", "help"), ("help\nme", "help"), ("help \(id)", "help"),
        ("status of the build is red", "status"), ("status\n\nplease", "status"), ("status help", "status"),
        ("stop the flaky test", "stop"), ("stop task_1", "stop"), ("stop \(id) now", "stop"),
        ("stop \(id)\nnow", "stop"), ("stop\nthe flaky test", "stop"), ("stop 17", "stop"),
        ("stop \(id) \(id)", "stop"), ("retry it", "retry"), ("retry the request on 503", "retry"),
        ("retry --draft", "retry"), ("retry claude", "retry"), ("stop --draft", "stop"),
    ])
    func `with more behind it, it is bad_command with both readings`(words: String, name: String) throws {
        let mistake = try #require(mistakeIn("@porter \(words)"))
        #expect(mistake.reason == .badCommand)
        #expect(mistake.message.contains("`@porter \(name)"))
        let whole = String(words.map { $0.isNewline ? " " : $0 })
        #expect(mistake.message.contains("`@porter opencode \(whole)`."))
    }

    @Test func `the readings bear the instance's name`() {
        let parser = CommandParser(mention: "helper", agents: names, maximumTimeout: 3600)
        guard case .mistake(let mistake)? = parser.parse("@helper stop it") else {
            Issue.record("it is no mistake")
            return
        }
        #expect(mistake.message.contains("`@helper stop`, or `@helper stop TASK` for one run,"))
        #expect(mistake.message.contains("`@helper opencode stop it`"))
    }

    @Test func `the second reading repeats what was written, however long`() throws {
        let words = String(repeating: "word ", count: 30)
        let short = try #require(mistakeIn("@porter help\nwith \(words)"))
        #expect(short.message.contains("`@porter opencode help with \(words.dropLast())`."))
        let long = try #require(mistakeIn("@porter help " + String(repeating: words, count: 40)))
        #expect(long.message.contains("…`.") && long.message.count < 600)
    }

    @Test func `the second reading names the agent that is suggested`() {
        guard case .mistake(let mistake)? = parser.suggesting("codex").parse("@porter stop it") else {
            Issue.record("it is no mistake")
            return
        }
        #expect(mistake.message.contains("`@porter codex stop it`"))
    }

    @Test(arguments: ["help", "status", "stop", "retry"])
    func `after an agent it is instructions`(word: String) {
        #expect(run("@porter claude \(word) the test") == asked("claude", "\(word) the test"))
    }

    // "@porter … | continue [task] [instructions]"
    @Test(
        arguments: [
            ("continue", nil, ""), ("CONTINUE", nil, ""), ("continue with the tests", nil, "with the tests"),
            ("continue \(id)", id, ""), ("continue \(id) and then this", id, "and then this"),
            ("continue\n\nline one\nline two", nil, "line one\nline two"),
            ("continue \(id)\r\nline one\r\nline two", id, "line one\nline two"),
            ("continue claude", nil, "claude"), ("continue --draft", nil, "--draft"),
        ] as [(String, String?, String)])
    func `continue takes a task and instructions, both optional`(
        words: String, task: String?, instructions: String
    ) {
        #expect(
            parse("@porter \(words)")
                == .continue(task.flatMap { TaskID(rawValue: $0) }, instructions: instructions))
    }

    @Test(arguments: ["continue task_1", "continue task_01j0000000000000000000000a please"])
    func `continue with what is no task id says so`(words: String) {
        #expect(mistakeIn("@porter \(words)")?.reason == .badCommand)
    }
}
