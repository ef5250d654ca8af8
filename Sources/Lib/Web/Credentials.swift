import FoundationEssentials
import Porter
import PorterAgents
import PorterHTTP
import PorterStore
import PorterWork

/// Keys: `/api/config/provider-credentials`, `/api/config/fly`, `/api/config/providers`.
///
/// They go in and never come out: what is shown of one is that it is there, and since when.
extension Site {
    /// Bytes of a key at most.
    static var maximumSecret: Int { 8192 }

    static var credentialRoutes: [Route] {
        [
            Route("GET", "/api/config/provider-credentials", .person) { (site, exchange) throws(Failure) in
                try site.listCredentials(exchange)
            },
            Route(
                "PUT", "/api/config/provider-credentials", .person, maximumBody: maximumSettings
            ) { (site, exchange) throws(Failure) in try site.saveCredential(exchange) },
            Route("DELETE", "/api/config/provider-credentials/{provider}/{name}", .person) {
                (site, exchange) throws(Failure) in try site.deleteCredential(exchange)
            },
            Route("PUT", "/api/config/fly", .person, maximumBody: maximumSettings) {
                (site, exchange) throws(Failure) in try site.saveFly(exchange)
            },
            Route("DELETE", "/api/config/fly", .person) { (site, exchange) throws(Failure) in
                try site.deleteFly(exchange)
            },
            Route("GET", "/api/config/providers", .person) { (site, exchange) throws(Failure) in
                try site.listProviders(exchange)
            },
        ]
    }

    private func listCredentials(_ exchange: Exchange) throws(Failure) -> Response {
        let scope = try scope(exchange)
        let stored = try storedKeys(scope)
        var entries = stored.map { entry in
            (provider: entry.provider, name: entry.name, at: Optional(entry.updatedAt))
        }
        if scope == .shared {
            // The operator's own keys stand under the team's, and cannot be changed here.
            for name in work.policy.teamKeys.keys where !stored.contains(where: { $0.name == name }) {
                entries.append((ModelProvider.owning(name)?.name ?? "other", name, nil))
            }
        }
        let shown = entries.sorted { ($0.provider, $0.name) < ($1.provider, $1.name) }.map { entry in
            JSON.object([
                "provider": .string(entry.provider), "name": .string(entry.name),
                "scope": .string(scope == .shared ? "shared" : "user"), "configured": .bool(true),
                "updated_at": .text(entry.at?.iso8601),
                "source": .string(entry.at == nil ? "environment" : "settings"),
            ])
        }
        return .json(200, .object(["credentials": .array(shown)]))
    }

    private func storedKeys(_ scope: SettingsScope) throws(Failure) -> [SecretEntry] {
        try reading { () throws(StoreError) in
            try work.world.store.listSecrets(scope: scope.name).filter {
                $0.provider != Database.flyProvider && $0.provider != Database.githubProvider
            }
        }
    }

    private struct CredentialBody: Decodable {
        let provider: String
        let name: String
        let value: String
    }

    private func saveCredential(_ exchange: Exchange) throws(Failure) -> Response {
        let scope = try scope(exchange)
        let body = try Bodies.read(CredentialBody.self, only: ["provider", "name", "value"], exchange)
        guard let provider = ModelProvider.find(body.provider) else {
            let names = ModelProvider.all.map(\.name).joined(separator: ", ")
            throw .field(
                "provider", "must be one of \(names); it is \(JSON.string(body.provider).shown).")
        }
        guard provider.variables.contains(body.name) else {
            throw .field(
                "name",
                "must be one of \(provider.variables.joined(separator: ", ")); it is "
                    + "\(JSON.string(body.name).shown).")
        }
        if provider.isForAdmins(body.name), scope != .shared {
            throw Failure(
                403, "forbidden", "\(body.name) decides where keys are sent: admins set it for the team.")
        }
        let value = try Self.secret("value", body.value, allowsLines: body.name == provider.headersVariable)
        try check(value, provider, body.name)
        let secret = Secret(value)
        work.world.redactor.watch(secret, of: scope.redactorsOwner)
        let entry = try exchange.entry(
            "key.saved", "\(scope.name) \(provider.name)/\(body.name)", at: clock.now())
        try reading { () throws(StoreError) in
            try work.world.store.saveSecret(
                secret, scope: scope.name, provider: provider.name, name: body.name,
                sealer: work.world.sealer,
                audit: entry, at: clock.now())
        }
        return .nothing
    }

