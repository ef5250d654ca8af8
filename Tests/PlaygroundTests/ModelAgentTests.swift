import Foundation
import Glibc
import PlaygroundFace
import Porter
import PorterProcess
import PorterTestSupport
import Testing

@testable import PlaygroundModel
@testable import PorterAgents
@testable import PorterWorker

/// Where `make setup` puts the agents' real programs, and whether the tests do without.
enum RealAgents {
    /// `PORTER_TEST_WITHOUT_CLIS=1`.
    static let areLeftOut = getenv("PORTER_TEST_WITHOUT_CLIS").map { String(cString: $0) } == "1"

    /// Whether the program is there; says so when it is not.
    static func has(_ name: String) -> Bool {
        let isThere = folders().contains { access("\($0)/\(name)", X_OK) == 0 }
        if !isThere { print("\(name) is not below .venv-agents: what needs it is left out") }
        return isThere
    }

    /// The folders that hold `codex` and `claude`.
    static func folders(beside file: String = #filePath) -> [String] {
        let root = file.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()
        let library = root + "/.venv-agents/lib"
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: library)) ?? []
        let packages = "\(library)/\(versions.sorted().last ?? "python3")/site-packages"
        return [packages + "/codex_cli_bin/bin", packages + "/claude_agent_sdk/_bundled"]
    }
}

/// The real programs, called as the catalog says, in the agent's box, against the scripted model.
@Suite(.enabled(if: !RealAgents.areLeftOut, "PORTER_TEST_WITHOUT_CLIS=1 leaves the real agents out"))
struct ModelAgentTests {
    /// How a run went.
    private struct Outcome: Sendable {
        let ending: Child.Ending
        let report: AgentReport
        let greeting: String?
        let requests: [JSON]
    }

    /// `make setup` brings codex; claude is tried where somebody put it (`pip install claude-agent-sdk`).
    private static let names = ["codex", "claude"].filter { $0 == "codex" || RealAgents.has($0) }

    private func run(_ name: String, _ script: Script = Script(), key: String = "sk-scripted") throws
        -> Outcome
    {
        let folders = RealAgents.folders()
        let folder = try #require(
            folders.first { access("\($0)/\(name)", X_OK) == 0 },
            "\(name) is not below .venv-agents: run make setup, or set PORTER_TEST_WITHOUT_CLIS=1")
        let log = try RecordLog(file: nil)
        let face = Face(port: 0, Model(key: "sk-scripted", script: script, log: log).answer)
        let address = try face.start()
        defer { face.stop() }
        let definition = try #require(AgentCatalog.standard(demo: nil).find(name))
        let invocation = definition.invocation(
            model: nil,
            environment: [
                "OPENAI_API_KEY": Secret(key), "OPENAI_BASE_URL": Secret(address + "/v1"),
                "ANTHROPIC_API_KEY": Secret(key), "ANTHROPIC_BASE_URL": Secret(address),
            ])
        let root = try temporaryFolder()
        defer { _ = try? Command("/bin/rm", ["-rf", root], environment: [:]).run(timeout: .seconds(30)) }
        let tree = root + "/tree"
        try shell("git init -q \(tree); chmod 755 \(root); chown -R 65534:65534 \(root)")
        var box = Box(tree: tree, hasNetwork: true)
        box.searched = [folder]
        box.readable = [folder]
        box.environment = invocation.environment.mapValues { $0.reveal { $0 } }
        let result = try inside(box, ["\(folder)/\(name)"] + invocation.arguments.dropFirst(), root)
        var reader = definition.reader()
        reader.read(result.output)
        return Outcome(
            ending: result.ending, report: reader.finish(),
            greeting: try? String(contentsOfFile: tree + "/greet.sh", encoding: .utf8), requests: log.records)
    }

    /// Runs the program in the box as the machine's user does: not as root.
    private func inside(_ box: Box, _ program: [String], _ root: String) throws -> Capture {
        let path = root + "/options"
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        let bytes = box.options.reduce(into: [UInt8]()) { $0 += Array($1.utf8) + [0] }
        try #require(write(descriptor, bytes, bytes.count) == bytes.count)
        lseek(descriptor, 0, SEEK_SET)
        var command = box.command(program, options: descriptor, input: Array("Add a greeting.\n".utf8))
        if getuid() == 0 {
            command.arguments =
                ["--reuid=65534", "--regid=65534", "--clear-groups", command.program] + command.arguments
            command.program = "/usr/bin/setpriv"
        }
        let result = try command.run(timeout: .seconds(120))
        try #require(!result.wasTimedOut, "the program did not end by itself")
        return result
    }

    private func temporaryFolder() throws -> String {
        var template = Array("/tmp/porter-model-test-XXXXXX".utf8CString)
        return try template.withUnsafeMutableBufferPointer { buffer in
            String(cString: try #require(buffer.baseAddress.flatMap { mkdtemp($0) }))
        }
    }

    private func shell(_ script: String) throws {
        let result = try Command("/bin/sh", ["-ec", script], environment: ["PATH": "/usr/bin:/bin"])
            .run(timeout: .seconds(30))
        try #require(result.isGood, "\(result.lastError)")
    }

    @Test(arguments: names)
    func `a whole turn writes the file, and its final text and usage are read`(name: String) async throws {
        let outcome = try await onThread { try run(name) }

        #expect(outcome.ending == .exited(0))
        #expect(outcome.report.failure == nil)
        #expect(outcome.report.finalText?.hasPrefix("I added `greet.sh`") == true)
        #expect(outcome.greeting?.contains("Hello, ${1:-world}!") == true)
        #expect(outcome.report.usage?.inputTokens == 2 * Dialect.inputTokens)
        #expect(outcome.report.usage?.outputTokens == 2 * Dialect.outputTokens)
        #expect(outcome.requests.count == 2)
        #expect(outcome.requests.allSatisfy { $0["status"] == 200 })
    }

    @Test(arguments: names)
    func `a command that fails leaves exit code 0 and no file`(name: String) async throws {
        let script = Script(command: "false", final: "Nothing was done.")
        let outcome = try await onThread { try run(name, script) }

        #expect(outcome.ending == .exited(0))
        #expect(outcome.report.failure == nil)
        #expect(outcome.report.finalText == "Nothing was done.")
        #expect(outcome.greeting == nil)
    }

    @Test(arguments: names)
    func `a key that the provider refuses is told as that`(name: String) async throws {
        let outcome = try await onThread { try run(name, key: "sk-another") }

        #expect(outcome.ending == .exited(1))
        #expect(outcome.report.failure == .providerAuth)
        #expect(outcome.requests.allSatisfy { $0["key_ok"] == false })
    }

    @Test(
        arguments: names,
        [
            (Fault.status(500), Reason.providerOverloaded), (.status(529), .providerOverloaded),
            (.status(429), .providerOverloaded), (.quota, .providerQuota), (.context, .contextTooLong),
        ])
    func `a provider's failure gets the right reason, and the run ends`(
        name: String, given: (fault: Fault, reason: Reason)
    ) async throws {
        let script = Script(fault: given.fault)
        let outcome = try await onThread { try run(name, script) }

        #expect(outcome.ending == .exited(1))
        #expect(outcome.report.failure == given.reason)
        #expect(outcome.report.failureText?.isEmpty == false)
        #expect(outcome.requests.count <= 16)
    }
}
