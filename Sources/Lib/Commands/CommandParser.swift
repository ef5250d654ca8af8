package import Porter

/// Reads the first command of a comment; contract section 3 to the letter.
package struct CommandParser: Sendable {
    /// The name after `@` or `/`.
    let mention: String
    let agents: AgentNames
    /// Seconds that `--timeout` may ask for at most.
    let maximumTimeout: Int
    /// The cheap look before anything is decoded.
    let scan: MentionScan

    /// Seconds that `--timeout` asks for at least.
    package static let minimumTimeout = 60

    /// A parser for the instance's name, agents and limit.
    package init(mention: String, agents: AgentNames, maximumTimeout: Int) {
        self.mention = mention
        self.agents = agents
        self.maximumTimeout = maximumTimeout
        scan = MentionScan(mention)
    }

    /// The first command of the comment; nil when it never asks for anything.
    package func parse(_ comment: String) -> Command? {
        let whole = Substring(comment).utf8
        var lines = CommentLines(whole)
        while let line = lines.next() {
            guard line.isSpoken else { continue }
            let (indent, body) = CommentLines.indentation(line.text)
            guard indent < 4, let rest = afterMention(body) else { continue }
            let first = String(decoding: rest, as: UTF8.self)
            let following = String(decoding: whole[line.end...], as: UTF8.self)
            return command(Words(first), following)
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

    private func command(_ words: Words, _ following: String) -> Command {
        var words = words
        let start = words
        if let word = words.next() {
            switch word.lowercased() {
            case "help": return only(.help, "help", words, following, start)
            case "status": return only(.status, "status", words, following, start)
            case "stop": return onTask("stop", words, following, start, Command.stop)
            case "retry": return onTask("retry", words, following, start, Command.retry)
            case "continue": return goOn(words, following)
            default: break
            }
        }
        return run(start, following)
    }

    /// `help` and `status` are commands only when nothing follows.
    private func only(
        _ command: Command, _ name: String, _ words: Words, _ following: String, _ start: Words
    ) -> Command {
        words.rest.isEmpty && following.isBlank ? command : bothReadings(name, "", start)
    }

    /// `stop` and `retry` are commands only when nothing or one task id follows.
    private func onTask(
        _ name: String, _ words: Words, _ following: String, _ start: Words,
        _ command: (TaskID?) -> Command
    ) -> Command {
        let rest = joined(words.rest, following)
        if rest.isEmpty { return command(nil) }
        guard let id = TaskID(rawValue: rest.trimmed) else { return bothReadings(name, " TASK", start) }
        return command(id)
    }

    private func goOn(_ words: Words, _ following: String) -> Command {
        var after = words
        if let word = after.next(), word.hasPrefix("task_") {
            guard let id = TaskID(rawValue: word) else {
                return bad("\(Quoted(word)) is no task id: `task_` and 26 letters and digits.")
            }
            return .continue(id, instructions: joined(after.rest, following))
        }
        return .continue(nil, instructions: joined(words.rest, following))
    }

    private func run(_ words: Words, _ following: String) -> Command {
        var words = words
        var command = RunCommand()
        var seen: Set<String> = []
        while true {
            let before = words
            guard let word = words.next() else {
                command.instructions = joined("", following)
                return .run(command)
            }
            if word.hasPrefix("--") {
                if let mistake = flag(word, &words, &command, &seen) { return .mistake(mistake) }
                continue
            }
            if command.agent == nil, let agent = agents.resolve(word) {
                command.agent = agent
                continue
            }
            if command.agent == nil {
                let isOnly = words.rest.isEmpty && following.isBlank
                if let mistake = unknownAgent(word, isOnly: isOnly) { return .mistake(mistake) }
            }
            command.instructions = joined(before.rest, following)
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

    private func bothReadings(_ name: String, _ argument: String, _ start: Words) -> Command {
        bad(
            """
            This can be read in two ways, so nothing was done:
            - to \(name): write `@\(mention) \(name)\(argument)` and nothing else in the comment;
            - as instructions for an agent: begin with its name, \
            `@\(mention) \(agents.canonical.first ?? "codex") \(Quoted.plain(start.rest, most: 60))`.
            """)
    }

    private func bad(_ message: String) -> Command {
        .mistake(Mistake(.badCommand, message))
    }

    /// The rest of the first line and what follows it, without blank lines at both ends.
    private func joined(_ rest: String, _ following: String) -> String {
        (rest + "\n" + following).replacingReturns.withoutBlankEnds
    }

    private static func lowered(_ byte: UInt8) -> UInt8 {
        byte >= 65 && byte <= 90 ? byte | 32 : byte
    }
}
