import FoundationEssentials
import Porter
import PorterAgents
import PorterCommands
import PorterHTTP
import PorterStore
import PorterWork

/// What people set: `GET|PATCH /api/config`, for oneself or with `?scope=shared` for the team.
extension Site {
    /// Bytes of a body of settings at most.
    static var maximumSettings: Int { 65_536 }

    static var configRoutes: [Route] {
        [
            Route("GET", "/api/config", .person) { (site, exchange) throws(Failure) in
                try site.showConfig(exchange)
            },
            Route("PATCH", "/api/config", .person, maximumBody: maximumSettings) {
                (site, exchange) throws(Failure) in try site.changeConfig(exchange)
            },
        ]
    }

    /// Whose settings a request is about; the team's are for admins.
    func scope(_ exchange: Exchange) throws(Failure) -> SettingsScope {
        let person = try exchange.person
        switch try exchange.query.fields["scope"] {
        case nil, "user": return .person(person.id)
        case "shared":
            guard person.isAdmin else { throw .notAdmin }
            return .shared
        case .some(let other):
            throw .parameter("scope", "is \(JSON.string(other).shown); it must be user or shared.")
        }
    }

    private func showConfig(_ exchange: Exchange) throws(Failure) -> Response {
        let scope = try scope(exchange)
        let values = try reading { () throws(StoreError) in
            try work.world.store.listSettings(scope: scope.name)
        }
        // Never 304: the tag is for `If-Match`, and tells of the scope's own values alone.
        return try configResponse(scope, values)
    }

    private func changeConfig(_ exchange: Exchange) throws(Failure) -> Response {
        let scope = try scope(exchange)
        let body = try Bodies.read([String: JSON].self, exchange)
        let changes = try changes(body, of: scope)
        let store = work.world.store
        let condition = exchange.request.fields["If-Match"]
        let entry = try exchange.entry(
            "settings.changed", scope.name, detail: body.keys.sorted().joined(separator: ", "),
            at: clock.now())
        while true {
            let before = try reading { () throws(StoreError) in try store.listSettings(scope: scope.name) }
            if let condition, !EntityTag.names(condition, Self.tag(before, scope)) { throw .settingsMoved }
            let after = try reading { () throws(StoreError) in
                try store.changeSettings(
                    scope: scope.name, changes, expecting: condition == nil ? nil : before,
                    audit: changes.isEmpty ? nil : entry, then: Work.mirrorWish(scope), at: clock.now())
            }
            // Somebody was faster between the look and the change: look again.
            guard let after else { continue }
            work.settingsChanged()
            return try configResponse(scope, after)
        }
    }

    /// The changes that a body asks for; null takes a setting back.
    ///
    /// - Parameter others: what else the body may hold, for the words about what it may not.
    func changes(
        _ body: [String: JSON], of scope: SettingsScope, besides others: [String] = []
    ) throws(Failure) -> [String: String?] {
        let known = preferences(of: scope)
        var changes: [String: String?] = [:]
        for (name, value) in body.sorted(by: { $0.key < $1.key }) {
            guard let preference = known.first(where: { $0.name == name }) else {
                let names = (others + known.map(\.name)).joined(separator: ", ")
                throw Failure(
                    422, "unknown_setting",
                    "`\(name.prefix(64))` is no setting here; there are \(names).")
            }
            changes[name] = .some(value == .null ? nil : try checked(value, preference))
        }
        return changes
    }

    private func preferences(of scope: SettingsScope) -> [Preference] {
        let level: Preference.Level =
            switch scope {
            case .person: .person
            case .shared: .shared
            case .repository: .repository
            }
        return Preference.all(longestTimeout: work.policy.limits.taskMaximum)
            .filter { $0.levels.contains(level) }
    }

