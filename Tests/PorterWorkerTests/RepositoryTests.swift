import Glibc
import Porter
import PorterProcess
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

@Suite struct RepositoryTests {
    private let folder: GitFolder
    private let workspace: Workspace

    init() throws {
        folder = try GitFolder()
        try folder.shell(
            """
            git init -q -b main seed; cd seed; echo one > a.txt; git add .; git commit -qm first
            cd ..; git clone -q --bare seed origin.git; mkdir ws
            """)
        workspace = try Workspace(root: folder.path + "/ws", authorityFile: nil)
    }

    private func assignment(base: String = "main") -> Assignment {
        Assignment(
            task_id: "task_01J0000000000000000000000A", attempt: 1, callback_token: "t",
            repository: .init(id: 1, owner: "o", name: "r", clone_url: "file://\(folder.path)/origin.git"),
            base_branch: base, branch: "porter/task_01J0000000000000000000000A",
            agent: .init(name: "demo", argv: ["/bin/true"], prompt: .stdin, environment: [:]), prompt: "",
            limits: .init(clone_s: 30, timeout_s: 30, stall_s: 30, save_s: 30),
            author: .init(name: "porter[bot]", email: "1+porter[bot]@users.noreply.github.com"),
            co_author: "mona <2+mona@users.noreply.github.com>",
            credential: Credential(username: "x-access-token", token: "ghs_canary0001", expires_at: ""))
    }

    @Test func `a clone puts the agent's tree on the task's branch, without a remote or a credential`() throws
    {
        let head = try workspace.clone(assignment(), isCancelled: { false })
        #expect(try folder.shell("git -C origin.git rev-parse main") == head)
        #expect(
            try folder.shell("git -C ws/tree symbolic-ref HEAD")
                == "refs/heads/porter/task_01J0000000000000000000000A")
        #expect(try folder.shell("git -C ws/tree remote") == "")
        #expect(try folder.shell("git -C ws/tree config user.name") == "porter[bot]")
        #expect(try folder.shell("grep -rl ghs_canary0001 ws || true") == "")
    }

    @Test(arguments: ["gone", "no such"])
    func `a base branch that is not there has a reason of its own`(base: String) {
        let error = #expect(throws: WorkerFailure.self) {
            try workspace.clone(assignment(base: base), isCancelled: { false })
        }
        #expect(error?.reason == .baseBranchMissing)
    }

    @Test func `a repository that cannot be read is a failed clone`() throws {
        try folder.shell("rm -rf origin.git")
        let error = #expect(throws: WorkerFailure.self) {
            try workspace.clone(assignment(), isCancelled: { false })
        }
        #expect(error?.reason == .cloneFailed)
    }

    private func commit(_ script: String) throws -> (base: String, head: String) {
        let base = try workspace.clone(assignment(), isCancelled: { false })
        let head = try folder.shell(
            """
            cd ws/tree; \(script); git add -A; git commit -qm change
            git push -q ../repository.git HEAD:refs/heads/result; git rev-parse HEAD
            """)
        return (base, head)
    }

    @Test(arguments: ["printf %s sk-canary-000001", "printf %s sk-canary-000001 | base64"])
    func `a secret in a file is found, plain and encoded`(writing: String) throws {
        let (base, head) = try commit("\(writing) > leak.txt")
        let inspection = Inspection(workspace: workspace, secrets: ["sk-canary-000001"])
        let error = #expect(throws: WorkerFailure.self) {
            try inspection.check(from: base, to: head, .seconds(30))
        }
        #expect(error?.reason == .secretInChanges)
    }

    @Test func `a secret that a later commit removed is found nevertheless`() throws {
        let (base, head) = try commit(
            "echo sk-canary-000001 > l.txt; git add -A; git commit -qm one; echo clean > l.txt")
        let inspection = Inspection(workspace: workspace, secrets: ["sk-canary-000001"])
        #expect(throws: WorkerFailure.self) { try inspection.check(from: base, to: head, .seconds(30)) }
    }

    @Test func `honest changes pass`() throws {
        let (base, head) = try commit("echo honest > b.txt")
        let inspection = Inspection(workspace: workspace, secrets: ["sk-canary-000001", "short"])
        try inspection.check(from: base, to: head, .seconds(30))
    }

    @Test func `a file that GitHub would not take is named`() throws {
        let (base, head) = try commit("truncate -s \(Inspection.maximumFile + 1) 'big file.bin'")
        let error = #expect(throws: WorkerFailure.self) {
            try Inspection(workspace: workspace, secrets: []).check(from: base, to: head, .seconds(60))
        }
        #expect(error?.reason == .tooLarge)
        #expect(error?.detail.contains("big file.bin") == true)
    }

    @Test func `a push is verified against the remote and never forced`() throws {
        let (_, head) = try commit("echo x > x.txt")
        let push = Push(workspace: workspace, assignment: assignment())
        let credential = Credential(username: "u", token: "t", expires_at: "")
        try push.run(head, with: credential, .seconds(30))
        #expect(
            try folder.shell("git -C origin.git rev-parse refs/heads/porter/task_01J0000000000000000000000A")
                == head)
        let other = try folder.shell(
            """
            cd ws/tree; git checkout -q --orphan other; git commit -qm other
            git push -q ../repository.git HEAD:refs/heads/other; git rev-parse HEAD
            """)
        let error = #expect(throws: WorkerFailure.self) {
            try push.run(other, with: credential, .seconds(30))
        }
        #expect(error?.reason == .pushRejected)
    }
}
