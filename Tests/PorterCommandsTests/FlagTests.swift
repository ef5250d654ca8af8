import Porter
import Testing

@testable import PorterCommands

// "Flags, before the instructions, before or after the agent, `--f=v` or `--f v`."
@Suite struct FlagTests {
    private var all: RunCommand {
        var command = asked("codex", "do it --now")
        command.priority = .high
        command.model = "openai/gpt-5.1:high"
        command.base = "release/1.x"
        command.timeout = 600
        command.isDraft = true
        command.context = .all
        return command
    }

    @Test(arguments: [
        "@porter codex --priority=high --model=openai/gpt-5.1:high --base=release/1.x --timeout=10m --draft --context=all do it --now",
        "@porter --priority=high --model=openai/gpt-5.1:high --base=release/1.x --timeout=600s --draft --context=all codex do it --now",
        "@porter --priority high --model openai/gpt-5.1:high --base release/1.x codex --timeout 10m --draft --context all do it --now",
        "@porter --context all --draft codex --timeout 600s --base  release/1.x\t--model openai/gpt-5.1:high --priority HIGH do it --now",
        "@porter: --DRAFT --Context=All codex --timeout=10m --base=release/1.x --model=openai/gpt-5.1:high --priority=High\ndo it --now",
        "@porter\ncodex\n--timeout\n10m --draft\r\n--base=release/1.x\n\n--model=openai/gpt-5.1:high\r--priority high --context=all\ndo it --now",
    ])
    func `flags stand before or after the agent, in both forms`(comment: String) {
        #expect(run(comment) == all)
    }

    @Test func `a flag after the first word of the instructions belongs to them`() {
        #expect(run("@porter claude fix --draft mode") == asked("claude", "fix --draft mode"))
        #expect(run("@porter fix the --bogus flag") == asked(nil, "fix the --bogus flag"))
        #expect(run("@porter claude fix\n--draft") == asked("claude", "fix\n--draft"))
        #expect(run("@porter claude -x is broken") == asked("claude", "-x is broken"))
    }

    @Test(arguments: [
        ("--bogus", "--bogus"), ("--", "--"), ("--=x", "--=x"), ("--drafts", "--drafts"),
        ("---draft", "---draft"), ("--timeout", "--timeout"), ("--timeout=", "--timeout"),
        ("--priority", "--priority"), ("--model=", "--model"), ("--base=", "--base"),
        ("--context=", "--context"), ("--draft=yes", "--draft"), ("--draft=", "--draft"),
        ("--draft --draft", "--draft"), ("--priority=low --priority=low", "--priority"),
        ("--timeout 10m claude --timeout=10m", "--timeout"), ("--model a --MODEL b", "--model"),
        ("--priority=urgent", "urgent"), ("--priority=", "--priority"), ("--priority --draft", "--draft"),
        ("--context=none", "none"), ("--context=writer", "writer"), ("--model=-x", "-x"),
        ("--model=a;b", "a;b"), ("--model=a\"b", "a\"b"), ("--model=ä", "ä"),
        ("--model=" + String(repeating: "m", count: 101), "100"),
    ])
    func `an unknown, repeated or bad flag is bad_command and named`(flags: String, named: String) throws {
        let mistake = try #require(mistakeIn("@porter \(flags) claude fix it"))
        #expect(mistake.reason == .badCommand)
        #expect(mistake.message.contains(named))
        #expect(mistake.message.hasSuffix("."))
    }

    @Test func `a flag without its value at the comment's end says so`() throws {
        let mistake = try #require(mistakeIn("@porter claude --timeout\n "))
        #expect(mistake.reason == .badCommand)
        #expect(mistake.message.contains("needs a value"))
    }

    // "`--timeout=` (`600s`, `10m`, `1h`; never clamped)", 60 s to `PORTER_TASK_TIMEOUT_MAX`.
    @Test(arguments: [
        ("60s", 60), ("61s", 61), ("600s", 600), ("1m", 60), ("10m", 600), ("60m", 3600), ("1h", 3600),
        ("3600s", 3600), ("0060s", 60),
    ])
    func `a time within the limits is taken as it is`(value: String, seconds: Int) {
        #expect(run("@porter --timeout=\(value) claude fix it")?.timeout == seconds)
    }

    @Test(arguments: [
        "59s", "0s", "0m", "3601s", "61m", "2h", "600", "10", "m", "s", "-10m", "+10m", "1.5h", "10 m",
        "10min",
        "10M", "1d", "１0m", "10m10s", "1e3s", "0x10m", "9999999s", "999999h", "99999999999999999999s", "10m.",
    ])
    func `any other time is refused, never clamped`(value: String) {
        let mistake = mistakeIn("@porter --timeout=\(value) claude fix it")
        #expect(mistake?.reason == .badCommand)
        #expect(mistake?.message.contains("60s to 3600s") == true)
    }

    @Test func `the longest time is the instance's setting`() {
        let parser = CommandParser(mention: "porter", agents: names, maximumTimeout: 7200)
        guard case .run(let command)? = parser.parse("@porter --timeout=2h claude x") else {
            Issue.record("it is no run")
            return
        }
        #expect(command.timeout == 7200)
    }

    @Test(arguments: [
        "main", "feature/login", "v1.2", "a", "Ünïcode", "release-1_x", "a.b", "a@b", "fix#12", "HEADS",
        "head",
        "a.lock.b", "日本", String(repeating: "b", count: 200),
    ])
    func `a branch's name is taken`(name: String) {
        #expect(run("@porter --base=\(name) claude fix it")?.base == name)
    }

    @Test(arguments: [
        "-x", "--upload-pack=x", "-\u{301}x", "/a", "a/", "a.", "a..b", "a..\u{301}b", "a//b", "a/.b", ".a",
        "a.lock", "a.lock/b", "a~1", "a^", "a:b", "a?", "a*", "a[", "a\\b", "@", "@{u}", "a@{1}", "HEAD",
        "a\u{7F}b", "a\u{1}b", String(repeating: "b", count: 201), "refs/../x", "a.lock\u{301}/b.lock",
    ])
    func `what git takes for no branch is refused`(name: String) {
        #expect(mistakeIn("@porter --base=\(name) claude fix it")?.reason == .badCommand)
    }
}
