package import Porter

/// The agent command-line programs that Porter can run: how each is called, keyed and understood.
///
/// One file an agent; ``AgentCatalog`` lists them. Pure: nothing here starts a program.
package struct AgentDefinition: Sendable {
    /// The name in commands.
    package let name: String
    /// The name for people.
    package let title: String
    /// Other right names in commands, lower case: `claude-code`.
    package let aliases: [String]
    /// Words that are refused with this agent's name as the suggestion, lower case.
    package let misspellings: [String]
    /// Sets of variables, any one of which is enough to reach a model; an empty set needs none.
    package let keys: [[String]]
    /// Further variables that the agent gets when they are there: other keys, another address.
    package let options: [String]
    let makeInvocation: @Sendable (_ model: String?, _ environment: [String: Secret]) -> AgentInvocation
    let makeReader: @Sendable () -> any OutputReading

    /// Whether the variables of these names are enough.
    package func isUsable(with names: Set<String>) -> Bool {
        keys.contains { names.isSuperset(of: $0) }
    }

    /// The command line and environment of a run.
    ///
    /// - Parameter environment: all keys that are at hand; the agent gets its own only.
    package func invocation(model: String?, environment: [String: Secret]) -> AgentInvocation {
        let own = Set(keys.flatMap { $0 } + options)
        return makeInvocation(model, environment.filter { own.contains($0.key) })
    }

    /// A fresh reader of the program's standard output.
    package func reader() -> OutputReader {
        OutputReader(makeReader())
    }
}

/// How an agent's program is called.
package struct AgentInvocation: Hashable, Sendable {
    /// How the prompt reaches the program.
    package enum PromptHandOver: String, Sendable {
        /// On its standard input.
        case stdin
        /// As the file ``AgentInvocation/promptPath``.
        case file
    }

    /// Where the box holds the prompt, for agents that take a file.
    package static let promptPath = "/home/agent/prompt.md"

    /// The program's name first; no secrets, no prompt.
    package let arguments: [String]
    /// How the program gets what it is told.
    package let prompt: PromptHandOver
    /// Exactly the variables that the agent gets beside the box's own.
    package let environment: [String: Secret]
}

/// The agents of this instance, in the order in which a default is chosen.
package struct AgentCatalog: Sendable {
    /// In the order of preference: the first that is enabled and has its keys is the default.
    package let agents: [AgentDefinition]

    /// All agents that Porter knows, and `demo` if its program is named.
    ///
    /// - Parameter demo: `PORTER_DEMO_AGENT`, an absolute path.
    package static func standard(demo: String?) -> AgentCatalog {
        var agents: [AgentDefinition] = [.opencode, .claude, .amp, .codex, .gemini]
        if let demo { agents.append(.demo(program: demo)) }
        return AgentCatalog(agents: agents)
    }

    /// The agent of that name or alias.
    package func find(_ name: String) -> AgentDefinition? {
        names.resolve(name).flatMap { found in agents.first { $0.name == found } }
    }

    /// The names by which people call them.
    package var names: AgentNames {
        AgentNames(
            canonical: agents.map(\.name),
            aliases: agents.reduce(into: [:]) { all, agent in
                for alias in agent.aliases { all[alias] = agent.name }
            },
            misspellings: agents.reduce(into: [:]) { all, agent in
                for word in agent.misspellings { all[word] = agent.name }
            })
    }
}
