import Foundation
import Porter
import PorterHTTP
import PorterTestSupport
import Testing

@testable import PorterMachines

@Suite struct RequestTests {
    private static let machine = JSONValue.object(["id": .string("148ed193c50489")])

    /// Every field, to the letter.
    static let created = JSONValue.object([
        "name": .string("porter-task-01j0000000000000000000000a-1"), "region": .string("iad"),
        "config": .object([
            "image": .string("registry.fly.io/porter-worker@sha256:0"),
            "env": .object([
                "PORTER_CALLBACK_URL": .string("https://porter.example.org"),
                "PORTER_TASK_ID": .string("task_01J0000000000000000000000A"),
                "PORTER_CALLBACK_TOKEN": .string("callback-secret"),
            ]),
            "metadata": .object([
                "porter_task": .string("task_01J0000000000000000000000A"), "porter_attempt": .string("1"),
                "porter_instance": .string("i"),
            ]),
            "restart": .object(["policy": .string("no")]), "auto_destroy": .bool(true),
            "guest": .object([
                "cpu_kind": .string("shared"), "cpus": .integer(2), "memory_mb": .integer(2048),
            ]),
        ]),
    ])

    @Test func `a create sends exactly what the contract says`() throws {
        let engine = ScriptedEngine(.json(200, Self.machine))

        _ = try engine.machines.create(.sample)

        let request = try #require(engine.recorder.requests.first)
        #expect(request.method == "POST")
        #expect(request.target == ScriptedEngine.collection)
        #expect(try JSONValue(request.body) == Self.created)
        #expect(request.fields["Content-Type"] == "application/json")
        #expect(request.fields["Accept"] == "application/json")
        #expect(request.fields["User-Agent"] == "Porter/\(Porter.version)")
        #expect(request.fields["Authorization"] == "Bearer plain-token")
        #expect(engine.recorder.requests.count == 1)
    }

    @Test func `a create without a region names none`() throws {
        var plan = MachinePlan.sample
        plan.region = nil
        let engine = ScriptedEngine(.json(200, Self.machine))

        _ = try engine.machines.create(plan)

        let body = try JSONValue(try #require(engine.recorder.requests.first).body)
        #expect(Set(body.members.keys) == ["name", "config"])
    }

    @Test func `find, list and destroy ask at their addresses without a body`() throws {
        let engine = ScriptedEngine(
            .json(200, Self.machine), .json(200, .array([])), .json(200, .array([])), Response(status: 200))

        _ = try engine.machines.find("148ed193c50489")
        _ = try engine.machines.list("porter_instance", "a b&c=d", false)
        _ = try engine.machines.list("porter_task", "t", true)
        try engine.machines.destroy("148ed193c50489")

        let requests = engine.recorder.requests
        #expect(requests.map(\.method) == ["GET", "GET", "GET", "DELETE"])
        #expect(
            requests.map(\.target) == [
                ScriptedEngine.collection + "/148ed193c50489",
                ScriptedEngine.collection + "?metadata.porter_instance=a%20b%26c%3Dd",
                ScriptedEngine.collection + "?metadata.porter_task=t&include_deleted=true",
                ScriptedEngine.collection + "/148ed193c50489?force=true",
            ])
        for request in requests {
            #expect(request.body.isEmpty)
            #expect(request.fields["Content-Type"] == nil)
            #expect(request.fields["Authorization"] == "Bearer plain-token")
        }
    }

    @Test func `ids and apps stay one component of the path`() throws {
        let engine = ScriptedEngine(.json(200, Self.machine), app: "a/b?c")

        _ = try engine.machines.find("../x?y#z%")

        #expect(
            engine.recorder.requests.first?.target
                == ScriptedEngine.baseURL + "/apps/a%2Fb%3Fc/machines/..%2Fx%3Fy%23z%25")
    }

    @Test func `the runner gets no credentials`() throws {
        let engine = ScriptedEngine(.json(200, Self.machine), token: nil)

        _ = try engine.machines.find("m")

        #expect(engine.recorder.requests.first?.fields["Authorization"] == nil)
    }

    // As fly-go does: whatever schemes stand before the tokens go; macaroons get their own.
    @Test(arguments: [
        ("abc", "Bearer abc"), ("Bearer abc", "Bearer abc"), ("fm2_abc", "FlyV1 fm2_abc"),
        ("FlyV1 fm2_abc", "FlyV1 fm2_abc"), ("Bearer FlyV1 fm2_abc", "FlyV1 fm2_abc"),
        ("FlyV1 FlyV1 fm2_abc,fm2_def", "FlyV1 fm2_abc,fm2_def"), ("fm1r_x", "FlyV1 fm1r_x"),
        ("fm1a_x", "FlyV1 fm1a_x"), ("fo1_abc,fm2_def", "FlyV1 fo1_abc,fm2_def"),
        ("fo1_abc", "Bearer fo1_abc"), ("FlyV1 fo1_abc", "Bearer fo1_abc"), ("xfm2_abc", "Bearer xfm2_abc"),
        ("  fm2_abc\n", "FlyV1 fm2_abc"), ("bearer flyv1 fm2_abc", "FlyV1 fm2_abc"),
    ])
    func `a token goes out under its scheme`(token: String, header: String) throws {
        #expect(MachinesClient.authorization(token) == header)
    }
}

/// The same, held against Fly's own description of its API.
@Suite(.needsFixtures) struct DescriptionTests {
    private static let description = Result {
        APIDescription(try JSONValue(Fixtures.data("fly-machines-openapi.json")))
    }

