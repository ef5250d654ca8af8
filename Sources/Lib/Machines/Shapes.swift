import Porter

/// What a create sends.
struct CreateJSON: Encodable {
    struct Config: Encodable {
        let image: String
        let env: [String: String]
        let metadata: [String: String]
        let restart: [String: String]
        let auto_destroy: Bool
        let guest: Guest
    }

    struct Guest: Encodable {
        let cpu_kind: String
        let cpus: Int
        let memory_mb: Int
    }

    let name: String
    let region: String?
    let config: Config

    init(_ plan: MachinePlan) {
        name = plan.name
        region = plan.region
        config = Config(
            image: plan.image, env: plan.environment.mapValues { $0.reveal { $0 } },
            metadata: plan.metadata, restart: ["policy": "no"], auto_destroy: true,
            guest: Guest(cpu_kind: "shared", cpus: plan.cpus, memory_mb: plan.memory))
    }
}

/// A machine as Fly and the runner show it; nearly everything may be absent.
struct MachineJSON: Decodable {
    struct Config: Decodable {
        let metadata: [String: String]?
    }

    struct Event: Decodable {
        struct Details: Decodable {
            struct Monitor: Decodable {
                let exit_event: Exit?
            }

            let exit_event: Exit?
            let MonitorEvent: Monitor?
        }

        let type: String?
        let request: Details?

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            type = try container.decodeIfPresent(String.self, forKey: .type)
            // What other events carry has forms of its own.
            request = type == "exit" ? try? container.decodeIfPresent(Details.self, forKey: .request) : nil
        }

        private enum CodingKeys: String, CodingKey {
            case type, request
        }
    }

    struct Exit: Decodable {
        let exit_code: Int?
        let guest_exit_code: Int?
        let signal: Int?
        let guest_signal: Int?
        let oom_killed: Bool?
        let requested_stop: Bool?
        let error: String?

        /// Fly leaves a zero out; a signal that is none is -1.
        var code: Int {
            if let exit_code { return exit_code }
            let number = [signal, guest_signal].compactMap { $0 }.first { (1...64).contains($0) }
            return number.map { 128 + $0 } ?? guest_exit_code ?? 0
        }
    }

    let id: String
    let name: String?
    let state: String?
    let region: String?
    let created_at: String?
    let config: Config?
    let incomplete_config: Config?
    let events: [Event]?

    var value: Machine {
        // Newest first: the first exit is the last one that happened.
        let exit = events?.lazy.filter { $0.type == "exit" }
            .compactMap { $0.request?.exit_event ?? $0.request?.MonitorEvent?.exit_event }.first
        return Machine(
            id: id, name: name ?? "", state: state.flatMap(Machine.State.init(rawValue:)) ?? .unknown,
            region: region, metadata: config?.metadata ?? incomplete_config?.metadata ?? [:],
            createdAt: created_at.flatMap(Instant.init(iso8601:)),
            exit: exit.map {
                Machine.Exit(
                    code: $0.code, outOfMemory: $0.oom_killed ?? false,
                    wasRequested: $0.requested_stop ?? false, message: $0.error ?? "")
            })
    }
}
