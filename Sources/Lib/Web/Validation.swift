import FoundationEssentials
import Porter
import PorterAgents
import PorterHTTP
import PorterStore
import PorterWork

/// One thing that was tried, in words with the next step.
struct ValidationCheck {
    let name: String
    let isGood: Bool
    let message: String
    /// Where the person can mend it; nil when nothing is to be done, or not in a browser.
    let action: String?

    init(_ name: String, _ isGood: Bool, _ message: String, action: String? = nil) {
        self.name = name
        self.isGood = isGood
        self.message = message
        self.action = isGood ? nil : action
    }

    var json: JSON {
        .object([
            "name": .string(name), "ok": .bool(isGood), "message": .string(message), "action": .text(action),
        ])
    }
}

extension [ValidationCheck] {
    /// `{ok, checks}`: all of it, and whether all is as it must be.
    var response: Response {
        .json(
            200,
            .object(["ok": .bool(allSatisfy(\.isGood)), "checks": .array(map(\.json))]))
    }
}

/// Whether what is set works, by asking: `POST /api/config/validate/{provider|fly|github}`.
extension Site {
    static var validationRoutes: [Route] {
        [
            Route("POST", "/api/config/validate/{subject}", .person, maximumBody: maximumSettings) {
                (site, exchange) throws(Failure) in try site.validate(exchange)
            }
        ]
    }

    private struct ProviderBody: Decodable {
        let provider: String
    }

    private func validate(_ exchange: Exchange) throws(Failure) -> Response {
        let subject = exchange.path["subject"] ?? ""
        switch subject {
        case "fly": return try flyChecks(try scope(exchange)).response
        case "github":
            _ = try scope(exchange)
            return gitHubChecks().response
        case "provider":
            let scope = try scope(exchange)
            let name = try Bodies.read(ProviderBody.self, only: ["provider"], exchange).provider
            guard let provider = ModelProvider.find(name) else {
                let names = ModelProvider.all.map(\.name).joined(separator: ", ")
                throw .field("provider", "must be one of \(names); it is \(JSON.string(name).shown).")
            }
            return try providerChecks(provider, scope, exchange).response
        default:
            guard let provider = ModelProvider.find(subject) else { throw .noRoute }
            return try providerChecks(provider, try scope(exchange), exchange).response
        }
    }

    // MARK: - Model providers

    /// How long a provider may take to answer.
    private static let providerLimits = Transport.Limits(
        connect: .seconds(5), total: .seconds(10), maximumBodyBytes: 4_194_304)

    private func providerChecks(
        _ provider: ModelProvider, _ scope: SettingsScope, _ exchange: Exchange
    ) throws(Failure) -> [ValidationCheck] {
        let keys: AgentKeys
        do throws(StoreError) {
            keys = try scope == .shared ? work.teamKeys() : work.keys(of: try person(exchange))
        } catch {
            guard error.code == .corrupt else { throw Failure(error) }
            return [ValidationCheck("key", false, "The stored key does not open: \(error.message).")]
        }
        guard let key = provider.keys.first(where: { keys.values[$0.name] != nil }),
            let secret = keys.values[key.name]
        else {
            let names = provider.keys.map(\.name).joined(separator: " or ")
            return [
                ValidationCheck(
                    "key", false,
                    provider.keys.isEmpty
                        ? "\(provider.title) has no key of its own."
                        : "There is no key for \(provider.title): get one there, and save it as \(names).",
                    action: provider.keysPage)
            ]
        }
        let owner = keys.owners[key.name] == .person ? "yours" : "the team's"
        var checks = [ValidationCheck("key", true, "\(key.name) is there, \(owner).")]
        guard let check = provider.check else {
            checks.append(
                ValidationCheck(
                    "answer", true,
                    "\(provider.title) has no call that only tries a key; the first run will show."))
            return checks
        }
        checks += ask(provider, check, key.authorization, secret, keys)
        return checks
    }

    private func person(_ exchange: Exchange) throws(StoreError) -> Person {
        // Behind the door for people there always is one.
        Person(id: exchange.visitor?.id ?? 0, login: exchange.visitor?.login ?? "")
    }

    private func ask(
        _ provider: ModelProvider, _ check: ModelProvider.Check,
        _ authorization: ModelProvider.Authorization, _ key: Secret, _ keys: AgentKeys
    ) -> [ValidationCheck] {
        var address = provider.addressVariable.flatMap { keys.values[$0]?.reveal { $0 } } ?? check.address
        while address.hasSuffix("/") { address.removeLast() }
        let host = AddressRules.host(of: address) ?? address
        var request = Request(
            method: "GET", target: address + check.path,
            fields: ["Accept": "application/json", "User-Agent": "Porter/\(Porter.version)"])
        for (name, value) in check.headers { request.fields[name] = value }
        let lines = provider.headersVariable.flatMap { keys.values[$0]?.reveal { $0 } } ?? ""
        for header in ModelProvider.headers(lines) ?? [] { request.fields[header.name] = header.value }
        switch authorization {
        case .bearer: request.fields["Authorization"] = key.reveal { "Bearer \($0)" }
        case .header(let name): request.fields[name] = key.reveal { $0 }
        }
        let response: Response
        do throws(TransportError) {
            response = try probes.transport.send(request, Self.providerLimits)
        } catch {
            return [ValidationCheck("address", false, Self.words(error, host))]
        }
        let reached = ValidationCheck("address", true, "\(host) answers.")
        return [reached, verdict(response, provider, host)]
    }