    private func described(_ method: String, _ template: String) throws -> APIDescription.Operation {
        try #require(try Self.description.get().operation(method, template))
    }

    @Test func `a create is as Fly describes it`() throws {
        let operation = try described("POST", "/apps/{app_name}/machines")
        let schema = try #require(operation.body)
        var wrong = RequestTests.created
        wrong["config"]?["auto_destroy"] = .string("true")
        var policy = RequestTests.created
        policy["config"]?["restart"] = .object(["policy": .string("never")])

        #expect(schema.problems(RequestTests.created) == [])
        #expect(schema.problems(wrong) == ["$.config.auto_destroy: a string is not boolean"])
        #expect(schema.problems(policy).count == 1)
        #expect(operation.describes(200))
    }

    @Test func `the other operations are as Fly describes them`() throws {
        #expect(try described("GET", "/apps/{app_name}/machines/{machine_id}").describes(200))
        let destroy = try described("DELETE", "/apps/{app_name}/machines/{machine_id}")
        #expect(destroy.describes(200))
        #expect(destroy.queryNames.contains("force"))
        let list = try described("GET", "/apps/{app_name}/machines")
        #expect(list.describes(200))
        // `metadata.KEY` is in Fly's prose and not in its description: api-notes, A4.
        #expect(!list.queryNames.contains { $0.hasPrefix("metadata") })
    }

    @Test func `Fly's example answers are as described, and read for what they say`() throws {
        let schema = try #require(
            try described("GET", "/apps/{app_name}/machines/{machine_id}").answer(200))
        let examples = try JSONValue(Fixtures.data("fly-machine-examples.json"))
        let expected: [(String, Machine.State, Machine.Exit?)] = [
            ("create_200", .created, nil), ("get_started", .started, nil),
            (
                "get_destroyed_exit0", .destroyed,
                Machine.Exit(code: 0, outOfMemory: false, wasRequested: false)
            ),
            (
                "get_destroyed_exit1", .destroyed,
                Machine.Exit(code: 1, outOfMemory: false, wasRequested: false)
            ),
            (
                "get_destroyed_oom", .destroyed,
                Machine.Exit(code: 137, outOfMemory: true, wasRequested: false)
            ),
            (
                "get_destroyed_requested_stop", .destroyed,
                Machine.Exit(code: 0, outOfMemory: false, wasRequested: true)
            ),
        ]
        for (name, state, exit) in expected {
            let example = try #require(examples[name])
            // `request` is null on launch and destroy in life, and an object in the description.
            let problems = schema.problems(example).filter { !$0.hasSuffix("request: null is not object") }
            #expect(problems == [], "\(name)")

            let machine = try #require(
                try ScriptedEngine(.json(200, example)).machines.find("148ed193c50489"))

            #expect(machine.id == "148ed193c50489")
            #expect(machine.name == "porter-t1-a1")
            #expect(machine.state == state, "\(name)")
            #expect(machine.region == "iad")
            #expect(machine.metadata == ["porter_task": "t1"])
            #expect(machine.createdAt?.iso8601 == "2026-10-04T10:00:00.000Z")
            #expect(machine.exit == exit, "\(name)")
            #expect(machine.isGone == (state == .destroyed))
        }
    }

    @Test(arguments: JSONSchema.Thinning.allCases)
    func `a machine without anything optional but its id is read all the same`(
        thinning: JSONSchema.Thinning
    ) throws {
        let schema = try #require(
            try described("GET", "/apps/{app_name}/machines/{machine_id}").answer(200))
        for (name, example) in try JSONValue(Fixtures.data("fly-machine-examples.json")).members {
            guard name.hasPrefix("get_") || name == "create_200" else { continue }
            var thin = schema.thinned(example, thinning)
            thin["id"] = .string("m")

            let machine = try #require(try ScriptedEngine(.json(200, thin)).machines.find("m"), "\(name)")

            #expect(machine == Machine(id: "m", name: "", state: .unknown))
        }
    }

    @Test func `every refusal in the collection is read for what it says`() throws {
        let expected: [String: MachinesError.Code] = [
            "any": .unauthorized, "unknown path or wrong method": .refused,
            "GET /apps/{app} of another org": .unauthorized, "GET /apps/{app} free name": .refused,
            "POST machines duplicate live name": .nameTaken(id: "148ed193c50489"),
            "POST machines region full": .noCapacity, "POST machines with volume, host full": .noCapacity,
            "POST machines host race": .noCapacity, "POST machines/{id} host full": .noCapacity,
            "POST machines/{id} concurrent": .uncertain, "POST machines org limit": .refused,
            "any mutation, lease held by other": .uncertain,
            "DELETE machine running without force": .refused, "rate limit": .uncertain,
            "GET wait not reached": .uncertain, "machine gone / never existed": .refused,
        ]
        var met: Set<String> = []
        for example in try JSONValue(Fixtures.data("fly-errors.json")).elements {
            guard let name = example["op"]?.text, let code = expected[name],
                case .integer(let status)? = example["status"]
            else { continue }
            met.insert(name)
            let body = example["body"]?.data ?? Data((example["body_text"]?.text ?? "").utf8)
            let engine = ScriptedEngine(Response(status: Int(status), body: body))

            let error = failure { () throws(MachinesError) in _ = try engine.machines.create(.sample) }

            #expect(error?.code == code, "\(name)")
            #expect(error?.status == Int(status))
            let words = example["body"]?["error"]?.text ?? example["body"]?["message"]?.text
            if let words { #expect(error?.message == words) }
        }
        #expect(met == Set(expected.keys))
    }
}
