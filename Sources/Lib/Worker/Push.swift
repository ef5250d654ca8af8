import Porter
import PorterProcess

/// Pushes the saved commit from the worker's own repository, and looks whether it arrived.
struct Push: Sendable {
    let workspace: Workspace
    let assignment: Assignment

    /// Seconds that the push and the look afterwards get each, even when the time is nearly over.
    static let least = 10

    /// Pushes the commit to the task's branch, never by force.
    ///
    /// - Throws: ``WorkerFailure`` with why the remote refused it.
    func run(_ head: String, with credential: Credential, _ limit: TimeLimit) throws(WorkerFailure) {
        let url = assignment.repository.clone_url
        let target = "refs/heads/\(assignment.branch)"
        let time = limit.left(atLeast: .seconds(Self.least))
        let pushed = try workspace.attempt { () throws(ProcessError) in
            try workspace.git.run(
                ["push", "-q", "--porcelain", "--", url, "\(head):\(target)"],
                in: workspace.repository, credential: (credential, url), timeout: time)
        }
        // The remote has the last word, even after an answer that was lost.
        let look = limit.left(atLeast: .seconds(Self.least))
        if try remoteHead(credential, url, target, look) == head { return }
        if pushed.wasTimedOut { throw limit.failure }
        let words = String(decoding: pushed.errors + pushed.output, as: UTF8.self)
        throw WorkerFailure(Self.reason(words), Self.summary(words))
    }

    private func remoteHead(
        _ credential: Credential, _ url: String, _ target: String, _ timeout: Duration
    ) throws(WorkerFailure) -> String? {
        let listed = try workspace.attempt { () throws(ProcessError) in
            try workspace.git.run(
                ["ls-remote", "-q", "--", url, target], in: workspace.repository,
                credential: (credential, url), timeout: timeout)
        }
        guard listed.isGood else { return nil }
        for line in listed.text.split(separator: "\n") {
            let fields = line.split(separator: "\t")
            if fields.count == 2, fields[1] == target { return String(fields[0]) }
        }
        return nil
    }

    /// What the remote's words mean.
    ///
    /// - SeeAlso: <https://docs.github.com/en/repositories/configuring-branches-and-merges-in-your-repository/managing-rulesets/troubleshooting-rules>
    static func reason(_ words: String) -> Reason {
        if words.contains("refusing to allow"), words.contains("workflow") { return .pushRejectedWorkflow }
        for mark in ["GH006", "GH009", "GH013", "protected branch", "rule violations"]
        where words.contains(mark) {
            return .pushRejectedRule
        }
        if words.contains("GH001") || words.contains("exceeds GitHub's file size limit") { return .tooLarge }
        return .pushRejected
    }

    /// The most telling line of what was said.
    private static func summary(_ words: String) -> String {
        let lines = words.split(whereSeparator: \.isNewline).map(String.init)
        let telling = lines.first { $0.contains("remote: error") || $0.contains("rejected]") }
        return telling ?? lines.last { !$0.isEmpty } ?? "The push had no effect."
    }
}
