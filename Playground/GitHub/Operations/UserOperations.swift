import FoundationEssentials
import PlaygroundFace
import Porter
import PorterHTTP

/// Operations of people who have signed in with the App.
///
/// - SeeAlso: <https://docs.github.com/en/rest/apps/installations>
enum UserOperations {
    static func show(_ call: Call) throws(Refusal) -> Response {
        let person = call.person
        return .gitHub(
            try call.world.with { state throws(Refusal) in
                guard let account = state.accounts[person] else { throw Refusal.notFound }
                return state.json(user: account)
            })
    }

    static func organizations(_ call: Call) throws(Refusal) -> Response {
        let person = call.person
        return try call.page(
            call.world.with { state in
                state.oauth.organizations.filter { $0.value.members.contains(person) }.keys.sorted()
                    .compactMap { state.json(organization: $0) }
            })
    }

    static func installations(_ call: Call) throws(Refusal) -> Response {
        let person = call.person
        let (shown, hidden) = call.world.with { state -> ([JSON], [Int64]) in
            let seen = state.installations.values.sorted { $0.id < $1.id }
                .filter { state.isVisible($0, to: person) }
            return (
                seen.filter { !state.hides($0.accountID, from: person) }.map { state.json($0) },
                seen.map(\.accountID).filter { state.hides($0, from: person) }
            )
        }
        var response = try call.page(shown) {
            ["total_count": .int(shown.count), "installations": .array($0)]
        }
        if !hidden.isEmpty {
            let list = hidden.map(String.init).joined(separator: ",")
            response.fields["X-GitHub-SSO"] = "partial-results; organizations=\(list)"
        }
        return response
    }

    static func repositories(_ call: Call) throws(Refusal) -> Response {
        let person = call.person
        let id = try call.number("id")
        let found = try call.world.with { state throws(Refusal) -> [JSON] in
            guard let installation = state.installations[id], state.isVisible(installation, to: person) else {
                throw Refusal.notFound
            }
            guard installation.suspendedAt == nil else {
                throw Refusal(status: 403, message: "This installation has been suspended")
            }
            try check(installation.accountID, for: person, state)
            return state.repositories(of: installation).filter { state.isExplicit(person, in: $0) }.map {
                state.json($0) + ["permissions": permissions(state.level(person, in: $0))]
            }
        }
        return try call.page(found) { ["total_count": .int(found.count), "repositories": .array($0)] }
    }

    /// What an organisation asks of people before it shows them anything.
    static func check(_ organization: Int64, for person: Int64, _ state: State) throws(Refusal) {
        let login = state.accounts[organization]?.login ?? "ghost"
        if state.hides(organization, from: person) {
            throw Refusal(
                status: 403,
                message: """
                    Resource protected by organization SAML enforcement. You must grant your OAuth token access \
                    to this organization.
                    """,
                fields: [
                    "X-GitHub-SSO": "required; url=\(state.origin)/orgs/\(login)/sso?authorization_request=A1"
                ])
        }
        if state.oauth.organizations[organization]?.refusesAddress == true {
            throw Refusal(
                status: 403,
                message: """
                    Although you appear to have the correct authorization credentials, the `\(login)` organization \
                    has an IP allow list enabled, and your IP address is not permitted to access this resource.
                    """)
        }
    }

    private static func permissions(_ level: Level) -> JSON {
        [
            "admin": .bool(level >= .admin), "maintain": .bool(level >= .maintain),
            "push": .bool(level >= .write), "triage": .bool(level >= .triage),
            "pull": .bool(level >= .read),
        ]
    }

    /// Takes a token back; the App shows who it is by its client id and secret.
    static func revoke(_ request: Request, _ world: World, clientID: String) throws(Refusal) -> Response {
        let pair = Data("\(clientID):\(world.clientSecret)".utf8).base64EncodedString()
        guard clientID == world.with({ $0.app.clientID }), request.fields["Authorization"] == "Basic \(pair)"
        else { throw .notFound }
        guard let access = JSON(request.body)?["access_token"].string else { throw .missing("access_token") }
        try world.with { state throws(Refusal) in
            guard let token = state.oauth.tokens[access], !token.isDead else {
                throw Refusal.unprocessable("Validation Failed")
            }
            state.oauth.tokens[access]?.isDead = true
        }
        return .nothing
    }
}
