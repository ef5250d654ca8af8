import Foundation
import Glibc
import Porter
import Synchronization
import PorterTestSupport
import Testing

/// What a machine is and does, told by the real program.
@Suite struct MachineTests {
    /// A worker that lives until it is killed.
    static let endless = "while :; do sleep 0.1; done\n"

    @Test func `a created machine starts, is found with its events newest first, and ends with its code`()
        throws
    {
        let runner = try RunnerProcess.begin(worker: "sleep 0.3; exit 3\n")

        let machine = try runner.machines.create(RunnerProcess.plan("a"))
        let ended = try runner.end(of: machine)

        #expect(ended.name == "a")
        #expect(ended.metadata["porter_task"] == "task_1")
        #expect(ended.exit?.code == 3)
        #expect(ended.exit?.outOfMemory == false)
        #expect(ended.exit?.wasRequested == false)
        let body = try runner.call("GET", "/machines/\(machine.id)").body
        let shown = try #require(try JSONSerialization.jsonObject(with: body) as? [String: Any])
        let events = try #require(shown["events"] as? [[String: Any]])
        #expect(events.compactMap { $0["type"] as? String } == ["destroy", "exit", "start", "launch"])
        #expect(eventually { !FileManager.default.fileExists(atPath: workspace(runner, machine)) })
    }

    @Test func `the worker gets its environment, its own folder, and nothing of the runner's`() throws {
        let runner = try RunnerProcess.begin(
            worker: """
                env | sed 's/^/env: /'; pwd | sed 's/^/pwd: /'; ls -A "$PORTER_WORKSPACE/.." | sed 's/^/seen: /'
                ls -A "$PORTER_WORKSPACE/../.." | sed 's/^/seen: /'; echo "core: $(ulimit -c)"
                touch "$PORTER_WORKSPACE/mine" && echo "wrote: own"
                touch /tmp/mine && echo "wrote: tmp"
                for place in / /var/tmp "$PORTER_WORKSPACE/.." "$0"; do
                    if touch "$place" 2>/dev/null; then echo "touched: $place"; fi
                done
                ls /proc/self/fd | sed 's/^/fd: /'; tr '\\0' ' ' </proc/1/environ | sed 's/^/first: /'
                echo over; while :; do sleep 0.1; done

                """, ["SECRET_OF_THE_RUNNER": "canary", "PORTER_AGENT_PATH": "/usr/local/bin"])

        let machine = try runner.machines.create(RunnerProcess.plan("a", task: "task_9", token: "tok-canary"))
        _ = try runner.machines.create(RunnerProcess.plan("b"))
        #expect(runner.says("over"))
        let lines = Set(runner.words.split(separator: "\n").map(String.init))
        let workspace = workspace(runner, machine)

        #expect(lines.contains("env: PORTER_TASK_ID=task_9"))
        #expect(lines.contains("env: PORTER_CALLBACK_TOKEN=tok-canary"))
        #expect(lines.contains("env: PORTER_CALLBACK_URL=http://127.0.0.1:1"))
        #expect(lines.contains("env: PORTER_WORKSPACE=\(workspace)"))
        #expect(lines.contains("env: PORTER_AGENT_PATH=/usr/local/bin"))
        #expect(lines.contains("pwd: \(workspace)"))
        #expect(lines.contains("core: 0"))
        #expect(lines.contains("wrote: own"))
        #expect(lines.contains("wrote: tmp"))
        #expect(!runner.words.contains("touched: /var"))
        #expect(!runner.words.contains("touched: /\n"))
        #expect(!lines.contains { $0.hasPrefix("touched: /tmp") && $0.hasSuffix("/worker") })
        #expect(!runner.words.contains("SECRET_OF_THE_RUNNER"))
        // Of the runner's folder it sees the program and its own workspace.
        let seen = lines.filter { $0.hasPrefix("seen: ") }
        #expect(!seen.contains("seen: machines"))
        #expect(!seen.contains("seen: lock"))
        #expect(lines.filter { $0.hasPrefix("first: ") }.allSatisfy { !$0.contains("canary") })
        // 0 to 2, and the one that ls itself opens.
        let descriptors = Set(lines.filter { $0.hasPrefix("fd: ") })
        #expect(descriptors == ["fd: 0", "fd: 1", "fd: 2", "fd: 3"])
    }

