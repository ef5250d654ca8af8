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

private func body(_ response: Response) -> JSON { JSON(response.body) ?? .null }

@Suite struct MachinesTests {
    private let world: MachinesWorld
    private let plan = MachinePlan(
        name: "porter-t1-1", image: "registry.fly.io/porter-worker:v1",
        environment: ["PORTER_TASK_ID": Secret("t1")], metadata: ["porter_task": "t1"], region: "ams",
        cpus: 1, memory: 2048)

    init() throws {
        world = try MachinesWorld()
    }

    // MARK: - The client

    @Test func `Porter's client creates, finds, lists and destroys`() throws {
        let client = world.client
        let made = try client.create(plan)
        #expect(made.state == .created)
        #expect(made.region == "ams")
        #expect(world.order(made.id, ["state": "started"]) == 204)
        #expect(try client.find(made.id)?.state == .started)
        #expect(try client.list("porter_task", "t1", false).map(\.id) == [made.id])
        #expect(try client.list("porter_task", "t2", false) == [])
        try client.destroy(made.id)
        let gone = try #require(try client.find(made.id))
        #expect(gone.isGone)
        #expect(gone.exit == Machine.Exit(code: 0, outOfMemory: false, wasRequested: true))
        try client.destroy(made.id)
        #expect(try client.find("00000000000000") == nil)
        #expect(try client.list("porter_task", "t1", false) == [])
    }

    @Test func `a live name is taken and names its holder; a destroyed machine's name is free`() throws {
        let client = world.client
        let made = try client.create(plan)
        let error = #expect(throws: MachinesError.self) { try client.create(plan) }
        #expect(error?.code == .nameTaken(id: made.id))
        try client.destroy(made.id)
        #expect(try client.create(plan).id != made.id)
    }

    @Test func `a full region is no capacity, for the client too`() throws {
        let full = try MachinesWorld { $0.capacity = 1 }
        _ = try full.create("one")
        let error = #expect(throws: MachinesError.self) { try full.client.create(plan) }
        #expect(error?.code == .noCapacity)
    }

    @Test func `a lost answer leaves the machine there, a lost request does not`() throws {
        #expect(world.fault(["method": "POST", "kind": "lost_before"]) == 204)
        #expect(world.fault(["method": "POST", "kind": "lost_after"]) == 204)
        let client = world.client
        let first = #expect(throws: MachinesError.self) { try client.create(plan) }
        #expect(first?.code == .uncertain)
        #expect(world.hollow.all.isEmpty)
        let second = #expect(throws: MachinesError.self) { try client.create(plan) }
        #expect(second?.code == .uncertain)
        #expect(world.hollow.all.count == 1)
        let third = #expect(throws: MachinesError.self) { try client.create(plan) }
        #expect(third?.code == .nameTaken(id: world.hollow.all.first?["id"].string ?? ""))
    }

    @Test func `a list can be empty although there are machines, as often as planned`() throws {
        let id = try world.create()
        #expect(world.fault(["kind": "empty_list", "times": 2]) == 204)
        let client = world.client
        #expect(try client.list("porter_task", "t1", false) == [])
        #expect(try client.find(id) != nil)
        #expect(try client.list("porter_task", "t1", false) == [])
        #expect(try client.list("porter_task", "t1", false).count == 1)
    }

    @Test func `an image that cannot be pulled never starts and has no exit`() throws {
        let slow = try MachinesWorld { $0.boot = 2 }
        #expect(slow.fault(["kind": "image_pull"]) == 204)
        let made = try slow.client.create(plan)
        #expect(made.state == .created)
        slow.advance(3)
        let found = try #require(try slow.client.find(made.id))
        #expect(found.isGone)
        #expect(found.exit == nil)
        #expect(slow.machines("GET", "/\(made.id)/wait?state=started&timeout=1").status == 404)
    }

    // MARK: - Fly's rules

    @Test(arguments: [nil, "", "fm2_secret", "Bearer wrong", "FlyV1fm2_secret", "Bearer FlyV1fm2_secret"])
    func `a missing or wrong token is 401 in Fly's words`(token: String?) {
        let response = world.call("GET", "/v1/apps/porter-test", token: token)
        #expect(response.status == 401)
        #expect(body(response) == ["error": "Authenticate: token validation error"])
    }

    @Test(arguments: ["FlyV1 fm2_secret", "Bearer fm2_secret", "Bearer FlyV1 fm2_secret"])
    func `either scheme opens, and both`(token: String) {
        #expect(world.call("GET", "/v1/tokens/current", token: token).status == 200)
    }

