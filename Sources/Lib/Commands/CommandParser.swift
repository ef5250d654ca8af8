package import Porter

/// Reads the first command of a comment.
package struct CommandParser: Sendable {
    /// The name after `@` or `/`.
    let mention: String
    let agents: AgentNames
    /// Seconds that `--timeout` may ask for at most.
    let maximumTimeout: Int
    /// The cheap look before anything is decoded.
    let scan: MentionScan
    /// The agent that answers name as an example; nil is the first that there is.
    private var suggested: String?

    /// Seconds that `--timeout` asks for at least.
    package static let minimumTimeout = 60

    /// Characters of a comment that an answer repeats as instructions at most.
    static let maximumReading = 200

    /// A parser for the instance's name, agents and limit.
    package init(mention: String, agents: AgentNames, maximumTimeout: Int) {
        self.mention = mention
        self.agents = agents
        self.maximumTimeout = maximumTimeout
        scan = MentionScan(mention)
    }

    /// The parser whose answers name that agent as the example.
    package func suggesting(_ agent: String?) -> CommandParser {
        var parser = self
        parser.suggested = agent
        return parser
    }

    /// The first command of the comment; nil when it never asks for anything.
    package func parse(_ comment: String) -> Command? {
        let whole = Substring(comment).utf8
        var lines = CommentLines(whole)
        while let line = lines.next() {
            guard line.isSpoken else { continue }
            let (indent, body) = CommentLines.indentation(line.text)
            guard indent < 4, let rest = afterMention(body) else { continue }
            // White space ends a word, line breaks included: the text goes to the end of the comment.
            return command(Words(String(decoding: whole[rest.startIndex...], as: UTF8.self)))
        }
        return nil
    }

    /// What follows the mention on its line; nil when the line begins with no mention.
    private func afterMention(_ line: Substring.UTF8View) -> Substring.UTF8View? {
        guard let sign = line.first, sign == UInt8(ascii: "@") || sign == UInt8(ascii: "/") else {
            return nil
        }
        let name = mention.utf8
        let rest = line.dropFirst()
        guard rest.count >= name.count,
            zip(rest, name).allSatisfy({ Self.lowered($0) == Self.lowered($1) })
        else { return nil }
        var after = rest.dropFirst(name.count)
        while let byte = after.first, ",:;.!?".utf8.contains(byte) { after = after.dropFirst() }
        guard let next = Substring(after).unicodeScalars.first else { return after }
        return next.properties.isWhitespace ? after : nil
    }

    private func command(_ text: Words) -> Command {
        var words = text
        if let word = words.next() {
            switch word.lowercased() {
            case "help": return only(.help, "help", words, text)
            case "status": return only(.status, "status", words, text)
            case "stop": return onTask("stop", words, text, Command.stop)
            case "retry": return onTask("retry", words, text, Command.retry)
            case "continue": return goOn(words)
            default: break
            }
        }
        return run(text)
    }

    /// `help` and `status` are commands only when nothing follows.
    private func only(_ command: Command, _ name: String, _ words: Words, _ text: Words) -> Command {
        words.isAtEnd ? command : bothReadings(name, text)
    }

    /// `stop` and `retry` are commands only when nothing or one task id follows.
    private func onTask(
        _ name: String, _ words: Words, _ text: Words, _ command: (TaskID?) -> Command
    ) -> Command {
        if words.isAtEnd { return command(nil) }
        guard let id = TaskID(rawValue: words.rest.trimmed) else {
            return bothReadings(name, text, orTask: ", or `@\(mention) \(name) TASK` for one run,")
        }
        return command(id)
    }

    private func goOn(_ words: Words) -> Command {
        var after = words
        if let word = after.next(), word.hasPrefix("task_") {
            guard let id = TaskID(rawValue: word) else {
                return bad("\(Quoted(word)) is no task id: `task_` and 26 letters and digits.")
            }
            return .continue(id, instructions: after.rest)
        }
        return .continue(nil, instructions: words.rest)
    }

    private func run(_ text: Words) -> Command {
        var words = text
        var command = RunCommand()
        var seen: Set<String> = []
        while true {
            let before = words
            guard let word = words.next() else { return .run(command) }
            if word.hasPrefix("--") {
                if let mistake = flag(word, &words, &command, &seen) { return .mistake(mistake) }
                continue
            }
            if command.agent == nil, let agent = agents.resolve(word) {
                command.agent = agent
                continue
            }
            if command.agent == nil, let mistake = unknownAgent(word, isOnly: words.isAtEnd) {
                return .mistake(mistake)
            }
            command.instructions = before.rest
            return .run(command)
        }
    }

    /// A first word that is no agent begins the instructions, unless it was meant as a name.
    private func unknownAgent(_ word: String, isOnly: Bool) -> Mistake? {
        let lowered = word.lowercased()
        var nearest = agents.misspellings[lowered].map { [$0] } ?? []
        if nearest.isEmpty {
            let names = agents.canonical + agents.aliases.keys.sorted()
            nearest = names.filter { $0.utf8.count >= 6 && Distance.isOne(lowered, $0) }
        }
        guard !nearest.isEmpty || isOnly else { return nil }
        let known = agents.canonical.map { "`\($0)`" }.joined(separator: ", ")
        let hint =
            nearest.isEmpty
            ? "" : " Did you mean \(nearest.map { "`\($0)`" }.joined(separator: " or "))?"
        let other =
            isOnly && nearest.isEmpty
            ? " If it is the instruction, say it in more words." : ""
        return Mistake(
            .unknownAgent, "\(Quoted(word)) is no agent.\(hint)\(other) The agents are \(known).")
    }

    private func bothReadings(_ name: String, _ text: Words, orTask: String = "") -> Command {
        let agent = suggested ?? agents.canonical.first ?? "codex"
        return bad(
            """
            This can be read in two ways, so nothing was done:
            - as the command `\(name)`: write `@\(mention) \(name)`\(orTask) and nothing else in the comment;
            - as instructions for an agent: begin with its name, \
            `@\(mention) \(agent) \(Quoted.plain(text.rest, most: Self.maximumReading))`.
            """)
    }

    private func bad(_ message: String) -> Command {
        .mistake(Mistake(.badCommand, message))
    }

    private static func lowered(_ byte: UInt8) -> UInt8 {
        byte >= 65 && byte <= 90 ? byte | 32 : byte
    }
}
