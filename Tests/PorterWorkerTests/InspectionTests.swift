import Porter
import Testing

@testable import PorterWorker

/// What must not be pushed is found wherever a push would carry it.
@Suite struct InspectionTests {
    private let scene: RepositoryScene

    init() throws {
        scene = try RepositoryScene()
    }

    @Test(arguments: ["printf %s sk-canary-000001", "printf %s sk-canary-000001 | base64"])
    func `a secret in a file is found, plain and encoded`(writing: String) throws {
        let (base, head) = try scene.commit("\(writing) > leak.txt")
        let inspection = Inspection(workspace: scene.workspace, secrets: ["sk-canary-000001"])
        let error = #expect(throws: WorkerFailure.self) {
            try inspection.check(from: base, to: head, scene.limit)
        }
        #expect(error?.reason == .secretInChanges)
    }

    @Test func `a secret that a later commit removed is found nevertheless`() throws {
        let (base, head) = try scene.commit(
            "echo sk-canary-000001 > l.txt; git add -A; git commit -qm one; echo clean > l.txt")
        let inspection = Inspection(workspace: scene.workspace, secrets: ["sk-canary-000001"])
        #expect(throws: WorkerFailure.self) { try inspection.check(from: base, to: head, scene.limit) }
    }

    @Test func `honest changes pass`() throws {
        let (base, head) = try scene.commit("echo honest > b.txt")
        let inspection = Inspection(workspace: scene.workspace, secrets: ["sk-canary-000001", "short"])
        try inspection.check(from: base, to: head, scene.limit)
    }

    @Test func `a file that GitHub would not take is named`() throws {
        let (base, head) = try scene.commit("truncate -s \(Inspection.maximumFile + 1) 'big file.bin'")
        let error = #expect(throws: WorkerFailure.self) {
            try Inspection(workspace: scene.workspace, secrets: []).check(from: base, to: head, scene.limit)
        }
        #expect(error?.reason == .tooLarge)
        #expect(error?.detail.contains("big file.bin") == true)
    }

    private static let secret = "sk-canary-000001"

    /// Why the script's commits are refused; nil when they pass.
    private func refusal(
        _ script: String, secret: String = secret, most: Int = Inspection.maximumChanges
    ) throws -> Reason? {
        let (base, head) = try scene.commit(script)
        let inspection = Inspection(workspace: scene.workspace, secrets: [secret], most: most)
        do throws(WorkerFailure) {
            try inspection.check(from: base, to: head, scene.limit)
            return nil
        } catch {
            return error.reason
        }
    }

    @Test func `a secret that only the resolution of a merge holds is found`() throws {
        let script = """
            git checkout -q -b side; echo two > a.txt; git commit -qam two
            git checkout -q -; echo three > a.txt; git commit -qam three
            git merge -q side >/dev/null || true
            echo \(Self.secret) > a.txt; git add a.txt; git commit -qm merged
            echo clean > a.txt; git commit -qam clean
            """
        #expect(try refusal(script) == .secretInChanges)
    }

    @Test(arguments: [
        "GIT_COMMITTER_EMAIL=sk-canary-000001@x.org", "GIT_COMMITTER_NAME=sk-canary-000001",
        "GIT_AUTHOR_EMAIL=sk-canary-000001", "GIT_AUTHOR_NAME=sk-canary-000001",
    ])
    func `a secret in a commit's people is found`(person: String) throws {
        #expect(try refusal("\(person) git commit -q --allow-empty -m x") == .secretInChanges)
    }

    @Test func `a secret in a header that git log does not show is found`() throws {
        let script = """
            made=$(git cat-file commit HEAD | sed '/^author/i mergetag sk-canary-000001' |
                git hash-object -t commit --literally -w --stdin)
            git reset -q --soft "$made"
            git commit -q --allow-empty -m above
            """
        #expect(try refusal(script) == .secretInChanges)
    }

    @Test(arguments: ["key.pem", "-----BEGIN"])
    func `a secret of several lines is found`(start: String) throws {
        let secret = "\(start)\nMIIcanary\nAAAA\n-----END"
        let script = "printf '%s' '\(secret)' > key.txt"
        #expect(try refusal(script, secret: secret) == .secretInChanges)
    }

    @Test(arguments: ["echo x > sk-canary-000001", "mkdir sk-canary-000001; echo x > sk-canary-000001/f"])
    func `a secret in a file's or a folder's name is found`(script: String) throws {
        #expect(try refusal(script) == .secretInChanges)
    }

    @Test func `a secret with a slash in it is found in a path`() throws {
        let script = "mkdir sk-canary; echo x > sk-canary/000001"
        #expect(try refusal(script, secret: "sk-canary/000001") == .secretInChanges)
    }

    @Test func `a secret beyond the first pieces of a large binary file is found`() throws {
        let script = "head -c 3000001 /dev/urandom > b.bin; printf sk-canary-000001 >> b.bin"
        #expect(try refusal(script) == .secretInChanges)
    }

    @Test func `a secret that the base holds already stays its own matter`() throws {
        try scene.folder.shell(
            """
            cd seed; echo \(Self.secret) > known.txt; git add .; git commit -qm known
            git push -q ../origin.git HEAD:main
            """)
        #expect(try refusal("echo more > b.txt") == nil)
    }

    @Test func `more than can be looked through is not pushed unseen`() throws {
        #expect(try refusal("head -c 100000 /dev/urandom > b.bin", most: 50_000) == .tooLarge)
    }

    @Test func `no time left is a timeout`() throws {
        let (base, head) = try scene.commit("echo x > b.txt")
        let error = #expect(throws: WorkerFailure.self) {
            try Inspection(workspace: scene.workspace, secrets: [])
                .check(from: base, to: head, TimeLimit("Saving", seconds: -5))
        }
        #expect(error?.reason == .timeout)
    }
}

@Suite struct SecretSearchTests {
    private func search(_ forms: [String], _ pieces: [String]) -> Bool {
        var search = SecretSearch(forms.map { Array($0.utf8) })
        for piece in pieces { Array(piece.utf8).withUnsafeBytes { search.read($0) } }
        return search.hasFound
    }

    @Test(arguments: 0...12)
    func `it finds what two pieces hold together, wherever they meet`(cut: Int) {
        let secret = "canary-secret"
        let pieces = ["xx\(secret.prefix(cut))", "\(secret.dropFirst(cut))yy"]
        #expect(search(["a longer one that is not there", secret], pieces))
    }

    @Test func `it finds what comes byte by byte`() {
        #expect(search(["canary"], "a can canary b".map(String.init)))
        #expect(!search(["canary"], "a can canar y b".map(String.init)))
    }

    @Test func `it finds nothing where nothing is, or is looked for`() {
        #expect(!search(["canary"], ["", "can", "", "ry"]))
        #expect(!search([], ["anything"]))
    }
}
