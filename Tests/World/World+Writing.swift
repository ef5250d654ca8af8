import Foundation
package import Porter

/// What people write on GitHub while nothing is delivered.
extension World {
    /// Puts a text there, and marks its issue as changed; the same text twice is one.
    ///
    /// - Parameter seconds: how long ago it was written.
    @discardableResult
    package func write(
        _ text: String, _ source: CommandSource = .comment, id: Int64, by person: Person = maria,
        issue: Int = issue, before seconds: Int = 0
    ) -> CommandID {
        let name = CommandID(source, id)
        let moment = Instant(seconds: time.real.adding(seconds: -seconds).seconds)
        github.change { state in
            guard !state.contents.contains(where: { $0.id == name }) else { return }
            var content = GitHub.Content(
                id: name, issueNumber: issue, url: "https://github.example/acme/shop/issues/\(issue)#\(id)",
                body: text, author: person, createdAt: moment, updatedAt: moment)
            if source == .opening {
                content.issue = GitHub.IssueFacts(
                    title: "Login is flaky", isPullRequest: false, closedAt: nil)
                if state.issues[issue] == nil {
                    state.issues[issue] = GitHub.Issue(
                        number: issue, title: "Login is flaky", isOpen: true, isLocked: false,
                        isPullRequest: false)
                }
            } else {
                state.touch(issue, moment)
            }
            state.contents.append(content)
        }
        return name
    }

    /// Edits a text; its issue does not move for that.
    package func edit(_ id: CommandID, to text: String) {
        let moment = Instant(seconds: time.real.seconds)
        github.change { state in
            guard let index = state.contents.firstIndex(where: { $0.id == id }) else { return }
            state.contents[index].body = text
            state.contents[index].updatedAt = moment
        }
    }

    /// Closes the issue, and no delivery tells of it.
    package func closeUnheard(issue: Int = issue) {
        let moment = Instant(seconds: time.real.seconds)
        github.change { state in
            state.touch(issue, moment)
            state.issues[issue]?.isOpen = false
            for index in state.contents.indices
            where state.contents[index].id.source == .opening && state.contents[index].issueNumber == issue {
                state.contents[index].issue?.closedAt = moment
            }
        }
    }
}

extension WorldGitHub.State {
    /// The issue's entry has changed at that moment; it is there from the first change on.
    fileprivate mutating func touch(_ issue: Int, _ moment: Instant) {
        let isPullRequest = issues[issue]?.isPullRequest == true
        if let index = contents.firstIndex(where: { $0.id.source == .opening && $0.issueNumber == issue }) {
            contents[index].updatedAt = max(moment, contents[index].updatedAt)
            return
        }
        contents.append(
            GitHub.Content(
                id: CommandID(.opening, 9000 + Int64(issue)), issueNumber: issue,
                url: "https://github.example/acme/shop/issues/\(issue)", body: "It fails each Monday.",
                author: World.wim, createdAt: Instant(seconds: 0), updatedAt: moment,
                issue: GitHub.IssueFacts(
                    title: "Login is flaky", isPullRequest: isPullRequest, closedAt: nil)))
    }
}
