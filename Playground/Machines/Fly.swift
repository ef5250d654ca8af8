import FoundationEssentials
import PlaygroundFace
import PorterHTTP
import PorterProcess
import PorterServer
import Synchronization

/// Answers as Fly's Machines API does.
///
/// - SeeAlso: <https://fly.io/docs/machines/api/machines-resource/>
final class Fly: Sendable {
    /// Seconds that the answer to a planned refusal is given before the port closes.
    static let lastWords = 0.2
    /// Seconds that ``Fault/Kind/slow`` takes unless told otherwise.
    static let slowness = 5.0

    /// What changes.
    struct State {
        var appearance = Appearance()
        var faults: [Fault] = []
        var limit = RateLimit()
    }

    let rules: Rules
    let engine: Engine
    /// Machines whose image cannot be pulled; they are nowhere else.
    let stillborn: HollowMachines
    let clock: Clock
    let state = Mutex(State())
    let log: RecordLog
    private let token: String
    private let refusal = Mutex<(@Sendable (Double) -> Void)?>(nil)

    init(rules: Rules, token: String, engine: Engine, clock: Clock, log: RecordLog) {
        self.rules = rules
        self.token = Self.bare(token)
        self.engine = engine
        self.clock = clock
        self.log = log
        stillborn = HollowMachines(now: clock.now)
    }

    /// Says how connections are refused for so many seconds.
    func onRefusal(_ refuse: @escaping @Sendable (_ seconds: Double) -> Void) {
        refusal.withLock { $0 = refuse }
    }

    /// Closes the port for a while, on a thread of its own.
    func refuse(for seconds: Double) {
        guard let refuse = refusal.withLock({ $0 }) else { return }
        Thread.start { refuse(seconds) }
    }

    /// Answers one request, well or badly.
    @Sendable func answer(_ request: Request) -> Response {
        if request.path.hasPrefix("/_playground/") { return control(request) }
        let operation = Operation(request)
        let fault = take(request, operation)
        var effect = JSON.null
        var response: Response
        if let answer = fault?.answer {
            response = answer
        } else {
            if let fault, fault.kind == .slow { clock.pause(fault.seconds ?? Self.slowness) }
            do throws(Engine.Unavailable) {
                response = try perform(
                    operation, request, isStillborn: fault?.kind == .imagePull, &effect)
            } catch {
                response = error.response
            }
        }
        let status = response.status
        response.fields["Fly-Request-Id"] = "01PLAYGROUND\(HollowMachines.hexadecimal(14).uppercased())-iad"
        if fault?.kind == .truncated {
            response.fields["Content-Length"] = String(response.body.count + 1)
            response.body = response.body.prefix(response.body.count / 2)
        }
        if let fault, [.lostAfter, .lostBefore, .halfOpen].contains(fault.kind) { response = .cut }
        log.append([
            "at": .integer(Int64(clock.now() * 1000)), "method": .string(request.method),
            "path": .string(request.target), "status": .integer(Int64(status)),
            "fault": (fault?.kind.rawValue).map(JSON.string) ?? .null, "effect": effect,
        ])
        if let fault, fault.silence > 0 { clock.pause(fault.silence) }
        return response
    }

    /// The next fault that is meant for the call.
    private func take(_ request: Request, _ operation: Operation) -> Fault? {
        state.withLock { state in
            guard
                let index = state.faults.firstIndex(where: {
                    $0.matches(request, isList: operation == .list, isCreate: operation == .create)
                })
            else { return nil }
            let fault = state.faults[index]
            state.faults[index].times -= 1
            if state.faults[index].times == 0 { state.faults.remove(at: index) }
            return fault
        }
    }

    private func perform(
        _ operation: Operation, _ request: Request, isStillborn: Bool, _ effect: inout JSON
    ) throws(Engine.Unavailable) -> Response {
        if operation == .unknown { return .text(404, "404 page not found\n") }
        guard Self.bare(request.fields["Authorization"] ?? "") == token,
            request.fields["Authorization"] != token
        else { return .json(401, ["error": "Authenticate: token validation error"]) }
        if case .currentToken = operation { return currentToken }
        guard operation.app(request) == rules.app else { return .json(404, ["error": "App not found"]) }
        let now = clock.now()
        let key = "\(operation.action) \(operation.machine ?? rules.app)"
        let isAllowed = state.withLock {
            $0.limit.take(key, isReading: operation.action == "find", now: now)
        }
        guard isAllowed || !rules.isRateLimited else {
            return .json(429, ["error": "resource_exhausted: rate limit exceeded"])
        }
        for id in state.withLock({ $0.appearance.failures(rules, now: now) }) { stillborn.failLaunch(id) }
        switch operation {
        case .app: return try app()
        case .create: return try create(request, isStillborn: isStillborn, &effect)
        case .list: return .json(200, .array(try list(request)))
        case .find(let id):
            guard let truth = try find(id) else { return Self.unknownMachine }
            return .json(200, show(truth))
        case .wait(let id): return try wait(id, request)
        case .destroy(let id): return try destroy(id, request, &effect)
        case .unknown, .currentToken: preconditionFailure("answered above")
        }
    }

    // MARK: - Pieces

    /// The machine as it truly is.
    func find(_ id: String) throws(Engine.Unavailable) -> JSON? {
        if let machine = stillborn.find(id) { return machine }
        return try engine.find(id)
    }

    /// The machine as a caller sees it.
    func show(_ truth: JSON) -> JSON {
        let now = clock.now()
        return state.withLock { $0.appearance.show(truth, rules, now: now) }
    }

    /// The token without its schemes, however many; one that lost the space after a scheme keeps it.
    static func bare(_ token: String) -> String {
        var rest = token[...]
        while let scheme = ["Bearer ", "FlyV1 "].first(where: rest.hasPrefix) {
            rest = rest.dropFirst(scheme.count)
        }
        return String(rest)
    }

    /// Fly's answer when a region is full.
    static let noRoom = Response.json(
        422, ["error": "could not find a candidate host", "status": "insufficient_capacity"])
    static let unknownMachine = Response.json(404, ["error": "not_found: machine not found"])

    private var currentToken: Response {
        .json(
            200,
            [
                "tokens": [
                    [
                        "token_id": "01PLAYGROUND", "org_slug": "playground", "organization": "playground",
                        "apps": [.string(rules.app)],
                    ]
                ]
            ])
    }

    private func app() throws(Engine.Unavailable) -> Response {
        let live = try machines().filter { $0["state"] != "destroyed" }.count
        return .json(
            200,
            [
                "id": .string(rules.app), "name": .string(rules.app), "status": "deployed",
                "organization": ["name": "Playground", "slug": "playground"],
                "machine_count": .integer(Int64(live)), "network": "default", "volume_count": 0,
            ])
    }
}
