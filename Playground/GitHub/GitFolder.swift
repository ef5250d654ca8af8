import FoundationEssentials
import Glibc
import PorterProcess

/// The bare git repositories, `repositories/OWNER/NAME.git` under the playground's folder.
struct GitFolder: Sendable {
    let root: String
    /// Hooks that all repositories share.
    let hooks: String

    init(_ folder: String) throws(SetupError) {
        root = folder + "/repositories"
        hooks = folder + "/hooks"
        do {
            for path in [root, hooks] {
                try FileManager.default.createDirectory(
                    atPath: path, withIntermediateDirectories: true)
            }
            try Data(PushRules.hook.utf8).write(to: URL(filePath: hooks + "/pre-receive"))
        } catch {
            throw SetupError("cannot write in \(folder): \(error)")
        }
        chmod(hooks + "/pre-receive", 0o755)
    }

    /// Where the repository is.
    func path(_ fullName: String) -> String { "\(root)/\(fullName).git" }

    func repository(_ fullName: String) -> GitRepository {
        GitRepository(path: path(fullName))
    }

    func exists(_ fullName: String) -> Bool {
        FileManager.default.fileExists(atPath: path(fullName) + "/HEAD")
    }

    /// Follows a renaming.
    func move(_ old: String, to new: String) throws(SetupError) {
        guard rename(path(old), path(new)) == 0 else {
            throw SetupError("cannot rename \(old): \(String(cString: strerror(errno)))")
        }
    }

    /// Makes a repository with those commits on its default branch, oldest first; none makes it empty.
    func create(_ fullName: String, branch: String, _ commits: [SeedCommit]) throws(SetupError) {
        let repository = repository(fullName)
        do {
            try FileManager.default.createDirectory(
                atPath: repository.path, withIntermediateDirectories: true)
        } catch {
            throw SetupError("cannot make \(repository.path): \(error)")
        }
        try repository.must(["init", "-q", "--bare", "-b", branch, "."])
        if !commits.isEmpty { try repository.commit(commits, on: branch, after: nil) }
    }
}

/// A commit that the playground makes itself.
struct SeedCommit: Sendable {
    let message: String
    let author: String
    let at: String
    /// Paths and texts, which are added to what the parent has.
    let files: [String: String]
}

/// One bare repository, asked through git.
struct GitRepository: Sendable {
    let path: String

    static let patience = Duration.seconds(60)
    /// Bytes of an answer at most.
    static let mostOutput = 128 * 1024 * 1024

    static let environment = [
        "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/nonexistent", "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_COUNT": "2", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*",
        "GIT_CONFIG_KEY_1": "core.quotePath", "GIT_CONFIG_VALUE_1": "false",
    ]

    /// Runs git there; nil when it fails.
    func run(_ arguments: [String], input: String? = nil, environment more: [String: String] = [:]) -> Data? {
        let command = Command(
            "/usr/bin/git", arguments, environment: Self.environment.merging(more) { $1 }, directory: path,
            input: input.map { Array($0.utf8) })
        guard let result = try? command.run(timeout: Self.patience, mostOutput: Self.mostOutput),
            result.isGood
        else { return nil }
        return Data(result.output)
    }

    /// Runs git there and gives its output as text.
    func text(_ arguments: [String]) -> String? {
        run(arguments).map { String(decoding: $0, as: UTF8.self).trimmed }
    }

    /// The commit that a branch, a tag or a commit's name stands for.
    func commit(_ name: String) -> String? {
        guard !name.isEmpty, !name.hasPrefix("-") else { return nil }
        for form in ["refs/heads/\(name)", "refs/tags/\(name)", name] {
            if let sha = text(["rev-parse", "-q", "--verify", "--end-of-options", "\(form)^{commit}"]) {
                return sha
            }
        }
        return nil
    }

    /// The commit that the branch is at.
    func head(_ branch: String) -> String? {
        text(["rev-parse", "-q", "--verify", "--end-of-options", "refs/heads/\(branch)^{commit}"])
    }

    /// Whether it has no branch at all.
    var isEmpty: Bool { text(["for-each-ref", "--count=1", "refs/heads"])?.isEmpty ?? true }

    /// Branches and their commits.
    var branches: [(name: String, sha: String)] {
        (text(["for-each-ref", "--format=%(objectname) %(refname:strip=2)", "refs/heads"]) ?? "")
            .split(separator: "\n").compactMap { line in
                let parts = line.split(separator: " ", maxSplits: 1)
                return parts.count == 2 ? (String(parts[1]), String(parts[0])) : nil
            }
    }

    /// Runs git, which must succeed.
    func must(_ arguments: [String]) throws(SetupError) {
        guard run(arguments) != nil else { throw SetupError("git \(arguments[0]) failed in \(path)") }
    }

    /// Adds commits to a branch, oldest first, without any tree on disk.
    func commit(_ commits: [SeedCommit], on branch: String, after parent: String?) throws(SetupError) {
        var stream = ""
        for (index, commit) in commits.enumerated() {
            stream += """
                commit refs/heads/\(branch)
                committer \(commit.author) \(commit.at)
                data \(commit.message.utf8.count)
                \(commit.message)

                """
            if index == 0, let parent { stream += "from \(parent)\n" }
            for (path, text) in commit.files.sorted(by: { $0.key < $1.key }) {
                stream += "M 100644 inline \(path)\ndata \(text.utf8.count)\n\(text)\n"
            }
        }
        guard run(["fast-import", "--quiet", "--date-format=raw-permissive"], input: stream) != nil else {
            throw SetupError("git cannot commit in \(path)")
        }
    }
}
