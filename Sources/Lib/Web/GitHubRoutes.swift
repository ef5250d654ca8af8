import FoundationEssentials
import Porter
import PorterHTTP
import PorterStore
import PorterWork

/// What Porter knows of GitHub: `/api/github/…`; kept by deliveries and a background look, never asked on the way.
extension Site {
    static var gitHubRoutes: [Route] {
        [
            Route("GET", "/api/github/summary", .person) { (site, exchange) throws(Failure) in
                try site.showSummary(exchange)
            },
            Route("GET", "/api/github/repositories", .person) { (site, exchange) throws(Failure) in
                try site.showRepositories(exchange)
            },
            Route("PATCH", "/api/github/repositories/{id}", .person, maximumBody: maximumSettings) {
                (site, exchange) throws(Failure) in try site.changeRepository(exchange)
            },
            Route("GET", "/api/github/installations", .person) { (site, exchange) throws(Failure) in
                try site.showInstallations(exchange)
            },
            Route("GET", "/api/github/orgs", .person) { (site, exchange) throws(Failure) in
                try site.showOrganizations(exchange)
            },
            Route("GET", "/api/github/profile", .person) { (site, exchange) throws(Failure) in
                try site.showProfile(exchange)
            },
            Route("GET", "/api/github/issues/{owner}/{repo}/{number}", .person) {
                (site, exchange) throws(Failure) in try site.showIssue(exchange)
            },
        ]
    }

    /// Tasks of one issue that are shown at most.
    private static var mostIssueTasks: Int { 50 }

    /// The repositories that the person may know of: an admin all of them.
    ///
    /// - Throws: 503 while GitHub has not said, or not lately enough, what the person sees.
    func repositories(visibleTo visitor: Visitor) throws(Failure) -> [RepositoryRecord] {
        guard visitor.isAdmin || work.age(ofRightsFrom: visitor.rightsAt) != .unknown else {
            throw .rightsUnknown
        }
        return try reading { () throws(StoreError) in
            try work.world.store.listRepositories(visibleTo: visitor.isAdmin ? nil : visitor.id)
        }
    }

    private func installations(visibleTo visitor: Visitor) throws(Failure) -> [InstallationRecord] {
        let all = try reading { () throws(StoreError) in try work.world.store.listInstallations() }
        if visitor.isAdmin { return all }
        let reached = Set(try repositories(visibleTo: visitor).map(\.reference.installationID))
        return all.filter { reached.contains($0.id) || $0.account.id == visitor.id }
    }

    /// When GitHub was last looked at; null before the first look.
    private func refreshedAt() throws(Failure) -> JSON {
        try reading { () throws(StoreError) in
            .text(try work.world.store.findMark(Work.refreshMark)?.at.iso8601)
        }
    }

    private func showSummary(_ exchange: Exchange) throws(Failure) -> Response {
        let visitor = try exchange.person
        let repositories = try repositories(visibleTo: visitor)
        let here = repositories.filter { !$0.isRemoved }
        let installations = try installations(visibleTo: visitor).filter { $0.state != "deleted" }
        return .json(
            200,
            .object([
                "github_url": .string(work.policy.githubURL),
                "installations": .whole(installations.count),
                "suspended_installations": .whole(installations.count { $0.state == "suspended" }),
                "repositories": .whole(here.count),
                "enabled_repositories": .whole(here.count { $0.isEnabled && !$0.isArchived }),
                "switched_off_repositories": .whole(here.count { !$0.isEnabled }),
                "archived_repositories": .whole(here.count { $0.isArchived }),
                "unreachable_repositories": .whole(repositories.count { $0.isRemoved }),
                "refreshed_at": try refreshedAt(),
            ]))
    }

    private func showRepositories(_ exchange: Exchange) throws(Failure) -> Response {
        let visitor = try exchange.person
        let repositories = try repositories(visibleTo: visitor)
        let installations = Dictionary(
            uniqueKeysWithValues: try reading { () throws(StoreError) in
                try work.world.store.listInstallations().map { ($0.id, $0) }
            })
        let settings = try reading { () throws(StoreError) in
            try work.world.store.listSettings(scopesBeginning: "repository:")
        }
        let shown = try repositories.map { (repository) throws(Failure) in
            let own = settings[SettingsScope.repository(repository.reference.id).name] ?? [:]
            return JSON.object(
                try view(repository, installations[repository.reference.installationID], own))
        }
        return .json(
            200, .object(["repositories": .array(shown), "refreshed_at": try refreshedAt()]))
    }

    private func view(
        _ repository: RepositoryRecord, _ installation: InstallationRecord?, _ settings: [String: String]
    ) throws(Failure) -> [String: JSON] {
        let isServed = try reading { () throws(StoreError) in
            guard let account = installation?.account else { return true }
            return try work.serves(account)
        }
        let state = installation?.state
        let place = repository.reference
        var json = try preferenceValues(.repository(place.id), settings)
        json["id"] = .int(place.id)
        json["owner"] = .string(place.owner)
        json["name"] = .string(place.name)
        json["full_name"] = .string(place.fullName)
        json["url"] = .string("\(work.policy.githubURL)/\(place.fullName)")
        json["installation_id"] = .int(place.installationID)
        json["default_branch"] = .text(repository.defaultBranch)
        json["archived"] = .bool(repository.isArchived)
        json["enabled"] = .bool(repository.isEnabled)
        json["updated_at"] = .string(repository.updatedAt.iso8601)
        let problem: String? =
            if repository.isRemoved {
                "The App does not reach it any more."
            } else if state == "suspended" {
                "The installation is suspended."
            } else if state == "deleted" {
                "The App was uninstalled."
            } else if !isServed {
                "This Porter does not serve \(place.owner)."
            } else if repository.isArchived {
                "It is archived: nothing can be pushed."
            } else if !repository.isEnabled {
                "An admin switched it off."
            } else {
                nil
            }
        json["served"] = .bool(problem == nil)
        json["problem"] = .text(problem)
        return json
    }

