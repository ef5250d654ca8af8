import Foundation
import Glibc
import Porter
import PorterTestSupport
import Testing

@testable import PorterRunner

@Suite struct RemovalTests {
    @Test func `links are removed and not followed, closed folders opened, and no depth is too deep`() throws
    {
        let folder = try TemporaryFolder()
        let kept = try folder.write("precious", to: "kept")
        let root = folder.path + "/workspace"
        try FileManager.default.createDirectory(
            atPath: root + "/closed/inner", withIntermediateDirectories: true)
        try folder.write("", to: "workspace/closed/inner/file")
        symlink(kept, root + "/link")
        symlink(folder.path, root + "/closed/up")
        chmod(root + "/closed/inner", 0)
        chmod(root + "/closed", 0)
        var descriptor = open(root, O_RDONLY | O_DIRECTORY)
        for _ in 0..<3000 {
            mkdirat(descriptor, "deeper", 0o755)
            let next = openat(descriptor, "deeper", O_RDONLY | O_DIRECTORY)
            close(descriptor)
            descriptor = next
        }
        close(descriptor)

        #expect(Removal.remove(root))

        #expect(!FileManager.default.fileExists(atPath: root))
        #expect(FileManager.default.contents(atPath: kept) == Data("precious".utf8))
    }

    @Test func `what is not there counts as removed`() {
        #expect(Removal.remove("/tmp/porter-runner-nothing-of-this-name"))
    }
}

@Suite struct FleetTests {
    /// A fleet over the folder, at the time.
    fileprivate func fleet(_ folder: TemporaryFolder, _ now: Instant) throws -> Fleet {
        let state = try StateFolder.open(folder.path + "/state", user: nil)
        let settings = try RunnerSettings.load(
            [
                "PORTER_RUNNER_SOCKET": folder.path + "/s", "PORTER_WORKER_COMMAND": "/bin/true",
                "STATE_DIRECTORY": folder.path + "/state",
            ], isRoot: false, folder: "/")
        let host = Host(
            folder: state, settings: settings, worker: "/bin/true", groups: .none, children: Children(),
            journal: .silent, clock: Clock { now })
        return Fleet(host: host)
    }

    private func record(_ id: String, at now: Instant) -> MachineRecord {
        let guest = MachineRecord.Guest(cpu_kind: "shared", cpus: 1, memory_mb: 256)
        let config = MachineRecord.Config(
            image: "i", env: [:], metadata: [:], auto_destroy: true, restart: ["policy": "no"], guest: guest)
        var record = MachineRecord(
            id: id, CreateBody.Plan(name: "m-\(id)", config: config, token: Secret("s")), at: now)
        record.end(MachineEvent.Exit(code: 0, outOfMemory: false, wasRequested: false, at: now), at: now)
        return record
    }

    @Test func `a destroyed machine is forgotten after 7 days`() throws {
        let folder = try TemporaryFolder()
        let now = Instant(seconds: 1_800_000_000)
        try FileManager.default.createDirectory(
            atPath: folder.path + "/state/machines", withIntermediateDirectories: true)
        let state = StateFolder(root: folder.path + "/state", user: nil)
        try state.save(record("a1", at: now.adding(seconds: -7 * 86_400)))
        try state.save(record("a2", at: now.adding(seconds: -7 * 86_400 - 1)))

        let fleet = try fleet(folder, now)

        #expect(fleet.find("a1") != nil)
        #expect(fleet.find("a2") == nil)
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path + "/state/machines")
        #expect(files == ["a1.json"])
    }

    @Test func `of destroyed machines the latest 1000 are remembered`() throws {
        let folder = try TemporaryFolder()
        let now = Instant(seconds: 1_800_000_000)
        let machines = folder.path + "/state/machines"
        try FileManager.default.createDirectory(atPath: machines, withIntermediateDirectories: true)
        for number in 0..<1002 {
            let record = record("b\(number)", at: now.adding(seconds: -number))
            try folder.write(
                String(decoding: MachineRecord.encode(record), as: UTF8.self),
                to: "state/machines/\(record.id).json")
        }

        let fleet = try fleet(folder, now)

        #expect(fleet.list { _ in true }.count == 1000)
        #expect(fleet.find("b999") != nil)
        #expect(fleet.find("b1000") == nil)
    }

    @Test func `a record that cannot be read is set aside, and the others are still known`() throws {
        let folder = try TemporaryFolder()
        let now = Instant(seconds: 1_800_000_000)
        let machines = folder.path + "/state/machines"
        try FileManager.default.createDirectory(atPath: machines, withIntermediateDirectories: true)
        try folder.write("{\"id\": ", to: "state/machines/broken.json")
        try folder.write("{", to: "state/machines/half.json.new")
        try folder.write(
            String(decoding: MachineRecord.encode(record("good", at: now)), as: UTF8.self),
            to: "state/machines/good.json")

        let fleet = try fleet(folder, now)

        #expect(fleet.list { _ in true }.map(\.id) == ["good"])
        let files = try FileManager.default.contentsOfDirectory(atPath: machines).sorted()
        #expect(files == ["broken.json.unreadable", "good.json"])
    }
}

