import Porter
import PorterHTTP
import PorterProcess

/// Pushes the saved commit from the worker's own repository, and looks whether it arrived.
struct Push: Sendable {
    let workspace: Workspace
    let assignment: Assignment

    /// Seconds that the push and the look afterwards get each, even when the time is nearly over.
    static let least = 10
    /// Seconds in which a stopped run's push is tried again: its machine is destroyed soon, and the report must be out.
    static let triesAfterStop = 5

    /// Pushes the commit to the task's branch, never by force, until it is there or the remote has decided otherwise.
    ///
    /// - Parameter isStopped: whether the run was stopped; there is little time for further tries then.
    /// - Throws: ``WorkerFailure`` with why the remote refused it.
    func run(
        _ head: String, with credential: Credential, _ limit: TimeLimit, isStopped: () -> Bool = { false }
    ) throws(WorkerFailure) {
        let hurry = ContinuousClock.now + .seconds(Self.triesAfterStop)
        let given = assignment.repository.clone_url
        var url = given
        var tries = workspace.tries
        while let (failure, outlook) = try push(head, to: url, with: credential, limit) {
            // A repository that was renamed or transferred during the run.
            if failure.reason == .pushRejected, url == given,
                let moved = newAddress(url, credential, limit.left(atLeast: .seconds(Self.least)))
            {
                url = moved
                continue
            }
            let isOver = { isStopped() && ContinuousClock.now >= hurry }
            guard tries.next(after: outlook, within: limit, isCancelled: isOver) else { throw failure }
        }
    }

    /// Where the repository is now, if its old address leads to another one of the same host.
    ///
    /// Git could follow it by itself, but would send the credential to whatever host it is led to.
    private func newAddress(_ url: String, _ credential: Credential, _ timeout: Duration) -> String? {
        let path = "/info/refs?service=git-receive-pack"
        let parts = credential.header.split(separator: ": ", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { return nil }
        var options = CurlOptions()
        options.authorityFile = workspace.git.authorityFile
        if let host = AddressRules.host(of: url) { options.privateHosts = [host] }
        let request = Request(method: "GET", target: url + path, fields: [parts[0]: parts[1]])
        let limits = Transport.Limits(total: timeout, maximumBodyBytes: 1_048_576)
        guard let response = try? Transport.curl(options).send(request, limits),
            [301, 302, 307, 308].contains(response.status), let location = response.fields["Location"]
        else { return nil }
        return Self.newAddress(from: url, to: location, path)
    }

    /// The address of a repository from the redirect of one of its paths; nil when it leads off the host.
    static func newAddress(from url: String, to location: String, _ path: String) -> String? {
        let origin = Git.origin(of: url)
        let isPath = location.hasPrefix("/") && !location.hasPrefix("//")
        let whole = isPath ? String(origin.dropLast() + location) : location
        guard whole.hasPrefix(origin), whole.hasSuffix(path) else { return nil }
        let moved = String(whole.dropLast(path.count))
        return moved == url ? nil : moved
    }

    /// One try: nil when the commit is there, else why it is not and whether another try may help.
    private func push(
        _ head: String, to url: String, with credential: Credential, _ limit: TimeLimit
    ) throws(WorkerFailure) -> (WorkerFailure, Tries.Outlook)? {
        let target = "refs/heads/\(assignment.branch)"
        let time = limit.left(atLeast: .seconds(Self.least))
        let pushed = try workspace.attempt { () throws(ProcessError) in
            try workspace.git.run(
                ["push", "-q", "--porcelain", "--", url, "\(head):\(target)"],
                in: workspace.repository, credential: (credential, url), timeout: time)
        }
        // The remote has the last word, even after an answer that was lost.
        let look = limit.left(atLeast: .seconds(Self.least))
        if try remoteHead(credential, url, target, look) == head { return nil }
        if pushed.wasTimedOut { throw limit.failure }
        let words = String(decoding: pushed.errors + pushed.output, as: UTF8.self)
        return (WorkerFailure(Self.reason(words), Self.summary(words)), Tries.Outlook(words: words))
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
        let fault = lines.last { $0.hasPrefix("fatal: ") || $0.hasPrefix("error: ") }
        return telling ?? fault ?? lines.last { !$0.isEmpty } ?? "The push had no effect."
    }
}
