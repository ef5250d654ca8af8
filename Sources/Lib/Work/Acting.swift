package import Porter
package import PorterStore

/// A run that a signed-in person asks for.
package struct TaskRequest: Hashable, Sendable {
    /// Where, as ``Work/findPlace(owner:name:for:seesAll:)`` found it.
    package var repository: RepositoryRef
    /// The issue; nil opens one with the instructions as its text.
    package var issue: Int?
    /// What the run is to be.
    package var wish: TaskWish

    /// A request.
    package init(repository: RepositoryRef, issue: Int?, wish: TaskWish) {
        self.repository = repository
        self.issue = issue
        self.wish = wish
    }
}

/// Why something that a person asked for is not done.
package enum ActingFailure: Error, Sendable {
    /// There is no such repository, or the person does not see it.
    case noRepository
    /// The person sees it and cannot push to it.
    case notPermitted
    /// Only an ended task can be tried again.
    case notEnded
    /// The task was asked for by somebody who may not, and is nobody's to try again.
    case neverPermitted
    /// A field has a value that cannot be.
    case field(String, String)
    /// GitHub wants the person to sign in again.
    case signInAgain
    /// GitHub did not do it; the words say why, and whether it may have happened.
    case github(String)
    /// The database cannot be used.
    case store(StoreError)
}

/// What signed-in people start and stop.
extension Work {
    /// Characters of a new issue's title at most.
    static var longestTitle: Int { 120 }

    /// Whether the person can push to the repository, as far as GitHub has said.
    package func canPush(_ person: Person, to repository: Int64) throws(StoreError) -> Bool {
        try store.findRight(person: person.id, repository: repository)?.canPush == true
    }

    /// The repository of that name, if the person sees it and can push to it.
    ///
    /// - Parameter seesAll: whether they see it without a right of their own; pushing takes one.
    package func findPlace(
        owner: String, name: String, for person: Person, seesAll: Bool
    ) throws(ActingFailure) -> RepositoryRef {
        let (repository, right) = try stored { () throws(StoreError) in
            let found = try store.findRepository(owner: owner, name: name)
            return (
                found,
                try found.flatMap { (place) throws(StoreError) in
                    try store.findRight(person: person.id, repository: place.id)
                }
            )
        }
        guard let repository, right != nil || seesAll else { throw .noRepository }
        guard right?.canPush == true else { throw .notPermitted }
        return repository
    }

    /// Stores a task that a person asks for, under an issue that is there or is opened in their name first.
    ///
    /// Admission is the same as for a comment.
    package func ask(
        _ request: TaskRequest, by person: Person, address: String?
    ) throws(ActingFailure) -> TaskID {
        let issue = try issue(for: request, in: request.repository, person)
        let id = TaskID.make(at: now, entropy: world.entropy)
        let command = ArrivedCommand(
            repository: request.repository, issueNumber: issue.number, issueTitle: issue.title.storable,
            issueBody: issue.body.storable, commentID: numberWithoutComment(), commentURL: "", author: person,
            wish: .run(request.wish))
        _ = try stored { () throws(StoreError) in
            try store.accept(
                request: command, newID: id, executor: policy.engine.name,
                recording: entry("task.asked", id, by: person, address), at: now)
        }
        return id
    }

    /// Stores a new task like an ended one.
    package func retry(
        _ task: PorterTask, by person: Person, address: String?
    ) throws(ActingFailure) -> TaskID {
        guard try stored({ () throws(StoreError) in try canPush(person, to: task.repository.id) }) else {
            throw .notPermitted
        }
        guard task.state.isFinal else { throw .notEnded }
        let id = TaskID.make(at: now, entropy: world.entropy)
        // The issue as it was when its first command came: nothing that was written since is run.
        let command = ArrivedCommand(
            repository: task.repository, issueNumber: task.issueNumber, issueTitle: task.issueTitle,
            issueBody: task.issueBody, commentID: numberWithoutComment(), commentURL: "", author: person,
            wish: .retry(task.id))
        let isStored = try stored { () throws(StoreError) in
            try store.accept(
                request: command, newID: id, executor: policy.engine.name,
                recording: entry("task.retried", task.id, by: person, address, detail: "as \(id.rawValue)"),
                at: now)
        }
        guard isStored else { throw .neverPermitted }
        return id
    }

