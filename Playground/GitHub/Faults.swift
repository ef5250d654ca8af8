import PlaygroundFace
import FoundationEssentials
import Glibc
import Porter
import PorterHTTP
import PorterServer

/// A bad day that is to come: the next so many matching requests go wrong.
struct Fault: Sendable {
    /// How.
    enum Kind: String, CaseIterable, Sendable {
        /// The connection is closed; nothing happened.
        case refuse
        /// Nothing happened, and no answer comes until the client gives up.
        case lostBefore = "lost_before"
        /// It happened, and no answer comes: the connection is closed, after so many seconds if they are given.
        case lostAfter = "lost_after"
        /// The connection stands and nothing comes over it until the client gives up; nothing happened.
        case halfOpen = "half_open"
        /// An answer of any status, without effect.
        case status
        /// A gateway's page instead of JSON, without effect.
        case html
        /// It happened, and half of the answer comes.
        case truncated
        case secondaryLimit = "secondary_limit"
        case retryAfter = "retry_after"
        /// It takes long.
        case slow
    }

    let id: Int64
    let kind: Kind
    /// Nil stands for any.
    let method: String?
    /// A pattern with `*`, on the API's path without its `/api/v3`, or on any other path whole.
    let path: String
    var timesLeft: Int
    let status: Int
    let body: String
    let fields: [String: String]
    let seconds: Int

    /// Seconds that a request is held without an answer at most.
    static let longestWait = 60

    func matches(_ method: String, _ path: String) -> Bool {
        (self.method.map { $0 == method } ?? true) && fnmatch(self.path, path, 0) == 0
    }

    /// Answers badly.
    ///
    /// - Parameter proper: what would be done without the fault.
    func spoil(_ request: Request, _ proper: () -> Response) -> Response {
        switch kind {
        case .refuse: return .cut
        case .lostBefore, .halfOpen:
            sleep(UInt32(seconds))
            return .cut
        case .lostAfter:
            _ = proper()
            sleep(UInt32(seconds))
            return .cut
        case .status:
            var answer = Response(status: status, body: Data(body.utf8))
            answer.fields["Content-Type"] = "application/json; charset=utf-8"
            for (name, value) in fields { answer.fields[name] = value }
            return answer
        case .html:
            return Response(
                status: 502, fields: ["Content-Type": "text/html"],
                body: Data("<html><body><h1>502 Bad Gateway</h1></body></html>\n".utf8))
        case .truncated:
            var answer = proper()
            guard answer.body.count > 1 else { return .cut }
            answer.fields["Content-Length"] = String(answer.body.count)
            answer.body = Data(answer.body.prefix(answer.body.count / 2))
            return answer
        case .secondaryLimit:
            return limited(403)
        case .retryAfter:
            return limited(429)
        case .slow:
            sleep(UInt32(seconds))
            return proper()
        }
    }

    /// - SeeAlso: <https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits>
    private func limited(_ status: Int) -> Response {
        var refusal = Refusal(
            status: status,
            message:
                "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
            fields: ["X-RateLimit-Remaining": "4990"])
        if status == 429 || seconds > 0 { refusal.fields["Retry-After"] = String(seconds) }
        return refusal.response
    }

    /// Reads what the control API was asked for.
    init(_ body: JSON, id: Int64) throws(Refusal) {
        guard let kind = body["kind"].string.flatMap(Kind.init(rawValue:)) else {
            throw .unprocessable("kind is one of \(Kind.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        self.id = id
        self.kind = kind
        method = body["method"].string.flatMap { $0 == "*" ? nil : $0 }
        path = body["path"].string ?? "*"
        timesLeft = Int(body["times"].int ?? 1)
        status = Int(body["status"].int ?? 500)
        let text = body["body"]
        self.body =
            text.isNull
            ? #"{"message":"Server Error"}"# : text.string ?? String(decoding: text.data, as: UTF8.self)
        fields = (body["headers"].object ?? [:]).compactMapValues(\.string)
        let standard: Int64 =
            switch kind {
            case .retryAfter, .slow: 1
            case .lostBefore: 15
            case .halfOpen: Int64(Self.longestWait)
            default: 0
            }
        seconds = Int(body["seconds"].int ?? body["delay"].int ?? standard)
        guard (0...Self.longestWait).contains(seconds), (100...599).contains(status) else {
            throw .unprocessable("seconds is 0 to \(Self.longestWait), status 100 to 599")
        }
    }

    /// As the control API shows it.
    var json: JSON {
        [
            "id": .int(id), "kind": .string(kind.rawValue), "method": .some(method), "path": .string(path),
            "times": .int(timesLeft), "status": .int(status), "seconds": .int(seconds),
        ]
    }
}

extension World {
    /// The fault that this request meets, used up by one.
    func takeFault(_ method: String, _ path: String) -> Fault? {
        let fault = with { state -> Fault? in
            guard let index = state.faults.firstIndex(where: { $0.matches(method, path) }) else { return nil }
            let fault = state.faults[index]
            state.faults[index].timesLeft -= 1
            if state.faults[index].timesLeft <= 0 { state.faults.remove(at: index) }
            return fault
        }
        if let fault {
            effects.append(
                "fault", actor: "playground",
                ["fault": .string(fault.kind.rawValue), "method": .string(method), "path": .string(path)])
        }
        return fault
    }
}
