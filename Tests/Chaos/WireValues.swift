import Porter
import PorterStore

extension Instant: Wire {
    func put(into writer: inout Writer) { writer.put(milliseconds) }
    init(from reader: inout Reader) { self.init(milliseconds: reader.get()) }
}

extension Secret: Wire {
    func put(into writer: inout Writer) { reveal { writer.put($0) } }
    init(from reader: inout Reader) { self.init(reader.get()) }
}

extension Person: Wire {
    func put(into writer: inout Writer) { writer.put(id, login) }
    init(from reader: inout Reader) { self.init(id: reader.get(), login: reader.get()) }
}

extension RepositoryRef: Wire {
    func put(into writer: inout Writer) { writer.put(installationID, id, owner, name) }
    init(from reader: inout Reader) {
        self.init(installationID: reader.get(), id: reader.get(), owner: reader.get(), name: reader.get())
    }
}

/// An enumeration of words.
extension Wire where Self: RawRepresentable, RawValue == String {
    func put(into writer: inout Writer) { writer.put(rawValue) }
    init(from reader: inout Reader) {
        let word = reader.get(String.self)
        guard let value = Self(rawValue: word) else { preconditionFailure("\(word) is no \(Self.self)") }
        self = value
    }
}

extension GitHub.Reaction: Wire {}
extension GitHub.Access: Wire {}
extension Phase: Wire {}
extension Outcome: Wire {}
extension Reason: Wire {}

extension GitHub.App: Wire {
    func put(into writer: inout Writer) { writer.put(id, slug, owner, bot) }
    init(from reader: inout Reader) {
        self.init(id: reader.get(), slug: reader.get(), owner: reader.get(), bot: reader.get())
    }
}

extension GitHub.Installation: Wire {
    func put(into writer: inout Writer) { writer.put(id, account, isSuspended) }
    init(from reader: inout Reader) {
        self.init(id: reader.get(), account: reader.get(), isSuspended: reader.get())
    }
}

extension GitHub.Repository: Wire {
    func put(into writer: inout Writer) {
        writer.put(id, owner, name, defaultBranch, isArchived, cloneURL)
    }
    init(from reader: inout Reader) {
        self.init(
            id: reader.get(), owner: reader.get(), name: reader.get(), defaultBranch: reader.get(),
            isArchived: reader.get(), cloneURL: reader.get())
    }
}

extension GitHub.Issue: Wire {
    func put(into writer: inout Writer) { writer.put(number, title, isOpen, isLocked, isPullRequest) }
    init(from reader: inout Reader) {
        self.init(
            number: reader.get(), title: reader.get(), isOpen: reader.get(), isLocked: reader.get(),
            isPullRequest: reader.get())
    }
}

extension GitHub.Permission: Wire {
    func put(into writer: inout Writer) { writer.put(level, userID) }
    init(from reader: inout Reader) { self.init(level: reader.get(), userID: reader.get()) }
}

extension GitHub.Comment: Wire {
    func put(into writer: inout Writer) {
        writer.put(id, url, body, author, association, isByApp, createdAt, updatedAt)
    }
    init(from reader: inout Reader) {
        self.init(
            id: reader.get(), url: reader.get(), body: reader.get(), author: reader.get(),
            association: reader.get(), isByApp: reader.get(), createdAt: reader.get(),
            updatedAt: reader.get())
    }
}

extension GitHub.Token: Wire {
    func put(into writer: inout Writer) { writer.put(secret, expiresAt) }
    init(from reader: inout Reader) { self.init(secret: reader.get(), expiresAt: reader.get()) }
}

extension GitHub.Comparison: Wire {
    func put(into writer: inout Writer) { writer.put(commits, files, additions, deletions, subjects) }
    init(from reader: inout Reader) {
        self.init(
            commits: reader.get(), files: reader.get(), additions: reader.get(), deletions: reader.get(),
            subjects: reader.get())
    }
}

