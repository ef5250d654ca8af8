import Foundation
import Glibc
import PorterTestSupport
import Testing

@testable import PorterRunner

@Suite struct ControlGroupTests {
    private let guest = MachineRecord.Guest(cpu_kind: "shared", cpus: 2, memory_mb: 512)

    @Test func `the group of version 1 is the one that we are in, or the mount's top`() throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(
            atPath: folder.path + "/unit", withIntermediateDirectories: true)
        let mounts = """
            31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
            35 31 0:32 / \(folder.path) rw,relatime shared:9 - cgroup cgroup rw,cpu,memory

            """

        #expect(
            ControlGroups.hierarchy(.memory, mounts, "4:cpu,memory:/unit\n0::/\n") == folder.path + "/unit")
        #expect(ControlGroups.hierarchy(.memory, mounts, "4:cpu,memory:/other\n") == folder.path)
        #expect(ControlGroups.hierarchy(.memory, mounts, "4:cpu,memory:/\n") == folder.path)
        #expect(ControlGroups.hierarchy(.pids, mounts, "4:cpu,memory:/\n") == nil)
        #expect(ControlGroups.unified(mounts, "0::/unit\n") == nil)
    }

    @Test func `the group of version 2 is the one that we are in`() throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(
            atPath: folder.path + "/unit", withIntermediateDirectories: true)
        let mounts = "41 31 0:38 / \(folder.path) rw - cgroup2 cgroup2 rw\n"

        #expect(ControlGroups.unified(mounts, "0::/unit\n") == folder.path + "/unit")
        #expect(ControlGroups.unified(mounts, "4:memory:/unit\n") == nil)
    }

    @Test func `where nothing can be written nothing is claimed`() throws {
        let folder = try TemporaryFolder()
        let mounts = """
            35 31 0:32 / \(folder.path)/gone rw - cgroup cgroup rw,memory
            41 31 0:38 / \(folder.path) rw - cgroup2 cgroup2 rw

            """
        #expect(ControlGroups.find(mounts: mounts, membership: "4:memory:/\n0::/\n") == .none)
    }

    @Test func `each limit is written in its version's words`() {
        func values(_ kind: ControlGroups.Kind, _ version: Int) -> [String: String] {
            let limits = ControlGroups.limits(kind, version, guest, 1024)
            return Dictionary(uniqueKeysWithValues: limits.map { ($0.file, $0.value) })
        }
        #expect(values(.memory, 1)["/memory.limit_in_bytes"] == "536870912")
        #expect(values(.memory, 2)["/memory.max"] == "536870912")
        #expect(values(.memory, 2)["/memory.swap.max"] == "0")
        #expect(values(.pids, 1) == ["/pids.max": "1024"])
        #expect(values(.pids, 2) == ["/pids.max": "1024"])
        #expect(values(.cpu, 1) == ["/cpu.cfs_quota_us": "200000"])
        #expect(values(.cpu, 2) == ["/cpu.max": "200000 100000"])
    }

    @Test(arguments: [(1, "/memory.oom_control"), (2, "/memory.events")])
    func `kills for memory are counted`(version: Int, file: String) throws {
        let folder = try TemporaryFolder()
        let place = ControlGroups.Place(version: version, folder: folder.path)
        let group = MachineGroup(name: "porter-a", groups: ControlGroups(places: [.memory: place]))
        try FileManager.default.createDirectory(
            atPath: folder.path + "/porter-a", withIntermediateDirectories: true)
        #expect(group.memoryKills == 0)
        try folder.write("low 0\noom 3\noom_kill_disable 0\noom_kill 2\n", to: "porter-a" + file)
        #expect(group.memoryKills == 2)
    }
}
