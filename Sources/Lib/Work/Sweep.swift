import Porter
import PorterStore

/// Looks for commands on GitHub itself, where no delivery tells of them: after an outage that is longer than
/// GitHub's log of deliveries reaches, while that log cannot be read, and always with `PORTER_INGEST=poll`.
///
/// A round lists the installations, the repositories of those that are served, and then what was changed in
/// each repository since it was last known: issues, comments, review comments, reviews. What the round has
/// done is kept with each page, so that it goes on after a call limit or a death; and how far a repository is
/// known moves only once everything that was found there is stored.
///
/// One call says that nothing has changed in a repository: its list of issues, which each comment changes. That
/// call is conditional, and costs nothing of GitHub's rate limit while nothing has changed.
extension Work {
    /// Calls of one turn at most.
    static var sweepCalls: Int { 60 }
    /// Seconds between two turns of a round.
    static var sweepPause: Int { 2 }
    /// Seconds until the next round after one of which GitHub refused a part.
    static var refusalPause: Int { 60 }

    /// What one turn has left, and what it has learnt.
    struct SweepTurn {
        let claim: JobClaim
        var round: SweepRound
        /// Nothing older is ever looked for: Porter's database is younger; by GitHub's clock.
        var made: Instant
        /// Since when the log of deliveries does not tell everything; nil while it does.
        let wanted: Instant?
        var callsLeft: Int
        /// The issues of the repository at hand, by number; nil for those that are gone.
        var issues: [Int: IssueText?] = [:]

        /// Takes one call.
        ///
        /// - Throws: ``OutOfCalls`` when there is none left.
        mutating func spend() throws(OutOfCalls) {
            guard callsLeft > 0 else { throw OutOfCalls() }
            callsLeft -= 1
        }

        /// What was written earlier in the repository is known, or is not to be run; GitHub counts whole seconds.
        func floor(of sweep: Sweep) -> Instant {
            let known = sweep.knownUntil.adding(seconds: -Work.recoveryOverlap)
            return Instant(seconds: max(made, known).seconds)
        }
    }

    /// The turn has made its calls; the next one goes on.
    struct OutOfCalls: Error {}

    /// What a command freezes of its issue.
    struct IssueText {
        let title: String
        let body: String
        let isPullRequest: Bool
    }

    func sweep(_ claim: JobClaim) throws -> JobOutcome {
        let wanted = try store.wantedSweep()
        guard policy.isPolling || wanted != nil else { return .done }
        let app = try world.github.app()
        try learnOwner(app)
        let round = try currentRound(claim)
        var turn = SweepTurn(
            claim: claim, round: round, made: try store.madeAt(now, theirs: round.theirs),
            wanted: wanted, callsLeft: Self.sweepCalls)
        do {
            while turn.round.stage != .done {
                switch turn.round.stage {
                case .installations:
                    turn.round.theirs = try listInstallations(&turn)
                    turn.made = try store.madeAt(now, theirs: turn.round.theirs)
                    turn.round.stage = .repositories
                case .repositories:
                    try listRepositories(&turn)
                    turn.round.stage = .contents
                case .contents:
                    try sweepRepositories(&turn)
                    turn.round.stage = .done
                case .done: break
                }
                try store.save(turn.round, for: claim, at: now)
            }
        } catch is OutOfCalls {
            return .again(now.adding(seconds: Self.sweepPause))
        }
        world.moment("contents.done")
        if policy.isPolling {
            // A round that seems to lie in the future began before the clock was set.
            let next = min(round.begunAt, now).adding(seconds: Self.pollingInterval)
            return .again(max(next, now.adding(seconds: Self.sweepPause)))
        }
        // Wanted again while the round went on, or still, because GitHub refused some of it.
        guard try store.wantedSweep() != nil else { return .done }
        return .again(now.adding(seconds: turn.round.isRefused ? Self.refusalPause : Self.sweepPause))
    }

