import PlaygroundFace
import Porter
import PorterHTTP

/// People, organisations and sign-ins, as GitHub's staff, owners and time change them.
extension Control {
    /// Renames or suspends: `{login?, suspended?}`.
    func editPerson(_ request: Request, _ address: [String: String], _ body: JSON) throws(Refusal) -> JSON {
        try world.with { state throws(Refusal) in
            let id = try person(state, .string(address["login"] ?? ""))
            if let login = body["login"].string {
                guard state.account(login) == nil else {
                    throw Refusal.validation("User", field: "login", code: "already_exists")
                }
                state.accounts[id]?.login = login
            }
            switch body["suspended"].bool {
            case true?: state.oauth.suspended.insert(id)
            case false?: state.oauth.suspended.remove(id)
            case nil: break
            }
            return state.json(account: id)
        }
    }

    /// The change is `revoke` (the person takes the App's authorisation back), `expire` (their access tokens end
    /// now), or `sign-on` (they pass the single sign-on of `{organization}`).
    func changePerson(_ request: Request, _ address: [String: String], _ body: JSON) throws(Refusal) -> JSON {
        let (json, announced) = try world.with { state throws(Refusal) -> (JSON, World.Announced) in
            let id = try person(state, .string(address["login"] ?? ""))
            var announced: World.Announced = nil
            let now = state.now
            switch address["change"] {
            case "revoke":
                state.forgetTokens(of: id)
                announced = world.announceRevocation(&state, of: id)
            case "expire":
                for (access, token) in state.oauth.tokens where token.personID == id {
                    state.oauth.tokens[access]?.accessExpiresAt = now
                }
            case "sign-on":
                let organization = try person(state, body["organization"])
                state.oauth.organizations[organization, default: OrganizationRules()].signedOn.insert(id)
            default: throw Refusal.notFound
            }
            return (state.json(account: id), announced)
        }
        return result(json, announced, body)
    }

    /// Sets an organisation's rules: `{single_sign_on?, refuses_address?, members?: [login]}`.
    func editOrganization(
        _ request: Request, _ address: [String: String], _ body: JSON
    ) throws(Refusal) -> JSON {
        try world.with { state throws(Refusal) in
            let id = try person(state, .string(address["login"] ?? ""))
            guard state.accounts[id]?.kind == .organization else { throw Refusal.notFound }
            var rules = state.oauth.organizations[id] ?? OrganizationRules()
            if let needs = body["single_sign_on"].bool {
                rules.needsSingleSignOn = needs
                rules.signedOn = []
            }
            if let refuses = body["refuses_address"].bool { rules.refusesAddress = refuses }
            if case .array(let logins) = body["members"] {
                rules.members = Set(logins.compactMap { $0.string.flatMap { state.account($0)?.id } })
            }
            state.oauth.organizations[id] = rules
            return [
                "single_sign_on": .bool(rules.needsSingleSignOn),
                "refuses_address": .bool(rules.refusesAddress),
                "members": .strings(rules.members.sorted().compactMap { state.accounts[$0]?.login }),
            ]
        }
    }

    /// How tokens are given: `{access_seconds?, expiring?}`.
    func editSignIns(_ request: Request, _ address: [String: String], _ body: JSON) throws(Refusal) -> JSON {
        world.with { state in
            if let seconds = body["access_seconds"].integer { state.oauth.accessLifetime = seconds }
            if let isExpiring = body["expiring"].bool { state.oauth.isExpiring = isExpiring }
            if let grantsGists = body["gists"].bool { state.oauth.grantsGists = grantsGists }
            return [
                "access_seconds": .int(state.oauth.accessLifetime), "expiring": .bool(state.oauth.isExpiring),
                "gists": .bool(state.oauth.grantsGists),
            ]
        }
    }
}

extension World {
    /// A `github_app_authorization` event, which names no installation.
    func announceRevocation(_ state: inout State, of person: Int64) -> Announced {
        effects.append("authorization.revoked", actor: state.accounts[person]?.login ?? "ghost", [:])
        let payload: JSON = ["action": "revoked", "sender": state.json(account: person)]
        let delivery = Delivery(
            id: state.newID(), guid: newGUID(), event: "github_app_authorization", action: "revoked",
            installationID: nil, repositoryID: nil, payload: payload.data, isRedelivery: false)
        state.deliveries.append(delivery)
        return (delivery, sender.enqueue(delivery))
    }
}
