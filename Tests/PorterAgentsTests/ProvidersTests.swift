import Porter
import PorterAgents
import Testing

/// The one list of providers, and the agents that use them.
@Suite struct ProvidersTests {
    @Test func `every variable of an agent belongs to one provider`() {
        for agent in AgentCatalog.standard(demo: nil).agents {
            for variable in agent.keys.flatMap({ $0 }) + agent.options {
                #expect(
                    ModelProvider.all.count { $0.variables.contains(variable) } == 1,
                    "\(variable) of \(agent.name)")
            }
        }
    }

    @Test func `every provider is one that an agent uses`() {
        let used = Set(
            AgentCatalog.standard(demo: nil).agents.flatMap { $0.keys.flatMap { $0 } + $0.options })
        for provider in ModelProvider.all { #expect(!used.isDisjoint(with: provider.variables)) }
    }

    @Test func `headers are names and values on lines of their own, and nothing else`() {
        let found = ModelProvider.headers("X-One: a b: c\n\nX-Two:d\n")
        #expect(found?.map(\.name) == ["X-One", "X-Two"])
        #expect(found?.map(\.value) == ["a b: c", "d"])
        for wrong in ["no colon", ": nameless", "X One\u{7F}: x", "X: a\u{1}b", "X(: y"] {
            #expect(ModelProvider.headers(wrong) == nil, "\(wrong)")
        }
    }

    @Test func `codex gets a gateway's headers in variables, never in its arguments`() throws {
        let codex = try #require(AgentCatalog.standard(demo: nil).find("codex"))
        let call = codex.invocation(
            model: nil,
            environment: [
                "OPENAI_API_KEY": Secret("sk-canary-1"),
                "OPENAI_CUSTOM_HEADERS": Secret("X-Pass: canary-header\nX-Team: blue"),
            ])
        let words = call.arguments.joined(separator: " ")
        #expect(!words.contains("canary"))
        #expect(words.contains(#"env_http_headers={"X-Pass"="OPENAI_HEADER_1", "X-Team"="OPENAI_HEADER_2"}"#))
        #expect(call.environment["OPENAI_HEADER_1"] == Secret("canary-header"))
        #expect(call.environment["OPENAI_CUSTOM_HEADERS"] == nil)
    }
}
