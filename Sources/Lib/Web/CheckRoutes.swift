import Porter
import PorterAgents
import PorterHTTP
import PorterStore
import PorterWork

/// What keeps a first command from working: `GET /api/startup/check`; what is left of GitHub's hour:
/// `GET /api/rate-limit`. Both from what Porter keeps; nobody is asked on the way.
extension Site {
    static var checkRoutes: [Route] {
        [
            Route("GET", "/api/startup/check", .person) { (site, exchange) throws(Failure) in
                try site.startupCheck(exchange)
            },
            Route("GET", "/api/rate-limit", .person) { (site, exchange) throws(Failure) in
                try site.showRateLimit(exchange)
            },
        ]
    }

    private func startupCheck(_ exchange: Exchange) throws(Failure) -> Response {
        let visitor = try exchange.person
        var checks = [gitHubAppCheck(visitor)]
        checks += try reachChecks(visitor)
        checks.append(try agentCheck(visitor))
        checks.append(engineCheck)
        checks.append(try watchdogPassCheck())
        return .json(
            200,
            .object([
                "ready": .bool(checks.allSatisfy(\.isGood)), "checks": .array(checks.map(\.json)),
                "mention": .string(work.policy.mention),
            ]))
    }

    private func gitHubAppCheck(_ visitor: Visitor) -> ValidationCheck {
        switch work.world.app.standing() {
        case .missing: ValidationCheck("github_app", false, "Porter has no GitHub App yet.", action: "/setup")
        case .broken(let words): ValidationCheck("github_app", false, words)
        case .ready:
            if let problem = appProblem() {
                ValidationCheck("github_app", false, problem, action: "/settings/")
            } else {
                ValidationCheck("github_app", true, "Porter acts on GitHub as its App.")
            }
        }
    }

    /// Whether there is a repository in which the person's command would be heard.
    private func reachChecks(_ visitor: Visitor) throws(Failure) -> [ValidationCheck] {
        let page = try installationPage()
        let known = try reading { () throws(StoreError) in
            var known: [InstallationRecord] = []
            for record in try work.world.store.listInstallations() where record.state != "deleted" {
                if try work.serves(record.account) { known.append(record) }
            }
            return known
        }
        let served = known.filter { $0.state == "active" }
        guard !served.isEmpty else {
            if let suspended = known.first {
                return [
                    ValidationCheck(
                        "installation", false,
                        "The App's installation for \(suspended.account.login) is suspended: an owner lifts that on its "
                            + "page on GitHub.", action: suspended.url ?? page)
                ]
            }
            return [
                ValidationCheck(
                    "installation", false, "The App is not installed on an account that this Porter serves.",
                    action: page)
            ]
        }
        let names = served.prefix(5).map(\.account.login).joined(separator: ", ")
        let installed = ValidationCheck("installation", true, "The App is installed for \(names).")
        guard visitor.isAdmin || work.age(ofRightsFrom: visitor.rightsAt) != .unknown else {
            return [
                installed,
                ValidationCheck(
                    "repository", false,
                    "GitHub has yet to say which repositories you see. Load this page again in a moment."),
            ]
        }
        let ids = Set(served.map(\.id))
        let visible = try repositories(visibleTo: visitor).filter {
            !$0.isRemoved && ids.contains($0.reference.installationID)
        }
        guard !visible.isEmpty else {
            return [
                installed,
                ValidationCheck(
                    "repository", false,
                    "You see none of the repositories on which the App is installed: add one to the installation, or "
                        + "ask its owner.", action: page),
            ]
        }
        let usable = visible.filter { $0.isEnabled && !$0.isArchived }
        guard let first = usable.first else {
            return [
                installed,
                ValidationCheck(
                    "repository", false,
                    "Every repository that you see here is archived or switched off"
                        + (visitor.isAdmin ? "." : ": ask an admin of this Porter to switch one on."),
                    action: visitor.isAdmin ? "/repositories/" : nil),
            ]
        }
        return [
            installed,
            ValidationCheck(
                "repository", true,
                "\(usable.count) of your repositories listen, such as \(first.reference.fullName)."),
        ]
    }

    /// The page on which the App is installed; nil while nothing is known of it.
    private func installationPage() throws(Failure) -> String? {
        try reading { () throws(StoreError) in
            try work.world.store.setUpProgress()?.slug
        }.map { "\(work.policy.githubURL)/apps/\($0)/installations/new" }
    }

    private func agentCheck(_ visitor: Visitor) throws(Failure) -> ValidationCheck {
        do throws(StoreError) {
            let names = Set(try work.keys(of: visitor.person).values.keys)
            var enabled: [AgentDefinition] = []
            for agent in work.world.catalog.agents where try !work.isDisabled(agent.name) {
                enabled.append(agent)
            }
            let usable = enabled.filter { $0.isUsable(with: names) }
            if !usable.isEmpty {
                let list = usable.map(\.name).joined(separator: ", ")
                return ValidationCheck("agent", true, "With your keys and the team's you can ask \(list).")
            }
            return ValidationCheck(
                "agent", false,
                enabled.isEmpty
                    ? "Every agent is switched off."
                    : "There is no key for any agent yet: save one of yours.",
                action: "/settings/")
        } catch {
            guard error.code == .corrupt else { throw Failure(error) }
            return ValidationCheck(
                "agent", false, "The stored keys do not open: \(error.message). The operator must mend that.")
        }
    }

    private var engineCheck: ValidationCheck {
        let engine = work.policy.engine
        return ValidationCheck(
            "engine", engine.isConfigured,
            engine.isConfigured
                ? (engine.name == "fly" ? "Runs go to Fly Machines." : "Runs happen on Porter's own box.")
                : "Runs go to Fly Machines, and Fly is not set up.", action: "/settings/")
    }

    private func watchdogPassCheck() throws(Failure) -> ValidationCheck {
        let now = clock.now()
        let last = try reading { () throws(StoreError) in
            let made = try work.world.store.madeAt(now)
            return max(made, try work.world.store.findMark(Work.passMark)?.at ?? made)
        }
        let isRecent = last >= now.adding(seconds: -Self.passInterval)
        return ValidationCheck(
            "watchdog", isRecent,
            isRecent
                ? "The watchdog makes its passes."
                : "The watchdog made no pass for five minutes: the operator must look at porter-watchdog.timer."
        )
    }

    private func showRateLimit(_ exchange: Exchange) throws(Failure) -> Response {
        let visitor = try exchange.person
        let seen = Set(try repositories(visibleTo: visitor).map(\.reference.installationID))
        let records = try reading { () throws(StoreError) in try work.world.store.listInstallations() }
        let limits = records.filter { visitor.isAdmin || seen.contains($0.id) }.compactMap {
            record -> JSON? in
            guard let limit = record.rateLimit else { return nil }
            return .object([
                "installation_id": .int(record.id), "account": .string(record.account.login),
                "limit": .whole(limit.limit), "remaining": .whole(limit.remaining),
                "reset_at": .string(Instant(seconds: limit.reset).iso8601),
                "at": .text(record.refreshedAt?.iso8601),
            ])
        }
        return .json(200, .object(["limits": .array(limits)]))
    }
}