    @Test(arguments: [("GET", "/v1/nothing"), ("PUT", "/v1/apps/porter-test/machines"), ("GET", "/")])
    func `an unknown path or method is a plain 404 before the token is looked at`(
        method: String, path: String
    ) {
        let response = world.call(method, path, token: nil)
        #expect(response.status == 404)
        #expect(String(decoding: response.body, as: UTF8.self) == "404 page not found\n")
    }

    @Test func `another app is not found`() {
        #expect(world.call("GET", "/v1/apps/other").status == 404)
        #expect(world.call("GET", "/v1/apps/other/machines").status == 404)
    }

    @Test func `a running machine is destroyed by force only`() throws {
        let id = try world.create()
        #expect(world.order(id, ["state": "started"]) == 204)
        #expect(world.machines("DELETE", "/\(id)").status == 412)
        #expect(world.machines("DELETE", "/\(id)?force=true").status == 200)
        #expect(world.machines("DELETE", "/\(id)?force=true").status == 200)
        #expect(world.machines("DELETE", "/00000000000000?force=true").status == 404)
    }

    @Test func `events come newest first, and an exit code of 0 is left out`() throws {
        let id = try world.create()
        world.advance(1)
        _ = world.order(id, ["state": "started"])
        world.advance(1)
        _ = world.order(id, ["state": "destroyed", "exit_code": 0])
        let events = body(world.machines("GET", "/\(id)"))["events"].array
        #expect(events.map { $0["type"] } == ["destroy", "exit", "start", "launch"])
        let exit = events[1]["request"]["exit_event"].object
        #expect(exit?["exit_code"] == nil)
        #expect(exit?["requested_stop"] == false)
    }

    @Test func `an exit code that is none of 0 is there`() throws {
        let id = try world.create()
        _ = world.order(id, ["state": "started"])
        _ = world.order(id, ["state": "destroyed", "exit_code": 137, "oom_killed": true])
        let exit = try #require(try world.client.find(id)?.exit)
        #expect(exit == Machine.Exit(code: 137, outOfMemory: true, wasRequested: false))
    }

    @Test func `a machine is created for a while before it is started, and destroying before it is gone`()
        throws
    {
        let slow = try MachinesWorld {
            $0.boot = 2
            $0.settle = 3
        }
        let id = try slow.create()
        _ = slow.order(id, ["state": "started"])
        #expect(try slow.client.find(id)?.state == .created)
        slow.advance(2)
        #expect(try slow.client.find(id)?.state == .started)
        try slow.client.destroy(id)
        #expect(try slow.client.find(id)?.state == .destroying)
        #expect(slow.machines("GET", "/\(id)/wait?state=destroyed&timeout=1").status == 200)
        slow.advance(3)
        #expect(try slow.client.find(id)?.isGone == true)
    }

    @Test(arguments: ["0", "61", "-1", "x", "1h"])
    func `a wait outside of 1 to 60 s is 400, not clamped`(timeout: String) throws {
        let id = try world.create()
        #expect(world.machines("GET", "/\(id)/wait?state=started&timeout=\(timeout)").status == 400)
    }

