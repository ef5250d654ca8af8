import Porter
import Testing

@testable import PorterWorker

@Suite struct RepositoryTests {
    private let scene: RepositoryScene
    private var folder: GitFolder { scene.folder }
    private var workspace: Workspace { scene.workspace }

    init() throws {
        scene = try RepositoryScene()
    }

    private func assignment(base: String = "main") -> Assignment { scene.assignment(base: base) }

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

    @Test func `a clone over its limit is a timeout, not a failed clone`() throws {
        let error = #expect(throws: WorkerFailure.self) {
            try workspace.clone(scene.assignment(clone: 0), isCancelled: { false })
        }
        #expect(error?.reason == .timeout)
        #expect(error?.detail == "The clone took longer than 0 seconds.")
    }

    @Test(arguments: [
        ("https://git.example/b/new.git", "https://git.example/b/new.git"),
        ("/b/new.git", "https://git.example/b/new.git"),
        ("https://evil.example/b/new.git", nil), ("https://git.example.evil.example/b/new.git", nil),
        ("http://git.example/b/new.git", nil), ("//evil.example/b/new.git", nil),
        ("https://git.example/a/old.git", nil),
    ])
    func `a repository that moved is followed on its own host only`(location: String, address: String?) {
        let path = "/info/refs?service=git-receive-pack"
        #expect(
            Push.newAddress(from: "https://git.example/a/old.git", to: location + path, path) == address)
    }

    @Test func `a push is verified against the remote and never forced`() throws {
        let (_, head) = try scene.commit("echo x > x.txt")
        let push = Push(workspace: workspace, assignment: assignment())
        let credential = Credential(username: "u", token: "t", expires_at: "")
        try push.run(head, with: credential, scene.limit)
        #expect(
            try folder.shell("git -C origin.git rev-parse refs/heads/porter/task_01J0000000000000000000000A")
                == head)
        let other = try folder.shell(
            """
            cd ws/tree; git checkout -q --orphan other; git commit -qm other
            git push -q ../repository.git HEAD:refs/heads/other; git rev-parse HEAD
            """)
        let error = #expect(throws: WorkerFailure.self) {
            try push.run(other, with: credential, scene.limit)
        }
        #expect(error?.reason == .pushRejected)
    }
}
