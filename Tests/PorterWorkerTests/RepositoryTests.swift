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

    @Test func `a push that the remote's own trouble ended is tried again`() throws {
        let (_, head) = try scene.commit("echo x > x.txt")
        try folder.shell(
            """
            cat > origin.git/hooks/pre-receive <<'END'
            #!/bin/sh
            echo try >> tries
            [ "$(wc -l < tries)" -gt 2 ] && exit 0
            echo "Internal Server Error" >&2
            exit 1
            END
            chmod +x origin.git/hooks/pre-receive
            """)
        let push = Push(workspace: workspace, assignment: assignment())
        try push.run(head, with: Credential(username: "u", token: "t", expires_at: ""), scene.limit)
        #expect(
            try folder.shell("git -C origin.git rev-parse refs/heads/porter/task_01J0000000000000000000000A")
                == head)
        #expect(try folder.shell("wc -l < origin.git/tries") == "3")
        #expect(scene.pauses.all.count == 2)
    }

    @Test func `a push that the remote refused is not tried again`() throws {
        let (_, head) = try scene.commit("echo x > x.txt")
        try folder.shell(
            """
            printf '#!/bin/sh\necho try >> tries\nexit 1\n' > origin.git/hooks/pre-receive
            chmod +x origin.git/hooks/pre-receive
            """)
        let push = Push(workspace: workspace, assignment: assignment())
        let error = #expect(throws: WorkerFailure.self) {
            try push.run(head, with: Credential(username: "u", token: "t", expires_at: ""), scene.limit)
        }
        #expect(error?.reason == .pushRejected)
        #expect(try folder.shell("wc -l < origin.git/tries") == "1")
    }

    @Test(arguments: [
        (
            "fatal: unable to access 'https://x/': The requested URL returned error: 502",
            Tries.Outlook.passing
        ),
        ("fatal: unable to access 'https://x/': The requested URL returned error: 429", .passing),
        ("fatal: unable to access 'https://x/': Failed to connect to x port 443", .passing),
        ("fatal: unable to access 'https://x/': Could not resolve host: x", .passing),
        ("error: RPC failed; curl 92 HTTP/2 stream 0 was not closed cleanly", .passing),
        ("send-pack: unexpected disconnect while reading sideband packet", .passing),
        ("fatal: https://x/info/refs not valid: is this a git repository?", .passing),
        ("!\tHEAD:refs/heads/b\t[remote rejected] (Internal Server Error)", .passing),
        ("!\tHEAD:refs/heads/b\t[remote rejected] (protected branch hook declined)", .final),
        ("!\tHEAD:refs/heads/b\t[rejected] (fetch first)", .final),
        ("fatal: couldn't find remote ref refs/heads/gone", .final),
        ("fatal: unable to access 'https://x/': SSL certificate problem: self-signed", .final),
        ("remote: Repository not found.\nfatal: repository 'https://x/' not found", .doubtful),
        ("fatal: unable to access 'https://x/': The requested URL returned error: 403", .doubtful),
        ("fatal: Authentication failed for 'https://x/'", .doubtful),
        ("fatal: could not read Username for 'https://x': terminal prompts disabled", .doubtful),
        ("fatal: unable to update url base from redirection:\n  asked for: https://x/y", .doubtful),
        ("fatal: unable to access 'https://x/error-404-not-found/': Could not resolve host: x", .passing),
        ("!\tHEAD:refs/heads/rejected]\t[remote failure] (it hung up)", .passing),
        ("!\tHEAD:refs/heads/b\t[remote rejected] (cannot lock ref 'refs/heads/b')", .doubtful),
        ("fatal: unable to access 'https://x/': The requested URL returned error: 301", .doubtful),
    ])
    func `only what the remote decided ends the tries`(words: String, outlook: Tries.Outlook) {
        #expect(Tries.Outlook(words: words) == outlook)
    }

    @Test func `a doubtful refusal gets three tries, and nothing is tried beyond the limit`() {
        var tries = workspace.tries
        let goesOn = [.doubtful, .passing, .doubtful, .doubtful].map {
            tries.next(after: $0, within: scene.limit)
        }
        #expect(goesOn == [true, true, true, false])
        var late = workspace.tries
        let isTriedLate = late.next(after: .passing, within: TimeLimit("The test", seconds: 0))
        #expect(!isTriedLate)
        let isTriedCancelled = late.next(after: .passing, within: scene.limit, isCancelled: { true })
        #expect(!isTriedCancelled)
        #expect(scene.pauses.all.count == 3)
    }

    @Test func `the pause doubles from half a second up to ten, a quarter more or less`() {
        let limit = TimeLimit("The test", seconds: 3600)
        var tries = workspace.tries
        for _ in 1...8 {
            let goesOn = tries.next(after: .passing, within: limit)
            #expect(goesOn)
        }

        let spans = [0.5, 1, 2, 4, 8, 10, 10, 10]
        #expect(scene.pauses.all.count == spans.count)
        for (pause, span) in zip(scene.pauses.all, spans) {
            #expect((span * 0.749...span * 1.251).contains(pause))
        }
    }

    @Test func `a pause that is cancelled ends the tries`() {
        // Cancelled from the second look on: the first is made before the pause begins.
        var looks = 0
        var tries = workspace.tries
        let goesOn = tries.next(
            after: .passing, within: scene.limit,
            isCancelled: {
                looks += 1
                return looks > 1
            })
        #expect(!goesOn)
        #expect(scene.pauses.all.count == 1)
    }

    @Test func `a real pause asks whether it is cancelled before anything else`() {
        let began = ContinuousClock.now
        Tries.sleep(.seconds(60), { true })
        #expect(ContinuousClock.now - began < .seconds(30))
    }
}
