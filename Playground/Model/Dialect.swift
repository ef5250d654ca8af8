import PlaygroundFace

/// A provider's protocol: how its calls are understood and answered.
struct Dialect: Sendable {
    /// Tokens that each call counts for.
    static let inputTokens: Int64 = 1000
    /// Tokens that each answer counts for.
    static let outputTokens: Int64 = 50

    /// What a call says.
    struct Call: Hashable, Sendable {
        /// The model that was asked for.
        var model: String
        /// The names of the tools that the agent offers.
        var tools: Set<String>
        /// What the tool brought, nil while none has run.
        var result: String?
        /// Whether the answer is to come as events.
        var isStreamed: Bool
    }

    /// What the model does next.
    enum Move: Hashable, Sendable {
        /// Asks for a shell command.
        case command(String)
        /// Ends the turn.
        case say(String)
    }

    let read: @Sendable (_ body: JSON) -> Call
    /// Whether the agent offered a tool that runs shell commands.
    let canRun: @Sendable (_ call: Call) -> Bool
    /// The events of a streamed answer; the number tells answers apart.
    let events: @Sendable (_ move: Move, _ call: Call, _ number: Int) -> [JSON]
    /// The answer in one piece.
    let whole: @Sendable (_ move: Move, _ call: Call, _ number: Int) -> JSON
    /// The status and body of a failure.
    let failure: @Sendable (_ fault: Fault) -> (status: Int, body: JSON)

    /// What the script lets the model do about the call.
    func move(_ call: Call, _ script: Script) -> Move {
        if let result = call.result { return .say(script.lastWords(result)) }
        guard canRun(call) else {
            return .say("No tool that runs shell commands was offered, so nothing was done.")
        }
        return .command(script.command)
    }
}