    @Test func `no secret is on a command line, and no process of a machine is root`() throws {
        let runner = try RunnerProcess.begin(
            worker: "setsid sh -c 'while :; do sleep 0.1; done' & echo begun\n" + Self.endless)

        _ = try runner.machines.create(RunnerProcess.plan("a", token: "tok-canary-\(runner.pid)"))
        #expect(runner.says("begun"))

        let processes = HostProcesses.descendants(of: runner.pid)
        #expect(processes.count >= 4)
        for pid in processes {
            let ids = HostProcesses.status(pid, "Uid")
            #expect(ids.isEmpty || !ids.contains(0), "\(HostProcesses.commandLine(pid))")
            let groups = HostProcesses.status(pid, "Gid") + HostProcesses.status(pid, "Groups")
            #expect(geteuid() != 0 || !groups.contains(0), "\(HostProcesses.commandLine(pid))")
        }
        for pid in HostProcesses.all {
            #expect(!HostProcesses.commandLine(pid).contains("tok-canary-\(runner.pid)"))
        }
        for name in try FileManager.default.contentsOfDirectory(
            atPath: runner.folder.path + "/state/machines")
        {
            let file = FileManager.default.contents(atPath: runner.folder.path + "/state/machines/" + name)
            #expect(!String(decoding: file ?? Data(), as: UTF8.self).contains("tok-canary"))
        }
    }

    @Test func `a forced destroy answers when everything that the machine began is gone`() throws {
        let number = "7\(UInt32.random(in: 0 ... .max))"
        let runner = try RunnerProcess.begin(
            worker: """
                setsid sleep \(number) & (setsid sh -c 'sleep \(number) & exec nohup sleep \(number)' &) &
                sleep 0.3; echo begun; trap '' TERM; while :; do sleep 0.1; done

                """)
        let machine = try runner.machines.create(RunnerProcess.plan("a"))
        #expect(runner.says("begun"))
        #expect(HostProcesses.running("sleep \(number)").count >= 3)

        try runner.machines.destroy(machine.id)

        #expect(HostProcesses.running("sleep \(number)").isEmpty)
        let found = try #require(try runner.machines.find(machine.id))
        #expect(found.state == .destroyed)
        #expect(found.exit?.code == 137)
        #expect(found.exit?.wasRequested == true)
        #expect(found.exit?.outOfMemory == false)
        try runner.machines.destroy(machine.id)
    }

    @Test func `what a worker leaves behind ends with it`() throws {
        let number = "6\(UInt32.random(in: 0 ... .max))"
        let runner = try RunnerProcess.begin(worker: "setsid sleep \(number) & sleep 0.2; exit 0\n")

        let ended = try runner.end(of: try runner.machines.create(RunnerProcess.plan("a")))

        #expect(ended.exit?.code == 0)
        #expect(HostProcesses.running("sleep \(number)").isEmpty)
    }

    @Test func `a machine destroyed right after its create is gone, whether it had begun or not`() throws {
        let runner = try RunnerProcess.begin(worker: Self.endless)
        for name in ["a", "b", "c", "d", "e"] {
            let machine = try runner.machines.create(RunnerProcess.plan(name))
            try runner.machines.destroy(machine.id)
            #expect(try runner.machines.find(machine.id)?.state == .destroyed)
        }
        #expect(eventually { HostProcesses.descendants(of: runner.pid).isEmpty })
    }

    private func workspace(_ runner: RunnerProcess, _ machine: Machine) -> String {
        runner.folder.path + "/state/workspaces/" + machine.id
    }
}
