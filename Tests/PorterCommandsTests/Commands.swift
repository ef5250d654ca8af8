import Porter
import PorterCommands

/// The agents of these tests.
let names = AgentNames(
    canonical: ["opencode", "claude", "amp", "codex", "gemini"],
    aliases: ["claude-code": "claude", "open-code": "opencode", "gemini-cli": "gemini"],
    misspellings: ["cloude": "claude", "codx": "codex"])

let parser = CommandParser(mention: "porter", agents: names, maximumTimeout: 3600)

let id = "task_01J0000000000000000000000A"

/// Reads a comment with the instance `porter`.
func parse(_ comment: String) -> Command? {
    parser.parse(comment)
}

/// The run that the comment asks for, nil if it asks for something else.
func run(_ comment: String) -> RunCommand? {
    guard case .run(let command)? = parse(comment) else { return nil }
    return command
}

/// A run with the agent and the instructions.
func asked(_ agent: String? = nil, _ instructions: String = "") -> RunCommand {
    var command = RunCommand()
    command.agent = agent
    command.instructions = instructions
    return command
}

/// What is wrong with the comment's command, nil if nothing is.
func mistakeIn(_ comment: String) -> Mistake? {
    guard case .mistake(let mistake)? = parse(comment) else { return nil }
    return mistake
}