    /// Refuses an address that no call may reach, and headers that are none.
    private func check(_ value: String, _ provider: ModelProvider, _ name: String) throws(Failure) {
        if name == provider.addressVariable {
            guard AddressRules.mayBeCalled(value) else {
                throw .field(
                    "value", "must be an address such as https://gateway.example.org, or http for loopback.")
            }
        }
        if name == provider.headersVariable {
            guard ModelProvider.headers(value) != nil else {
                throw .field("value", "must be headers, `Name: value`, each on a line of its own.")
            }
            if let name = ModelProvider.reservedHeader(in: value) {
                throw .field("value", "must not hold `\(name)`, which HTTP itself sets.")
            }
        } else {
            try Self.checkForm("value", value)
        }
    }

    /// A secret as it was typed, without the spaces and line breaks that copying brings along.
    static func secret(_ field: String, _ text: String, allowsLines: Bool = false) throws(Failure) -> String {
        var trimmed = text[...]
        while trimmed.last?.isWhitespace == true { trimmed = trimmed.dropLast() }
        while trimmed.first?.isWhitespace == true { trimmed = trimmed.dropFirst() }
        guard !trimmed.isEmpty else { throw .field(field, "is empty.") }
        guard trimmed.utf8.count <= maximumSecret else {
            throw .field(field, "must be at most \(maximumSecret) bytes; it is \(trimmed.utf8.count).")
        }
        let isPlain = trimmed.unicodeScalars.allSatisfy { scalar in
            scalar.value >= 32 && scalar.value != 127 || (allowsLines && scalar == "\n")
        }
        guard isPlain else { throw .field(field, "must have no control characters or line breaks in it.") }
        return String(trimmed)
    }

    /// Refuses what can be no key: it would be looked for, and taken out, wherever that text stands.
    private static func checkForm(_ field: String, _ value: String, mayHaveSpaces: Bool = false)
        throws(Failure)
    {
        guard value.utf8.count >= Redactor.minimumLength else {
            throw .field(
                field,
                "is too short for a key: it has \(value.utf8.count) characters, and keys have at least "
                    + "\(Redactor.minimumLength).")
        }
        let isForeign = value.unicodeScalars.contains { scalar in
            !scalar.isASCII || "\"'<>`*{}".unicodeScalars.contains(scalar)
                || (scalar == " " && !mayHaveSpaces)
        }
        guard !isForeign else {
            throw .field(
                field,
                "must be a key as its provider shows it, without spaces, quotes, brackets or letters with accents."
            )
        }
    }

    private func deleteCredential(_ exchange: Exchange) throws(Failure) -> Response {
        let scope = try scope(exchange)
        let (provider, name) = (exchange.path["provider"] ?? "", exchange.path["name"] ?? "")
        let entry = try exchange.entry("key.removed", "\(scope.name) \(provider)/\(name)", at: clock.now())
        let missing = Failure(404, "not_found", "There is no such key.")
        guard ModelProvider.find(provider) != nil else { throw missing }
        let wasThere = try reading { () throws(StoreError) in
            try work.world.store.deleteSecret(
                scope: scope.name, provider: provider, name: name, audit: entry)
        }
        guard wasThere else { throw missing }
        return .nothing
    }

    private struct FlyBody: Decodable {
        let token: String
        let app: String
        let region: String?
    }

    private func saveFly(_ exchange: Exchange) throws(Failure) -> Response {
        let scope = try scope(exchange)
        let body = try Bodies.read(FlyBody.self, only: ["token", "app", "region"], exchange)
        let token = try Self.secret("token", body.token)
        // Fly's own begin with `FlyV1 `.
        try Self.checkForm("token", token, mayHaveSpaces: true)
        guard Self.isName(body.app, most: 63, also: "-") else {
            throw .field(
                "app",
                "must be the name of a Fly app, 1 to 63 lower-case letters, digits and dashes; it is "
                    + "\(JSON.string(body.app).shown).")
        }
        if let region = body.region, !Self.areRegions(region) {
            throw .field(
                "region",
                "must be a region of three letters such as ams, or up to 16 with commas; it is \(JSON.string(region).shown)."
            )
        }
        work.world.redactor.watch(Secret(token), of: scope.redactorsOwner)
        let entry = try exchange.entry("fly.saved", scope.name, detail: "app \(body.app)", at: clock.now())
        let change = try reading { () throws(StoreError) in
            try work.world.store.saveFly(
                scope: scope.name, token: Secret(token), app: body.app, region: body.region,
                unlessInUse: isUsed(scope), sealer: work.world.sealer, audit: entry, at: clock.now())
        }
        if case .inUse(let attempts, let app) = change { throw .flyInUse(attempts, app) }
        work.settingsChanged()
        return .nothing
    }

