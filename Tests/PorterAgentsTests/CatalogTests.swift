import Porter
import Testing

@testable import PorterAgents

@Suite struct CatalogTests {
    private let catalog = AgentCatalog.standard(demo: "/opt/demo")

    /// Every variable that any agent may get, each with a value of its own.
    private var environment: [String: Secret] {
        let names = catalog.agents.flatMap { $0.keys.flatMap { $0 } + $0.options }
        let all = Set(names + ["GITHUB_TOKEN", "PATH", "PORTER_CALLBACK_TOKEN", "AWS_SECRET_ACCESS_KEY"])
        return all.reduce(into: [:]) { $0[$1] = Secret("canary-" + $1) }
    }

    @Test func `the agents stand in the order in which a default is chosen`() {
        #expect(catalog.agents.map(\.name) == ["opencode", "claude", "amp", "codex", "gemini", "demo"])
        #expect(
            AgentCatalog.standard(demo: nil).agents.map(\.name)
                == ["opencode", "claude", "amp", "codex", "gemini"])
    }

    @Test func `no two agents share a name, alias or misspelling`() {
        let words = catalog.agents.flatMap { [$0.name] + $0.aliases + $0.misspellings }
        #expect(Set(words).count == words.count)
        #expect(words.allSatisfy { $0 == $0.lowercased() && !$0.contains(" ") })
    }

    @Test(
        arguments: [
            ("claude", "claude"), ("claude-code", "claude"), ("CLAUDE", "claude"), ("opencode", "opencode"),
            ("codex", "codex"), ("amp", "amp"), ("gemini", "gemini"), ("demo", "demo"), ("cloude", nil),
            ("", nil), ("bash", nil),
        ] as [(String, String?)])
    func `an agent is found by name and alias`(word: String, name: String?) {
        #expect(catalog.find(word)?.name == name)
    }

    @Test func `misspellings are on the list`() {
        #expect(catalog.names.misspellings["cloude"] == "claude")
        #expect(catalog.names.misspellings["codx"] == "codex")
        #expect(catalog.names.canonical == catalog.agents.map(\.name))
    }

    @Test(arguments: [
        ("opencode", ["ANTHROPIC_API_KEY"], true), ("opencode", ["OPENAI_API_KEY"], true),
        ("opencode", ["AMP_API_KEY"], false), ("claude", ["ANTHROPIC_API_KEY"], true),
        ("claude", ["ANTHROPIC_AUTH_TOKEN"], true), ("claude", ["ANTHROPIC_BASE_URL"], false),
        ("claude", [], false), ("codex", ["OPENAI_API_KEY"], true), ("codex", ["CODEX_API_KEY"], true),
        ("codex", ["OPENAI_BASE_URL"], false), ("amp", ["AMP_API_KEY"], true), ("amp", [], false),
        ("gemini", ["GEMINI_API_KEY"], true), ("demo", [], true),
    ])
    func `an agent is usable with any of its sets of keys`(name: String, keys: [String], isUsable: Bool) {
        #expect(catalog.find(name)?.isUsable(with: Set(keys)) == isUsable)
    }

    @Test func `an agent gets its own keys and switches, nothing of another`() throws {
        for agent in catalog.agents {
            let own = Set(agent.keys.flatMap { $0 } + agent.options)
            let invocation = agent.invocation(model: nil, environment: environment)
            for (name, value) in invocation.environment {
                let isKey = own.contains(name) && value == environment[name]
                let isSwitch = value.reveal { !$0.contains("canary") }
                #expect(isKey || isSwitch, "\(agent.name) gets \(name)")
            }
        }
        let codex = try #require(catalog.find("codex"))
        #expect(
            Set(codex.invocation(model: nil, environment: environment).environment.keys) == ["OPENAI_API_KEY"]
        )
        let other = codex.invocation(model: nil, environment: ["CODEX_API_KEY": Secret("canary")])
        #expect(Set(other.environment.keys) == ["CODEX_API_KEY"])
        #expect(other.arguments.contains { $0.contains("env_key=\"CODEX_API_KEY\"") })
        let demo = try #require(catalog.find("demo"))
        #expect(demo.invocation(model: "m", environment: environment).environment.isEmpty)
        #expect(demo.invocation(model: "m", environment: environment).arguments == ["/opt/demo"])
    }

    @Test func `arguments hold no key, and the prompt comes another way`() {
        for agent in catalog.agents {
            let keys = Set(agent.keys.flatMap { $0 })
            let invocation = agent.invocation(model: "vendor/model-1", environment: environment)
            for key in keys {
                #expect(!invocation.arguments.contains { $0.contains("canary-\(key)") }, "\(agent.name)")
            }
            #expect(invocation.prompt == .stdin)
            #expect(invocation.arguments.allSatisfy { !$0.isEmpty && !$0.contains("\n") })
        }
    }

    @Test(arguments: ["opencode", "claude", "codex", "gemini"])
    func `the model is handed over when there is one`(name: String) throws {
        let agent = try #require(catalog.find(name))
        let with = agent.invocation(model: "vendor/model-1", environment: environment).arguments
        let without = agent.invocation(model: nil, environment: environment).arguments
        let place = try #require(with.firstIndex(of: "vendor/model-1"))
        #expect(["-m", "--model"].contains(with[place - 1]))
        #expect(!without.contains("-m") && !without.contains("--model"))
    }

    // Measured: see the documents linked in the definitions.
    @Test(arguments: [
        ("claude", ["claude", "-p", "--output-format", "stream-json", "--verbose"]),
        ("claude", ["--permission-mode", "bypassPermissions"]), ("codex", ["codex", "exec", "--json"]),
        ("codex", ["--skip-git-repo-check"]), ("codex", ["--dangerously-bypass-approvals-and-sandbox"]),
        ("opencode", ["opencode", "run", "--format", "json", "--auto"]), ("amp", ["-x", "--stream-json"]),
        ("gemini", ["--output-format", "stream-json", "--approval-mode=yolo", "--skip-trust"]),
    ])
    func `the command line holds what a run without a person needs`(name: String, words: [String]) throws {
        let arguments = try #require(catalog.find(name)).invocation(model: nil, environment: [:]).arguments
        #expect(arguments.indices.contains { arguments[$0...].starts(with: words) })
        #expect(arguments[0] == name)
    }

    @Test func `a refused key does not keep claude busy`() throws {
        let claude = try #require(catalog.find("claude"))
        let environment = claude.invocation(model: nil, environment: [:]).environment
        #expect(environment["CLAUDE_CODE_MAX_RETRIES"] == Secret("3"))
        #expect(environment["DISABLE_AUTOUPDATER"] == Secret("1"))
    }

    @Test func `an address for codex cannot leave its quotes`() throws {
        let codex = try #require(catalog.find("codex"))
        let address = "https://gate\"way\\,env_key=\"PATH\n"
        let arguments = codex.invocation(
            model: nil, environment: ["OPENAI_API_KEY": Secret("k"), "OPENAI_BASE_URL": Secret(address)]
        ).arguments
        #expect(
            arguments.contains {
                $0.contains(#"base_url="https://gate\"way\\,env_key=\"PATH", env_key="OPENAI_API_KEY""#)
            })
    }
}
