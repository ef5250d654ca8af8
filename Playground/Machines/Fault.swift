import FoundationEssentials
import Glibc
import PlaygroundFace
import PorterHTTP
import PorterServer

/// One bad day: what goes wrong with which calls, and how often.
///
/// `{"method"?, "path"?, "kind", "times"?, "status"?, "body"?, "headers"?, "seconds"?}`; `method` and `path`
/// (a glob over the path without its query) match everything when they are absent, `times` is 1.
struct Fault: Hashable, Sendable {
    /// What goes wrong.
    enum Kind: String, CaseIterable, Sendable {
        /// For `seconds` (1) nobody listens at the port; for every call, whatever the glob says.
        case refuse
        /// The connection ends before anything was done, after `seconds` (0).
        case lostBefore = "lost_before"
        /// The connection ends after everything was done, after `seconds` (0).
        case lostAfter = "lost_after"
        /// The connection stands and nothing comes over it for `seconds` (60); nothing is done.
        case halfOpen = "half_open"
        /// Nothing is done; the answer has this `status`, `body` and `headers`.
        case status
        /// Nothing is done; a gateway's page comes back (502, or `status`).
        case html
        /// Everything is done, and half of the answer comes.
        case truncated
        /// Everything is done, `seconds` (5) late.
        case slow
        /// A list is empty although there are machines.
        case emptyList = "empty_list"
        /// The region has no room.
        case noCapacity = "no_capacity"
        /// The image cannot be pulled: the machine is made and never starts.
        case imagePull = "image_pull"
    }

    /// How often a fault may be planned at once.
    static let mostTimes = 1_000_000

    var method: String?
    var path = "*"
    var kind: Kind
    var times = 1
    var status: Int?
    var body: JSON = nil
    var headers: [String: String] = [:]
    var seconds: Double?

    /// Reads a plan.
    ///
    /// - Throws: ``Refused`` with what is wrong.
    init(_ plan: JSON) throws(Refused) {
        guard let members = plan.object else { throw Refused("the body must be an object") }
        guard let word = plan["kind"].string, let kind = Kind(rawValue: word) else {
            let kinds = Kind.allCases.map(\.rawValue).joined(separator: ", ")
            throw Refused("\"kind\" must be one of \(kinds)")
        }
        self.kind = kind
        for (name, value) in members where name != "kind" {
            switch (name, value) {
            case ("method", .string(let text)): method = text.uppercased()
            case ("path", .string(let text)): path = text
            case ("times", .integer(let count)) where (1...Self.mostTimes).contains(Int(count)):
                times = Int(count)
            case ("status", .integer(let code)) where (100...599).contains(code): status = Int(code)
            case ("body", _): body = value
            case ("headers", .object(let fields)): headers = fields.compactMapValues(\.string)
            case ("seconds", _) where (0...Rules.mostSeconds).contains(value.double ?? -1):
                seconds = value.double
            default: throw Refused("\"\(name)\" is unknown or has a bad value")
            }
        }
        if kind == .status, status == nil { throw Refused("the kind status needs a \"status\"") }
    }

    /// What is wrong with a plan.
    struct Refused: Error, Equatable {
        let words: String

        init(_ words: String) {
            self.words = words
        }
    }

    /// Whether the fault is meant for the call.
    func matches(_ request: Request, isList: Bool, isCreate: Bool) -> Bool {
        switch kind {
        case .refuse: return false
        case .emptyList where !isList: return false
        case .noCapacity where !isCreate, .imagePull where !isCreate: return false
        default: return (method ?? request.method) == request.method && fnmatch(path, request.path, 0) == 0
        }
    }

    /// The plan again, with what is left of it.
    var plan: JSON {
        var plan: JSON = [
            "kind": .string(kind.rawValue), "path": .string(path), "times": .integer(Int64(times)),
        ]
        if let method { plan["method"] = .string(method) }
        if let status { plan["status"] = .integer(Int64(status)) }
        if let seconds { plan["seconds"] = .number(seconds) }
        if body != nil { plan["body"] = body }
        if !headers.isEmpty { plan["headers"] = .object(headers.mapValues(JSON.string)) }
        return plan
    }

    /// Seconds for which the client gets nothing before its connection ends.
    var silence: Double {
        switch kind {
        case .lostBefore, .lostAfter: seconds ?? 0
        case .halfOpen: seconds ?? 60
        default: 0
        }
    }

    /// The answer of a fault that answers by itself, nil for the others.
    var answer: Response? {
        switch kind {
        case .status:
            var fields = Fields()
            for (name, value) in headers.sorted(by: { $0.key < $1.key }) { fields.append(name, value) }
            if let text = body.string {
                return Response(status: status ?? 500, fields: fields, body: Data(text.utf8))
            }
            return .json(status ?? 500, body, fields)
        case .html:
            let page = "<html><head><title>502 Bad Gateway</title></head><body>Bad Gateway</body></html>\n"
            return Response(
                status: status ?? 502, fields: ["Content-Type": "text/html"], body: Data(page.utf8))
        case .noCapacity: return Fly.noRoom
        case .emptyList: return .json(200, [])
        case .lostBefore, .halfOpen: return .cut
        case .refuse, .lostAfter, .truncated, .slow, .imagePull: return nil
        }
    }
}
