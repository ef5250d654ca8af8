import Foundation
import Glibc
import PorterProcess
import PorterSettings
import PorterTestSupport
import Testing

@testable import PorterRunner

@Suite struct StartTests {
    @Test func `an argument is refused with 64`() throws {
        let runner = try RunnerProcess(worker: "exit 0\n", arguments: ["--fast"])
        #expect(try runner.wait() == .exited(64))
        #expect(runner.words.contains("--fast"))
    }

    @Test func `wrong settings are all told at once with 78`() throws {
        let runner = try RunnerProcess(
            worker: nil,
            [
                "PORTER_RUNNER_SOCKET": "runner.sock", "PORTER_WORKER_COMMAND": "/nothing/worker",
                "STATE_DIRECTORY": "state", "PORTER_CA_FILE": "/nothing/ca.pem",
                "PORTER_LOG_LEVEL": "loud", "PORTER_RUNNER_ISOLATION": "none",
                "PORTER_AGENT_PATH": "/opt:relative",
            ])
        #expect(try runner.wait() == .exited(78))
        let lines = runner.words.split(separator: "\n")
        for name in [
            "PORTER_RUNNER_SOCKET", "PORTER_WORKER_COMMAND", "STATE_DIRECTORY", "PORTER_CA_FILE",
            "PORTER_LOG_LEVEL", "PORTER_RUNNER_ISOLATION", "PORTER_AGENT_PATH",
        ] {
            #expect(lines.filter { $0.hasPrefix(name) }.count == 1, "\(name)")
        }
    }

    @Test(arguments: ["root", "no-such-user-here"])
    func `a root runner wants an ordinary user for its machines`(name: String) {
        let error = #expect(throws: ConfigurationErrors.self) {
            try RunnerSettings.load(
                [
                    "PORTER_RUNNER_USER": name, "PORTER_RUNNER_SOCKET": "/tmp/s",
                    "PORTER_WORKER_COMMAND": "/bin/true",
                ], isRoot: true, folder: "/")
        }
        #expect(error?.lines.count == 1)
        #expect(error?.lines.first?.hasPrefix("PORTER_RUNNER_USER") == true)
    }

    @Test func `the defaults are the contract's`() throws {
        let folder = try TemporaryFolder()
        try folder.write("#!/bin/sh\n", to: "porter-worker", mode: 0o755)
        let settings = try RunnerSettings.load(
            ["PORTER_RUNNER_SOCKET": folder.path + "/s"], isRoot: true, folder: folder.path)
        #expect(settings.worker == folder.path + "/porter-worker")
        #expect(settings.user?.name == "nobody")
        #expect(settings.state == "/var/lib/porter-runner")
        #expect(settings.logLevel == "notice")
        #expect(settings.isolation == .box)
        #expect(settings.agentPath == nil)
    }

    @Test func `a program that is missing is named`() {
        #expect(Checks.missing(["/bin/sh", "/nothing/bwrap"]) == ["/nothing/bwrap"])
    }

    @Test func `where no namespace may be made the runner refuses with the reason`() throws {
        // A box in which none can be made, with everything of the host in it.
        let runner = try RunnerProcess(
            worker: "exit 0\n", asNobody: true,
            prefix: [
                "/usr/bin/bwrap", "--unshare-user", "--disable-userns", "--dev-bind", "/", "/",
                "--die-with-parent", "--",
            ])
        #expect(try runner.wait() == .exited(69))
        #expect(runner.words.contains("bwrap: "), "\(runner.words)")
        #expect(runner.words.contains("PORTER_RUNNER_ISOLATION=weak"))
    }

    @Test func `a worker that machines cannot read is refused at start`() throws {
        let folder = try TemporaryFolder()
        let state = folder.path + "/closed"
        try FileManager.default.createDirectory(atPath: state, withIntermediateDirectories: true)
        chmod(state, 0o700)
        guard geteuid() == 0 else { return }
        let runner = try RunnerProcess(
            worker: "exit 0\n", in: folder, ["STATE_DIRECTORY": state + "/state"])
        #expect(try runner.wait() == .exited(69))
        #expect(runner.words.contains("a machine cannot be begun as nobody"))
    }
}
