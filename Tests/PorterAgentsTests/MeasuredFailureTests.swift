import Porter
import Testing

@testable import PorterAgents

/// How the real programs word a provider's failures, as they were measured.
@Suite struct MeasuredFailureTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let words: String
        let reason: Reason?

        var testDescription: String { words }
    }

    /// Codex 0.163.0: the message of `turn.failed`.
    static let codex = [
        Case(
            words:
                "unexpected status 401 Unauthorized: Incorrect API key provided, url: http://h/v1/responses",
            reason: .providerAuth),
        Case(
            words: "unexpected status 403 Forbidden: The request was refused., url: http://h/v1/responses",
            reason: .providerAuth),
        Case(words: "exceeded retry limit, last status: 429 Too Many Requests", reason: .providerOverloaded),
        Case(words: "Quota exceeded. Check your plan and billing details.", reason: .providerQuota),
        Case(
            words: #"{\"error\":{\"code\":\"context_length_exceeded\",\"message\":\"Your input exceeds\"}}"#,
            reason: .contextTooLong),
        Case(
            words: "We’re currently experiencing high demand, which may cause temporary errors.",
            reason: .providerOverloaded),
        Case(
            words: "unexpected status 529 <unknown status code>: Overloaded, url: http://h/v1/responses",
            reason: .providerOverloaded),
        Case(
            words: "unexpected status 404 Not Found: The request was refused., url: http://h/v1/responses",
            reason: .agentFailed),
        Case(words: "Missing environment variable: `OPENAI_API_KEY`.", reason: .providerKeyMissing),
        Case(words: "the file has status 500 in it", reason: .agentFailed),
    ]

    @Test(arguments: codex)
    func `codex's words give the reason`(_ given: Case) throws {
        var reader = AgentDefinition.codex.reader()
        reader.read(Array(#"{"type":"turn.failed","error":{"message":"\#(given.words)"}}"#.utf8))
        let report = reader.finish()
        #expect(report.failure == given.reason)
    }

    @Test func `codex fetches no plugins, which would take seconds where their hosts cannot be reached`() {
        let arguments = AgentDefinition.codex.invocation(model: nil, environment: [:]).arguments
        #expect(zip(arguments, arguments.dropFirst()).contains { $0 == ("-c", "features.plugins=false") })
    }
}
