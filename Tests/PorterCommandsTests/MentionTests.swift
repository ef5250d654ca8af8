import Porter
import Testing

@testable import PorterCommands

// "A command is a line that begins, after at most three spaces, with `@porter` or `/porter`, case-insensitive,
// followed by the end, white space, or one or more of `, : ; . ! ?` themselves followed by white space or the
// end."
@Suite struct MentionTests {
    @Test(arguments: [
        "@porter claude fix it", "/porter claude fix it", "@Porter claude fix it", "@PORTER claude fix it",
        "/pOrTeR claude fix it", " @porter claude fix it", "  @porter claude fix it",
        "   @porter claude fix it", "@porter, claude fix it", "@porter: claude fix it",
        "@porter; claude fix it", "@porter. claude fix it", "@porter! claude fix it",
        "@porter? claude fix it", "@porter...?!,;: claude fix it", "@porter\tclaude fix it",
        "@porter  \t claude   fix it", "@porter claude fix it   ", "@porter\u{A0}claude fix it",
        "@porter:\u{3000}claude fix it", "@porter\u{2003}claude fix it", "@porter\u{0B}claude fix it",
    ])
    func `this is a command`(line: String) {
        #expect(run(line) == asked("claude", "fix it"))
    }

    @Test(arguments: ["@porter", "/porter", "@porter,", "@porter:", "@porter!?", "@porter ", "   @porter \t"])
    func `the mention alone is a run of the default agent on the issue`(line: String) {
        #expect(run(line) == asked())
        #expect(run(line + "\n") == asked())
        #expect(run("text\r\n" + line + "\r\n") == asked())
    }

    @Test(arguments: [
        "    @porter help", "     @porter help", "\t@porter help", " \t@porter help", "  \t@porter help",
        "   \t@porter help", "@ porter help", "@@porter help", "//porter help", "@/porter help",
        "porter help", "#porter help", "＠porter help", "@porters help", "@porter-bot help",
        "@porter_x help", "@porter/repo help", "@porter@x help", "@porter's help", "@porter,help",
        "@porter:help", "@porter.help", "@porter!help", "@porter)help",
        "@porter) help", "@porter- help", "@porter… help", "@porterhelp", "@porte help",
        "@porte\u{301}r help",
        "@porter\u{301} help", "@porter\u{200B} help", "x @porter help", "Please @porter help",
        "- @porter help", "* @porter help", "1. @porter help", "# @porter help", "| @porter help",
        "**@porter** help", "`@porter` help", "(@porter help)", "\u{A0}@porter help", "@p\u{43E}rter help",
        "", "   ", "\n\n", "@", "/", "\\@porter help",
    ])
    func `this is none`(line: String) {
        #expect(parse(line) == nil)
        #expect(parse("text\n" + line + "\ntext") == nil)
    }

    @Test func `the name is a setting`() {
        let parser = CommandParser(mention: "My-Bot_2", agents: names, maximumTimeout: 3600)
        #expect(parser.parse("@my-bot_2 help") == .help)
        #expect(parser.parse("/MY-BOT_2 help") == .help)
        #expect(parser.parse("@porter help") == nil)
        #expect(parser.parse("@my-bot\u{7F}2 help") == nil)
    }

    @Test(arguments: ["\n", "\r\n", "\r"])
    func `a command may stand on any line, whatever ends lines`(end: String) {
        let comment = ["Hello,", "", "  @porter claude fix it", "as said.", "", "Thanks"].joined(
            separator: end)
        #expect(run(comment) == asked("claude", "fix it\nas said.\n\nThanks"))
    }

    @Test func `the first command of a comment counts`() {
        #expect(parse("@porter status\n").self == .status)
        #expect(run("@porter claude one\n@porter codex two") == asked("claude", "one\n@porter codex two"))
        #expect(parse("> @porter status\n\n@porter help") == .help)
        #expect(mistakeIn("@porter --bad\n@porter help")?.reason == .badCommand)
    }
}
