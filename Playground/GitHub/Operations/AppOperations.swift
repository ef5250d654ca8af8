import PlaygroundFace
import Porter
import PorterHTTP

/// Operations on the App, its installations and their tokens.
///
/// - SeeAlso: <https://docs.github.com/en/rest/apps>
enum AppOperations {
    static func show(_ call: Call) throws(Refusal) -> Response {
        .gitHub(call.world.with { $0.json(app: $0.app) })
    }

    static func user(_ call: Call) throws(Refusal) -> Response {
        let login = call.parameters["login"] ?? ""
        guard let json = call.world.with({ state in state.account(login).map { state.json(user: $0) } })
        else {
            throw .notFound
        }
        return .gitHub(json)
    }

    static func listInstallations(_ call: Call) throws(Refusal) -> Response {
        try call.page(
            call.world.with { state in
                state.installations.values.sorted { $0.id < $1.id }.map { state.json($0) }
            })
    }

    static func showInstallation(_ call: Call) throws(Refusal) -> Response {
        let id = try call.number("id")
        return .gitHub(
            try call.world.with { state throws(Refusal) in
                guard let installation = state.installations[id] else { throw Refusal.notFound }
                return state.json(installation)
            })
    }

    static func createToken(_ call: Call) throws(Refusal) -> Response {
        let id = try call.number("id")
        let (made, json) = try call.world.with { state throws(Refusal) in
            guard let installation = state.installations[id] else { throw Refusal.notFound }
            guard installation.suspendedAt == nil else {
                throw Refusal(status: 403, message: "This installation has been suspended")
            }
            let made = try state.makeToken(installation, call.body)
            var json: JSON = [
                "token": .string(made.secret), "expires_at": .string(made.token.expiresAt.shown),
                "permissions": state.permissions(made.token.permissions),
                "repository_selection": made.token.repositories == nil && installation.picked == nil
                    ? "all" : "selected",
            ]
            if let ids = made.token.repositories {
                let list = ids.sorted().compactMap { state.repositories[$0].map { state.json($0) } }
                json = json + ["repositories": .array(list)]
            }
            return (made.token, json)
        }
        call.world.effects.append(
            "token.created", actor: call.world.with { $0.app.slug }, call.world.with { $0.effect(made) })
        return .gitHub(json, 201)
    }

    static func revokeToken(_ call: Call) throws(Refusal) -> Response {
        guard case .installation(let token, let secret) = call.caller else { throw .notFound }
        call.world.with { $0.tokens[secret]?.isRevoked = true }
        call.world.effects.append("token.revoked", actor: call.actor, call.world.with { $0.effect(token) })
        return .nothing
    }

    static func listRepositories(_ call: Call) throws(Refusal) -> Response {
        let found = call.world.with { state -> [JSON] in
            guard let installation = state.installations[call.token.installationID] else { return [] }
            return state.repositories(of: installation)
                .filter { state.reaches(call.token, $0) }
                .map { state.json($0) }
        }
        let selection: JSON = call.token.repositories == nil ? "all" : "selected"
        return try call.page(found) {
            [
                "total_count": .int(found.count), "repository_selection": selection,
                "repositories": .array($0),
            ]
        }
    }

    static func rateLimit(_ call: Call) throws(Refusal) -> Response {
        let fields = call.world.rateLimitFields(call.request, isFree: true)
        func number(_ name: String) -> JSON {
            .some(fields["X-RateLimit-\(name)"].flatMap { Int64($0) } ?? 0)
        }
        let core: JSON = [
            "limit": number("Limit"), "used": number("Used"), "remaining": number("Remaining"),
            "reset": number("Reset"),
        ]
        return .gitHub(["resources": ["core": core, "search": core], "rate": core])
    }
}
