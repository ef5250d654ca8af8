import FoundationEssentials
import Porter

extension AgentDefinition {
    /// opencode.
    ///
    /// - SeeAlso: <https://opencode.ai/docs/cli/>
    static let opencode = AgentDefinition(
        name: "opencode", title: "opencode", aliases: ["open-code"], misspellings: ["opencod", "openconde"],
        keys: [["ANTHROPIC_API_KEY"], ["OPENAI_API_KEY"], ["OPENROUTER_API_KEY"], ["GEMINI_API_KEY"]],
        options: ["OPENCODE_CONFIG_CONTENT"],
        makeInvocation: { model, environment in
            var arguments = ["opencode", "run", "--format", "json", "--auto"]
            if let model { arguments += ["-m", model] }
            return AgentInvocation(
                arguments: arguments, prompt: .stdin,
                environment: environment.merging(["OPENCODE_DISABLE_AUTOUPDATE": Secret("1")]) { $1 })
        }, makeReader: { EventReader() })

    /// Sourcegraph's Amp.
    ///
    /// - SeeAlso: <https://ampcode.com/manual#cli-execute-mode>
    static let amp = AgentDefinition(
        name: "amp", title: "Amp", aliases: [], misspellings: [], keys: [["AMP_API_KEY"]], options: [],
        makeInvocation: { _, environment in
            AgentInvocation(
                arguments: ["amp", "--dangerously-allow-all", "-x", "--stream-json"], prompt: .stdin,
                environment: environment)
        }, makeReader: { EventReader() })

    /// Google's Gemini CLI.
    ///
    /// - SeeAlso: <https://github.com/google-gemini/gemini-cli/blob/main/docs/cli/headless.md>
    static let gemini = AgentDefinition(
        name: "gemini", title: "Gemini CLI", aliases: ["gemini-cli"], misspellings: ["gemni"],
        keys: [["GEMINI_API_KEY"]], options: ["GOOGLE_GEMINI_BASE_URL"],
        makeInvocation: { model, environment in
            var arguments = [
                "gemini", "--output-format", "stream-json", "--approval-mode=yolo", "--skip-trust",
            ]
            if let model { arguments += ["--model", model] }
            return AgentInvocation(arguments: arguments, prompt: .stdin, environment: environment)
        }, makeReader: { EventReader() })

    /// A program of the operator's own that needs no key; the prompt comes on its standard input, and what
    /// it prints last is its final text.
    static func demo(program: String) -> AgentDefinition {
        AgentDefinition(
            name: "demo", title: "the demo agent", aliases: [], misspellings: [], keys: [[]], options: [],
            makeInvocation: { _, _ in
                AgentInvocation(arguments: [program], prompt: .stdin, environment: [:])
            }, makeReader: { TextReader() })
    }
}

/// Reads the event streams that resemble one another: text parts, messages, a result, an error.
private struct EventReader: OutputReading {
    var report = AgentReport()

    private struct Event: Decodable {
        struct Part: Decodable {
            struct Tokens: Decodable {
                let input: Int64?
                let output: Int64?
            }

            let text: String?
            let cost: Double?
            let tokens: Tokens?
        }

        /// An object with a message somewhere, or the message itself.
        struct Failure: Decodable {
            struct Details: Decodable {
                let message: String?
            }

            let message: String?

            enum CodingKeys: String, CodingKey {
                case message
                case data
            }

            init(from decoder: any Decoder) throws {
                if let text = try? decoder.singleValueContainer().decode(String.self) {
                    message = text
                    return
                }
                let values = try decoder.container(keyedBy: CodingKeys.self)
                let details = try? values.decode(Details.self, forKey: .data)
                message = details?.message ?? (try? values.decode(String.self, forKey: .message))
            }
        }

        struct Stats: Decodable {
            let input_tokens: Int64?
            let output_tokens: Int64?
        }

        struct Message: Decodable {
            struct Block: Decodable {
                let type: String?
                let text: String?
            }

            let content: [Block]?
        }

        let type: String?
        let role: String?
        let content: String?
        /// Whether the content goes on where the message before stopped.
        let delta: Bool?
        let part: Part?
        let is_error: Bool?
        let status: String?
        let result: String?
        let error: Failure?
        let message: Message?
        let stats: Stats?
    }

    private var isWithinMessage = false

    mutating func read(line: String) {
        guard let event = try? JSONDecoder().decode(Event.self, from: Data(line.utf8)) else { return }
        let goesOn = isWithinMessage && event.delta == true
        isWithinMessage = event.type == "message" && event.role == "assistant"
        switch event.type {
        case "text":
            report.finalText = event.part?.text ?? report.finalText
        case "step_finish":
            let before = report.usage ?? Usage()
            report.usage = Usage(
                inputTokens: (before.inputTokens ?? 0) + (event.part?.tokens?.input ?? 0),
                outputTokens: (before.outputTokens ?? 0) + (event.part?.tokens?.output ?? 0),
                costUSD: (before.costUSD ?? 0) + (event.part?.cost ?? 0))
        case "assistant":
            let text = event.message?.content?.filter { $0.type == "text" }.compactMap(\.text)
            if let text, !text.isEmpty { report.finalText = text.joined(separator: "\n") }
        case "message" where event.role == "assistant":
            guard let content = event.content else { break }
            report.finalText = goesOn ? (report.finalText ?? "") + content : content
        case "result":
            if let stats = event.stats {
                report.usage = Usage(inputTokens: stats.input_tokens, outputTokens: stats.output_tokens)
            }
            if event.is_error == true || event.status == "error" {
                fail(event.error?.message ?? event.result ?? "the run failed")
            } else {
                report.finalText = event.result ?? report.finalText
            }
        case "error":
            fail(event.error?.message ?? "the run failed")
        default:
            break
        }
    }

    private mutating func fail(_ text: String) {
        report.failure = ProviderErrors.reason(text) ?? .agentFailed
        report.failureText = text
    }
}

/// Takes the last lines of plain text for the final text.
private struct TextReader: OutputReading {
    /// Lines that count as the last words.
    private static let mostLines = 20
    private var lines: [String] = []

    mutating func read(line: String) {
        lines.append(line)
        if lines.count > Self.mostLines { lines.removeFirst() }
    }

    var report: AgentReport {
        var report = AgentReport()
        let text = lines.joined(separator: "\n")
        if !text.isEmpty { report.finalText = text }
        return report
    }
}
