import FoundationEssentials
import Porter

extension AgentDefinition {
    /// OpenAI's Codex CLI.
    ///
    /// The provider is named by options instead of a login, so that the key comes from the environment and
    /// another address can be used; retries are bounded.
    ///
    /// Measured with 0.163.0, in the agent's box, against the playground's model: a whole turn with one
    /// command takes 0.5 s. A refused key (401) is over after 2.0 s and 4 calls, a server error (500, 503,
    /// 529) after 8.3 s and 16 calls; a used-up account, a rate limit and too long a prompt are told at
    /// once, without another call. Switched on, plugins are fetched from github.com and chatgpt.com, and
    /// where these names cannot be resolved every run takes 4.7 s longer (1.2 s instead of 0.5 s where a
    /// resolver refuses at once); switched off, codex reaches for no host but the provider's. Its default
    /// model needs the program `codex-code-mode-host` beside `codex`.
    ///
    /// - SeeAlso: <https://developers.openai.com/codex/noninteractive>
    static let codex = AgentDefinition(
        name: "codex", title: "Codex", aliases: ["codex-cli"],
        misspellings: ["codx", "codec", "codecs", "kodex", "codexx"],
        keys: [["OPENAI_API_KEY"], ["CODEX_API_KEY"]],
        options: ["OPENAI_BASE_URL", "OPENAI_CUSTOM_HEADERS"],
        makeInvocation: { model, environment in
            let key = environment["OPENAI_API_KEY"] == nil ? "CODEX_API_KEY" : "OPENAI_API_KEY"
            let address = environment["OPENAI_BASE_URL"]?.reveal { $0 } ?? "https://api.openai.com/v1"
            var own = environment.filter { $0.key == key }
            var provider = [
                "name=\"porter\"", "base_url=\(toml(address))", "env_key=\"\(key)\"",
                "wire_api=\"responses\"", "request_max_retries=3", "stream_max_retries=3",
            ]
            let headers = environment["OPENAI_CUSTOM_HEADERS"]?.reveal { ModelProvider.headers($0) } ?? nil
            if let headers, !headers.isEmpty {
                // Their values may be secrets: codex takes them from variables, not from its arguments.
                var named: [String] = []
                for (index, header) in headers.enumerated() {
                    own["OPENAI_HEADER_\(index + 1)"] = Secret(header.value)
                    named.append("\(toml(header.name))=\"OPENAI_HEADER_\(index + 1)\"")
                }
                provider.append("env_http_headers={\(named.joined(separator: ", "))}")
            }
            var arguments = [
                "codex", "exec", "--json", "--skip-git-repo-check",
                "--dangerously-bypass-approvals-and-sandbox",
                "-c", "check_for_update_on_startup=false", "-c", "analytics.enabled=false",
                "-c", "features.plugins=false",
                "-c", "model_provider=\"porter\"",
                "-c", "model_providers.porter={\(provider.joined(separator: ", "))}",
            ]
            if let model { arguments += ["--model", model] }
            return AgentInvocation(
                arguments: arguments + ["-"], prompt: .stdin,
                environment: own)
        }, makeReader: { CodexReader() })

    /// The text as a TOML basic string.
    private static func toml(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            if scalar == "\"" || scalar == "\\" { quoted.unicodeScalars.append("\\") }
            if scalar.value >= 32, scalar.value != 127 { quoted.unicodeScalars.append(scalar) }
        }
        return quoted + "\""
    }
}

/// Reads `codex exec --json`: events `thread.started`, `item.completed`, `turn.completed`, `turn.failed`.
///
/// Events of type `error` and items of type `error` are warnings on the way; only `turn.failed` is final.
private struct CodexReader: OutputReading {
    var report = AgentReport()

    private struct Event: Decodable {
        struct Item: Decodable {
            let type: String?
            let text: String?
        }

        struct TurnUsage: Decodable {
            let input_tokens: Int64?
            let output_tokens: Int64?
        }

        struct Failure: Decodable {
            let message: String?
        }

        let type: String?
        let item: Item?
        let usage: TurnUsage?
        let error: Failure?
    }

    mutating func read(line: String) {
        guard let event = try? JSONDecoder().decode(Event.self, from: Data(line.utf8)) else { return }
        switch event.type {
        case "item.completed" where event.item?.type == "agent_message":
            report.finalText = event.item?.text ?? report.finalText
        case "turn.completed":
            report.failure = nil
            report.failureText = nil
            let before = report.usage ?? Usage()
            report.usage = Usage(
                inputTokens: (before.inputTokens ?? 0) + (event.usage?.input_tokens ?? 0),
                outputTokens: (before.outputTokens ?? 0) + (event.usage?.output_tokens ?? 0))
        case "turn.failed":
            let text = event.error?.message ?? "the turn failed"
            report.failure = ProviderErrors.reason(text) ?? .agentFailed
            report.failureText = text
        default:
            break
        }
    }
}
