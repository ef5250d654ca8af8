import Foundation
import Glibc
import Porter
import PorterProcess
import PorterTestSupport
import Testing

/// Machines without a box, where the operator accepted that.
@Suite struct WeakTests {
    private static let weak = ["PORTER_RUNNER_ISOLATION": "weak"]

    @Test func `the runner says loudly what is missing, and the worker learns it`() throws {
        let runner = try RunnerProcess.begin(
            worker: "env | sed 's/^/env: /'; echo over; \(MachineTests.endless)", Self.weak)
        let body = try runner.call("GET", "").body
        let app = try #require(try JSONSerialization.jsonObject(with: body) as? [String: Any])
        let warnings = try #require(app["warnings"] as? [String])

        #expect(app["isolation"] as? String == "weak")
        #expect(warnings.contains { $0.hasPrefix("PORTER_RUNNER_ISOLATION=weak: ") })
        #expect(runner.words.contains("without a box"))
        _ = try runner.machines.create(RunnerProcess.plan("a", token: "tok-canary"))
        #expect(runner.says("over"))
        #expect(runner.words.contains("env: PORTER_ISOLATION=weak\n"))
        #expect(runner.words.contains("env: PORTER_CALLBACK_TOKEN=tok-canary\n"))
        for pid in HostProcesses.descendants(of: runner.pid) {
            let ids = HostProcesses.status(pid, "Uid")
            #expect(ids.isEmpty || !ids.contains(0), "\(HostProcesses.commandLine(pid))")
        }
    }

    @Test func `a forced destroy and an ordinary end leave no descendant`() throws {
        let number = "4\(UInt32.random(in: 0 ... .max))"
        let runner = try RunnerProcess.begin(
            worker: """
                setsid sleep \(number) & (setsid sh -c 'sleep \(number) & exec nohup sleep \(number)' &) &
                sleep 0.3; echo "begun $PORTER_TASK_ID"
                [ "$PORTER_TASK_ID" = short ] && exit 6
                trap '' TERM; while :; do sleep 0.1; done

                """, Self.weak)
        let short = try runner.machines.create(RunnerProcess.plan("a", task: "short"))
        #expect(try runner.end(of: short).exit?.code == 6)
        #expect(HostProcesses.running("sleep \(number)").isEmpty)
        let long = try runner.machines.create(RunnerProcess.plan("b", task: "long"))
        #expect(runner.says("begun long"))
        #expect(HostProcesses.running("sleep \(number)").count >= 3)

        try runner.machines.destroy(long.id)

        #expect(HostProcesses.running("sleep \(number)").isEmpty)
        #expect(try runner.machines.find(long.id)?.exit?.code == 137)
    }

    @Test func `the runner's death leaves no descendant`() throws {
        let number = "2\(UInt32.random(in: 0 ... .max))"
        let runner = try RunnerProcess.begin(
            worker: "setsid sleep \(number) & (setsid nohup sleep \(number) &) & echo begun\n"
                + MachineTests.endless, Self.weak)
        _ = try runner.machines.create(RunnerProcess.plan("a"))
        #expect(runner.says("begun"))
        #expect(eventually { HostProcesses.running("sleep \(number)").count >= 2 })

        kill(runner.pid, SIGKILL)

        _ = try runner.wait()
        #expect(eventually { HostProcesses.running("sleep \(number)").isEmpty })
        // The next runner removes the control groups.
        _ = try RunnerProcess.begin(worker: "exit 0\n", in: runner.folder, Self.weak)
    }

    @Test func `a signal reaches the worker, which has its time`() throws {
        let runner = try RunnerProcess.begin(
            worker: "trap 'echo saving; exit 7' TERM; echo begun; \(MachineTests.endless)", Self.weak)
        let machine = try runner.machines.create(RunnerProcess.plan("a"))
        #expect(runner.says("begun"))

        kill(runner.pid, SIGTERM)

        #expect(try runner.wait() == .exited(0))
        #expect(runner.words.contains("saving"))
        let next = try RunnerProcess.begin(worker: "exit 0\n", in: runner.folder, Self.weak)
        #expect(try next.machines.find(machine.id)?.exit?.code == 7)
    }

    @Test func `it serves where no namespace can be made`() throws {
        let runner = try RunnerProcess(
            worker: "exit 3\n", asNobody: true,
            prefix: [
                "/usr/bin/bwrap", "--unshare-user", "--disable-userns", "--dev-bind", "/", "/",
                "--die-with-parent", "--",
            ], Self.weak)
        try #require(eventually { (try? runner.call("GET", ""))?.status == 200 || runner.hasEnded })

        let machine = try runner.machines.create(RunnerProcess.plan("a"))

        #expect(try runner.end(of: machine).exit?.code == 3)
    }
}
