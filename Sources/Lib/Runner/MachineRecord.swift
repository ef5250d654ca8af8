import FoundationEssentials
import Porter

/// A machine in Fly's shape: what the API shows is what the file holds.
///
/// - SeeAlso: <https://docs.machines.dev/#model/machine>
struct MachineRecord: Codable, Hashable, Sendable {
    /// Fly's words for where a machine stands; the local engine needs these.
    enum State: String, Codable, Sendable {
        case created
        case started
        case destroying
        case destroyed
    }

    /// What the machine was asked to be.
    struct Config: Codable, Hashable, Sendable {
        let image: String
        /// Without the machine's token, which is written down nowhere.
        let env: [String: String]
        let metadata: [String: String]
        let auto_destroy: Bool
        let restart: [String: String]
        let guest: Guest
    }

    /// Its share of the box.
    struct Guest: Codable, Hashable, Sendable {
        let cpu_kind: String
        let cpus: Int
        /// Mebibytes.
        let memory_mb: Int
    }

    let id: String
    let name: String
    var state: State
    let region: String
    let instance_id: String
    let created_at: String
    var updated_at: String
    let config: Config
    /// Newest first.
    var events: [MachineEvent]
    let host_status: String

    /// A machine that is about to be begun.
    init(id: String, _ plan: CreateBody.Plan, at now: Instant) {
        self.id = id
        name = plan.name ?? "machine-\(id)"
        state = .created
        region = "local"
        instance_id = id
        created_at = now.iso8601
        updated_at = now.iso8601
        config = plan.config
        events = [MachineEvent("launch", .created, source: "user", at: now)]
        host_status = "ok"
    }

    /// Puts the machine into the state and says since when.
    mutating func become(_ state: State, at now: Instant) {
        self.state = state
        updated_at = now.iso8601
    }

    /// Ends the machine: its process is gone, and so is the machine.
    mutating func end(_ exit: MachineEvent.Exit, at now: Instant) {
        events.insert(MachineEvent("exit", exit, at: now), at: 0)
        events.insert(MachineEvent("destroy", .destroyed, source: "flyd", at: now), at: 0)
        become(.destroyed, at: now)
    }

    /// The file's bytes, and an answer's.
    static func encode(_ value: some Encodable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(value) else {
            preconditionFailure("strings and numbers are always JSON")
        }
        return Array(data)
    }
}

/// Something that happened to a machine.
struct MachineEvent: Codable, Hashable, Sendable {
    /// How its process ended.
    struct Exit: Codable, Hashable, Sendable {
        let exit_code: Int
        let guest_exit_code: Int
        /// The signal that ended it, -1 for none.
        let guest_signal: Int
        let signal: Int
        let oom_killed: Bool
        let requested_stop: Bool
        let restarting: Bool
        let exited_at: String
        /// What a person should know; empty for an ordinary end.
        let error: String

        init(code: Int, outOfMemory: Bool, wasRequested: Bool, at now: Instant, error: String = "") {
            exit_code = code
            guest_exit_code = code
            guest_signal = code > 128 && code < 193 ? code - 128 : -1
            signal = -1
            oom_killed = outOfMemory
            requested_stop = wasRequested
            restarting = false
            exited_at = now.iso8601
            self.error = error
        }
    }

    /// What came with the event.
    struct Details: Codable, Hashable, Sendable {
        let exit_event: Exit
        let restart_count: Int
    }

    let type: String
    let status: String
    let source: String
    /// Milliseconds since 1970.
    let timestamp: Int64
    let request: Details?

    init(_ type: String, _ status: MachineRecord.State, source: String, at now: Instant) {
        self.type = type
        self.status = status.rawValue
        self.source = source
        timestamp = now.milliseconds
        request = nil
    }

    init(_ type: String, _ exit: Exit, at now: Instant) {
        self.type = type
        status = "stopped"
        source = "flyd"
        timestamp = now.milliseconds
        request = Details(exit_event: exit, restart_count: 0)
    }

    /// As Fly does, with a null where nothing came along.
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(type, forKey: .type)
        try container.encode(status, forKey: .status)
        try container.encode(source, forKey: .source)
        try container.encode(timestamp, forKey: .timestamp)
        try container.encode(request, forKey: .request)
    }
}