extension GitHub.PullRequest: Wire {
    func put(into writer: inout Writer) { writer.put(number, url, headSHA) }
    init(from reader: inout Reader) {
        self.init(number: reader.get(), url: reader.get(), headSHA: reader.get())
    }
}

extension GitHub.PullRequestDraft: Wire {
    func put(into writer: inout Writer) { writer.put(title, body, head, base, isDraft) }
    init(from reader: inout Reader) {
        self.init(
            title: reader.get(), body: reader.get(), head: reader.get(), base: reader.get(),
            isDraft: reader.get())
    }
}

extension GitHub.LoggedDelivery: Wire {
    func put(into writer: inout Writer) { writer.put(id, guid, event, action, deliveredAt, isSuccess) }
    init(from reader: inout Reader) {
        self.init(
            id: reader.get(), guid: reader.get(), event: reader.get(), action: reader.get(),
            deliveredAt: reader.get(), isSuccess: reader.get())
    }
}

extension GitHub.Page: Wire where Item: Wire {
    func put(into writer: inout Writer) { writer.put(items, next, tag, isUnchanged, date) }
    init(from reader: inout Reader) {
        self.init(
            items: reader.get(), next: reader.get(), tag: reader.get(), isUnchanged: reader.get(),
            date: reader.get())
    }
}

extension GitHub.Look: Wire {
    func put(into writer: inout Writer) {
        switch self {
        case .first(let tag): writer.put(true, tag)
        case .next(let address): writer.put(false, address)
        }
    }
    init(from reader: inout Reader) {
        self = reader.get(Bool.self) ? .first(unless: reader.get()) : .next(reader.get())
    }
}

extension GitHub.ContentList: Wire {}

extension CommandID: Wire {
    func put(into writer: inout Writer) { writer.put(rawValue) }
    init(from reader: inout Reader) { self.init(rawValue: reader.get()) }
}

extension GitHub.IssueFacts: Wire {
    func put(into writer: inout Writer) { writer.put(title, isPullRequest, closedAt) }
    init(from reader: inout Reader) {
        self.init(title: reader.get(), isPullRequest: reader.get(), closedAt: reader.get())
    }
}

extension GitHub.Content: Wire {
    func put(into writer: inout Writer) {
        writer.put(id, issueNumber, url, body, author, authorType, isByApp, createdAt, updatedAt, issue)
    }
    init(from reader: inout Reader) {
        self.init(
            id: reader.get(), issueNumber: reader.get(), url: reader.get(), body: reader.get(),
            author: reader.get(), authorType: reader.get(), isByApp: reader.get(), createdAt: reader.get(),
            updatedAt: reader.get(), issue: reader.get())
    }
}

extension GitHub.ReactionTarget: Wire {
    func put(into writer: inout Writer) {
        switch self {
        case .comment(let id): writer.put("comment", id)
        case .reviewComment(let id): writer.put("review comment", id)
        case .issue(let number): writer.put("issue", Int64(number))
        }
    }
    init(from reader: inout Reader) {
        let word = reader.get(String.self)
        let id = reader.get(Int64.self)
        self = word == "comment" ? .comment(id) : word == "issue" ? .issue(Int(id)) : .reviewComment(id)
    }
}

extension GitHub.LoggedPayload: Wire {
    func put(into writer: inout Writer) { writer.put(event, action) }
    init(from reader: inout Reader) { self.init(event: reader.get(), action: reader.get()) }
}

/// The events that people of this world cause; the others are nothing to Porter.
extension WebhookEvent: Wire {
    func put(into writer: inout Writer) {
        switch self {
        case .comment(let event):
            writer.put("comment", event.action, event.repository, event.repositoryOwner, event.issueNumber)
            writer.put(event.issueTitle, event.issueBody, event.isPullRequest, event.commentID)
            writer.put(event.commentURL, event.body, event.author, event.authorType, event.isByApp)
            writer.put(event.createdAt)
        case .issueClosed(let event):
            writer.put("closed", event.repository, event.repositoryOwner, event.issueNumber, event.closedAt)
        default:
            writer.put("other")
        }
    }

