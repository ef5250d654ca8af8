package import FoundationEssentials
package import Porter
import PorterAgents
package import PorterStore

/// Why a worker is not answered what it asked for.
package struct CallbackFailure: Error, Equatable {
    /// The HTTP status: 401, 409, 503.
    package let status: Int
    /// The code in the body.
    package let code: String
    /// One sentence for the worker's log; never a secret.
    package let message: String
    /// Where the log goes on, for `log_offset`.
    package var expected: Int?

    init(_ status: Int, _ code: String, _ message: String, expected: Int? = nil) {
        self.status = status
        self.code = code
        self.message = message
        self.expected = expected
    }

    /// The token is not one of a current attempt.
    package static let unknownToken = CallbackFailure(
        401, "unauthorized", "This token is not the one of a current attempt.")

    static func store(_ error: StoreError) -> CallbackFailure {
        CallbackFailure(503, "unavailable", "The database cannot be written now; try again.")
    }
}

/// Whether the worker goes on.
package struct Continuation: Hashable, Sendable {
    /// False tells the worker to end the agent and to save.
    package let goesOn: Bool
    /// Why it is to stop; nil while it goes on.
    package let reason: Reason?
}

/// A credential for one repository.
package struct Credential: Codable, Hashable, Sendable {
    /// What git sends as the user: `x-access-token` for GitHub.
    package var username: String
    /// The token in the clear, for the answer's body alone.
    package var token: String
    /// ISO 8601; an hour after it was made.
    package var expiresAt: String

    private enum CodingKeys: String, CodingKey {
        case username, token
        case expiresAt = "expires_at"
    }
}

extension Work {
    /// Seconds in which a repeated claim gets the same answer.
    static var claimRepeat: Int { 60 }
    /// Push credentials an attempt gets at most.
    static var mostCredentials: Int { 3 }

    /// Gives the attempt to the first worker that asks, and everything that its run needs.
    ///
    /// - Returns: the answer as JSON (`public/openapi.json`, `claim`).
    package func claim(token: Secret, nonce: Secret) throws(CallbackFailure) -> Data {
        let (attempt, kind) = try find(token)
        guard kind == .machine else { throw .unknownToken }
        let callbackToken = world.entropy.token()
        do {
            let result = try store.claimAttempt(
                attempt, nonceDigest: world.digest(nonce),
                callbackTokenDigest: world.digest(callbackToken), repeatable: Self.claimRepeat, at: now)
            try check(result, attempt, "claim")
            guard let claimed = try store.findAttempt(attempt.task, attempt.number),
                let task = try store.findTask(attempt.task)
            else { throw CallbackFailure.unknownToken }
            if let sealed = claimed.claimSealed { return try open(sealed, of: claimed) }
            return try answer(task, claimed, callbackToken)
        } catch let error as CallbackFailure {
            throw error
        } catch let error as StoreError {
            throw .store(error)
        } catch let error as GitHubError {
            log(.warning, "claim could not be answered", ["error": "\(error)"])
            throw CallbackFailure(503, "github_unavailable", "GitHub gave no token; try again.")
        } catch {
            log(.error, "claim could not be answered", ["error": "\(error)"])
            throw CallbackFailure(503, "unavailable", "Something inside Porter went wrong; try again.")
        }
    }

    /// Stores a heartbeat and says whether the worker goes on.
    package func progress(token: Secret, _ progress: Progress) throws(CallbackFailure) -> Continuation {
        let attempt = try findCallback(token)
        do {
            let person = try store.findTask(attempt.task)?.author.id
            let result = try store.recordProgress(
                attempt, progress.redacted(by: world.redactor, about: person), logLimit: policy.logLimit,
                at: now)
            if case .stop(let reason) = result { return Continuation(goesOn: false, reason: reason) }
            try check(result, attempt, "progress")
            return Continuation(goesOn: true, reason: nil)
        } catch let error as CallbackFailure {
            throw error
        } catch {
            throw .store(StoreError(.unavailable, operation: "record progress", message: "\(error)"))
        }
    }

    /// Gives a token that can push to the task's repository.
    package func credential(token: Secret) throws(CallbackFailure) -> Credential {
        let attempt = try findCallback(token)
        do {
            try check(
                store.countCredential(attempt, most: Self.mostCredentials, at: now), attempt, "credential")
            guard let task = try store.findTask(attempt.task) else { throw CallbackFailure.unknownToken }
            do {
                return try credential(task, attempt, .write, purpose: "push")
            } catch {
                try store.uncountCredential(attempt)
                throw error
            }
        } catch let error as CallbackFailure {
            throw error
        } catch let error as StoreError {
            throw .store(error)
        } catch {
            log(.warning, "credential could not be given", ["error": "\(error)"])
            throw CallbackFailure(503, "github_unavailable", "GitHub gave no token; try again.")
        }
    }

