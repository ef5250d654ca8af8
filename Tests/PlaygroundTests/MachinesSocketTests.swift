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

/// The face of the Machines API over real sockets.
@Suite struct MachinesSocketTests {
    private let plan = MachinePlan(
        name: "porter-t1-1", image: "registry.fly.io/porter-worker:v1",
        environment: ["PORTER_TASK_ID": Secret("t1")], metadata: ["porter_task": "t1"], region: "ams",
        cpus: 1, memory: 2048)

    @Test func `a runner's machines are seen through the face, in Fly's shape`() async throws {
        let (made, found, gone, paths) = try await onThread { [plan] in
            let socket = "/tmp/porter-machines-\(UInt32.random(in: 0 ... .max)).sock"
            let paths = Mutex<[String]>([])
            let state = Mutex("started")
            let runner = Server(at: .unix(path: socket, mode: 0o600)) { request in
                paths.withLock { $0.append("\(request.method) \(request.target)") }
                if request.method == "DELETE" { state.withLock { $0 = "destroyed" } }
                let now = state.withLock { $0 }
                var machine: JSON = [
                    "id": "abc123", "name": "porter-t1-1", "state": .string(now), "region": "local",
                    "events": [], "config": ["metadata": ["porter_task": "t1"]],
                ]
                if now == "destroyed" {
                    machine["events"] = [
                        ["type": "exit", "timestamp": 2, "request": ["exit_event": ["exit_code": 0]]],
                        ["type": "destroy", "timestamp": 3, "request": nil],
                    ]
                }
                let isList = request.method == "GET" && !request.target.contains("abc123")
                return .json(200, isList ? [] : machine)
            }
            _ = try runner.start()
            defer { runner.stop(atMost: 1) }
            let fly = Fly(
                rules: Rules(app: "porter-test"), token: "plain", engine: .runner(socket: socket),
                clock: .live, log: try RecordLog(file: nil))
            let face = Face(port: 0, fly.answer)
            let address = try face.start()
            defer { face.stop() }
            let client = Machines.live(
                transport: .curl(CurlOptions()), baseURL: address + "/v1", app: "porter-test",
                token: Secret("plain"))
            let made = try client.create(plan)
            let found = try client.list("porter_task", "t1", false)
            try client.destroy(made.id)
            return (made, found, try client.find(made.id), paths.withLock { $0 })
        }

        #expect(made.region == "ams")
        #expect(found.map(\.id) == ["abc123"])
        #expect(gone?.isGone == true)
        #expect(gone?.exit == Machine.Exit(code: 0, outOfMemory: false, wasRequested: false))
        #expect(paths.contains("POST /v1/apps/local/machines"))
        #expect(paths.contains("DELETE /v1/apps/local/machines/abc123?force=true"))
    }

    @Test func `a runner that does not answer is an outage, never an absent machine or an empty list`() throws
    {
        let fly = Fly(
            rules: Rules(app: "porter-test"), token: "plain", engine: .runner(socket: "/nonexistent.sock"),
            clock: .live, log: try RecordLog(file: nil))
        for path in ["", "/abc123", "/abc123/wait?timeout=1"] {
            let response = fly.answer(
                Request(
                    method: "GET", target: "/v1/apps/porter-test/machines" + path,
                    fields: ["Authorization": "Bearer plain"]))
            #expect(response.status == 503)
        }
    }

    @Test func `while a face refuses, its port is closed, and afterwards it answers again`() async throws {
        let codes = try await onThread {
            let face = Face(port: 0) { _ in Response(status: 204) }
            let address = try face.start()
            let transport = Transport.curl(CurlOptions())
            func code() -> TransportError.Code? {
                do throws(TransportError) {
                    _ = try transport.send(Request(method: "GET", target: address), Transport.Limits())
                    return nil
                } catch {
                    return error.code
                }
            }
            var codes = [code()]
            face.stop()
            codes.append(code())
            try face.start()
            codes.append(code())
            face.stop()
            return codes
        }

        #expect(codes == [nil, .unreachable, nil])
    }
}
