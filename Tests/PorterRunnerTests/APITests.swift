import Foundation
import Glibc
import Porter
import PorterHTTP
import PorterMachines
import Synchronization
import PorterTestSupport
import Testing

@testable import PorterRunner

@Suite struct APITests {
    @Test func `the name of a live machine is taken, and free again when it is destroyed`() throws {
        let runner = try RunnerProcess.begin(worker: MachineTests.endless)
        let first = try runner.machines.create(RunnerProcess.plan("a"))

        let error = #expect(throws: MachinesError.self) {
            try runner.machines.create(RunnerProcess.plan("a"))
        }
        #expect(error?.code == .nameTaken(id: first.id))
        #expect(error?.status == 409)
        #expect(
            error?.message
                == "already_exists: unique machine name violation, machine ID \(first.id) already exists "
                + "with name \"a\"")
        try runner.machines.destroy(first.id)
        let second = try runner.machines.create(RunnerProcess.plan("a"))
        #expect(second.id != first.id)
    }

    @Test func `of many creates with one name at once, one makes a machine`() throws {
        let runner = try RunnerProcess.begin(worker: MachineTests.endless)
        let outcomes = Mutex<[Result<String, MachinesError>]>([])

        DispatchQueue.concurrentPerform(iterations: 8) { _ in
            do throws(MachinesError) {
                let machine = try runner.machines.create(RunnerProcess.plan("a"))
                outcomes.withLock { $0.append(.success(machine.id)) }
            } catch {
                outcomes.withLock { $0.append(.failure(error)) }
            }
        }

        let made = outcomes.withLock { $0.compactMap { try? $0.get() } }
        let id = try #require(made.first)
        #expect(made.count == 1)
        for case .failure(let error) in outcomes.withLock({ $0 }) {
            #expect(error.code == .nameTaken(id: id))
        }
        #expect(try runner.machines.list("porter_task", "task_1", false).map(\.id) == [id])
    }

    @Test func `a list takes every key into account, and destroyed machines on request`() throws {
        let runner = try RunnerProcess.begin(worker: MachineTests.endless)
        let one = try runner.machines.create(RunnerProcess.plan("a", task: "task_1"))
        let two = try runner.machines.create(RunnerProcess.plan("b", task: "task_2"))
        try runner.machines.destroy(two.id)
        func ids(_ query: String) throws -> Set<String> {
            let body = try runner.call("GET", "/machines" + query).body
            let list = try #require(try JSONSerialization.jsonObject(with: body) as? [[String: Any]])
            return Set(list.compactMap { $0["id"] as? String })
        }

        #expect(try ids("") == [one.id])
        #expect(try ids("?include_deleted=true") == [one.id, two.id])
        #expect(try ids("?metadata.porter_task=task_1&metadata.porter_instance=here") == [one.id])
        #expect(try ids("?metadata.porter_task=task_1&metadata.porter_instance=there") == [])
        #expect(try ids("?metadata.porter_task=task_2") == [])
        #expect(try ids("?metadata.porter_task=task_2&include_deleted=true") == [two.id])
        #expect(try ids("?metadata.porter%5Ftask=task%5F1") == [one.id])
        #expect(try ids("?state=destroyed,stopped&include_deleted=true") == [two.id])
    }

    @Test func `a live machine is not destroyed without force`() throws {
        let runner = try RunnerProcess.begin(worker: MachineTests.endless)
        let machine = try runner.machines.create(RunnerProcess.plan("a"))

        #expect(try runner.call("DELETE", "/machines/\(machine.id)").status == 412)
        #expect(try runner.machines.find(machine.id)?.isGone == false)
        #expect(try runner.call("DELETE", "/machines/\(machine.id)?force=true").status == 200)
        #expect(try runner.call("DELETE", "/machines/\(machine.id)?force=true").status == 200)
        #expect(try runner.call("DELETE", "/machines/\(machine.id)").status == 200)
    }

    @Test func `what is not there is 404, and a wrong method 405 with the right ones`() throws {
        let runner = try RunnerProcess.begin(worker: MachineTests.endless)

        for path in [
            "/v1/apps/other/machines", "/v1/apps/other", "/machines/148ed193c50489", "/nothing", "/volumes",
            "/machines/a/events/b", "/v1/apps",
        ] {
            let answer = try runner.call("GET", path)
            #expect(answer.status == 404, "\(path)")
            #expect(!answer.error.isEmpty, "\(path)")
        }
        #expect(try runner.call("DELETE", "/machines/148ed193c50489?force=true").status == 404)
        let wrong = try runner.call("PUT", "/machines")
        #expect(wrong.status == 405)
        #expect(wrong.fields["Allow"] == "GET, POST")
        #expect(try runner.call("POST", "/machines/a", body: "{}").fields["Allow"] == "DELETE, GET")
        #expect(try runner.call("POST", "", body: "{}").fields["Allow"] == "GET")
    }

    @Test func `bad bodies are refused by the program as by its parts`() throws {
        let runner = try RunnerProcess.begin(worker: MachineTests.endless)

        #expect(try runner.call("POST", "/machines", body: "{").status == 400)
        let refused = try runner.call(
            "POST", "/machines",
            body: #"{"name": "a", "config": {"image": "i", "env": {"PATH": "/evil"}}}"#)
        #expect(refused.status == 422)
        #expect(refused.error.contains("config.env.PATH"))
        #expect(try runner.call("GET", "/machines?include_deleted=true").body == Data("[]".utf8))
    }

    @Test func `the app says how its limits are held, and the kernel holds them so`() throws {
        let runner = try RunnerProcess.begin(worker: MachineTests.endless)
        let body = try runner.call("GET", "").body
        let app = try #require(try JSONSerialization.jsonObject(with: body) as? [String: Any])
        let limits = try #require(app["limits"] as? [String: String])
        let warnings = try #require(app["warnings"] as? [String])

        #expect(app["name"] as? String == "local")
        #expect(app["status"] as? String == "ready")
        #expect(app["isolation"] as? String == "box")
        #expect(warnings.contains { $0.hasPrefix("Memory:") } == (limits["memory"] == "polled"))
        #expect(warnings.contains { $0.hasPrefix("Processes:") } == (limits["processes"] == "polled"))
        #expect(warnings.contains { $0.hasPrefix("Cores:") } == (limits["cpus"] == "none"))
        let machine = try runner.machines.create(RunnerProcess.plan("a", memory: 300))
        guard limits["memory"] == "cgroup v1" else { return }
        let base = try #require(
            ControlGroups.find(
                mounts: HostProcesses.text("/proc/self/mountinfo"),
                membership: HostProcesses.text("/proc/self/cgroup")
            ).places[.memory]?.folder)
        let file = "\(base)/porter-\(machine.id)/memory.limit_in_bytes"
        #expect(eventually { HostProcesses.text(file) == String(300 * 1_048_576) })
        try runner.machines.destroy(machine.id)
        #expect(HostProcesses.text(file) == "")
    }
}

extension HostProcesses {
    /// A small file's text without the line's end, empty when it is not there.
    static func text(_ path: String) -> String {
        String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