    /// Stores the worker's last word.
    ///
    /// - Parameter named: the task that the body names; it must be the token's.
    package func complete(
        token: Secret, named: String, _ report: Attempt.Report
    ) throws(CallbackFailure) {
        let (attempt, kind) = try find(token)
        guard attempt.task.rawValue == named else {
            note("callback_refused", attempt, "complete: it names another task")
            throw .unknownToken
        }
        if kind == .machine, attempt.claimedAt != nil { throw .unknownToken }
        do {
            var report = report
            let person = try store.findTask(attempt.task)?.author.id
            report.summary = report.summary.map { world.redactor.redact($0, about: person) }
            let result = try store.recordReport(attempt, report, at: now)
            if case .ended(let state) = result {
                // What was reported is the stored status; without a report it is the task's own.
                let isRepeat = (attempt.report?.outcome.state ?? state) == report.outcome.state
                let current = try store.findTask(attempt.task)?.attempt
                if current == attempt.number, isRepeat { return }
            }
            try check(result, attempt, "complete")
        } catch let error as CallbackFailure {
            throw error
        } catch {
            throw .store(StoreError(.unavailable, operation: "record report", message: "\(error)"))
        }
    }

    /// Whether the token is one of a current attempt; what it opens is decided by each operation.
    package func checkToken(_ token: Secret) throws(CallbackFailure) {
        _ = try find(token)
    }

    private func find(_ token: Secret) throws(CallbackFailure) -> (Attempt, TokenKind) {
        do {
            guard let found = try store.findAttempt(tokenDigest: world.digest(token)),
                let task = try store.findTask(found.attempt.task)
            else { throw CallbackFailure.unknownToken }
            guard task.attempt == found.attempt.number else {
                note("callback_refused", found.attempt, "attempt \(found.attempt.number) was replaced")
                throw CallbackFailure.unknownToken
            }
            return (found.attempt, found.kind)
        } catch let error as CallbackFailure {
            throw error
        } catch {
            throw .store(StoreError(.unavailable, operation: "find attempt", message: "\(error)"))
        }
    }

    private func findCallback(_ token: Secret) throws(CallbackFailure) -> Attempt {
        let (attempt, kind) = try find(token)
        guard kind == .callback else { throw .unknownToken }
        return attempt
    }

    /// Writes into the task's history, once, what was refused; a database that cannot be written keeps nobody
    /// from being refused.
    private func note(_ kind: String, _ attempt: Attempt, _ detail: String) {
        log(.warning, "callback refused", ["task.id": attempt.task.rawValue, "why": detail])
        try? store.recordOnce(kind, task: attempt.task, detail: detail, at: now)
    }

    private func check(
        _ result: CallbackResult, _ attempt: Attempt, _ operation: String
    ) throws(CallbackFailure) {
        switch result {
        case .stored, .stop: return
        case .superseded:
            note("callback_refused", attempt, "attempt \(attempt.number) was replaced")
            throw .unknownToken
        case .ended(let state):
            note("callback_refused", attempt, "\(operation) after the end")
            throw CallbackFailure(409, "ended", "The task has ended: \(state.rawValue).")
        case .claimedByOther:
            throw CallbackFailure(409, "claimed", "Another worker has claimed this attempt.")
        case .logGap(let expected):
            throw CallbackFailure(
                409, "log_offset", "The log goes on at byte \(expected).", expected: expected)
        case .refused(let words):
            throw CallbackFailure(409, "refused", words.capitalizedSentence)
        }
    }

    private func open(_ sealed: [UInt8], of attempt: Attempt) throws -> Data {
        let secret = try world.sealer.open(sealed, .claim(attempt.task, attempt: attempt.number))
        return secret.reveal { Data($0.utf8) }
    }

