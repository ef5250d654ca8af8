import PlaygroundFace
import PorterHTTP

/// Fly's checks of a create.
enum CreateRequest {
    /// What is refused, with Fly's status.
    struct Refused: Error {
        let response: Response

        init(_ status: Int, _ words: String) {
            response = .json(status, ["error": .string(words)])
        }
    }

    /// The request with its name and region filled in.
    ///
    /// - Throws: ``Refused`` for a request that Fly would not take.
    static func checked(_ body: JSON?, region: String) throws(Refused) -> JSON {
        guard var request = body, request.object != nil else {
            throw Refused(400, "invalid_argument: the body is no JSON object")
        }
        let config = request["config"]
        guard config.object != nil else { throw Refused(400, "invalid_argument: config is required") }
        guard let image = config["image"].string, !image.isEmpty else {
            throw Refused(400, "invalid_argument: config.image is required")
        }
        for name in ["env", "metadata"] where config[name] != nil {
            guard let members = config[name].object, members.values.allSatisfy({ $0.string != nil }) else {
                throw Refused(400, "invalid_argument: config.\(name) must map strings to strings")
            }
        }
        let policy = config["restart"]["policy"]
        guard policy == nil || ["no", "always", "on-failure", "spot-price"].contains(policy) else {
            throw Refused(400, "invalid_argument: unknown restart policy")
        }
        try check(guest: config["guest"])
        if request["name"] == nil { request["name"] = .string("machine-\(HollowMachines.hexadecimal(8))") }
        guard let name = request["name"].string, isName(name) else {
            throw Refused(
                422, "Validation failed: Name under 63 chars using numbers, lowercase letters and dashes")
        }
        let asked = request["region"].string?.split(separator: ",").first.map(String.init) ?? region
        guard asked.utf8.count == 3, asked.utf8.allSatisfy({ (97...122).contains($0) }) else {
            throw Refused(400, "invalid_argument: unknown region \(asked)")
        }
        request["region"] = .string(asked == "any" ? region : asked)
        return request
    }

    /// - SeeAlso: <https://fly.io/docs/machines/guides-examples/machine-sizing/>
    private static func check(guest: JSON) throws(Refused) {
        guard guest != nil else { return }
        guard let cpus = guest["cpus"].integer, [1, 2, 4, 6, 8, 10, 12, 14, 16].contains(cpus) else {
            throw Refused(422, "invalid config.guest.cpus")
        }
        guard let memory = guest["memory_mb"].integer, memory > 0, memory % 256 == 0 else {
            throw Refused(422, "invalid config.guest.memory_mb, must be a multiple of 256")
        }
        let bounds: ClosedRange<Int>
        switch guest["cpu_kind"].string {
        case "shared": bounds = 256 * cpus...2048 * cpus
        case "performance": bounds = 2048 * cpus...8192 * cpus
        default: throw Refused(422, "invalid config.guest.cpu_kind")
        }
        guard bounds.contains(memory) else {
            throw Refused(
                422, "invalid config.guest.memory_mb, must be \(bounds.lowerBound) to \(bounds.upperBound)")
        }
    }

    private static func isName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count < 63
            && name.utf8.allSatisfy {
                (97...122).contains($0) || (48...57).contains($0) || $0 == UInt8(ascii: "-")
            }
    }
}
