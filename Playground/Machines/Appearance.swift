import PlaygroundFace

/// How machines look from outside: later than they are, in Fly's words.
///
/// Keeps what the engine does not: what was asked for, and when something was first seen.
struct Appearance {
    /// What is remembered of a machine.
    private struct Memory {
        let request: JSON
        let createdAt: Double
        let version = HollowMachines.identifier()
        var goneAt: Double?
        /// Whether its image cannot be pulled.
        let isStillborn: Bool
    }

    private var memories: [String: Memory] = [:]

    /// The machines that were created here.
    var ids: [String] { memories.sorted { $0.value.createdAt < $1.value.createdAt }.map(\.key) }

    /// Notes a machine that was created.
    mutating func remember(_ id: String, _ request: JSON, isStillborn: Bool, now: Double) {
        memories[id] = Memory(request: request, createdAt: now, isStillborn: isStillborn)
    }

    /// The machines whose launch has failed by now.
    func failures(_ rules: Rules, now: Double) -> [String] {
        memories.filter { $0.value.isStillborn && now >= $0.value.createdAt + rules.boot }.map(\.key)
    }

    /// The document that a caller sees of a machine as it truly is.
    mutating func show(_ truth: JSON, _ rules: Rules, now: Double) -> JSON {
        guard let id = truth["id"].string else { return truth }
        var shown = truth
        var events = truth["events"].array.map(Self.withoutZero)
        if truth["state"] == "destroyed", memories[id]?.goneAt == nil { memories[id]?.goneAt = now }
        if let memory = memories[id] {
            if ["starting", "started"].contains(truth["state"]), now < memory.createdAt + rules.boot {
                shown["state"] = "created"
                events.removeAll { $0["type"] == "start" }
            }
            if let goneAt = memory.goneAt, now < goneAt + rules.settle {
                shown["state"] = "destroying"
                events.removeAll { $0["type"] == "destroy" }
            }
            shown["config"] = memory.request["config"]
            shown["instance_id"] = .string(memory.version)
        }
        shown["region"] = memories[id]?.request["region"] ?? .string(rules.region)
        // Newest first; of two at one time the later one stands first already.
        let sorted = events.enumerated().sorted { left, right in
            let (a, b) = (left.element["timestamp"].integer ?? 0, right.element["timestamp"].integer ?? 0)
            return a == b ? left.offset < right.offset : a > b
        }
        shown["events"] = .array(sorted.map(\.element))
        shown["host_status"] = "ok"
        shown["private_ip"] = "fdaa:0:18:a7b:196:e274:9ce1:2"
        shown["image_ref"] = Self.reference(shown["config"]["image"].string ?? "")
        return shown
    }

    /// Go leaves a zero out, and so does Fly.
    private static func withoutZero(_ event: JSON) -> JSON {
        guard event["request"]["exit_event"]["exit_code"] == 0, var details = event["request"].object,
            var exit = details["exit_event"]?.object
        else { return event }
        exit["exit_code"] = nil
        details["exit_event"] = .object(exit)
        var event = event
        event["request"] = .object(details)
        return event
    }

    /// `registry.fly.io/porter-worker:v1` in its parts.
    private static func reference(_ image: String) -> JSON {
        let parts = image.split(separator: "/")
        let hasRegistry = parts.count > 1 && parts[0].contains(".")
        let rest = hasRegistry ? parts.dropFirst().joined(separator: "/") : image
        let digest = rest.split(separator: "@", maxSplits: 1)
        let named = (digest.first ?? "").split(separator: ":", maxSplits: 1)
        return [
            "registry": .string(hasRegistry ? String(parts[0]) : "registry-1.docker.io"),
            "repository": .string(String(named.first ?? "")),
            "tag": .string(named.count > 1 ? String(named[1]) : "latest"),
            "digest": .string(
                digest.count > 1 ? String(digest[1]) : "sha256:" + String(repeating: "0", count: 64)),
        ]
    }
}