    /// GitHub has refused a part of the round: it is believed when it has said so in several in a row.
    func noteRefusal(_ turn: inout SweepTurn) throws(StoreError) {
        guard !turn.round.isRefused else { return }
        turn.round.isRefused = true
        try store.save(turn.round, for: turn.claim, at: now)
    }

    /// The round that is under way, or a new one.
    private func currentRound(_ claim: JobClaim) throws(StoreError) -> SweepRound {
        let last = try store.sweepRound()
        if let last, last.stage != .done { return last }
        var next = SweepRound(number: (last?.number ?? 0) + 1, stage: .installations, begunAt: now)
        if let last, last.isRefused, last.isPatient { next.refusals = last.refusals + 1 }
        try store.save(next, for: claim, at: now)
        return next
    }

    /// Keeps which installations there are.
    ///
    /// - Returns: when GitHub was first asked, by its own clock; nil when it did not say.
    private func listInstallations(_ turn: inout SweepTurn) throws -> Instant? {
        var theirs: Instant?
        var found: [GitHub.Installation] = []
        var look = GitHub.Look.first(unless: try store.installationsTag())
        while true {
            try turn.spend()
            let page = try world.github.installations(look)
            world.moment("contents.installations")
            theirs = theirs ?? page.date
            if page.isUnchanged { return theirs }
            found += page.items
            if let next = page.next {
                look = .next(next)
                continue
            }
            var tag: String?
            // A list of several pages may change behind its first.
            if case .first = look { tag = page.tag }
            try store.save(found, in: turn.round, tag: tag, for: turn.claim, at: now)
            return theirs
        }
    }

    /// Keeps which repositories the served installations reach.
    private func listRepositories(_ turn: inout SweepTurn) throws {
        for var installation in try store.installationsToList(in: turn.round) {
            guard try serves(installation.account) else { continue }
            repeat {
                try turn.spend()
                let isFirst = installation.page == nil
                let look = installation.page.map(GitHub.Look.next) ?? .first(unless: installation.tag)
                let page: GitHub.Page<GitHub.Repository>
                do throws(GitHubError) {
                    page = try world.github.repositories(installation.id, look)
                } catch {
                    guard Self.isRefusal(error) else { throw error }
                    log(
                        .warning, "repositories cannot be listed",
                        ["installation": "\(installation.id)", "error": "\(error)"])
                    try noteRefusal(&turn)
                    try store.skip(installation, in: turn.round, for: turn.claim)
                    break
                }
                world.moment("contents.repositories")
                if page.isUnchanged {
                    try store.skip(installation, in: turn.round, for: turn.claim)
                    break
                }
                installation.page = page.next
                installation.tag = isFirst && page.next == nil ? page.tag : nil
                try store.save(
                    page.items, of: installation, in: turn.round, since: try sweptUntil(turn),
                    for: turn.claim, at: now)
            } while installation.page != nil
        }
    }

    /// Since when a repository that was not known yet is looked at.
    private func sweptUntil(_ turn: SweepTurn) throws(StoreError) -> Instant {
        let swept = try store.lastSweep()?.begunAt ?? turn.made
        return max(turn.made, swept, turn.wanted ?? swept)
    }

    /// Looks at one repository after the other.
    private func sweepRepositories(_ turn: inout SweepTurn) throws {
        while var sweep = try store.nextSweep(in: turn.round) {
            turn.issues = [:]
            if try serves(sweep.owner) {
                if sweep.stage == nil {
                    // What the log of deliveries told until then is known.
                    if let wanted = turn.wanted, wanted > sweep.knownUntil {
                        sweep.knownUntil = wanted
                        sweep.tag = nil
                    }
                    sweep.begin(at: turn.floor(of: sweep))
                }
                try look(at: &sweep, &turn)
            }
            try store.finish(sweep, in: turn.round, for: turn.claim)
            world.moment("contents.finished")
        }
    }
}
