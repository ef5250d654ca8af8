/// The names by which people call agents.
package struct AgentNames: Hashable, Sendable {
    /// The names themselves, in the catalog's order.
    package let canonical: [String]
    /// Other right names: `claude-code` for `claude`.
    package let aliases: [String: String]
    /// Words that are so often meant as a name that they are refused rather than taken as instructions.
    package let misspellings: [String: String]

    /// The names of a catalog.
    package init(canonical: [String], aliases: [String: String], misspellings: [String: String]) {
        self.canonical = canonical
        self.aliases = aliases
        self.misspellings = misspellings
    }

    /// The agent that the word names, without regard to case.
    package func resolve(_ word: String) -> String? {
        let lowered = word.lowercased()
        return canonical.contains(lowered) ? lowered : aliases[lowered]
    }
}