    /// Whether the scope's Fly app in the settings is the one that counts: the environment's stands over the team's.
    private func isUsed(_ scope: SettingsScope) -> Bool { scope != .shared || work.policy.givenFly == nil }

    /// - SeeAlso: <https://fly.io/docs/reference/regions/>
    private static func areRegions(_ text: String) -> Bool {
        let regions = text.split(separator: ",", omittingEmptySubsequences: false)
        return regions.count <= 16
            && regions.allSatisfy { $0.utf8.count == 3 && $0.utf8.allSatisfy { (97...122).contains($0) } }
    }

    private static func isName(_ text: String, most: Int, also: Character) -> Bool {
        (1...most).contains(text.utf8.count)
            && text.allSatisfy { character in
                character.isASCII
                    && (character.isNumber || character == also
                        || (character.isLetter && character.isLowercase))
            }
    }

    private func deleteFly(_ exchange: Exchange) throws(Failure) -> Response {
        let scope = try scope(exchange)
        let now = clock.now()
        let entry = try exchange.entry("fly.removed", scope.name, at: now)
        let change = try reading { () throws(StoreError) in
            try work.world.store.deleteFly(
                scope: scope.name, unlessInUse: isUsed(scope), audit: entry, at: now)
        }
        switch change {
        case .done: break
        case .absent: throw Failure(404, "not_found", "There is no Fly app to remove.")
        case .inUse(let attempts, let app): throw .flyInUse(attempts, app)
        }
        work.settingsChanged()
        return .nothing
    }

    private func listProviders(_ exchange: Exchange) throws(Failure) -> Response {
        let person = try exchange.person.person
        let own = Set(try storedKeys(.person(person.id)).map(\.name))
        let team = Set(try storedKeys(.shared).map(\.name)).union(work.policy.teamKeys.keys)
        let getsTeamKeys = try reading { () throws(StoreError) in try work.getsTeamKeys(person) }
        let catalog = work.world.catalog
        let providers = ModelProvider.all.map { provider -> JSON in
            let users = catalog.agents.filter { agent in
                !Set(agent.keys.flatMap { $0 } + agent.options).isDisjoint(with: provider.variables)
            }
            return .object([
                "name": .string(provider.name), "title": .string(provider.title),
                "keys_page": .string(provider.keysPage),
                "keys": .array(provider.keys.map { .string($0.name) }),
                "admin_variables": .array(
                    provider.variables.filter(provider.isForAdmins).map(JSON.string)),
                "agents": .array(users.map { .string($0.name) }),
                "can_be_checked": .bool(provider.check != nil),
                "configured": .object([
                    "user": .bool(!own.isDisjoint(with: provider.variables)),
                    "shared": .bool(!team.isDisjoint(with: provider.variables)),
                    "shared_key": .bool(
                        getsTeamKeys && !team.isDisjoint(with: provider.keys.map(\.name))),
                ]),
            ])
        }
        return .json(200, .object(["providers": .array(providers)]))
    }
}

extension Failure {
    /// Machines run in the app, and without its token nobody could look after them.
    fileprivate static func flyInUse(_ attempts: Int, _ app: String) -> Failure {
        let machines = attempts == 1 ? "A machine is" : "\(attempts) machines are"
        return Failure(
            409, "fly_in_use",
            "\(machines) still at work in the Fly app \(app): wait until the runs have ended, or stop them, and try "
                + "again. A new token or region for \(app) itself is taken at any time.")
    }
}

extension Response {
    /// Done, and nothing to say.
    static let nothing = Response(status: 204, fields: ["Cache-Control": "no-store"])
}
