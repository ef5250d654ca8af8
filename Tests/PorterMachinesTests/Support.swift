import Foundation
import Porter
import PorterHTTP
import PorterTestSupport

@testable import PorterMachines

/// The client over a transport that answers each request in turn.
struct ScriptedEngine {
    static let baseURL = "https://api.machines.example/v1"
    static let collection = baseURL + "/apps/porter-workers/machines"

    let machines: Machines
    let recorder: TransportRecorder

    init(_ answers: Response..., token: Secret? = Secret("plain-token"), app: String = "porter-workers") {
        recorder = TransportRecorder { _, number in
            number < answers.count ? answers[number] : Response(status: 599)
        }
        machines = .live(
            transport: recorder.transport, baseURL: Self.baseURL, app: app, token: token)
    }
}

extension Response {
    static func json(_ status: Int, _ value: JSONValue) -> Response {
        Response(status: status, fields: ["Content-Type": "application/json"], body: value.data)
    }

    static func refusal(_ status: Int, _ words: String, kind: String? = nil) -> Response {
        var body = JSONValue.object(["error": .string(words)])
        body["status"] = kind.map { .string($0) }
        return .json(status, body)
    }

    /// What Fly's front door says to addresses that it does not know.
    static let noSuchPage = Response(
        status: 404, fields: ["Content-Type": "text/plain"], body: Data("404 page not found\n".utf8))
}

extension MachinePlan {
    static let sample = MachinePlan(
        name: "porter-task-01j0000000000000000000000a-1", image: "registry.fly.io/porter-worker@sha256:0",
        environment: [
            "PORTER_CALLBACK_URL": Secret("https://porter.example.org"),
            "PORTER_TASK_ID": Secret("task_01J0000000000000000000000A"),
            "PORTER_CALLBACK_TOKEN": Secret("callback-secret"),
        ],
        metadata: [
            "porter_task": "task_01J0000000000000000000000A", "porter_attempt": "1", "porter_instance": "i",
        ], region: "iad", cpus: 2, memory: 2048)
}

/// The error that the closure throws; nil when it throws none.
func failure(of work: () throws(MachinesError) -> Void) -> MachinesError? {
    do {
        try work()
        return nil
    } catch {
        return error
    }
}
