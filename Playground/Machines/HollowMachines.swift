import PlaygroundFace
import Porter
import Synchronization

/// Machines that run nothing: a table of documents, changed on command.
final class HollowMachines: Sendable {
    /// Fly's states that a machine can be put into.
    static let states: Set<String> = [
        "created", "starting", "started", "stopping", "stopped", "failed", "destroying", "destroyed",
    ]

    private let table = Mutex<[String: JSON]>([:])
    private let now: @Sendable () -> Double

    init(now: @escaping @Sendable () -> Double = Clock.live.now) {
        self.now = now
    }

    /// All machines, oldest first.
    var all: [JSON] {
        table.withLock {
            $0.values.sorted { ($0["created_at"].string ?? "") < ($1["created_at"].string ?? "") }
        }
    }

    /// The machine.
    @Sendable func find(_ id: String) -> JSON? {
        table.withLock { $0[id] }
    }

    /// Makes a machine in the state `created`.
    func create(_ request: JSON) -> JSON {
        let stamp = JSON.string(Instant(milliseconds: Int64(now() * 1000)).iso8601)
        let id = Self.hexadecimal(14)
        let machine: JSON = [
            "id": .string(id), "name": request["name"], "state": "created", "region": request["region"],
            "config": request["config"], "created_at": stamp, "updated_at": stamp,
            "events": [event("launch", "created", "user")],
        ]
        table.withLock { $0[id] = machine }
        return machine
    }

    /// Puts the machine into the state that the order names; `destroyed` ends its process, too.
    ///
    /// - Returns: what is wrong with the order, nil when it was carried out.
    @discardableResult
    func change(_ id: String, _ order: JSON) -> String? {
        guard let state = order["state"].string, Self.states.contains(state) else {
            return "\"state\" must be one of \(Self.states.sorted().joined(separator: ", "))"
        }
        let known: Set = ["state", "exit_code", "oom_killed", "requested_stop", "error"]
        if let other = order.object?.keys.first(where: { !known.contains($0) }) {
            return "\"\(other)\" is unknown"
        }
        return table.withLock { table in
            guard var machine = table[id] else { return "there is no machine \"\(id)\"" }
            guard machine["state"] != "destroyed" else { return nil }
            let wasRunning = ["started", "starting", "stopping"].contains(machine["state"].string)
            var events: [JSON] = []
            if state == "started" { events = [event("start", "started", "flyd")] }
            let hasEnded = ["stopped", "failed", "destroyed"].contains(state)
            if hasEnded, wasRunning || order["exit_code"] != .null && machine["state"] != "created" {
                events = [exit(order)]
            }
            if state == "destroyed" { events.insert(event("destroy", "destroyed", "flyd"), at: 0) }
            machine["events"] = .array(events + machine["events"].array)
            machine["state"] = .string(state)
            machine["updated_at"] = .string(Instant(milliseconds: Int64(now() * 1000)).iso8601)
            table[id] = machine
            return nil
        }
    }

    /// Ends a machine whose image could not be had: nothing of it ever ran.
    func failLaunch(_ id: String) {
        table.withLock { table in
            guard var machine = table[id], machine["state"] == "created" else { return }
            machine["events"] = .array(
                [event("destroy", "destroyed", "flyd"), event("launch", "launch_failed", "flyd")]
                    + machine["events"].array)
            machine["state"] = "destroyed"
            table[id] = machine
        }
    }

    private func exit(_ order: JSON) -> JSON {
        let code = order["exit_code"].integer ?? 0
        var event = event("exit", "stopped", "flyd")
        event["request"] = [
            "exit_event": [
                "exit_code": .integer(Int64(code)), "guest_exit_code": .integer(Int64(code)),
                "guest_signal": -1, "signal": -1, "oom_killed": .bool(order["oom_killed"].bool ?? false),
                "requested_stop": .bool(order["requested_stop"].bool ?? false), "restarting": false,
                "exited_at": .string(Instant(milliseconds: Int64(now() * 1000)).iso8601),
                "error": .string(order["error"].string ?? ""),
            ],
            "restart_count": 0,
        ]
        return event
    }

    private func event(_ type: JSON, _ status: JSON, _ source: JSON) -> JSON {
        [
            "id": .string(Self.identifier()), "type": type, "status": status, "source": source,
            "timestamp": .integer(Int64(now() * 1000)), "request": nil,
        ]
    }

    /// So many random hexadecimal digits.
    static func hexadecimal(_ count: Int) -> String {
        String((0..<count).compactMap { _ in "0123456789abcdef".randomElement() })
    }

    /// 26 characters as Fly's versions and events have them.
    static func identifier() -> String {
        "01" + String((0..<24).compactMap { _ in "0123456789ABCDEFGHJKMNPQRSTVWXYZ".randomElement() })
    }
}
