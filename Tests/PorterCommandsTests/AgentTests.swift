import Porter
import Testing

@testable import PorterCommands

@Suite struct AgentTests {
    @Test(arguments: [
        ("claude", "claude"), ("Claude", "claude"), ("claude-code", "claude"), ("CLAUDE-CODE", "claude"),
        ("opencode", "opencode"), ("open-code", "opencode"), ("amp", "amp"), ("codex", "codex"),
        ("gemini", "gemini"), ("gemini-cli", "gemini"),
    ])
    func `a first word that is a name or alias chooses the agent`(word: String, agent: String) {
        #expect(run("@porter \(word) fix it") == asked(agent, "fix it"))
        #expect(run("@porter \(word)") == asked(agent))
        #expect(run("@porter \(word)\nfix it") == asked(agent, "fix it"))
        #expect(run("@porter\n\(word) fix\nit") == asked(agent, "fix\nit"))
        #expect(run("@porter\r\n\r\n\(word)") == asked(agent))
    }

    @Test func `only the first name counts, the next word belongs to the instructions`() {
        #expect(run("@porter claude codex fix it") == asked("claude", "codex fix it"))
        #expect(run("@porter claude claude") == asked("claude", "claude"))
        #expect(run("@porter claude cloude") == asked("claude", "cloude"))
        #expect(run("@porter claude help") == asked("claude", "help"))
        #expect(run("@porter claude x") == asked("claude", "x"))
    }

    // "A first word that is no agent begins the instructions, unless …"
    @Test(arguments: [
        "fix it", "Fix claude it", "amo it", "codec is broken", "kodex it", "ampp it", "am it", "cod it",
        "claudette it", "cl it", "clau it", "calude-x it", "edualc it", "opencodex2 it", "the gemini it",
        "claudexx it", "lcuade it",
    ])
    func `a first word that is no agent begins the instructions`(text: String) {
        #expect(run("@porter \(text)") == asked(nil, text))
    }

    // "… it is at Damerau-Levenshtein distance 1 from an agent's name of 6 letters or more, is on the catalog's
    // list of misspellings, or is the only word: then `unknown_agent`, with the nearest names."
    @Test(arguments: [
        ("claud", "claude"), ("laude", "claude"), ("claudes", "claude"), ("xclaude", "claude"),
        ("clxaude", "claude"), ("clzude", "claude"), ("lcaude", "claude"), ("cluade", "claude"),
        ("claued", "claude"), ("CLAUED", "claude"), ("claude,", "claude"), ("claude:", "claude"),
        ("gemin", "gemini"), ("gemeni", "gemini"), ("opencoed", "opencode"), ("opncode", "opencode"),
        ("claude_code", "claude-code"), ("cloude", "claude"), ("CLOUDE", "claude"), ("codx", "codex"),
        ("claudé", "claude"),
    ])
    func `a word that was meant as a name is unknown_agent with the nearest names`(
        word: String, nearest: String
    ) throws {
        let mistake = try #require(mistakeIn("@porter \(word) fix it"))
        #expect(mistake.reason == .unknownAgent)
        #expect(mistake.message.contains("`\(word)`"))
        #expect(mistake.message.contains("Did you mean `\(nearest)`"))
        #expect(mistake.message.contains("`opencode`, `claude`, `amp`, `codex`, `gemini`"))
    }

    @Test(arguments: ["fix", "aider", "help!", "--draft fix", "--priority high tests", "🎉", "task_1"])
    func `an only word that is no agent is unknown_agent`(words: String) throws {
        for end in ["", " ", "\n", "\n  \n\t\r\n"] {
            #expect(mistakeIn("@porter\n\(words)\(end)")?.reason == .unknownAgent)
            let mistake = try #require(mistakeIn("@porter \(words)\(end)"))
            #expect(mistake.reason == .unknownAgent)
            #expect(mistake.message.contains("`claude`"))
        }
    }

    @Test func `a word with more on the next line is not the only one`() {
        #expect(run("@porter fix\nthe test") == asked(nil, "fix\nthe test"))
    }

    @Test func `what a person wrote cannot leave the quotes of the answer`() throws {
        let mistake = try #require(mistakeIn("@porter a`b`@everyone`<!--porter:x-->"))
        #expect(mistake.message.contains("`a b @everyone <!--porter:x-->`"))
        let long = try #require(self.mistakeOf(String(repeating: "x", count: 5000)))
        #expect(long.message.count < 400)
    }

    private func mistakeOf(_ word: String) -> Mistake? { mistakeIn("@porter \(word)") }

    @Test(arguments: [
        ("", "", false), ("a", "a", false), ("a", "", true), ("a", "b", true), ("ab", "ba", true),
        ("ab", "a", true), ("ab", "b", true), ("abc", "acb", true), ("abc", "cba", false),
        ("abcd", "badc", false), ("abc", "abcde", false), ("abc", "bca", false), ("é", "e", true),
        ("aab", "ab", true), ("ab", "abb", true), ("abcd", "abxy", false), ("abcd", "xbcy", false),
        ("ca", "abc", false),
    ])
    func `one edit apart is one insertion, deletion, substitution or swap`(
        left: String, right: String, isOne: Bool
    ) {
        #expect(Distance.isOne(left, right) == isOne)
        #expect(Distance.isOne(right, left) == isOne)
    }
}
