import PlaygroundFace
import Porter
import PorterHTTP

/// Installations and tokens, as an organisation's owner and time change them.
extension Control {
    /// Picks the repositories that it reaches: `{repositories: [name] | "all"}`.
    func editInstallation(
        _ request: Request, _ address: [String: String], _ body: JSON
    ) throws(Refusal) -> JSON {
        try world.with { state throws(Refusal) in
            var installation = try find(state, address)
            let before = Set(state.repositories(of: installation).map(\.id))
            if case .array(let elements) = body["repositories"] {
                let names = elements.compactMap(\.string)
                let own = state.repositories.values.filter { $0.ownerID == installation.accountID }
                installation.picked = Set(own.filter { names.contains($0.name) }.map(\.id))
            } else {
                installation.picked = nil
            }
            state.installations[installation.id] = installation
            let after = Set(state.repositories(of: installation).map(\.id))
            func repositories(_ ids: Set<Int64>) -> [Repository] {
                ids.sorted().compactMap { state.repositories[$0] }
            }
            let added = repositories(after.subtracting(before))
            let removed = repositories(before.subtracting(after))
            if !added.isEmpty { world.announceReach(&state, installation, added: added, by: 583_231) }
            if !removed.isEmpty { world.announceReach(&state, installation, removed: removed, by: 583_231) }
            return state.json(installation)
        }
    }

    /// The change is `suspend`, `unsuspend` or `delete`.
    func changeInstallation(
        _ request: Request, _ address: [String: String], _ body: JSON
    ) throws(Refusal) -> JSON {
        let (json, announced) = try world.with { state throws(Refusal) -> (JSON, World.Announced) in
            var installation = try find(state, address)
            let change = address["change"] ?? ""
            let actor = try person(state, body["actor"])
            switch change {
            case "suspend": installation.suspendedAt = state.now
            case "unsuspend": installation.suspendedAt = nil
            case "delete": break
            default: throw Refusal.notFound
            }
            state.installations[installation.id] = installation
            let repositories = state.repositories(of: installation).map { state.json(brief: $0) }
            world.effects.append(
                "installation.\(change)", actor: state.accounts[actor]?.login ?? "ghost",
                ["installation": .int(installation.id)])
            let action = change == "delete" ? "deleted" : change
            let announced = world.announce(
                &state, "installation", action,
                ["installation": state.json(installation), "repositories": .array(repositories)], in: nil,
                by: actor, installation: installation)
            if change == "delete" { state.installations[installation.id] = nil }
            return (state.json(installation), announced)
        }
        return result(json, announced, body)
    }

    /// Lets a token's hour be over.
    func expireToken(_ request: Request, _ address: [String: String], _ body: JSON) throws(Refusal) -> JSON {
        try world.with { state throws(Refusal) in
            guard let found = state.tokens.first(where: { String($0.value.id) == address["id"] }) else {
                throw Refusal.notFound
            }
            let now = state.now
            state.tokens[found.key]?.expiresAt = now
            return state.effect(found.value)
        }
    }

    private func find(_ state: State, _ address: [String: String]) throws(Refusal) -> Installation {
        guard let found = address["id"].flatMap({ Int64($0) }).flatMap({ state.installations[$0] }) else {
            throw .notFound
        }
        return found
    }
}
