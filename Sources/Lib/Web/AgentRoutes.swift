import FoundationEssentials
import Porter
import PorterAgents
import PorterHTTP
import PorterStore
import PorterWork

/// The agents of this Porter: `GET /api/agents`, `PATCH /api/agents/{name}`.
extension Site {
    static var agentRoutes: [Route] {
        [
            Route("GET", "/api/agents", .person) { (site, exchange) throws(Failure) in
                try site.listAgents(exchange)
            },
            Route("PATCH", "/api/agents/{name}", .person, maximumBody: maximumSettings) {
                (site, exchange) throws(Failure) in try site.changeAgent(exchange)
            },
        ]
    }

    private func listAgents(_ exchange: Exchange) throws(Failure) -> Response {
        let person = try exchange.person.person
        return try reading { () throws(StoreError) in
            let names = try keyNames(of: person)
            let agents = try work.world.catalog.agents.map { (agent) throws(StoreError) in
                JSON.object(try view(agent, names))
            }
            return .json(200, .object(["agents": .array(agents)]))
        }
    }

    /// The variables that the person's runs would have; none while the keys cannot be opened.
    func keyNames(of person: Person) throws(StoreError) -> Set<String> {
        do throws(StoreError) {
            return Set(try work.keys(of: person).values.keys)
        } catch {
            guard error.code == .corrupt else { throw error }
            return []
        }
    }

    private func view(
        _ agent: AgentDefinition, _ names: Set<String>
    ) throws(StoreError) -> [String: JSON] {
        [
            "name": .string(agent.name), "title": .string(agent.title),
            "aliases": .array(agent.aliases.map(JSON.string)),
            "enabled": .bool(try !work.isDisabled(agent.name)),
            "usable": .bool(agent.isUsable(with: names)),
            "keys": .array(agent.keys.map { .array($0.map(JSON.string)) }),
            "guidance": .text(try work.guidance(for: agent.name)),
        ]
    }

    private func changeAgent(_ exchange: Exchange) throws(Failure) -> Response {
        let name = exchange.path["name"] ?? ""
        guard let agent = work.world.catalog.agents.first(where: { $0.name == name }) else {
            throw Failure(404, "not_found", "There is no such agent.")
        }
        guard try exchange.person.isAdmin else { throw .notAdmin }
        let body = try Bodies.read([String: JSON].self, exchange)
        var changes: [String: String?] = [:]
        for (field, value) in body.sorted(by: { $0.key < $1.key }) {
            switch (field, value) {
            case ("enabled", .bool(let isOn)): changes[Work.agentSwitch(name)] = .some(isOn ? nil : "false")
            case ("enabled", _): throw .field("enabled", "must be true or false; it is \(value.shown).")
            case ("guidance", .null): changes[Work.agentGuidance(name)] = .some(nil)
            case ("guidance", .string(let text)):
                changes[Work.agentGuidance(name)] = .some(text.isEmpty ? nil : try Self.guidance(text))
            case ("guidance", _): throw .field("guidance", "must be text or null; it is \(value.shown).")
            default:
                throw Failure(
                    422, "unknown_setting",
                    "`\(field.prefix(64))` is nothing to change; there are enabled, guidance.")
            }
        }
        let entry = try exchange.entry(
            "agent.changed", name, detail: body.keys.sorted().joined(separator: ", "), at: clock.now())
        let person = try exchange.person.person
        return try reading { () throws(StoreError) in
            if !changes.isEmpty {
                _ = try work.world.store.changeSettings(
                    scope: SettingsScope.shared.name, changes, expecting: nil, audit: entry, at: clock.now())
            }
            return .json(200, .object(try view(agent, try keyNames(of: person))))
        }
    }

    private static func guidance(_ text: String) throws(Failure) -> String {
        let count = text.unicodeScalars.count
        guard count <= Work.maximumGuidance else {
            throw .field("guidance", "must be at most \(Work.maximumGuidance) characters; it is \(count).")
        }
        guard !text.unicodeScalars.contains("\0") else { throw .field("guidance", "must have no NUL in it.") }
        return JSONText.encoded(text)
    }
}
