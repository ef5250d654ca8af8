import Glibc
import Porter
import PorterProcess

/// A step of the worker that failed, in the words of the ending.
struct WorkerFailure: Error {
    let reason: Reason
    /// What the failing program said, one line.
    let detail: String

    init(_ reason: Reason, _ detail: String) {
        self.reason = reason
        self.detail = detail
    }

    /// A program could not even be started.
    init(_ error: ProcessError) {
        self.init(error.number == ENOSPC ? .diskFull : .setupFailed, error.description)
    }
}

/// The folders of one run.
///
/// `repository.git` is the worker's own and never seen by an agent; `tree` is the agent's, and nothing in it
/// is ever run or believed outside a box.
struct Workspace: Sendable {
    /// Commits of history that the clone brings along.
    static let depth = 50

    let root: String
    let git: Git
    private let hasWalls: Bool
    private let wait: Tries.Wait

    /// Makes the folders under the root.
    ///
    /// - Parameter wait: what passes the time between two tries of a remote.
    init(
        root: String, authorityFile: String?, hasWalls: Bool = true, wait: @escaping Tries.Wait = Tries.sleep
    ) throws(WorkerFailure) {
        self.root = root
        self.hasWalls = hasWalls
        self.wait = wait
        git = Git(home: root + "/home", authorityFile: authorityFile)
        for folder in ["", "/home", "/out", "/agent"] {
            guard mkdir(root + folder, 0o700) == 0 || errno == EEXIST else {
                throw WorkerFailure(
                    errno == ENOSPC ? .diskFull : .setupFailed,
                    "cannot make \(root + folder): \(String(cString: strerror(errno)))")
            }
        }
    }

    /// The worker's own repository.
    var repository: String { root + "/repository.git" }
    /// What the agent works on.
    var tree: String { root + "/tree" }
    /// Where the save box puts what it hands over.
    var out: String { root + "/out" }
    /// A file for the options of a box, removed as soon as it is open.
    var scratch: String { root + "/options" }

    /// Tries of a remote, none made yet.
    var tries: Tries { Tries(wait: wait) }

    /// A box around the tree, as this machine can make it.
    func box(hasNetwork: Bool) -> Box {
        let box = Box(tree: tree, hasNetwork: hasNetwork)
        return hasWalls ? box : box.withoutWalls(home: root + "/agent")
    }

    /// Brings the base branch, and makes the agent's tree of it.
    ///
    /// - Returns: the commit that the base branch is at.
    func clone(
        _ assignment: Assignment, isCancelled: () -> Bool
    ) throws(WorkerFailure) -> String {
        let limit = TimeLimit("The clone", seconds: assignment.limits.clone_s)
        let url = assignment.repository.clone_url
        try run(["init", "-q", "--bare", repository], .setupFailed, limit)
        let base = assignment.base_branch
        let fetch = [
            "fetch", "-q", "--no-tags", "--depth=\(Self.depth)", "--", url,
            "+refs/heads/\(base):refs/heads/base",
        ]
        var tries = self.tries
        while true {
            let time = try limit.left()
            let got = try attempt {
                () throws(ProcessError) in
                try git.run(
                    fetch, in: repository, credential: (assignment.credential, url), timeout: time,
                    isCancelled: isCancelled)
            }
            if got.wasTimedOut { throw limit.failure }
            if got.isGood { break }
            let words = got.lastError
            let isMissing = ["couldn't find remote ref", "invalid refspec"].contains { words.contains($0) }
            if isMissing {
                throw WorkerFailure(.baseBranchMissing, "There is no branch \(base).")
            }
            let outlook = Tries.Outlook(words: String(decoding: got.errors, as: UTF8.self))
            guard tries.next(after: outlook, within: limit, isCancelled: isCancelled) else {
                throw WorkerFailure(Self.isFull(words) ? .diskFull : .cloneFailed, words)
            }
        }
        let head = try run(
            ["-C", repository, "rev-parse", "refs/heads/base^{commit}"], .cloneFailed, limit
        ).text
        try run(
            ["clone", "-q", "--no-hardlinks", "--no-tags", "--branch", "base", "file://\(repository)", tree],
            .setupFailed, limit)
        for arguments in [
            ["checkout", "-q", "-B", assignment.branch], ["branch", "-q", "-D", "base"],
            ["remote", "remove", "origin"], ["config", "user.name", assignment.author.name],
            ["config", "user.email", assignment.author.email],
        ] {
            try run(["-C", tree] + arguments, .setupFailed, limit)
        }
        return head
    }

    /// Runs git in the worker's folder, and fails with the reason unless it left well.
    @discardableResult
    func run(
        _ arguments: [String], _ reason: Reason, _ limit: TimeLimit, mostOutput: Int = Git.mostOutput
    ) throws(WorkerFailure) -> Capture {
        let time = try limit.left()
        let result = try attempt { () throws(ProcessError) in
            try git.run(arguments, in: root, timeout: time, mostOutput: mostOutput)
        }
        if result.wasTimedOut { throw limit.failure }
        if result.wasTooLong {
            throw WorkerFailure(.tooLarge, "Git's answer is longer than \(mostOutput) bytes.")
        }
        guard result.isGood else {
            throw WorkerFailure(Self.isFull(result.lastError) ? .diskFull : reason, result.lastError)
        }
        return result
    }

    func attempt<T>(_ body: () throws(ProcessError) -> T) throws(WorkerFailure) -> T {
        do throws(ProcessError) {
            return try body()
        } catch {
            throw WorkerFailure(error)
        }
    }

    /// Whether a program complains that there is no room.
    static func isFull(_ words: String) -> Bool {
        words.contains("No space left on device") || words.contains("Disk quota exceeded")
    }
}
