import Glibc
import Porter
import PorterProcess
import Synchronization
import Testing

@testable import PorterWorker

/// Real git in a folder of the test's own.
final class GitFolder {
    let path: String

    init() throws {
        var template = Array("/tmp/porter-worker-test-XXXXXX".utf8CString)
        path = try template.withUnsafeMutableBufferPointer { buffer in
            let made = try #require(buffer.baseAddress.flatMap { mkdtemp($0) })
            return String(cString: made)
        }
    }

    deinit {
        _ = try? Command("/bin/rm", ["-rf", path], environment: [:]).run(timeout: .seconds(20))
    }

    @discardableResult
    func shell(_ script: String) throws -> String {
        let environment = [
            "PATH": "/usr/bin:/bin", "HOME": path, "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_COMMITTER_NAME": "a",
            "GIT_COMMITTER_EMAIL": "a@example.org",
        ]
        let result = try Command(
            "/bin/sh", ["-ec", script], environment: environment, directory: path
        ).run(timeout: .seconds(60))
        try #require(result.isGood, "\(String(decoding: result.errors, as: UTF8.self))")
        return result.text
    }
}

/// A repository to clone from and the workspace of a run, in a folder of the test's own.
struct RepositoryScene {
    static let task = "task_01J0000000000000000000000A"

    let folder: GitFolder
    let workspace: Workspace
    let limit = TimeLimit("The test", seconds: 60)
    let pauses = Pauses()

    init() throws {
        folder = try GitFolder()
        try folder.shell(
            """
            git init -q -b main seed; cd seed; echo one > a.txt; git add .; git commit -qm first
            cd ..; git clone -q --bare seed origin.git; mkdir ws
            """)
        workspace = try Workspace(root: folder.path + "/ws", authorityFile: nil, wait: pauses.wait)
    }

    func assignment(
        base: String = "main", clone: Int = 30, save: Int = 30, script: String = "true"
    ) -> Assignment {
        Assignment(
            task_id: Self.task, attempt: 1, callback_token: "t",
            repository: .init(id: 1, owner: "o", name: "r", clone_url: "file://\(folder.path)/origin.git"),
            base_branch: base, branch: "porter/\(Self.task)",
            agent: .init(name: "demo", argv: ["/bin/sh", "-c", script], prompt: .stdin, environment: [:]),
            prompt: "", limits: .init(clone_s: clone, timeout_s: 30, stall_s: 30, save_s: save),
            author: .init(name: "porter[bot]", email: "1+porter[bot]@users.noreply.github.com"),
            co_author: "mona <2+mona@users.noreply.github.com>",
            credential: Credential(username: "x-access-token", token: "ghs_canary0001", expires_at: ""))
    }

    /// Clones, runs the script in the tree, and takes what it commits, and what it leaves, as the result.
    func commit(_ script: String) throws -> (base: String, head: String) {
        let base = try workspace.clone(assignment(), isCancelled: { false })
        let head = try folder.shell(
            """
            cd ws/tree; \(script); git add -A; git commit -qm change --allow-empty
            git push -q ../repository.git HEAD:refs/heads/result; git rev-parse HEAD
            """)
        return (base, head)
    }
}

/// Waits that take no time, and are remembered.
final class Pauses: Sendable {
    private let seconds = Mutex<[Double]>([])

    /// Each wait so far, in seconds.
    var all: [Double] { seconds.withLock { $0 } }

    var wait: Tries.Wait {
        { [self] pause, _ in seconds.withLock { $0.append(pause / .seconds(1)) } }
    }
}
