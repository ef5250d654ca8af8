import Foundation
import Glibc
import Porter
import PorterHTTP
import PorterProcess
import Synchronization
import Testing

@testable import PorterWorker

/// The agent's program on a machine that can make no boxes.
@Suite struct BareBoxTests {
    private let bare = Box(tree: "/ws/tree", hasNetwork: true).withoutWalls(home: "/ws/agent")

    @Test func `it runs beside the worker with an environment and a session of its own`() {
        var box = bare
        box.environment = ["OPENAI_API_KEY": "sk-canary"]
        box.searched = ["/opt/agents"]
        let command = box.bareCommand(["/opt/agents/codex", "exec"], input: nil)
        #expect(command.program == "/opt/agents/codex")
        #expect(command.arguments == ["exec"])
        #expect(command.directory == "/ws/tree")
        #expect(command.hasOwnSession)
        #expect(
            command.environment == [
                "OPENAI_API_KEY": "sk-canary", "HOME": "/ws/agent", "TMPDIR": "/ws/agent", "LANG": "C.UTF-8",
                "PATH": "/opt/agents:/usr/local/bin:/usr/bin:/bin",
            ])
    }

    @Test func `what lies at a place in a box is found where it really is`() {
        var box = bare
        box.mounts.append(("/ws/prompt.md", "/home/agent/prompt.md", false))
        #expect(box.seen("/home/agent/prompt.md") == "/ws/prompt.md")
        #expect(box.seen("--json") == "--json")
        var walled = Box(tree: "/ws/tree", hasNetwork: true)
        walled.mounts = box.mounts
        #expect(walled.seen("/home/agent/prompt.md") == "/home/agent/prompt.md")
    }

    @Test func `an engine's word that nobody knows is refused`() {
        let environment = [
            "PORTER_CALLBACK_URL": "https://porter.example.org", "PORTER_CALLBACK_TOKEN": "t",
            "PORTER_TASK_ID": "task_01J0000000000000000000000A",
        ]
        #expect((try? WorkerSettings.load(environment))?.isWeak == false)
        #expect(
            (try? WorkerSettings.load(environment.merging(["PORTER_ISOLATION": "weak"]) { $1 }))?.isWeak
                == true)
        #expect((try? WorkerSettings.load(environment.merging(["PORTER_ISOLATION": "none"]) { $1 })) == nil)
    }

    @Test func `a child with a session of its own leads it`() throws {
        var command = Command(
            "/bin/sh", ["-c", "cut -d' ' -f1,5,6 /proc/$$/stat"], environment: ["PATH": "/usr/bin:/bin"])
        command.hasOwnSession = true
        let words = try command.run(timeout: .seconds(20)).text.split(separator: " ")
        #expect(words.count == 3)
        #expect(Set(words).count == 1, "\(words)")
    }
}

@Suite struct ShutdownTests {
    @Test func `what is to be done is done once asked, before or after it is known`() {
        let before = Shutdown()
        let after = Shutdown()
        let counts = [Counter(), Counter()]

        before.ask()
        before.whenAsked { counts[0].add() }
        after.whenAsked { counts[1].add() }
        #expect(counts.map(\.value) == [1, 0])
        after.ask()

        #expect(counts.map(\.value) == [1, 1])
        #expect(before.isAsked && after.isAsked)
    }
}

extension ShutdownTests {
    @Test func `a worker that is shut down while it claims gives up`() {
        let callbacks = Callbacks(
            transport: Transport { _, _ throws(TransportError) in
                throw TransportError(.unreachable, "nobody there")
            }, address: "http://127.0.0.1:1")

        #expect(throws: Callbacks.Silence.self) {
            try callbacks.askOn(
                "claim", ClaimBody(nonce: "n"), token: Secret("t"), for: StoredAnswer.self,
                atMost: .seconds(300),
                isCancelled: { true })
        }
    }
}

private final class Counter: Sendable {
    private let count = Mutex(0)

    var value: Int { count.withLock { $0 } }

    func add() {
        count.withLock { $0 += 1 }
    }
}