    /// Asks a task to stop.
    package func stop(
        _ task: PorterTask, by person: Person, address: String?
    ) throws(ActingFailure) -> Database.StopResult {
        guard try stored({ () throws(StoreError) in try canPush(person, to: task.repository.id) }) else {
            throw .notPermitted
        }
        return try stored { () throws(StoreError) in
            try store.stop(
                task.id, detail: "Stopped by \(person.login).",
                recording: entry("task.stopped", task.id, by: person, address), at: now)
        }
    }

    private func entry(
        _ action: String, _ task: TaskID, by person: Person, _ address: String?, detail: String? = nil
    ) -> AuditEntry {
        AuditEntry(
            at: now, actorID: person.id, actorLogin: person.login, action: action, subject: task.rawValue,
            detail: detail, address: address)
    }

    /// A number that no comment has: below zero, from 62 random bits.
    private func numberWithoutComment() -> Int64 {
        let bits = world.entropy.bytes(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return -1 - Int64(bits >> 2)
    }

    private func issue(
        for request: TaskRequest, in repository: RepositoryRef, _ person: Person
    ) throws(ActingFailure) -> UserGitHub.WrittenIssue {
        if let number = request.issue {
            let issue = try asking(
                notFound: .field("issue_number", "names no issue of the repository that you can see.")
            ) {
                try asPerson(person.id) { (token) throws(GitHubError) in
                    try world.users.issue(token, repository, number)
                }
            }
            guard !issue.isPullRequest else { throw .field("issue_number", "is a pull request's number.") }
            return issue
        }
        let text = request.wish.instructions
        return try asking(notFound: .github("GitHub does not let you open an issue there.")) {
            try asPerson(person.id) { (token) throws(GitHubError) in
                try world.users.createIssue(token, repository, Self.title(of: text), text)
            }
        }
    }

    /// The first line that says something, shortened at a word's end.
    static func title(of text: String) -> String {
        let line = text.split(whereSeparator: \.isNewline).first { !$0.allSatisfy(\.isWhitespace) } ?? ""
        let words = line.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        guard words.count > longestTitle else { return words }
        let cut = words.prefix(longestTitle - 1)
        let end = cut.lastIndex(of: " ") ?? cut.endIndex
        return String(cut[..<end]) + "…"
    }

    private func asking<T>(
        notFound: ActingFailure, _ body: () throws -> T
    ) throws(ActingFailure) -> T {
        do {
            return try body()
        } catch let error as GitHubError {
            switch error.code {
            case .notFound, .gone: throw notFound
            case .unreachable, .rateLimited:
                throw .github("GitHub cannot be reached now, and nothing was done. Try again in a minute.")
            case .uncertain:
                throw .github(
                    "GitHub did not answer. Look at the repository's issues before you try again: one may have "
                        + "been opened.")
            case .unauthorized: throw .signInAgain
            case .forbidden, .refused: throw .github("GitHub refused: \(error.message)")
            }
        } catch UserTokenFailure.signInAgain {
            throw .signInAgain
        } catch UserTokenFailure.store(let error) {
            throw .store(error)
        } catch let error as StoreError {
            throw .store(error)
        } catch {
            log(.warning, "no token for a person", ["person.error": "\(error)"])
            throw .github("GitHub gives no new token now, and nothing was done. Try again in a minute.")
        }
    }

    private func stored<T>(_ body: () throws(StoreError) -> T) throws(ActingFailure) -> T {
        do throws(StoreError) {
            return try body()
        } catch {
            throw .store(error)
        }
    }
}
