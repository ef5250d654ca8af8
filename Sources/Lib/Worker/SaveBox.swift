import Glibc
import Porter
import PorterProcess

/// Turns the agent's tree into a commit, in a box without network and without a credential.
///
/// One commit is made in a copy of the worker's repository, so that no setting, filter or hook of the agent's
/// counts. What the agent committed itself is in it, and its messages and authors are not: they could name
/// anybody, ping people and close issues. The box hands over one bundle.
///
/// What cannot be saved is left out and said; it costs nothing of the rest.
struct SaveBox: Sendable {
    /// What came out of the box.
    struct Saved: Sendable {
        /// The commit to push, nil when nothing was changed.
        let head: String?
        /// Git's words about what was left out, one line; nil when everything is in.
        let leftOut: String?
    }

    /// The exit code of a box that had to leave something out.
    static let leftOutCode = 3
    /// Where the copy of the repository and the hand-over lie inside.
    static let place = "/out"

    let workspace: Workspace
    let assignment: Assignment

    /// What the box runs; its arguments are the base commit, the tree and the hand-over's folder.
    ///
    /// Nothing of it is believed: the worker checks the bundle. `git add` ends with 1 when it had to leave
    /// something out, and dies, with nothing added, of a file that is not in the encoding that an attribute
    /// names; then bytes are added as they are.
    private static let script = """
        set -eu
        export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null GIT_TERMINAL_PROMPT=0
        export GIT_CONFIG_COUNT=4 GIT_CONFIG_KEY_0=safe.directory 'GIT_CONFIG_VALUE_0=*'
        export GIT_CONFIG_KEY_1=core.hooksPath GIT_CONFIG_VALUE_1=/dev/null
        export GIT_CONFIG_KEY_2=gc.auto GIT_CONFIG_VALUE_2=0
        export GIT_CONFIG_KEY_3=advice.addEmbeddedRepo GIT_CONFIG_VALUE_3=false
        base=$1 tree=$2 out=$3
        export GIT_DIR="$out/copy.git" GIT_WORK_TREE="$tree"
        code=0
        chmod -R u+rwX "$tree" 2>/dev/null || true
        start=$base
        if git fetch -q --no-tags "$tree/.git" +HEAD:refs/heads/agent 2>/dev/null &&
            git merge-base --is-ancestor "$base" refs/heads/agent; then
            start=$(git rev-parse refs/heads/agent)
        fi
        git read-tree "$start"
        git add -A --ignore-errors . || code=$?
        if [ "$code" -gt 1 ]; then
            mkdir -p "$GIT_DIR/info"
            echo '* !working-tree-encoding' >"$GIT_DIR/info/attributes"
            code=0
            git add -A --ignore-errors . || code=$?
        fi
        result=$(git write-tree)
        if [ "$result" != "$(git rev-parse "$base^{tree}")" ]; then
            git update-ref refs/heads/result "$(git commit-tree "$result" -p "$base" -F "$out/message")"
            git bundle create -q "$out/changes.bundle" refs/heads/result "^$base"
        fi
        [ "$code" = 0 ] || exit 3
        """

    /// Saves the tree and takes the result into the worker's repository.
    func save(base: String, _ limit: TimeLimit) throws(WorkerFailure) -> Saved {
        let out = workspace.out
        try workspace.run(
            ["clone", "-q", "--bare", "--no-hardlinks", "file://\(workspace.repository)", out + "/copy.git"],
            .setupFailed, limit)
        try write(message, to: out + "/message")
        openTree()
        var box = workspace.box(hasNetwork: false)
        box.mounts.append((out, Self.place, true))
        box.environment = [
            "GIT_AUTHOR_NAME": assignment.author.name, "GIT_AUTHOR_EMAIL": assignment.author.email,
            "GIT_COMMITTER_NAME": assignment.author.name, "GIT_COMMITTER_EMAIL": assignment.author.email,
        ]
        let leftOut = try runBox(box, base, limit)
        return Saved(head: try take(base, limit), leftOut: leftOut)
    }

    /// Lets the box into a tree that the agent closed; what lies in it is opened inside.
    private func openTree() {
        var status = stat()
        guard lstat(workspace.tree, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { return }
        chmod(workspace.tree, 0o700)
    }

    /// The commit's message: who did it, for whom.
    var message: String {
        """
        Work of \(assignment.agent.name) on \(assignment.task_id)

        Co-authored-by: \(assignment.co_author)

        """
    }

    /// - Returns: what was left out; nil when everything is in.
    private func runBox(_ box: Box, _ base: String, _ limit: TimeLimit) throws(WorkerFailure) -> String? {
        let time = try limit.left()
        let boxed = try workspace.attempt { () throws(ProcessError) in
            try BoxedProgram.start(
                [
                    "/bin/sh", "-c", Self.script, "save", base, box.seen(Box.tree), box.seen(Self.place),
                ], in: box, input: nil,
                scratch: workspace.scratch)
        }
        let start = ContinuousClock.now
        var words: [UInt8] = []
        var wasTimedOut = false
        let ending = boxed.watch(
            Child.Care(
                onOutput: { _, bytes in
                    words += bytes
                    if words.count > Command.keptErrors {
                        words.removeFirst(words.count - Command.keptErrors)
                    }
                },
                onTick: {
                    guard ContinuousClock.now - start > time else { return }
                    wasTimedOut = true
                    boxed.destroy()
                }))
        if wasTimedOut { throw limit.failure }
        let lines = String(decoding: words, as: UTF8.self).split(whereSeparator: \.isNewline)
        switch ending {
        case .exited(0):
            return nil
        case .exited(Self.leftOutCode):
            let complaints = lines.filter { $0.hasPrefix("error: ") || $0.hasPrefix("fatal: ") }
            return (complaints.isEmpty ? lines : complaints).joined(separator: "; ")
        default:
            let words = lines.last.map(String.init) ?? "it ended with code \(ending.code)"
            throw Self.failure(words)
        }
    }

    /// What the box complained of, as the end of the run.
    static func failure(_ words: String) -> WorkerFailure {
        WorkerFailure(
            Workspace.isFull(words) ? .diskFull : .internal, "The changes could not be saved: \(words)")
    }

    /// Fetches the bundle with every object checked.
    private func take(_ base: String, _ limit: TimeLimit) throws(WorkerFailure) -> String? {
        let bundle = workspace.out + "/changes.bundle"
        guard isPlainFile(bundle) else { return nil }
        try workspace.run(
            [
                "-C", workspace.repository, "fetch", "-q", "--no-tags", bundle,
                "+refs/heads/result:refs/heads/result",
            ], .internal, limit)
        let head = try workspace.run(
            ["-C", workspace.repository, "rev-parse", "refs/heads/result^{commit}"], .internal, limit
        ).text
        return head == base ? nil : head
    }
}
