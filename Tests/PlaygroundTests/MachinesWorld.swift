import Foundation
import PlaygroundFace
import Porter
import PorterHTTP
import PorterMachines
import PorterServer
import PorterTestSupport
import Synchronization
import Testing

@testable import PlaygroundMachines

/// A face without a port, with a clock that moves when told, or when somebody waits.
final class MachinesWorld: Sendable {
    let fly: Fly
    let hollow: HollowMachines
    let log: RecordLog
    let advance: @Sendable (Double) -> Void

    init(_ change: (inout Rules) -> Void = { _ in }) throws {
        let time = Time()
        advance = { time.advance($0) }
        let clock = Clock(now: { time.now }, pause: { time.advance($0) })
        var rules = Rules(app: "porter-test")
        change(&rules)
        hollow = HollowMachines(now: clock.now)
        log = try RecordLog(file: nil)
        fly = Fly(rules: rules, token: "FlyV1 fm2_secret", engine: .hollow(hollow), clock: clock, log: log)
    }

    private final class Time: Sendable {
        private let value = Mutex(1_790_000_000.0)

        var now: Double { value.withLock { $0 } }

        func advance(_ seconds: Double) {
            value.withLock { $0 += seconds }
        }
    }

    func call(_ method: String, _ rest: String, _ body: JSON? = nil, token: String? = "FlyV1 fm2_secret")
        -> Response
    {
        var request = Request(method: method, target: rest, body: body?.data ?? Data())
        if let token { request.fields["Authorization"] = token }
        return fly.answer(request)
    }

    func machines(_ method: String, _ rest: String = "", _ body: JSON? = nil) -> Response {
        call(method, "/v1/apps/porter-test/machines" + rest, body)
    }

    /// Creates a machine and gives its id.
    func create(_ name: JSON = "porter-t1-1") throws -> String {
        let response = machines("POST", "", plan(name))
        return try #require(JSON(response.body)?["id"].string)
    }

    func plan(_ name: JSON, _ memory: JSON = 2048) -> JSON {
        [
            "name": name, "region": "ams",
            "config": [
                "image": "registry.fly.io/porter-worker:v1", "env": ["PORTER_TASK_ID": "t1"],
                "metadata": ["porter_task": "t1"], "restart": ["policy": "no"], "auto_destroy": true,
                "guest": ["cpu_kind": "shared", "cpus": 1, "memory_mb": memory],
            ],
        ]
    }

    func order(_ id: String, _ order: JSON) -> Int {
        call("POST", "/_playground/machines/\(id)", order).status
    }

    func fault(_ plan: JSON) -> Int { call("POST", "/_playground/faults", plan).status }

    /// The real client, over this face.
    var client: Machines {
        let fly = fly
        return Machines.live(
            transport: Transport { request, _ throws(TransportError) in
                var received = request
                received.target = String(request.target.dropFirst("https://api".count))
                let response = fly.answer(received)
                if response.status == 0 { throw TransportError(.interrupted, "the connection ended") }
                return response
            }, baseURL: "https://api/v1", app: "porter-test", token: Secret("fm2_secret"))
    }
}