    /// The value as the database keeps it.
    private func checked(_ value: JSON, _ preference: Preference) throws(Failure) -> String {
        func wrong(_ wanted: String) -> Failure {
            .field(preference.name, "must be \(wanted); it is \(value.shown).")
        }
        switch (preference.kind, value) {
        case (.agent, .string(let name)):
            guard let agent = work.world.catalog.find(name) else {
                throw wrong("one of \(work.world.catalog.agents.map(\.name).joined(separator: ", "))")
            }
            return JSONText.encoded(agent.name)
        case (.agent, _): throw wrong("the name of an agent, or null")
        case (.model, .string(let name)):
            guard FlagRules.isModel(name) else {
                throw wrong("a model's name of at most 100 letters, digits and `._:/@+-`")
            }
            return JSONText.encoded(name)
        case (.model, _): throw wrong("a model's name, or null")
        case (.choice(let choices), .string(let choice)) where choices.contains(choice):
            return JSONText.encoded(choice)
        case (.choice(let choices), _): throw wrong("one of \(choices.joined(separator: ", "))")
        case (.flag, .bool(let flag)): return flag ? "true" : "false"
        case (.flag, _): throw wrong("true or false")
        case (.number(let range), .int(let number)) where range.contains(Int(clamping: number)):
            return String(number)
        case (.number(let range), _):
            throw wrong("a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
    }

    private func configResponse(
        _ scope: SettingsScope, _ values: [String: String]
    ) throws(Failure) -> Response {
        var body = try preferenceValues(scope, values)
        body["scope"] = .string(scope == .shared ? "shared" : "user")
        body["fly"] = try flyView(scope)
        if case .person(let id) = scope { body["gist"] = try gistView(id, Preferences(values)) }
        let fixed = preferences(of: scope).filter { preference in
            // A person's own time limit counts in any case, up to the longest that the operator allows.
            scope == .shared && preference.variable.map { work.policy.given.contains($0) } == true
        }
        body["fixed_by_operator"] = .array(fixed.map { .string($0.name) })
        body["limits"] = .object(
            preferences(of: scope).reduce(into: [:]) { limits, preference in
                guard case .number(let range) = preference.kind else { return }
                limits[preference.name] = .object([
                    "minimum": .whole(range.lowerBound), "maximum": .whole(range.upperBound),
                ])
            })
        body["effective"] = .object(try effective(scope, values))
        var response = Response.json(200, .object(body))
        response.fields["ETag"] = Self.tag(values, scope)
        return response
    }

    /// Every setting of the scope with its own value, null where there is none.
    func preferenceValues(
        _ scope: SettingsScope, _ values: [String: String]
    ) throws(Failure) -> [String: JSON] {
        preferences(of: scope).reduce(into: [:]) { body, preference in
            let json = values[preference.name].map { Data($0.utf8) }
            body[preference.name] = json.flatMap { try? JSONDecoder().decode(JSON.self, from: $0) } ?? .null
        }
    }

    /// What holds for commands that say nothing else, the team's and the operator's choice included.
    private func effective(
        _ scope: SettingsScope, _ values: [String: String]
    ) throws(Failure) -> [String: JSON] {
        let team = Preferences(
            try reading { () throws(StoreError) in
                try work.world.store.listSettings(scope: SettingsScope.shared.name)
            })
        let own = Preferences(values)
        let policy = work.policy
        func text(_ name: String) -> String? { own.text(name) ?? team.text(name) }
        var body: [String: JSON] = [
            "default_agent": .text(text("default_agent")), "default_model": .text(text("default_model")),
            "default_priority": .string(text("default_priority") ?? Priority.normal.rawValue),
            "draft": .bool(own.flag("draft") ?? team.flag("draft") ?? false),
            "context": .string(text("context") ?? "writers"),
            "stall_timeout_s": .whole(policy.limits.stall), "tasks_per_user": .whole(policy.caps.perPerson),
            "tasks_total": .whole(policy.caps.total), "executor": .string(policy.engine.name),
        ]
        let ownTimeout = scope == .shared ? nil : own.number("timeout_s")
        body["timeout_s"] = .whole(min(ownTimeout ?? policy.limits.task, policy.limits.taskMaximum))
        return body
    }

    private func flyView(_ scope: SettingsScope) throws(Failure) -> JSON {
        let entry = try reading { () throws(StoreError) in
            try work.world.store.findFly(scope: scope.name)
        }
        return .object([
            "configured": .bool(entry != nil), "app": .text(entry?.app), "region": .text(entry?.region),
            "updated_at": .text(entry?.updatedAt.iso8601),
        ])
    }

    private func gistView(_ person: Int64, _ values: Preferences) throws(Failure) -> JSON {
        let report = try reading { () throws(StoreError) in try work.mirrorReport(of: person, values) }
        return .object([
            "state": .string(report.state.rawValue), "at": .text(report.at?.iso8601),
            "url": .text(report.url), "message": .string(report.message),
        ])
    }

    /// Changes with the values, and with nothing else.
    private static func tag(_ values: [String: String], _ scope: SettingsScope) -> String {
        let text = values.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: "\n")
        return EntityTag.make("\(scope.name)\n\(text)".utf8)
    }
}

extension Failure {
    /// The settings are not those that the client has seen.
    static let settingsMoved = Failure(
        412, "changed_meanwhile", "These settings were changed meanwhile: load them again, then save.")
}
