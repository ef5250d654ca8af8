import FoundationEssentials
import Porter

/// The body of a create, as it came.
struct CreateBody: Decodable {
    /// Bytes of a body at most.
    static let mostBytes = 65_536
    /// Mebibytes of a machine.
    static let memory = 256...262_144
    /// Cores of a machine.
    static let cpus = 1...128
    /// Characters of a machine's name at most.
    static let mostName = 63
    /// What a machine is told, and nothing else (`docs/runner.md`).
    static let variables = ["PORTER_CALLBACK_TOKEN", "PORTER_CALLBACK_URL", "PORTER_TASK_ID"]
    /// The one of them that is a secret.
    static let token = "PORTER_CALLBACK_TOKEN"

    struct Config: Decodable {
        let image: String?
        let env: [String: String]?
        let metadata: [String: String]?
        let restart: Restart?
        let auto_destroy: Bool?
        let guest: Guest?
    }

    struct Restart: Decodable {
        let policy: String?
    }

    struct Guest: Decodable {
        let cpu_kind: String?
        let cpus: Int?
        let memory_mb: Int?
    }

    let name: String?
    let config: Config?

    /// A create that was checked.
    struct Plan: Sendable {
        let name: String?
        let config: MachineRecord.Config
        let token: Secret
    }

    /// Reads and checks a body.
    ///
    /// - Throws: ``Refusal`` 400 for what is no JSON, 422 naming the field for the rest.
    static func read(_ body: Data) throws(Refusal) -> Plan {
        guard body.count <= mostBytes else {
            throw Refusal(413, "the body has more than \(mostBytes) bytes")
        }
        do {
            return try JSONDecoder().decode(CreateBody.self, from: body).plan()
        } catch let refusal as Refusal {
            throw refusal
        } catch let error as DecodingError {
            throw Refusal(error)
        } catch {
            throw Refusal(400, "the body is no JSON")
        }
    }

    private func plan() throws(Refusal) -> Plan {
        guard let config else { throw Refusal(422, "config is missing") }
        if let name, !Self.isName(name) {
            throw Refusal(
                422, "name: write 1 to \(Self.mostName) lower-case letters, digits and dashes")
        }
        guard let image = config.image, !image.isEmpty else {
            throw Refusal(422, "config.image is missing")
        }
        let env = config.env ?? [:]
        for key in env.keys.sorted() where !Self.variables.contains(key) {
            throw Refusal(422, "config.env.\(key) is none of \(Self.variables.joined(separator: ", "))")
        }
        for key in Self.variables {
            guard let value = env[key], !value.isEmpty else {
                throw Refusal(422, "config.env.\(key) is missing")
            }
            // A zero byte would end the value, and what follows would be an option of the box.
            guard !value.utf8.contains(0) else { throw Refusal(422, "config.env.\(key) holds a zero byte") }
        }
        if let policy = config.restart?.policy, policy != "no" {
            throw Refusal(422, "config.restart.policy is \"\(policy)\": machines here are never restarted")
        }
        if config.auto_destroy == false {
            throw Refusal(422, "config.auto_destroy is false: machines here are destroyed when they end")
        }
        let guest = MachineRecord.Guest(
            cpu_kind: config.guest?.cpu_kind ?? "shared", cpus: config.guest?.cpus ?? 1,
            memory_mb: config.guest?.memory_mb ?? 1024)
        guard Self.cpus.contains(guest.cpus) else {
            throw Refusal(422, "config.guest.cpus is \(guest.cpus): write \(Self.words(Self.cpus))")
        }
        guard Self.memory.contains(guest.memory_mb) else {
            throw Refusal(
                422, "config.guest.memory_mb is \(guest.memory_mb): write \(Self.words(Self.memory))")
        }
        return Plan(
            name: name,
            config: MachineRecord.Config(
                image: image, env: env.filter { $0.key != Self.token }, metadata: config.metadata ?? [:],
                auto_destroy: true, restart: ["policy": "no"], guest: guest),
            token: Secret(env[Self.token] ?? ""))
    }

    private static func isName(_ name: String) -> Bool {
        let isPlain = name.utf8.allSatisfy { byte in
            switch byte {
            case 48...57, 97...122, UInt8(ascii: "-"): true
            default: false
            }
        }
        return isPlain && (1...mostName).contains(name.utf8.count)
    }

    private static func words(_ range: ClosedRange<Int>) -> String {
        "a number from \(range.lowerBound) to \(range.upperBound)"
    }
}