    init(from reader: inout Reader) {
        switch reader.get(String.self) {
        case "comment":
            var event = CommentEvent(
                action: reader.get(), repository: reader.get(), repositoryOwner: reader.get(),
                issueNumber: reader.get(), issueTitle: reader.get(), issueBody: reader.get(),
                isPullRequest: reader.get(), commentID: reader.get(), commentURL: reader.get(),
                body: reader.get(), author: reader.get(), authorType: reader.get(),
                isByApp: reader.get())
            event.createdAt = reader.get()
            self = .comment(event)
        case "closed":
            var event = IssueEvent(
                repository: reader.get(), repositoryOwner: reader.get(), issueNumber: reader.get())
            event.closedAt = reader.get()
            self = .issueClosed(event)
        default: self = .other
        }
    }
}

extension GitHubError: Wire {
    func put(into writer: inout Writer) {
        switch code {
        case .rateLimited(let until): writer.put("rateLimited", until)
        default: writer.put("\(code)")
        }
        writer.put(operation, status, message)
    }

    init(from reader: inout Reader) {
        let word = reader.get(String.self)
        let code: Code =
            switch word {
            case "rateLimited": .rateLimited(until: reader.get())
            case "notFound": .notFound
            case "gone": .gone
            case "unauthorized": .unauthorized
            case "forbidden": .forbidden
            case "refused": .refused
            case "unreachable": .unreachable
            case "uncertain": .uncertain
            default: preconditionFailure("\(word) is no code of GitHub's")
            }
        self.init(code, operation: reader.get(), status: reader.get(), message: reader.get())
    }
}

extension MachinePlan: Wire {
    func put(into writer: inout Writer) {
        writer.put(name, image, environment, metadata, region, cpus, memory)
    }
    init(from reader: inout Reader) {
        self.init(
            name: reader.get(), image: reader.get(), environment: reader.get(), metadata: reader.get(),
            region: reader.get(), cpus: reader.get(), memory: reader.get())
    }
}

extension Machine.State: Wire {}

extension Machine.Exit: Wire {
    func put(into writer: inout Writer) { writer.put(code, outOfMemory, wasRequested, message) }
    init(from reader: inout Reader) {
        self.init(
            code: reader.get(), outOfMemory: reader.get(), wasRequested: reader.get(), message: reader.get())
    }
}

extension Machine: Wire {
    func put(into writer: inout Writer) {
        writer.put(id, name, state, region, metadata, createdAt, exit)
    }
    init(from reader: inout Reader) {
        self.init(
            id: reader.get(), name: reader.get(), state: reader.get(), region: reader.get(),
            metadata: reader.get(), createdAt: reader.get(), exit: reader.get())
    }
}

extension MachinesError: Wire {
    func put(into writer: inout Writer) {
        switch code {
        case .nameTaken(let id): writer.put("nameTaken", id)
        default: writer.put("\(code)")
        }
        writer.put(operation, status, message)
    }

    init(from reader: inout Reader) {
        let word = reader.get(String.self)
        let code: Code =
            switch word {
            case "nameTaken": .nameTaken(id: reader.get())
            case "noCapacity": .noCapacity
            case "unauthorized": .unauthorized
            case "imageUnavailable": .imageUnavailable
            case "refused": .refused
            case "unreachable": .unreachable
            case "uncertain": .uncertain
            default: preconditionFailure("\(word) is no code of an engine's")
            }
        self.init(code, operation: reader.get(), status: reader.get(), message: reader.get())
    }
}

extension Attempt.Report: Wire {
    func put(into writer: inout Writer) { writer.put(outcome, reason, headSHA, exitCode, summary) }
    init(from reader: inout Reader) {
        self.init(
            outcome: reader.get(), reason: reader.get(), headSHA: reader.get(), exitCode: reader.get(),
            summary: reader.get())
    }
}
