import FoundationEssentials
import Porter

extension AgentDefinition {
    /// Anthropic's Claude Code.
    ///
    /// Measured with 2.1.330: a refused key is retried for more than a minute unless
    /// `CLAUDE_CODE_MAX_RETRIES` bounds it, and bypass mode refuses to run as root. In the agent's box,
    /// against the playground's model, a whole turn with one command takes 1.1 s; a refused key or a rate
    /// limit is over after 5.5 s and 4 calls, a server error after 5 s and 4 calls (529: 2.6 s and 3); a
    /// used-up account and too long a prompt are told within a second. It reaches for no host but the
    /// provider's, so names that cannot be resolved cost it nothing.
    ///
    /// - SeeAlso: <https://code.claude.com/docs/en/headless>
    static let claude = AgentDefinition(
        name: "claude", title: "Claude Code", aliases: ["claude-code"],
        misspellings: ["cloude", "clade", "cluade", "claud"],
        keys: [["ANTHROPIC_API_KEY"], ["ANTHROPIC_AUTH_TOKEN"]],
        options: ["ANTHROPIC_BASE_URL", "ANTHROPIC_CUSTOM_HEADERS"],
        makeInvocation: { model, environment in
            var arguments = [
                "claude", "-p", "--output-format", "stream-json", "--verbose",
                "--permission-mode", "bypassPermissions", "--no-session-persistence",
                "--strict-mcp-config",
            ]
            if let model { arguments += ["--model", model] }
            let switches = [
                "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "CLAUDE_CODE_MAX_RETRIES": "3",
                "DISABLE_AUTOUPDATER": "1", "DISABLE_TELEMETRY": "1",
            ]
            return AgentInvocation(
                arguments: arguments, prompt: .stdin,
                environment: environment.merging(switches.mapValues(Secret.init)) { $1 })
        }, makeReader: { ClaudeReader() })
}

/// Reads Claude Code's `stream-json`: the event `result` is final.
///
/// A failed call ends with `subtype: "success"` and `is_error: true`, so only `is_error` counts.
private struct ClaudeReader: OutputReading {
    var report = AgentReport()

    private struct Event: Decodable {
        struct Message: Decodable {
            let content: [Block]?
        }

        struct Block: Decodable {
            let type: String?
            let text: String?
        }

        struct RunUsage: Decodable {
            let input_tokens: Int64?
            let output_tokens: Int64?
        }

        let type: String?
        let subtype: String?
        let is_error: Bool?
        let result: String?
        let errors: Lenient<[String]>?
        let api_error_status: Lenient<Int>?
        let total_cost_usd: Lenient<Double>?
        let usage: Lenient<RunUsage>?
        let message: Message?
    }

    /// A value that may have another form without making the whole event unreadable.
    private struct Lenient<Value: Decodable>: Decodable {
        let value: Value?

        init(from decoder: any Decoder) throws {
            value = try? Value(from: decoder)
        }
    }

    mutating func read(line: String) {
        guard let event = try? JSONDecoder().decode(Event.self, from: Data(line.utf8)) else { return }
        switch event.type {
        case "assistant":
            let text = event.message?.content?.filter { $0.type == "text" }.compactMap(\.text)
            if let text, !text.isEmpty { report.finalText = text.joined(separator: "\n") }
        case "result":
            report.usage = Usage(
                inputTokens: event.usage?.value?.input_tokens,
                outputTokens: event.usage?.value?.output_tokens, costUSD: event.total_cost_usd?.value)
            if event.is_error == true {
                let text =
                    event.result ?? event.errors?.value?.joined(separator: "; ") ?? event.subtype
                    ?? "the run failed"
                report.failure =
                    ProviderErrors.reason(text, status: event.api_error_status?.value) ?? .agentFailed
                report.failureText = text
            } else {
                report.finalText = event.result ?? report.finalText
            }
        default:
            break
        }
    }
}
