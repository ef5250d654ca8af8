package import Porter
import PorterAgents
package import PorterStore

/// Whose a credential is.
package enum KeyOwner: String, Hashable, Sendable {
    /// The person's who wrote the command.
    case person
    /// The team's, from the settings.
    case team
    /// The team's, from the operator's environment.
    case environment
}

/// The variables that a person's runs can have, with whose each is.
package struct AgentKeys: Sendable {
    /// Values by variable.
    package private(set) var values: [String: Secret] = [:]
    /// Owners by variable.
    package private(set) var owners: [String: KeyOwner] = [:]

    init() {}

    /// Puts an owner's variables over what there is.
    ///
    /// A provider's keys belong together: whoever has one of them uses none of somebody else's for that provider. An
    /// address or headers of the team stay, since they say where this Porter's calls to the provider go.
    mutating func add(_ secrets: [String: Secret], of owner: KeyOwner) {
        for provider in ModelProvider.all {
            let names = provider.keys.map(\.name)
            guard names.contains(where: { secrets[$0] != nil }) else { continue }
            for name in names {
                values[name] = nil
                owners[name] = nil
            }
        }
        for (name, secret) in secrets {
            values[name] = secret
            owners[name] = owner
        }
    }

    /// What of it an agent gets, in words for the task's history: `ANTHROPIC_API_KEY of maria`.
    func account(for agent: AgentDefinition, person: Person) -> String {
        let own = Set(agent.keys.flatMap { $0 } + agent.options)
        return owners.filter { own.contains($0.key) }.sorted { $0.key < $1.key }.map { name, owner in
            switch owner {
            case .person: "\(name) of \(person.login)"
            case .team: "\(name) of the team"
            case .environment: "\(name) of the operator"
            }
        }.joined(separator: ", ")
    }
}

extension Work {
    /// The variables that a person's runs can have: their own keys, then the team's.
    ///
    /// With an engine of the person's own only the person's are used: the team's secrets stay with the team's engine.
    ///
    /// - Throws: ``StoreError`` with `.corrupt` when one of them does not open.
    package func keys(of person: Person) throws(StoreError) -> AgentKeys {
        try keys(of: person, onOwnEngine: try ownEngine(of: person) != nil)
    }

    /// The same for a run whose engine is chosen already.
    func keys(of person: Person, onOwnEngine: Bool) throws(StoreError) -> AgentKeys {
        var keys = onOwnEngine ? AgentKeys() : try teamKeys()
        keys.add(try open(.person(person.id)), of: .person)
        return keys
    }

    /// Whether the person's runs get keys of the team's where they have none of their own.
    package func getsTeamKeys(_ person: Person) throws(StoreError) -> Bool {
        try ownEngine(of: person) == nil
    }

    /// The variables of the team alone.
    package func teamKeys() throws(StoreError) -> AgentKeys {
        var keys = AgentKeys()
        keys.add(policy.teamKeys, of: .environment)
        keys.add(try open(.shared), of: .team)
        return keys
    }

    private func open(_ scope: SettingsScope) throws(StoreError) -> [String: Secret] {
        let secrets = try store.openSecrets(scope: scope.name, sealer: world.sealer)
        for secret in secrets.values { world.redactor.watch(secret, of: scope.redactorsOwner) }
        return secrets
    }
}
