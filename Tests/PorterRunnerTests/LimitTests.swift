import Foundation
import Glibc
import Porter
import PorterProcess
import Testing

@testable import PorterRunner

/// A machine's limits, by the kernel where it lets us and from outside where not.
@Suite(.serialized) struct LimitTests {
    /// Holds 400 MiB for a while.
    static let hog = "/usr/bin/python3 -c 'import time; x = bytearray(419430400); time.sleep(60)'"

    @Test(arguments: [false, true])
    func `a worker that takes too much memory is killed, and the exit event says so`(asNobody: Bool) throws {
        let runner = try RunnerProcess.begin(worker: "exec \(Self.hog)\n", asNobody: asNobody)

        let ended = try runner.end(of: try runner.machines.create(RunnerProcess.plan("a", memory: 256)))

        #expect(ended.exit?.code == 137)
        #expect(ended.exit?.outOfMemory == true)
        #expect(ended.exit?.wasRequested == false)
        #expect(ended.exit?.message == "the machine used more than its 256 MiB of memory")
    }

    @Test(arguments: [false, true])
    func `the greatest process is killed first, so that the worker can save`(asNobody: Bool) throws {
        let runner = try RunnerProcess.begin(
            worker: "\(Self.hog); echo \"ended with $?\"; exit 4\n", asNobody: asNobody)

        let ended = try runner.end(of: try runner.machines.create(RunnerProcess.plan("a", memory: 256)))

        #expect(runner.words.contains("ended with 137"))
        #expect(ended.exit?.code == 4)
        // The worker says that its agent was killed, the exit says for what.
        #expect(ended.exit?.outOfMemory == true)
    }

    @Test func `a machine within its memory is left alone`() throws {
        let runner = try RunnerProcess.begin(
            worker: "/usr/bin/python3 -c 'import time; x = bytearray(104857600); time.sleep(3)'; exit $?\n",
            asNobody: true)

        let ended = try runner.end(of: try runner.machines.create(RunnerProcess.plan("a", memory: 256)))

        #expect(ended.exit?.code == 0)
    }

    private func meter(memory: Bool = true, processes: Bool = true) -> Meter {
        Meter(
            guest: MachineRecord.Guest(cpu_kind: "shared", cpus: 1, memory_mb: 256), watchesMemory: memory,
            watchesProcesses: processes)
    }

    private func entry(_ pid: pid_t, _ parent: pid_t, mebibytes: Int = 0, threads: Int = 1)
        -> ProcessTable.Entry
    {
        ProcessTable.Entry(pid: pid, parent: parent, memory: mebibytes * 1_048_576, threads: threads)
    }

    @Test func `only the machine's own tree counts`() {
        let table = ProcessTable([
            entry(2, 1), entry(3, 2), entry(4, 3, mebibytes: 200), entry(9, 1, mebibytes: 4000),
        ])
        #expect(meter().judge(table, first: 2, worker: 4) == .fine)
    }

    @Test func `memory that many processes hold together counts, and the greatest goes`() {
        let table = ProcessTable([
            entry(2, 1), entry(3, 2), entry(4, 3, mebibytes: 60), entry(5, 4, mebibytes: 90),
            entry(6, 5, mebibytes: 107),
        ])
        #expect(meter().judge(table, first: 2, worker: 4) == .kill(6))
        #expect(meter(memory: false).judge(table, first: 2, worker: 4) == .fine)
    }

    @Test func `one process or thread too many ends the machine`() {
        func verdict(_ threads: Int, _ meter: Meter) -> Meter.Verdict {
            meter.judge(
                ProcessTable([entry(2, 1), entry(3, 2), entry(4, 3, threads: threads)]), first: 2, worker: 4)
        }
        #expect(verdict(Host.mostProcesses - 2, meter()) == .fine)
        #expect(
            verdict(Host.mostProcesses - 1, meter())
                == .destroy(outOfMemory: false, words: "the machine had more than 1024 processes and threads")
        )
        #expect(verdict(Host.mostProcesses - 1, meter(processes: false)) == .fine)
    }

    @Test func `a status file tells parent, own memory and threads`() {
        let status = """
            Name:\ta b
            PPid:\t17
            VmRSS:\t    9000 kB
            RssAnon:\t    1000 kB
            RssFile:\t    7500 kB
            RssShmem:\t     500 kB
            Threads:\t3
            """
        #expect(
            ProcessTable.parse(status, 18)
                == ProcessTable.Entry(pid: 18, parent: 17, memory: 1500 * 1024, threads: 3))
    }
}
