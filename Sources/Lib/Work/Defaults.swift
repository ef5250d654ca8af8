package import Porter
import PorterAgents
package import PorterStore

/// Which agent, model and limits a command gets that does not name them: the person's, the repository's, the team's.
struct Defaults {
    let person: Preferences
    let repository: Preferences
    let team: Preferences

    private var inOrder: [Preferences] { [person, repository, team] }

    /// The first agent that one of the three names.
    func agents() -> [String] {
        inOrder.compactMap { $0.text("default_agent") }
    }

    /// The model for an agent: that of the first of the three which is about this agent.
    ///
    /// A model belongs to the agent that the same settings name. Settings without an agent have a model for
    /// whichever agent a command gets that names none.
    func model(for agent: String, wasNamed: Bool) -> String? {
        inOrder.lazy.compactMap { preferences -> String? in
            guard let model = preferences.text("default_model") else { return nil }
            guard let own = preferences.text("default_agent") else { return wasNamed ? nil : model }
            return own == agent ? model : nil
        }.first
    }

}

/// What a run is like that does not say: the person's settings, then the team's, then the operator's.
package struct RunDefaults: Hashable, Sendable {
    /// The class in the queue.
    package let priority: Priority
    /// Seconds that the agent may take.
    package let timeout: Int
    /// Whether the pull request is to be opened as a draft.
    package let isDraft: Bool
    /// Whose comments the prompt may quote: `writers` or `all`.
    package let context: String
}

extension Work {
    /// What the person's runs are like that do not say.
    package func runDefaults(of person: Person) throws(StoreError) -> RunDefaults {
        let own = Preferences(try store.recentSettings(scope: SettingsScope.person(person.id).name))
        let team = Preferences(try store.recentSettings(scope: SettingsScope.shared.name))
        let limits = self.team.limits(store)
        return RunDefaults(
            priority: (own.text("default_priority") ?? team.text("default_priority"))
                .flatMap(Priority.init(rawValue:)) ?? .normal,
            // The team's is in the policy already.
            timeout: min(own.number("timeout_s") ?? limits.task, limits.taskMaximum),
            isDraft: own.flag("draft") ?? team.flag("draft") ?? false,
            context: own.text("context") ?? team.text("context") ?? "writers")
    }

    /// The settings that stand behind a command.
    func defaults(for person: Person, in repository: RepositoryRef) throws(StoreError) -> Defaults {
        func preferences(_ scope: SettingsScope) throws(StoreError) -> Preferences {
            Preferences(try store.listSettings(scope: scope.name))
        }
        return Defaults(
            person: try preferences(.person(person.id)),
            repository: try preferences(.repository(repository.id)),
            team: try preferences(.shared))
    }

    /// Whether an admin switched the agent off.
    package func isDisabled(_ agent: String) throws(StoreError) -> Bool {
        try store.findSetting(Self.agentSwitch(agent), scope: SettingsScope.shared.name) == "false"
    }

    /// What the team tells an agent on each run; nil when it tells nothing.
    package func guidance(for agent: String) throws(StoreError) -> String? {
        try store.findSetting(Self.agentGuidance(agent), scope: SettingsScope.shared.name)
            .flatMap(JSONText.decoded)
    }

    /// The name of the setting that switches an agent off.
    package static func agentSwitch(_ agent: String) -> String { "agent.\(agent).enabled" }

    /// The name of the setting with an agent's guidance.
    package static func agentGuidance(_ agent: String) -> String { "agent.\(agent).guidance" }

    /// Characters of an agent's guidance at most.
    package static var maximumGuidance: Int { 8000 }

    /// Lets this process see changed settings at once; other processes see them within a second.
    package func settingsChanged() { team.forget() }
}