extension FleetTests {
    @Test func `a machine that cannot be recorded is not begun, and its name stays free`() throws {
        let folder = try TemporaryFolder()
        let now = Instant(seconds: 1_800_000_000)
        let fleet = try fleet(folder, now)
        let machines = folder.path + "/state/machines"
        let guest = MachineRecord.Guest(cpu_kind: "shared", cpus: 1, memory_mb: 256)
        let config = MachineRecord.Config(
            image: "i", env: [:], metadata: [:], auto_destroy: true, restart: ["policy": "no"], guest: guest)
        let plan = CreateBody.Plan(name: "a", config: config, token: Secret("s"))
        try FileManager.default.removeItem(atPath: machines)

        for _ in 0..<2 {
            let refusal = #expect(throws: Refusal.self) { try fleet.create(plan) }
            #expect(refusal?.status == 503)
        }

        #expect(fleet.list { _ in true }.isEmpty)
        #expect(fleet.liveCount == 0)
    }
}

@Suite struct ShapeTests {
    @Test func `a machine has Fly's fields with Fly's types`() throws {
        let folder = ProcessInfo.processInfo.environment["PORTER_FIXTURES"] ?? "../shared/fixtures"
        guard let data = FileManager.default.contents(atPath: folder + "/fly-machines-openapi.json") else {
            print("skipped: no fixtures in \(folder)")
            return
        }
        let api = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        let components = try #require(api["components"] as? [String: Any])
        let schemas = try #require(components["schemas"] as? [String: [String: Any]])
        let now = Instant(seconds: 1_800_000_000)
        let config = MachineRecord.Config(
            image: "i", env: ["PORTER_TASK_ID": "t"], metadata: ["porter_task": "t"], auto_destroy: true,
            restart: ["policy": "no"],
            guest: MachineRecord.Guest(cpu_kind: "shared", cpus: 1, memory_mb: 256))
        var record = MachineRecord(
            id: "148ed193c50489", CreateBody.Plan(name: "a", config: config, token: Secret("s")), at: now)
        record.end(MachineEvent.Exit(code: 3, outOfMemory: false, wasRequested: true, at: now), at: now)
        let shown = try JSONSerialization.jsonObject(with: Data(MachineRecord.encode(record)))

        var problems: [String] = []
        check(shown, ["$ref": "#/components/schemas/Machine"], "machine", schemas, &problems)

        #expect(problems == [])
    }

    /// Walks the value along the schema and notes every field that is unknown or of another type.
    private func check(
        _ value: Any, _ schema: [String: Any], _ path: String, _ schemas: [String: [String: Any]],
        _ problems: inout [String]
    ) {
        if let reference = schema["$ref"] as? String {
            let name = reference.split(separator: "/").last.map(String.init) ?? ""
            check(value, schemas[name] ?? [:], path, schemas, &problems)
            return
        }
        if let parts = schema["allOf"] as? [[String: Any]], let first = parts.first {
            check(value, first, path, schemas, &problems)
            return
        }
        switch (schema["type"] as? String, value) {
        case (_, is NSNull): break
        case ("object", let object as [String: Any]):
            guard let properties = schema["properties"] as? [String: [String: Any]] else { break }
            for (key, inner) in object {
                if let known = properties[key] {
                    check(inner, known, "\(path).\(key)", schemas, &problems)
                } else {
                    problems.append("\(path).\(key) is unknown")
                }
            }
        case ("array", let list as [Any]):
            for inner in list {
                check(inner, schema["items"] as? [String: Any] ?? [:], "\(path)[]", schemas, &problems)
            }
        case ("string", is String), ("integer", is Int), ("boolean", is Bool): break
        default: problems.append("\(path) is no \(schema["type"] ?? "value")")
        }
    }
}