    private static func words(_ error: TransportError, _ host: String) -> String {
        switch error.code {
        case .notAllowed: "\(host) may not be called: \(error.message). An admin can set another address."
        case .unreachable:
            "\(host) cannot be reached: \(error.message). Is the address right, and may this box reach it? A host "
                + "with a private address must be named in PORTER_PRIVATE_HOSTS."
        case .interrupted, .cancelled: "\(host) did not answer in time. Try again in a minute."
        case .tooLarge: "\(host) answers with more than a list of models: is the address right?"
        }
    }

    private func verdict(
        _ response: Response, _ provider: ModelProvider, _ host: String
    ) -> ValidationCheck {
        let said = Self.providerWords(response).map { " It says: \(work.world.redactor.redact($0))" } ?? ""
        switch response.status {
        case 200..<300:
            guard (try? JSONDecoder().decode([String: JSON].self, from: response.body)) != nil else {
                return ValidationCheck(
                    "answer", false, "\(host) answers, but not like \(provider.title): is the address right?")
            }
            return ValidationCheck("answer", true, "\(provider.title) takes the key.")
        case 401, 403:
            return ValidationCheck(
                "answer", false, "\(provider.title) refuses the key (\(response.status)).\(said)",
                action: provider.keysPage)
        case 402, 429:
            return ValidationCheck(
                "answer", false,
                "\(provider.title) knows the key, and says that there is no credit or quota left, or too many calls "
                    + "at this moment (\(response.status)).\(said)", action: provider.keysPage)
        case 404:
            return ValidationCheck(
                "answer", false, "\(host) has no list of models there (404): is the address right?")
        case 500...:
            return ValidationCheck(
                "answer", false,
                "\(provider.title) has a trouble of its own (\(response.status)). Try again in a few minutes.\(said)"
            )
        default:
            return ValidationCheck(
                "answer", false, "\(provider.title) answers with status \(response.status).\(said)")
        }
    }

    /// The provider's own words, from the places in which they have them.
    private static func providerWords(_ response: Response) -> String? {
        guard let body = try? JSONDecoder().decode(JSON.self, from: response.body),
            case .object(let fields) = body
        else { return nil }
        if case .string(let text) = fields["error"] { return String(text.prefix(200)) }
        if case .object(let error) = fields["error"], case .string(let text) = error["message"] {
            return String(text.prefix(200))
        }
        if case .string(let text) = fields["message"] { return String(text.prefix(200)) }
        return nil
    }

    // MARK: - Fly

    private func flyChecks(_ scope: SettingsScope) throws(Failure) -> [ValidationCheck] {
        let policy = work.policy
        var checks = [
            ValidationCheck(
                "executor", true,
                policy.engine.name == "fly"
                    ? "Runs go to Fly Machines." : "Runs happen on Porter's own box; Fly is not needed.")
        ]
        let access: (app: String, token: Secret)?
        do throws(StoreError) {
            access = try flyAccess(scope)
        } catch {
            guard error.code == .corrupt else { throw Failure(error) }
            return checks + [
                ValidationCheck("token", false, "The stored token does not open: \(error.message).")
            ]
        }
        guard let access else {
            return checks + [
                ValidationCheck(
                    "token", false,
                    "No Fly app is set: make one with `fly apps create`, a token for it with `fly tokens create "
                        + "deploy`, and save both.", action: "https://fly.io/docs/security/tokens/")
            ]
        }
        do throws(MachinesError) {
            try probes.fly(access.app, access.token)
            checks.append(ValidationCheck("token", true, "Fly takes the token for the app \(access.app)."))
        } catch {
            checks.append(Self.flyCheck(error, access.app))
        }
        if policy.engine.name == "fly" {
            checks.append(
                ValidationCheck(
                    "image", policy.hasWorkerImage,
                    policy.hasWorkerImage
                        ? "The worker's image is set." : "The operator must set PORTER_WORKER_IMAGE."))
        }
        return checks
    }

    private func flyAccess(_ scope: SettingsScope) throws(StoreError) -> (app: String, token: Secret)? {
        let world = work.world
        guard let app = try work.flyApp(of: scope), app.isComplete,
            let token = try app.token(world.store, world.sealer)
        else { return nil }
        return (app.name, token)
    }