    @Test func `a wait that does not reach its goal is 408, one for a machine that is gone 404`() throws {
        let id = try world.create()
        let response = world.machines("GET", "/\(id)/wait?state=started&timeout=60")
        #expect(response.status == 408)
        #expect(body(response)["error"].string?.hasSuffix("currently created") == true)
        _ = world.order(id, ["state": "destroyed"])
        #expect(world.machines("GET", "/\(id)/wait?state=stopped&timeout=1").status == 404)
        #expect(
            body(world.machines("GET", "/\(id)/wait?state=destroyed&timeout=1"))
                == ["ok": true, "state": "destroyed"])
    }

    @Test func `with the limit on, the fourth call at once is 429, and a second later one is free`() throws {
        let limited = try MachinesWorld { $0.isRateLimited = true }
        for _ in 0..<3 { #expect(limited.machines("GET").status == 200) }
        #expect(limited.machines("GET").status == 429)
        limited.advance(1)
        #expect(limited.machines("GET").status == 200)
        #expect(limited.machines("GET").status == 429)
    }

    @Test func `one machine can be read ten times at once`() throws {
        let limited = try MachinesWorld { $0.isRateLimited = true }
        let id = try limited.create()
        for _ in 0..<10 { #expect(limited.machines("GET", "/\(id)").status == 200) }
        #expect(limited.machines("GET", "/\(id)").status == 429)
    }

    @Test(arguments: [
        #"{"config":{}}"#, #"{}"#, #"[]"#, #"{"config":{"image":"i","env":{"A":1}}}"#,
        #"{"config":{"image":"i"},"name":"Big"}"#, #"{"config":{"image":"i"},"region":"nowhere"}"#,
        #"{"config":{"image":"i","guest":{"cpu_kind":"shared","cpus":1,"memory_mb":300}}}"#,
        #"{"config":{"image":"i","guest":{"cpu_kind":"performance","cpus":8,"memory_mb":8192}}}"#,
    ])
    func `a create that Fly would not take is refused and makes nothing`(text: String) {
        let response = world.machines("POST", "", JSON(Data(text.utf8)))
        #expect([400, 422].contains(response.status))
        #expect(body(response)["error"].string?.isEmpty == false)
        #expect(world.hollow.all.isEmpty)
    }

    // MARK: - Bad days

    @Test func `a fault meets only what it is planned for, so often, and is gone when cleared`() throws {
        let id = try world.create()
        #expect(
            world.fault([
                "method": "GET", "path": .string("*/machines/" + id), "kind": "status",
                "status": 503, "body": ["error": "busy"], "headers": ["Retry-After": "7"],
            ]) == 204)
        #expect(world.machines("GET").status == 200)
        let response = world.machines("GET", "/\(id)")
        #expect(response.status == 503)
        #expect(response.fields["Retry-After"] == "7")
        #expect(body(response) == ["error": "busy"])
        #expect(world.machines("GET", "/\(id)").status == 200)
        #expect(world.fault(["kind": "html", "times": 5]) == 204)
        #expect(world.machines("GET").fields["Content-Type"] == "text/html")
        #expect(
            body(world.call("GET", "/_playground/faults"))["faults"].array.first?["times"] == 4)
        #expect(world.call("DELETE", "/_playground/faults").status == 204)
        #expect(world.machines("GET").status == 200)
    }

    @Test func `a truncated answer announces more than it brings`() throws {
        _ = try world.create()
        #expect(world.fault(["kind": "truncated"]) == 204)
        let response = world.machines("GET")
        let announced = response.fields["Content-Length"].flatMap { Int($0) } ?? 0
        #expect(announced > response.body.count)
        #expect(JSON(response.body) == nil)
    }

    @Test func `slow is late and whole`() throws {
        #expect(world.fault(["kind": "slow", "seconds": 30]) == 204)
        let before = world.fly.clock.now()
        #expect(world.machines("GET").status == 200)
        #expect(world.fly.clock.now() - before >= 30)
    }

    @Test(arguments: [
        #"{"kind":"rain"}"#, "{}", #"{"kind":"status"}"#, #"{"kind":"slow","seconds":-1}"#, "[]",
    ])
    func `a plan with a mistake is refused`(text: String) {
        #expect(world.call("POST", "/_playground/faults", JSON(Data(text.utf8))).status == 422)
    }

    @Test func `every call is logged with what it did, and the token never`() throws {
        #expect(world.fault(["method": "POST", "kind": "lost_after"]) == 204)
        _ = world.machines("POST", "", world.plan("one"))
        _ = world.machines("GET")
        #expect(world.log.records.map { $0["fault"] } == ["lost_after", .null])
        #expect(world.log.records.first?["effect"]["name"] == "one")
        #expect(!world.log.records.contains { $0.text.contains("secret") })
    }

    // MARK: - Fly's description

    @Test(.enabled(if: FlyDescription.isThere, "the description of Fly's API is not beside the checkout"))
    func `every answer has the form that Fly describes`() throws {
        let description = try #require(FlyDescription())
        let id = try world.create()
        _ = world.order(id, ["state": "started"])
        #expect(description.problems(body(world.machines("GET", "/\(id)")), as: "Machine") == [])
        #expect(
            body(world.machines("GET")).array.flatMap { description.problems($0, as: "Machine") } == [])
        let wait = world.machines("GET", "/\(id)/wait?state=started&timeout=1")
        #expect(description.problems(body(wait), as: "WaitMachineResponse") == [])
        _ = world.order(id, ["state": "destroyed", "exit_code": 1])
        #expect(description.problems(body(world.machines("GET", "/\(id)")), as: "Machine") == [])
        let app = world.call("GET", "/v1/apps/porter-test")
        #expect(description.problems(body(app), as: "App") == [])
        let token = world.call("GET", "/v1/tokens/current")
        #expect(description.problems(body(token), as: "CurrentTokenResponse") == [])
        #expect(description.problems(body(Fly.noRoom), as: "ErrorResponse") == [])
        #expect(description.problems(["id": 1], as: "Machine") != [])
        #expect(description.problems(["colour": "red"], as: "Machine") != [])
    }
}
