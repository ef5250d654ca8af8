import PlaygroundFace
import PorterHTTP
import Synchronization

extension Fly {
    /// Seconds between two looks at a machine that is waited for.
    static let look = 0.05
    /// Seconds that a wait may take.
    static let waits = 1...60
    /// What can be waited for.
    static let goals: Set<String> = ["started", "stopped", "suspended", "destroyed", "failed", "settled"]

    /// All machines that are known, as they truly are.
    func machines() throws(Engine.Unavailable) -> [JSON] {
        var found = try engine.list() + stillborn.all
        let seen = Set(found.compactMap { $0["id"].string })
        let others = state.withLock { $0.appearance.ids }.filter { !seen.contains($0) }
        for id in others {
            if let machine = try find(id) { found.append(machine) }
        }
        return found
    }

    /// Makes a machine.
    func create(_ request: Request, isStillborn: Bool, _ effect: inout JSON) throws(Engine.Unavailable)
        -> Response
    {
        let body: JSON
        do throws(CreateRequest.Refused) {
            body = try CreateRequest.checked(JSON(request.body), region: rules.region)
        } catch {
            return error.response
        }
        let live = try machines().filter { $0["state"] != "destroyed" }
        if let holder = live.first(where: { $0["name"] == body["name"] }) {
            return .json(
                409,
                [
                    "error": .string(
                        "already_exists: unique machine name violation, machine ID "
                            + "\(holder["id"].string ?? "") already exists with name "
                            + "\"\(body["name"].string ?? "")\"")
                ])
        }
        guard live.count < rules.capacity else { return Self.noRoom }
        let machine: JSON
        switch isStillborn ? .machine(stillborn.create(body)) : engine.create(body) {
        case .machine(let made): machine = made
        case .refused(let response): return response
        }
        guard let id = machine["id"].string else {
            return .json(500, ["error": "internal: the machine has no id"])
        }
        let now = clock.now()
        state.withLock { $0.appearance.remember(id, body, isStillborn: isStillborn, now: now) }
        effect = ["create": .string(id), "name": body["name"]]
        return .json(200, show(machine))
    }

    /// The machines that the query asks for, as a caller sees them.
    func list(_ request: Request) throws(Engine.Unavailable) -> [JSON] {
        let query = request.query
        func value(_ name: String) -> String? { query.last { $0.name == name }?.value }
        let metadata = query.filter { $0.name.hasPrefix("metadata.") }
        let states = value("state").map { $0.split(separator: ",").map { JSON.string(String($0)) } }
        let region = value("region").map(JSON.string)
        let isComplete = value("include_deleted") == "true"
        let isSummary = value("summary") == "true"
        func isAskedFor(_ machine: JSON) -> Bool {
            if machine["state"] == "destroyed", !isComplete { return false }
            if let states, !states.contains(machine["state"]) { return false }
            if let region, region != machine["region"] { return false }
            let own = machine["config"]["metadata"]
            return metadata.allSatisfy { own[String($0.name.dropFirst(9))] == .string($0.value) }
        }
        return try machines().map(show).filter(isAskedFor).map { machine in
            guard isSummary, var members = machine.object else { return machine }
            for name in ["config", "events", "host_status"] { members[name] = nil }
            return .object(members)
        }
    }

    /// Destroys a machine, a running one by force only.
    func destroy(_ id: String, _ request: Request, _ effect: inout JSON) throws(Engine.Unavailable)
        -> Response
    {
        guard let truth = try find(id) else { return Self.unknownMachine }
        let isForced = request.query.contains { ["force", "kill"].contains($0.name) && $0.value == "true" }
        let mayGo = ["stopped", "suspended", "failed", "created", "destroyed"].contains(truth["state"])
        guard isForced || mayGo else {
            return .json(
                412,
                [
                    "error":
                        "failed_precondition: unable to destroy machine, not currently stopped, suspended, failed or created"
                ])
        }
        if truth["state"] != "destroyed" {
            if stillborn.find(id) != nil {
                stillborn.change(id, ["state": "destroyed"])
            } else if let refusal = engine.destroy(id) {
                return refusal
            }
            effect = ["destroy": .string(id), "name": truth["name"]]
        }
        return .json(200, ["ok": true])
    }

    /// Waits until the machine is in one of the states.
    func wait(_ id: String, _ request: Request) throws(Engine.Unavailable) -> Response {
        let query = request.query
        let text = query.last { $0.name == "timeout" }?.value ?? "60"
        guard let seconds = Int(text.hasSuffix("s") ? String(text.dropLast()) : text),
            Self.waits.contains(seconds)
        else {
            return .json(
                400,
                [
                    "error":
                        "invalid_argument: invalid WaitMachineRequest.Timeout: value must be inside range [1s, 1m0s]"
                ])
        }
        let asked = query.filter { $0.name == "state" }.flatMap {
            $0.value.split(separator: ",").map(String.init)
        }
        let goals = asked.isEmpty ? ["started"] : asked
        guard goals.allSatisfy(Self.goals.contains) else {
            return .json(400, ["error": "invalid_argument: unknown state to wait for"])
        }
        let deadline = clock.now() + Double(seconds)
        while true {
            guard let truth = try find(id) else { return Self.unknownMachine }
            let current = truth["state"].string ?? ""
            let isSettled = ["started", "stopped", "suspended", "failed", "destroyed"].contains(current)
            if goals.contains(current) || (isSettled && goals.contains("settled")) {
                return .json(200, ["ok": true, "state": .string(current)])
            }
            // A machine that is gone reaches nothing any more.
            if current == "destroyed" { return Self.unknownMachine }
            guard clock.now() < deadline else {
                return .json(
                    408,
                    [
                        "error": .string(
                            "deadline_exceeded: machine failed to reach desired state, "
                                + "\(goals.joined(separator: ",")), currently \(current)")
                    ])
            }
            clock.pause(Self.look)
        }
    }
}