    private static func flyCheck(_ error: MachinesError, _ app: String) -> ValidationCheck {
        let page = "https://fly.io/docs/security/tokens/"
        switch (error.code, error.status) {
        case (_, 403):
            return ValidationCheck(
                "token", false,
                "The token is not for the app \(app): it belongs to another organisation or app.",
                action: page)
        case (.unauthorized, _):
            return ValidationCheck(
                "token", false, "Fly refuses the token. Make a new one and save it.", action: page)
        case (_, 404):
            return ValidationCheck(
                "app", false,
                "Fly knows no app \(app). Make it with `fly apps create \(app)`, or save another.")
        case (.unreachable, _):
            return ValidationCheck("token", false, "Fly cannot be reached: \(error.message).")
        default:
            return ValidationCheck("token", false, "Fly did not answer as it should: \(error.message).")
        }
    }

    // MARK: - GitHub

    private func gitHubChecks() -> [ValidationCheck] {
        switch work.world.app.standing() {
        case .missing:
            return [ValidationCheck("credentials", false, "Porter has no GitHub App yet.", action: "/setup")]
        case .broken(let words): return [ValidationCheck("credentials", false, words)]
        case .ready: break
        }
        let administration = work.world.administration
        let details: GitHub.AppDetails
        do throws(GitHubError) {
            details = try administration.details()
        } catch {
            return [ValidationCheck("credentials", false, Self.words(error))]
        }
        let page = appPage(details)
        var checks = [
            ValidationCheck(
                "credentials", true, "GitHub knows Porter as \(details.slug) of \(details.owner.login).")
        ]
        checks.append(hookCheck(page))
        let lacking = AppManifest.neededPermissions.lacking(in: details.permissions)
        checks.append(
            ValidationCheck(
                "permissions", lacking.isEmpty,
                lacking.isEmpty
                    ? "The App asks for all permissions that Porter needs."
                    : "The App lacks \(lacking.joined(separator: ", ")): add them on its page, and let each "
                        + "installation's owner accept them.", action: page + "/permissions"))
        let unheard = AppManifest.neededEvents.filter { !details.events.contains($0) }
        checks.append(
            ValidationCheck(
                "events", unheard.isEmpty,
                unheard.isEmpty
                    ? "GitHub tells Porter of every event that it needs."
                    : "The App is not told of \(unheard.joined(separator: ", ")): tick them on its page.",
                action: page + "/permissions"))
        return checks + [installationCheck(details)]
    }

    private static func words(_ error: GitHubError) -> String {
        switch error.code {
        case .unauthorized, .notFound:
            "GitHub refuses the App's credentials: \(error.message). The operator must put in the App's present key."
        case .unreachable, .uncertain: "GitHub did not answer: \(error.message). Try again in a minute."
        default: "GitHub answers: \(error.message)."
        }
    }

    /// Where the App's owner changes it.
    private func appPage(_ details: GitHub.AppDetails) -> String {
        let isOrganization =
            (try? work.world.store.listInstallations())?
            .contains { $0.account.id == details.owner.id && $0.accountType == "Organization" } == true
        let place = isOrganization ? "/organizations/\(details.owner.login)/settings" : "/settings"
        return "\(work.policy.githubURL)\(place)/apps/\(details.slug)"
    }

    private func hookCheck(_ page: String) -> ValidationCheck {
        let wanted = work.policy.publicURL + "/api/webhooks/github"
        do throws(GitHubError) {
            let found = try work.world.administration.hookURL()
            return ValidationCheck(
                "webhook", found == wanted,
                found == wanted
                    ? "Deliveries come to \(wanted)."
                    : "Deliveries go to \(found ?? "nowhere"), not to \(wanted): change the App's webhook.",
                action: page)
        } catch {
            return ValidationCheck("webhook", false, Self.words(error))
        }
    }

    private func installationCheck(_ details: GitHub.AppDetails) -> ValidationCheck {
        let page = "\(work.policy.githubURL)/apps/\(details.slug)/installations/new"
        do throws(GitHubError) {
            let found = try work.world.administration.installations()
            guard !found.isEmpty else {
                return ValidationCheck(
                    "installation", false, "The App is not installed anywhere.", action: page)
            }
            let waiting = found.filter { installation in
                !AppManifest.neededPermissions.lacking(in: installation.permissions).isEmpty
            }
            if let first = waiting.first {
                return ValidationCheck(
                    "installation", false,
                    "\(waiting.map(\.account.login).joined(separator: ", ")) must accept the App's new permissions.",
                    action: first.url)
            }
            let names = found.prefix(5).map(\.account.login).joined(separator: ", ")
            return ValidationCheck("installation", true, "The App is installed for \(names).")
        } catch {
            return ValidationCheck("installation", false, Self.words(error))
        }
    }
}

extension [String: String] {
    /// The permissions of this that the granted ones do not reach, in words: `issues: write`.
    func lacking(in granted: [String: String]) -> [String] {
        let ranks = ["read": 1, "write": 2, "admin": 3]
        return filter { ranks[granted[$0.key] ?? "", default: 0] < ranks[$0.value, default: 3] }
            .map { "\($0.key): \($0.value)" }.sorted()
    }
}