    private func changeRepository(_ exchange: Exchange) throws(Failure) -> Response {
        let visitor = try exchange.person
        let store = work.world.store
        guard let id = exchange.path["id"].flatMap({ Int64($0) }),
            let found = try repositories(visibleTo: visitor).first(where: { $0.reference.id == id })
        else { throw Failure(404, "not_found", "There is no such repository.") }
        guard visitor.isAdmin else { throw .notAdmin }
        var body = try Bodies.read([String: JSON].self, exchange)
        let fields = body.keys.sorted().joined(separator: ", ")
        var isOn: Bool?
        if let value = body.removeValue(forKey: "enabled") {
            guard case .bool(let flag) = value else {
                throw .field("enabled", "must be true or false; it is \(value.shown).")
            }
            isOn = flag
        }
        let changes = try changes(body, of: .repository(id), besides: ["enabled"])
        let entry = try exchange.entry(
            "repository.changed", found.reference.fullName,
            detail: isOn.map { $0 ? "switched on" : "switched off" } ?? fields, at: clock.now())
        let (settings, installations) = try reading { () throws(StoreError) in
            if isOn != nil || !changes.isEmpty {
                try store.changeRepository(id, isOn: isOn, settings: changes, audit: entry, at: clock.now())
            }
            return (
                try store.listSettings(scope: SettingsScope.repository(id).name),
                try store.listInstallations()
            )
        }
        guard let now = try reading({ () throws(StoreError) in try store.findRepository(id) }) else {
            throw Failure(404, "not_found", "There is no such repository.")
        }
        let installation = installations.first { $0.id == found.reference.installationID }
        return .json(200, .object(try view(now, installation, settings)))
    }

    private func showInstallations(_ exchange: Exchange) throws(Failure) -> Response {
        var shown: [JSON] = []
        for installation in try installations(visibleTo: exchange.person) {
            let isServed = try reading { () throws(StoreError) in try work.serves(installation.account) }
            let lacking =
                installation.refreshedAt == nil
                ? [] : AppManifest.neededPermissions.lacking(in: installation.permissions)
            shown.append(
                .object([
                    "id": .int(installation.id), "account": .string(installation.account.login),
                    "account_id": .int(installation.account.id),
                    "account_type": .text(installation.accountType), "state": .string(installation.state),
                    "repository_selection": .text(installation.selection),
                    "permissions": .object(installation.permissions.mapValues(JSON.string)),
                    "missing_permissions": .array(lacking.map(JSON.string)), "url": .text(installation.url),
                    "served": .bool(isServed && installation.state == "active"),
                    "refreshed_at": .text(installation.refreshedAt?.iso8601),
                ]))
        }
        return .json(
            200, .object(["installations": .array(shown), "refreshed_at": try refreshedAt()]))
    }

    private func showOrganizations(_ exchange: Exchange) throws(Failure) -> Response {
        let organizations = try installations(visibleTo: exchange.person)
            .filter { $0.accountType == "Organization" && $0.state != "deleted" }
        return .json(
            200,
            .object([
                "orgs": .array(
                    organizations.map { organization in
                        .object([
                            "id": .int(organization.account.id), "login": .string(organization.account.login),
                            "state": .string(organization.state),
                            "url": .string("\(work.policy.githubURL)/\(organization.account.login)"),
                        ])
                    })
            ]))
    }

    private func showProfile(_ exchange: Exchange) throws(Failure) -> Response {
        let visitor = try exchange.person
        return .json(
            200,
            .object([
                "id": .int(visitor.id), "login": .string(visitor.login), "is_admin": .bool(visitor.isAdmin),
                "url": .string("\(work.policy.githubURL)/\(visitor.login)"),
            ]))
    }

    private func showIssue(_ exchange: Exchange) throws(Failure) -> Response {
        let missing = Failure(404, "not_found", "Porter knows no such issue.")
        let visitor = try exchange.person
        let (owner, name) = (exchange.path["owner"] ?? "", exchange.path["repo"] ?? "")
        guard let number = exchange.path["number"].flatMap({ Int($0) }), number > 0,
            let repository = try repositories(visibleTo: visitor).first(where: {
                $0.reference.owner.lowercased() == owner.lowercased()
                    && $0.reference.name.lowercased() == name.lowercased()
            })
        else { throw missing }
        let place = repository.reference
        let found = try reading { () throws(StoreError) in
            try work.world.store.findIssue(repository: place.id, number: number)
        }
        guard let issue = found else { throw missing }
        let tasks = try reading { () throws(StoreError) in
            try work.world.store.recentTasks(repository: place.id, issue: number, most: Self.mostIssueTasks)
        }
        return .json(
            200,
            .object([
                "owner": .string(place.owner), "repo": .string(place.name), "number": .whole(number),
                "title": .string(issue.title),
                "state": .text(issue.isOpen.map { $0 ? "open" : "closed" }),
                "is_pull_request": .bool(issue.isPullRequest),
                "url": .string("\(work.policy.githubURL)/\(place.fullName)/issues/\(number)"),
                "updated_at": .string(issue.updatedAt.iso8601),
                "tasks": .array(
                    tasks.map {
                        .object(["id": .string($0.id.rawValue), "status": .string($0.state.rawValue)])
                    }),
            ]))
    }
}
