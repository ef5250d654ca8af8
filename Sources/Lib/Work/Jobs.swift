package import Porter
package import PorterStore

/// How a job went.
enum JobOutcome: Equatable {
    /// Nothing more to do.
    case done
    /// Look again at the moment; this is no failure.
    case again(Instant)
}

extension Work {
    /// How often a job of the kind is tried before it is given up; nil is for ever (at growing intervals).
    ///
    /// An ending has days instead of tries, see ``publishingPatience``.
    static func mostTries(_ kind: JobKind) -> Int? {
        switch kind {
        case .supervise, .cleanup, .launch, .ending, .recover, .sweep: nil
        // The next pass asks for another look.
        case .refresh: 3
        case .admit, .answer, .publish: 12
        case .rights: 6
        case .react, .status, .mirror: 8
        }
    }

    /// How many times more patience an outage gets than a refusal: days, not minutes.
    static var outagePatience: Int { 24 }

    /// Whether the failure says that the outside was not there, and nothing about what was asked.
    private static func isOutage(_ error: any Error) -> Bool {
        switch error {
        case let error as GitHubError:
            switch error.code {
            // Credentials that are refused are the operator's to mend, and a wrong clock's.
            case .rateLimited, .unreachable, .uncertain, .unauthorized: return true
            case .forbidden, .notFound, .gone, .refused: return false
            }
        case let error as MachinesError:
            return error.code == .unreachable || error.code == .uncertain
        case UserTokenFailure.unavailable: return true
        default: return false
        }
    }

    /// Milliseconds between two tries at most.
    static func longestBackoff(_ kind: JobKind) -> Int64 {
        switch kind {
        // Deadlines are kept within it as soon as the engine and GitHub answer again.
        case .supervise: 30_000
        case .ending: 3_600_000
        // A person waits for what is found.
        case .recover, .sweep: 60_000
        // A person may be looking at the page that waits for it.
        case .rights: 30_000
        case .admit, .answer, .publish, .launch, .react, .status, .cleanup, .refresh, .mirror:
            600_000
        }
    }

    /// Milliseconds until the next try: doubling from one second, with up to a quarter of jitter.
    func backoff(_ kind: JobKind, _ tries: Int) -> Int64 {
        let base = min(Self.longestBackoff(kind), Int64(1000) << Int64(min(tries, 20)))
        let random = world.entropy.bytes(1).first ?? 0
        return base + base * Int64(random) / 1024
    }

    /// What one turn came to.
    package enum Turn: Sendable {
        /// Nothing was due.
        case idle
        /// A job was worked on.
        case worked
        /// A job was given up.
        case gaveUp
        /// A job waits until what a lost call did has settled.
        case settles(until: Instant)
    }

    /// Starts what may start, then works the job that has been due the longest.
    ///
    /// - Throws: ``StoreError`` when the database cannot be read or written; the job stays, to be done later.
    package func turn() throws(StoreError) -> Turn {
        try startQueued()
        guard let claim = try store.claimJob(at: now) else { return .idle }
        world.moment("job.claimed")
        do {
            return try work(claim)
        } catch {
            store.giveBack(claim)
            throw error
        }
    }

    /// Does a claimed job to its end: done, postponed, or given up.
    private func work(_ claim: JobClaim) throws(StoreError) -> Turn {
        do {
            switch try run(claim) {
            case .done: try store.finishJob(claim, at: now)
            case .again(let moment): try store.postponeJob(claim, until: moment, failed: false)
            }
            return .worked
        } catch let error as StoreError {
            if error.code == .fenced { return .worked }
            guard error.code != .unavailable, error.code != .busy else {
                // The claim is given back as soon as the database can be written again.
                try store.postponeJob(claim, until: now.adding(seconds: 1), failed: false)
                return .worked
            }
            return try fail(claim, error)
        } catch let error as Unsettled {
            try store.postponeJob(claim, until: error.until, failed: false)
            return .settles(until: error.until)
        } catch {
            return try fail(claim, error)
        }
    }

    private func run(_ claim: JobClaim) throws -> JobOutcome {
        if claim.kind == .answer { return try answer(claim) }
        if claim.kind == .recover { return try recover(claim) }
        if claim.kind == .sweep { return try sweep(claim) }
        if claim.kind == .refresh { return try refresh(claim) }
        if claim.kind == .rights { return try refreshRights(claim) }
        if claim.kind == .mirror { return try mirror(claim) }
        guard let id = TaskID(rawValue: claim.subject), let task = try store.findTask(id) else {
            return .done
        }
        switch claim.kind {
        case .admit: return try admit(task, claim)
        case .launch: return try launch(task, claim)
        case .supervise: return try supervise(task, claim)
        case .publish: return try publish(task, claim)
        case .react: return try react(task, claim)
        case .status: return try updateStatusComment(task, claim)
        case .ending: return try postEnding(task, claim)
        case .cleanup: return try cleanUp(task, claim)
        case .answer, .recover, .sweep, .refresh, .rights, .mirror: return .done
        }
    }

    /// Postpones a failed job, or gives it up after its last try.
    private func fail(_ claim: JobClaim, _ error: any Error) throws(StoreError) -> Turn {
        var facts = ["job": claim.kind.rawValue, "subject": claim.subject, "tries": "\(claim.tries + 1)"]
        facts["error"] = "\(error)"
        let patience = Self.isOutage(error) ? Self.outagePatience : 1
        if let most = Self.mostTries(claim.kind), claim.tries + 1 >= most * patience {
            log(.error, "job given up", facts)
            try giveUp(claim, error)
            try store.finishJob(claim, at: now)
            return .gaveUp
        }
        log(.warning, "job postponed", facts)
        var next = now.adding(milliseconds: backoff(claim.kind, claim.tries))
        if let error = error as? GitHubError, case .rateLimited(let until) = error.code {
            // Never earlier than asked, and never lost to a wrong clock out there.
            next = max(next, min(until, now.adding(seconds: 3600)))
        }
        if let id = TaskID(rawValue: claim.subject), claim.tries == 0 {
            try store.recordEvent("\(claim.kind.rawValue)_failed", task: id, detail: "\(error)", at: now)
        }
        try store.postponeJob(claim, until: next, failed: true)
        return .worked
    }

    /// What is left to say when a job cannot succeed.
    private func giveUp(_ claim: JobClaim, _ error: any Error) throws(StoreError) {
        if claim.kind == .answer, let comment = Int64(claim.subject.dropFirst("comment:".count)) {
            try store.closeCommand(comment: comment, "given_up", for: claim, at: now)
            return
        }
        if claim.kind == .mirror { return try giveUpMirror(claim) }
        guard let id = TaskID(rawValue: claim.subject), let task = try store.findTask(id) else { return }
        try store.recordEvent("\(claim.kind.rawValue)_given_up", task: id, detail: "\(error)", at: now)
        var reason = Reason.internal
        if let error = error as? GitHubError, case .rateLimited = error.code { reason = .rateLimited }
        switch claim.kind {
        case .admit where task.state == .queued:
            _ = try store.end(task, Ending(.failed, reason: reason), for: claim, at: now)
        case .publish where task.state == .running:
            let report = try store.findAttempt(id, task.attempt)?.report
            _ = try store.end(task, endingWithoutLook(task, report), for: claim, at: now)
        default:
            break
        }
    }
}