    private func answer(_ task: PorterTask, _ attempt: Attempt, _ callbackToken: Secret) throws -> Data {
        guard let name = task.agent, let agent = world.catalog.find(name), let base = task.baseBranch,
            let prompt = try store.findPrompt(task.id)
        else {
            throw StoreError(.corrupt, operation: "answer a claim", message: "an admitted task lacks parts")
        }
        let app = try world.github.app()
        let repository = try world.github.repository(task.repository)
        let keys = try keys(of: task.author, onOwnEngine: attempt.account != nil)
        let invocation = agent.invocation(model: task.model, environment: keys.values)
        let answer = ClaimAnswer(
            task_id: task.id.rawValue, attempt: attempt.number,
            callback_token: callbackToken.reveal { $0 },
            repository: .init(
                id: repository.id, owner: repository.owner.login, name: repository.name,
                clone_url: repository.cloneURL),
            base_branch: base, branch: task.branch,
            agent: .init(
                name: agent.name, argv: invocation.arguments,
                prompt: invocation.prompt.rawValue,
                environment: invocation.environment.mapValues { $0.reveal { $0 } }),
            prompt: prompt.text,
            limits: .init(
                clone_s: policy.limits.clone, timeout_s: task.timeout, stall_s: policy.limits.stall,
                save_s: policy.limits.saving),
            author: .init(name: app.bot.login, email: app.bot.commitEmail),
            co_author: "\(task.author.login) <\(task.author.commitEmail)>",
            credential: try credential(task, attempt, .read, purpose: "clone"))
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let body = try encoder.encode(answer)
        let sealed = try world.sealer.seal(
            Secret(String(decoding: body, as: UTF8.self)), .claim(attempt.task, attempt: attempt.number))
        // Another thread may have answered the same nonce meanwhile: then its answer is the one.
        let kept = try store.saveClaimAnswer(
            attempt, sealed: sealed, callbackTokenDigest: world.digest(callbackToken),
            credentials: keys.account(for: agent, person: task.author), at: now)
        log(.notice, "task claimed", ["task.id": task.id.rawValue, "attempt": "\(attempt.number)"])
        return try open(kept ?? sealed, of: attempt)
    }

    /// Asks GitHub for a fresh token and keeps it sealed, so that it can be revoked at the end.
    private func credential(
        _ task: PorterTask, _ attempt: Attempt, _ access: GitHub.Access, purpose: String
    ) throws -> Credential {
        world.moment("token.create.calling")
        let token = try world.github.contentsToken(task.repository, access)
        world.redactor.watch(token.secret)
        world.moment("token.create.called")
        let sealer = world.sealer
        do {
            let isOfUse = try store.saveToken(
                task: task.id, attempt: attempt.number, purpose: purpose, expiresAt: token.expiresAt, at: now
            ) { row in try sealer.seal(token.secret, .givenToken(row, of: task.id)) }
            guard isOfUse else { throw CallbackFailure(409, "ended", "The task has ended.") }
        } catch {
            // Nobody will know this token: it must not stay good for an hour.
            do throws(GitHubError) {
                try world.github.revoke(token.secret)
            } catch {
                log(.warning, "token could not be revoked", ["error": "\(error)"])
            }
            throw error
        }
        return Credential(
            username: "x-access-token", token: token.secret.reveal { $0 },
            expiresAt: token.expiresAt.iso8601)
    }
}

extension Progress {
    /// The report without secrets; the log keeps its length, because its offsets count.
    fileprivate func redacted(by redactor: Redactor, about person: Int64?) -> Progress {
        var progress = self
        progress.message = message.map { redactor.redact($0, about: person) }
        progress.logText = logText.map { redactor.mask($0, about: person) }
        return progress
    }
}

/// What a claim is answered, as `public/openapi.json` spells it.
private struct ClaimAnswer: Encodable {
    struct Repository: Encodable {
        let id: Int64
        let owner: String
        let name: String
        let clone_url: String
    }

    struct Agent: Encodable {
        let name: String
        let argv: [String]
        let prompt: String
        let environment: [String: String]
    }

    struct Limits: Encodable {
        let clone_s: Int
        let timeout_s: Int
        let stall_s: Int
        let save_s: Int
    }

    struct Author: Encodable {
        let name: String
        let email: String
    }

    let task_id: String
    let attempt: Int
    let callback_token: String
    let repository: Repository
    let base_branch: String
    let branch: String
    let agent: Agent
    let prompt: String
    let limits: Limits
    let author: Author
    let co_author: String
    let credential: Credential
}

extension Person {
    /// The address by which GitHub knows whose commit it is, without telling a real one.
    ///
    /// - SeeAlso: <https://docs.github.com/en/account-and-profile/reference/email-addresses-reference>
    var commitEmail: String { "\(id)+\(login)@users.noreply.github.com" }
}

extension String {
    /// The words as a sentence of their own.
    fileprivate var capitalizedSentence: String {
        prefix(1).uppercased() + dropFirst() + (hasSuffix(".") ? "" : ".")
    }
}
