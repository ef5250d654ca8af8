import Glibc
import Porter
import Testing

@testable import PorterWorker

/// Whatever the agent leaves, all of it that can be saved is.
@Suite struct SaveBoxTests {
    private let scene: RepositoryScene

    init() throws {
        scene = try RepositoryScene()
    }

    /// Runs the script in the tree as an agent would, and saves.
    private func save(_ script: String, own: Bool = false) throws -> SaveBox.Saved {
        let base = try scene.workspace.clone(scene.assignment(), isCancelled: { false })
        let commit = own ? "echo own > own.txt; git add own.txt; git commit -qm own;" : ""
        try scene.folder.shell("cd ws/tree; \(commit) echo kept > kept.txt; \(script)")
        return try SaveBox(workspace: scene.workspace, assignment: scene.assignment())
            .save(base: base, scene.limit)
    }

    private func files(_ saved: SaveBox.Saved) throws -> [String] {
        let head = try #require(saved.head)
        return try scene.folder.shell("git -C ws/repository.git ls-tree -r --name-only \(head)")
            .split(separator: "\n").map(String.init)
    }

    @Test(arguments: [true, false])
    func `a file that nobody may read is made readable and saved`(own: Bool) throws {
        let saved = try save("echo closed > closed.txt; chmod 000 closed.txt", own: own)
        #expect(try files(saved) == ["a.txt", "closed.txt", "kept.txt"] + (own ? ["own.txt"] : []))
        #expect(saved.leftOut == nil)
    }

    @Test(arguments: [true, false])
    func `a folder that nobody may enter is opened and saved`(own: Bool) throws {
        let saved = try save("mkdir -p d/e; echo x > d/e/f; chmod 000 d/e; chmod 000 d", own: own)
        #expect(try files(saved) == ["a.txt", "d/e/f", "kept.txt"] + (own ? ["own.txt"] : []))
        #expect(saved.leftOut == nil)
    }

    @Test func `a tree and a repository that the agent closed are saved`() throws {
        let saved = try save("chmod 000 .git/objects .git .", own: true)
        #expect(try files(saved) == ["a.txt", "kept.txt", "own.txt"])
    }

    @Test func `opening follows no link out of the tree`() throws {
        try scene.folder.shell("echo x > outside; chmod 400 outside")
        let saved = try save("ln -s ../../outside link")
        #expect(try files(saved) == ["a.txt", "kept.txt", "link"])
        #expect(try scene.folder.shell("stat -c %a outside") == "400")
    }

    @Test(arguments: [
        ("rm a.txt; mkfifo a.txt", "a.txt"), ("git init -q sub", "sub/"),
    ])
    func `what git cannot take is left out and said, and the rest is saved`(
        script: String, name: String
    ) throws {
        let saved = try save(script, own: true)
        #expect(try files(saved) == ["a.txt", "kept.txt", "own.txt"])
        #expect(saved.leftOut?.contains(name) == true)
    }

    @Test func `a file in another encoding than it claims is saved as it is`() throws {
        let saved = try save("echo '*.u working-tree-encoding=UTF-16' > .gitattributes; echo abc > b.u")
        #expect(try files(saved) == [".gitattributes", "a.txt", "b.u", "kept.txt"])
        #expect(saved.leftOut == nil)
    }

    @Test func `what the agent committed is in one commit of ours, its words and names are not`() throws {
        let saved = try save(
            """
            git -c user.name=Evil -c user.email=evil@x.example commit -q --allow-empty -m 'fixes #1 @octocat'
            echo forced > hidden.log; echo '*.log' > .gitignore; git add -f hidden.log; git commit -qm 'closes #1'
            """, own: true)
        let head = try #require(saved.head)

        let base = try scene.folder.shell("git -C origin.git rev-parse main")
        let log = try scene.folder.shell("git -C ws/repository.git log --format='%P|%an|%cn|%B' \(head) -1")
        #expect(log.hasPrefix("\(base)|porter[bot]|porter[bot]|Work of demo on \(RepositoryScene.task)"))
        #expect(log.contains("Co-authored-by: mona <2+mona@users.noreply.github.com>"))
        #expect(!log.contains("#1") && !log.contains("octocat"))
        #expect(try files(saved) == [".gitignore", "a.txt", "hidden.log", "kept.txt", "own.txt"])
    }

    @Test func `commits that change nothing in the end are no change`() throws {
        let saved = try save(
            "echo two > a.txt; git commit -qam two; echo one > a.txt; git commit -qam one; rm kept.txt")
        #expect(saved.head == nil)
    }

    @Test func `an untouched tree has no commit`() throws {
        let saved = try save("rm kept.txt")
        #expect(saved.head == nil && saved.leftOut == nil)
    }

    @Test func `no time left is a timeout`() throws {
        let base = try scene.workspace.clone(scene.assignment(), isCancelled: { false })
        let error = #expect(throws: WorkerFailure.self) {
            try SaveBox(workspace: scene.workspace, assignment: scene.assignment())
                .save(base: base, TimeLimit("Saving", seconds: 0))
        }
        #expect(error?.reason == .timeout)
    }
}
