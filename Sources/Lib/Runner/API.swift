import FoundationEssentials
import PorterHTTP

/// The part of Fly's Machines API that Porter uses, over the machines of this box.
///
/// - SeeAlso: <https://fly.io/docs/machines/api/machines-resource/>
struct API: Sendable {
    /// The one app.
    static let app = "local"

    let fleet: Fleet
    let about: About

    /// What the engine enforces, for the operator.
    struct About: Sendable {
        let isolation: String
        /// How each limit is held: `cgroup`, `polled` or `none`.
        let limits: [String: String]
        let warnings: [String]
    }

    /// Answers one request.
    func answer(_ request: Request) -> Response {
        do throws(Refusal) {
            return try route(request)
        } catch {
            return error.response
        }
    }

    private func route(_ request: Request) throws(Refusal) -> Response {
        let parts = request.target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let path = parts[0].split(separator: "/", omittingEmptySubsequences: false).dropFirst()
            .map { Self.decoded($0) }
        let query = Query(parts.count > 1 ? parts[1] : "")
        guard path.count >= 3, path[0] == "v1", path[1] == "apps" else { throw Self.noRoute }
        guard path.count == 3 || path[3] == "machines", path.count <= 5 else { throw Self.noRoute }
        guard path[2] == Self.app else { throw Refusal(404, "App not found") }
        switch path.count {
        case 3:
            try allow(request, ["GET"])
            return Self.json(AppView(fleet, about))
        case 4:
            try allow(request, ["GET", "POST"])
            return request.method == "GET" ? list(query) : try create(request.body)
        default:
            try allow(request, ["DELETE", "GET"])
            if request.method == "GET" {
                guard let record = fleet.find(path[4]) else {
                    throw Refusal(404, "not_found: machine not found")
                }
                return Self.json(record)
            }
            try fleet.destroy(path[4], isForced: query["force"] == "true")
            return Self.json(["ok": true])
        }
    }

    private func create(_ body: Data) throws(Refusal) -> Response {
        let plan = try CreateBody.read(body)
        return Self.json(try fleet.create(plan))
    }

    private func list(_ query: Query) -> Response {
        let prefix = "metadata."
        let metadata = query.pairs.filter { $0.name.hasPrefix(prefix) }
        let states = query["state"].map { $0.split(separator: ",").map(String.init) }
        let records = fleet.list { record in
            let isShown = record.state != .destroyed || query["include_deleted"] == "true"
            return isShown && (states?.contains(record.state.rawValue) ?? true)
                && metadata.allSatisfy { pair in
                    record.config.metadata[String(pair.name.dropFirst(prefix.count))] == pair.value
                }
        }
        return Self.json(records)
    }

    private func allow(_ request: Request, _ methods: [String]) throws(Refusal) {
        guard methods.contains(request.method) else {
            throw Refusal(
                405, "the method \(request.method) is not allowed here",
                allowed: methods.joined(separator: ", "))
        }
    }

    private static let noRoute = Refusal(404, "404 page not found")

    private static func json(_ value: some Encodable) -> Response {
        Response(
            status: 200, fields: ["Content-Type": "application/json"],
            body: Data(MachineRecord.encode(value)))
    }

    /// A component without its percent signs; bytes that are no UTF-8 become replacement characters.
    static func decoded(_ text: some StringProtocol) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// A query's pairs in order.
    private struct Query {
        let pairs: [(name: String, value: String)]

        init(_ text: some StringProtocol) {
            pairs = text.split(separator: "&").map { pair in
                let sides = String(pair.map { $0 == "+" ? " " : $0 }).split(
                    separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                return (API.decoded(sides[0]), sides.count > 1 ? API.decoded(sides[1]) : "")
            }
        }

        subscript(name: String) -> String? { pairs.first { $0.name == name }?.value }
    }
}

/// The engine as `GET /v1/apps/local` shows it.
private struct AppView: Encodable {
    let name: String
    /// `ready`, or `draining` while the runner ends.
    let status: String
    let machine_count: Int
    let isolation: String
    let limits: [String: String]
    let warnings: [String]

    init(_ fleet: Fleet, _ about: API.About) {
        name = API.app
        status = fleet.isDraining ? "draining" : "ready"
        machine_count = fleet.liveCount
        isolation = about.isolation
        limits = about.limits
        warnings = about.warnings
    }
}
