import Porter

/// The outside as a child sees it: every call goes over the line to the parent, which outlives the child.
struct Remote: Sendable {
    let line: Line
    let time: SharedClock

    /// Calls and waits: what came back, or the bytes of the error.
    private func call(_ name: String, _ arguments: Writer) -> (isGood: Bool, answer: Reader) {
        var message = Writer()
        message.put(byte: Word.call.rawValue)
        message.put(name)
        message.put(raw: arguments.bytes)
        guard line.send(message.bytes), let bytes = line.receive() else { leave() }
        var reader = Reader(bytes)
        time.set(reader.get())
        let isGood = reader.get(Bool.self)
        return (isGood, reader)
    }

    private func gitHub<each Argument: Wire, Result: Wire>(
        _ name: String, _ result: Result.Type = Result.self, _ arguments: repeat each Argument
    ) throws(GitHubError) -> Result {
        var writer = Writer()
        writer.put(repeat each arguments)
        var (isGood, answer) = call(name, writer)
        guard isGood else { throw answer.get(GitHubError.self) }
        return answer.get()
    }

    private func engine<each Argument: Wire, Result: Wire>(
        _ name: String, _ result: Result.Type = Result.self, _ arguments: repeat each Argument
    ) throws(MachinesError) -> Result {
        var writer = Writer()
        writer.put(repeat each arguments)
        var (isGood, answer) = call(name, writer)
        guard isGood else { throw answer.get(MachinesError.self) }
        return answer.get()
    }

    /// Tells that a named moment has come; returns when the child may go on, which may be never.
    func pass(_ moment: String) {
        var message = Writer()
        message.put(byte: Word.moment.rawValue)
        message.put(moment)
        guard line.send(message.bytes), let bytes = line.receive() else { leave() }
        var reader = Reader(bytes)
        time.set(reader.get())
        if !reader.get(Bool.self) { die() }
    }

    /// Waits; the parent lets time pass, or something else happen meanwhile.
    func wait(milliseconds: Int32) {
        var message = Writer()
        message.put(byte: Word.wait.rawValue)
        message.put(time.now.adding(milliseconds: Int64(milliseconds)))
        guard line.send(message.bytes), let bytes = line.receive() else { leave() }
        var reader = Reader(bytes)
        time.set(reader.get())
    }

    var github: GitHub {
        GitHub(
            app: { () throws(GitHubError) in try gitHub("app") },
            installation: { (id) throws(GitHubError) in
                try gitHub("installation", GitHub.Installation.self, id)
            },
            installations: { (look) throws(GitHubError) in
                try gitHub("installations", GitHub.Page<GitHub.Installation>.self, look)
            },
            repositories: { (installation, look) throws(GitHubError) in
                try gitHub("repositories", GitHub.Page<GitHub.Repository>.self, installation, look)
            },
            deliveries: { (look) throws(GitHubError) in
                try gitHub("deliveries", GitHub.Page<GitHub.LoggedDelivery>.self, look)
            },
            delivery: { (logged) throws(GitHubError) in
                try gitHub("delivery", GitHub.LoggedPayload.self, logged)
            },
            repository: { (place) throws(GitHubError) in
                try gitHub("repository", GitHub.Repository.self, place)
            },
            issue: { (place, number) throws(GitHubError) in
                try gitHub("issue", GitHub.Issue.self, place, number)
            },
            contents: { (place, list, since, look) throws(GitHubError) in
                try gitHub("contents", GitHub.Page<GitHub.Content>.self, place, list, since, look)
            },
            reviews: { (place, pull, look) throws(GitHubError) in
                try gitHub("reviews", GitHub.Page<GitHub.Content>.self, place, pull, look)
            },
            permission: { (place, login) throws(GitHubError) in
                try gitHub("permission", GitHub.Permission.self, place, login)
            },
            comments: { (place, issue, most) throws(GitHubError) in
                try gitHub("comments", [GitHub.Comment].self, place, issue, most)
            },
            ownComments: { (place, issue, since) throws(GitHubError) in
                try gitHub("ownComments", [GitHub.Comment].self, place, issue, since)
            },
            createComment: { (place, issue, body) throws(GitHubError) in
                try gitHub("createComment", GitHub.Comment.self, place, issue, body)
            },
            updateComment: { (place, comment, body) throws(GitHubError) in
                try gitHub("updateComment", GitHub.Comment.self, place, comment, body)
            },
            deleteComment: { (place, comment) throws(GitHubError) in
                _ = try gitHub("deleteComment", Nothing.self, place, comment)
            },
            react: { (place, target, reaction) throws(GitHubError) in
                _ = try gitHub("react", Nothing.self, place, target, reaction)
            },
            file: { (place, path, branch) throws(GitHubError) in
                try gitHub("file", String?.self, place, path, branch)
            },
            branchHead: { (place, branch) throws(GitHubError) in
                try gitHub("branchHead", String?.self, place, branch)
            },
            compare: { (place, base, head) throws(GitHubError) in
                try gitHub("compare", GitHub.Comparison.self, place, base, head)
            },
            pullRequests: { (place, head) throws(GitHubError) in
                try gitHub("pullRequests", [GitHub.PullRequest].self, place, head)
            },
            createPullRequest: { (place, draft) throws(GitHubError) in
                try gitHub("createPullRequest", GitHub.PullRequest.self, place, draft)
            },
            requestReview: { (place, pull, login) throws(GitHubError) in
                _ = try gitHub("requestReview", Nothing.self, place, pull, login)
            },
            contentsToken: { (place, access) throws(GitHubError) in
                try gitHub("contentsToken", GitHub.Token.self, place, access)
            },
            revoke: { (token) throws(GitHubError) in
                _ = try gitHub("revoke", Nothing.self, token)
            })
    }

    var machines: Machines {
        Machines(
            create: { (plan) throws(MachinesError) in try engine("create", Machine.self, plan) },
            find: { (id) throws(MachinesError) in try engine("find", Machine?.self, id) },
            list: { (key, value, includeGone) throws(MachinesError) in
                try engine("list", [Machine].self, key, value, includeGone)
            },
            destroy: { (id) throws(MachinesError) in _ = try engine("destroy", Nothing.self, id) })
    }
}
