import Foundation
import Glibc
import Porter
import PorterProcess
import PorterTestSupport
import Testing

/// What happens to machines when the runner ends, and what is known afterwards.
@Suite struct LifetimeTests {
    @Test func `the runner's death kills its machines, and the next runner says so`() throws {
        let number = "5\(UInt32.random(in: 0 ... .max))"
        let runner = try RunnerProcess.begin(
            worker: "setsid sleep \(number) & (setsid sleep \(number) &) & echo begun; trap '' TERM\n"
                + MachineTests.endless)
        let machine = try runner.machines.create(RunnerProcess.plan("a"))
        #expect(runner.says("begun"))
        let processes = HostProcesses.descendants(of: runner.pid)
        #expect(processes.count >= 4)

        kill(runner.pid, SIGKILL)

        _ = try runner.wait()
        #expect(eventually { processes.allSatisfy { HostProcesses.commandLine($0).isEmpty } })
        #expect(HostProcesses.running("sleep \(number)").isEmpty)
        let next = try RunnerProcess.begin(worker: "exit 0\n", in: runner.folder)
        let found = try #require(try next.machines.find(machine.id))
        #expect(found.state == .destroyed)
        #expect(found.exit?.code == 137)
        #expect(found.exit?.wasRequested == false)
        #expect(found.exit?.message == "the runner ended while the machine ran, and the machine with it")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder(next, "workspaces")).isEmpty)
        #expect(try next.machines.list("porter_task", "task_1", false).isEmpty)
        _ = try next.machines.create(RunnerProcess.plan("a"))
    }

    @Test(arguments: ["box", "weak"])
    func `a runner that dies while machines begin leaves none of them, however far they are`(
        isolation: String
    ) throws {
        let settings = ["PORTER_RUNNER_ISOLATION": isolation]
        let folder = try TemporaryFolder(mode: 0o755)
        for round in 0..<4 {
            let runner = try RunnerProcess.begin(
                worker: "setsid sleep 1000 & exec sleep 1000\n", in: folder, settings)
            DispatchQueue.concurrentPerform(iterations: 6) { number in
                _ = try? runner.machines.create(RunnerProcess.plan("m-\(number)"))
                if number == round { kill(runner.pid, SIGKILL) }
            }
            kill(runner.pid, SIGKILL)
            _ = try runner.wait()

            #expect(
                eventually { HostProcesses.holding(folder.path).isEmpty },
                "\(HostProcesses.holding(folder.path).map(HostProcesses.commandLine))")
        }
        _ = try RunnerProcess.begin(worker: "exit 0\n", in: folder, settings)
    }

    @Test func `an ended machine is still known to the next runner`() throws {
        let runner = try RunnerProcess.begin(worker: "exit 5\n")
        let ended = try runner.end(of: try runner.machines.create(RunnerProcess.plan("a")))
        kill(runner.pid, SIGTERM)
        #expect(try runner.wait() == .exited(0))

        let next = try RunnerProcess.begin(worker: "exit 0\n", in: runner.folder)

        #expect(try next.machines.find(ended.id) == ended)
    }

    @Test(arguments: [SIGTERM, SIGINT])
    func `a signal gives workers their time, refuses creates, and ends with nothing left`(signal: Int32)
        throws
    {
        let runner = try RunnerProcess.begin(
            worker: """
                trap 'echo saving; while [ ! -e "$PORTER_WORKSPACE/go" ]; do sleep 0.05; done; exit 7' TERM
                echo begun; while :; do sleep 0.1; done

                """)
        let machine = try runner.machines.create(RunnerProcess.plan("a"))
        #expect(runner.says("begun"))

        kill(runner.pid, signal)
        #expect(runner.says("saving"))
        let refused = #expect(throws: MachinesError.self) {
            try runner.machines.create(RunnerProcess.plan("b"))
        }
        #expect(refused?.status == 503)
        #expect(try runner.machines.find(machine.id)?.isGone == false)
        #expect(!runner.hasEnded)
        let go = folder(runner, "workspaces/\(machine.id)/go")
        #expect(FileManager.default.createFile(atPath: go, contents: nil))

        #expect(try runner.wait() == .exited(0))
        #expect(!FileManager.default.fileExists(atPath: runner.folder.path + "/runner.sock"))
        let next = try RunnerProcess.begin(worker: "exit 0\n", in: runner.folder)
        let found = try #require(try next.machines.find(machine.id))
        #expect(found.exit?.code == 7)
        #expect(found.exit?.wasRequested == true)
        #expect(found.exit?.message == "")
    }

    @Test func `a second signal ends everything at once`() throws {
        let runner = try RunnerProcess.begin(
            worker: "trap 'echo ignored' TERM; echo begun\n" + MachineTests.endless)
        _ = try runner.machines.create(RunnerProcess.plan("a"))
        #expect(runner.says("begun"))
        let processes = HostProcesses.descendants(of: runner.pid)

        kill(runner.pid, SIGTERM)
        #expect(runner.says("ignored"))
        kill(runner.pid, SIGTERM)

        #expect(try runner.wait() == .exited(0))
        #expect(processes.allSatisfy { HostProcesses.commandLine($0).isEmpty })
    }

    @Test func `a second runner does not get the folder of the first`() throws {
        let runner = try RunnerProcess.begin(worker: MachineTests.endless)

        let second = try RunnerProcess(worker: "exit 0\n", in: runner.folder)

        #expect(try second.wait() == .exited(75))
        #expect(second.words.contains("another runner uses"))
        #expect(try runner.call("GET", "").status == 200)
    }

    private func folder(_ runner: RunnerProcess, _ name: String) -> String {
        runner.folder.path + "/state/" + name
    }
}
