import Foundation
import PlaygroundFace
import PorterProcess
import PorterTestSupport
import Testing

@testable import PorterWorker

/// The agents of `Playground/agents`, run as the machine's user runs them: not as root.
@Suite struct AgentScriptTests {
    private static let agents =
        #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined() + "/Playground/agents"
    private static let canary = "canary-3f9a1c77e2d04b"

    /// A git tree that nobody owns, and a folder for what escapes.
    private struct Yard: Sendable {
        let root: String
        var tree: String { root + "/tree" }
        var markers: String { root + "/markers" }

        init() throws {
            var template = Array("/tmp/porter-agents-test-XXXXXX".utf8CString)
            root = try template.withUnsafeMutableBufferPointer { buffer in
                String(cString: try #require(buffer.baseAddress.flatMap { mkdtemp($0) }))
            }
            try shell(
                """
                mkdir \(root)/tree \(root)/markers; cd \(root)/tree; git init -q -b main
                echo seed > seed.txt; echo \(AgentScriptTests.canary) > canaries.txt; git add .
                git -c user.name=a -c user.email=a@example.org commit -qm seed
                chmod 755 \(root); chown -R 65534:65534 \(root)
                """)
        }

        @discardableResult
        func shell(_ script: String, environment: [String: String] = [:]) throws -> Capture {
            let base = ["PATH": "/usr/bin:/bin", "HOME": root, "GIT_CONFIG_NOSYSTEM": "1"]
            return try Command(
                "/bin/sh", ["-ec", script], environment: base.merging(environment) { $1 }
            ).run(timeout: .seconds(100))
        }

        /// Runs the command as nobody, with a prompt.
        func run(_ command: Command) throws -> Capture {
            var command = command
            if getuid() == 0 {
                command.arguments =
                    ["--reuid=65534", "--regid=65534", "--clear-groups", command.program] + command.arguments
                command.program = "/usr/bin/setpriv"
            }
            return try command.run(timeout: .seconds(100))
        }

        /// Runs the agent in the agent's box.
        func box(_ agent: String, environment: [String: String] = [:]) throws -> Capture {
            var box = Box(tree: tree, hasNetwork: true)
            box.readable = [agent]
            box.environment = environment
            let descriptor = open(root + "/options", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
            try #require(descriptor >= 0)
            defer { close(descriptor) }
            let bytes = box.options.reduce(into: [UInt8]()) { $0 += Array($1.utf8) + [0] }
            try #require(write(descriptor, bytes, bytes.count) == bytes.count)
            lseek(descriptor, 0, SEEK_SET)
            return try run(
                box.command([agent], options: descriptor, input: Array("Add a greeting `x`.\n".utf8)))
        }

        func report() throws -> JSON {
            try #require(JSON(try Data(contentsOf: URL(filePath: tree + "/hostile-report.json"))))
        }

        /// How many of the processes that the agent left behind are alive; 2 where nothing holds them.
        func left(_ report: JSON) throws -> Int? {
            let time = try #require(report["sleeper_time"].string)
            return Int(try shell("ps -eo args | grep -c '^sleep [6]\(time.dropFirst())$' || true").text)
        }

        func remove() {
            _ = try? shell("rm -rf \(root)")
        }
    }

    @Test func `the demo agent adds a greeting that mentions what was asked for, slowly enough to see`()
        async throws
    {
        let start = ContinuousClock.now
        let (result, file, status) = try await onThread {
            let yard = try Yard()
            defer { yard.remove() }
            let result = try yard.box(Self.agents + "/demo")
            let file = try String(contentsOfFile: yard.tree + "/GREETING.md", encoding: .utf8)
            return (
                result, file, try yard.shell("cd \(yard.tree); git -c safe.directory='*' status --porcelain")
            )
        }

        #expect(result.ending == .exited(0))
        #expect(file.contains("Add a greeting x."))
        #expect(result.text.contains("I added `GREETING.md`"))
        #expect(status.text == "?? GREETING.md")
        #expect(ContinuousClock.now - start > .seconds(2))
    }

    @Test func `the hostile agent finds canaries where there is no wall`() async throws {
        let (result, report, left) = try await onThread {
            let yard = try Yard()
            defer { yard.remove() }
            try yard.shell("echo token=\(Self.canary) > \(yard.root)/secret; chmod 644 \(yard.root)/secret")
            try yard.shell("git config -f \(yard.tree)/.git/config http.extraHeader 'A: \(Self.canary)'")
            let holder = try Self.holder(yard)
            defer {
                holder.signalGroup(SIGKILL)
                _ = holder.watch(Child.Care(onOutput: { _, _ in }, onTick: {}))
            }
            let result = try yard.run(
                Command(
                    Self.agents + "/hostile", [],
                    environment: [
                        "PATH": "/usr/bin:/bin", "HOME": yard.root, "HOSTILE_MARKERS": yard.markers,
                        "LEAKED": Self.canary,
                    ], directory: yard.tree, input: Array("Hello.\n".utf8)))
            let report = try yard.report()
            let left = try yard.left(report)
            for sleeper in report["sleepers"].array { kill(Int32(sleeper.integer ?? 0), SIGKILL) }
            for write in report["writes"].array { unlink(write.string ?? "") }
            return (result, report, left)
        }

        #expect(result.ending == .exited(0))
        #expect(result.text.hasSuffix("hostile-report.json"))
        let kinds = Set(report["finds"].array.compactMap { $0["kind"].string })
        for kind in ["environment", "process environ", "descriptor", "memory", "git", "file"] {
            #expect(kinds.contains(kind), "nothing was found in: \(kind)")
        }
        #expect(left == 2)
        #expect(report["writes"].array.contains { $0.string?.hasPrefix("/tmp/") == true })
    }

    /// A process of the same user that holds the canary in its environment, a descriptor and its memory.
    private static func holder(_ yard: Yard) throws -> Child {
        let script = "word=$SECRET; exec 7<\(yard.root)/secret; echo ready; sleep 90; echo $word"
        let command =
            getuid() == 0
            ? Command(
                "/usr/bin/setpriv",
                ["--reuid=65534", "--regid=65534", "--clear-groups", "/bin/bash", "-c", script],
                environment: ["PATH": "/usr/bin:/bin", "SECRET": canary])
            : Command(
                "/bin/bash", ["-c", script], environment: ["PATH": "/usr/bin:/bin", "SECRET": canary])
        let child = try command.start()
        // The descriptor is open once the shell has changed its user and begun.
        try #require(eventually { access("/proc/\(child.pid)/fd/7", F_OK) == 0 })
        return child
    }

    @Test func `in its box the hostile agent finds nothing, leaves nothing, and its honest change is there`()
        async throws
    {
        let (result, report, sees) = try await onThread {
            let yard = try Yard()
            defer { yard.remove() }
            try yard.shell("echo token=\(Self.canary) > \(yard.root)/secret; chmod 644 \(yard.root)/secret")
            let holder = try Self.holder(yard)
            defer {
                holder.signalGroup(SIGKILL)
                _ = holder.watch(Child.Care(onOutput: { _, _ in }, onTick: {}))
            }
            let result = try yard.box(
                Self.agents + "/hostile", environment: ["HOSTILE_MARKERS": yard.markers])
            let report = try yard.report()
            let escaped = report["writes"].array.compactMap(\.string).filter { access($0, F_OK) == 0 }
            let left = try yard.left(report)
            let honest = access(yard.tree + "/HONEST.md", F_OK) == 0
            return (result, report, (escaped: escaped, left: left, honest: honest))
        }

        #expect(result.ending == .exited(0))
        #expect(report["canaries"] == 1)
        #expect(report["finds"] == [])
        #expect(report["escapes"] == [])
        #expect(report["looked_at"]["process environ"].integer ?? 0 > 0)
        #expect(sees.escaped == [])
        #expect(sees.left == 0)
        #expect(sees.honest)
    }

    @Test func `each planted git setting leaves its mark when it is believed outside`() async throws {
        let marks = try await onThread {
            let yard = try Yard()
            defer { yard.remove() }
            _ = try yard.box(Self.agents + "/hostile", environment: ["HOSTILE_MARKERS": yard.markers])
            // What a careless supervisor would do, as the same user.
            _ = try yard.run(
                Command(
                    "/bin/sh",
                    [
                        "-c",
                        """
                        git status; git -c commit.gpgSign=false commit -qam x; git add -A
                        git commit -qm x; git checkout -q -b other; git diff; git diff HEAD~1
                        timeout 5 git fetch -q ssh://127.0.0.1:1/x; git status
                        """,
                    ],
                    environment: [
                        "PATH": "/usr/bin:/bin", "HOME": yard.root, "GIT_AUTHOR_NAME": "a",
                        "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b",
                    ], directory: yard.tree))
            return try yard.shell("ls \(yard.markers)").text
        }

        for mark in ["fsmonitor", "hook", "filterClean", "filterProcess", "sshCommand", "gpg"] {
            #expect(marks.contains(mark), "no mark of \(mark) among: \(marks)")
        }
    }
}
