import Porter
package import PorterStore

/// Takes in deliveries that never arrived: Porter was down, the disk full, the way in broken.
///
/// GitHub does not deliver again by itself, but keeps a log of three days. The log is walked from its newest
/// entry back to what was read before; what failed and is not stored is noted, and then taken in from the
/// log's own payload as if it had arrived, oldest first. Each step is durable, so that a walk goes on where a
/// call limit or a death has interrupted it. Where the log cannot tell everything, GitHub itself is looked at:
/// ``sweep(_:)``.
extension Work {
    /// Seconds between two looks at the log.
    static var recoveryInterval: Int { 60 }
    /// Seconds between two looks with `PORTER_INGEST=poll`, at the log and at GitHub itself.
    static var pollingInterval: Int { 20 }
    /// Calls of one turn at most, for the log's pages and for payloads each.
    static var recoveryCalls: Int { 50 }
    /// Seconds that a walk reaches back beyond what was read: entries may appear late and out of order.
    static var recoveryOverlap: Int { 600 }
    /// Seconds before the end of the log's reach at which it is not relied on any more.
    static var logMargin: Int { 3600 }
    /// Times that one delivery is asked for while its answer cannot be read, before it counts as gone from the log.
    static var payloadTries: Int { 8 }
    /// The mark of the last turn that found nothing left to do, when that was by our clock; its value is when its
    /// walk had begun, by GitHub's.
    static var recoveryMark: String { "deliveries.looked" }
    /// The mark that the log cannot be read, as long as that is so.
    static var unreadableMark: String { "deliveries.unreadable" }

    /// Makes the jobs when it is time.
    package func ensureRecovery() throws(StoreError) {
        guard world.app.isSetUp else { return }
        let isWanted = try store.wantedSweep() != nil
        if policy.isPolling || isWanted { try store.ensureSweep(at: now) }
        if let last = try store.findMark(Self.recoveryMark),
            (0..<Int64(Self.recoveryInterval) * 1000).contains(now - last.at)
        {
            return
        }
        try store.ensureRecovery(at: now)
    }

    func recover(_ claim: JobClaim) throws -> JobOutcome {
        let rest = policy.isPolling ? JobOutcome.again(now.adding(seconds: Self.pollingInterval)) : .done
        switch try walkLog(claim) {
        case .unreadable: return rest
        case .interrupted: return .again(now.adding(seconds: 1))
        case .ended(let began):
            guard try takeMissed(claim) else { return .again(now.adding(seconds: 1)) }
            try store.setMark(Self.recoveryMark, to: String(began.milliseconds), at: now)
            return rest
        }
    }

    private enum Walk {
        /// All of the log is known that was there at the moment, by GitHub's clock.
        case ended(began: Instant)
        case interrupted
        case unreadable
    }

    /// Walks the log back to what was read before.
    private func walkLog(_ claim: JobClaim) throws -> Walk {
        let read = try store.logReadUntil()
        var walk =
            try store.interruptedWalk() ?? Database.LogWalk(next: nil, began: now, newest: read)
        for _ in 0..<Self.recoveryCalls {
            let isFirst = walk.next == nil
            let look = try walk.next.map(GitHub.Look.next) ?? .first(unless: store.logTag())
            let page: GitHub.Page<GitHub.LoggedDelivery>
            do throws(GitHubError) {
                page = try world.github.deliveries(look)
            } catch {
                guard Self.isRefusal(error) else { throw error }
                if isFirst { return try noteUnreadable(error) }
                // A cursor that the log does not know any more.
                try store.abandonWalk(for: claim)
                return .interrupted
            }
            world.moment("deliveries.page")
            if isFirst {
                try store.forgetMark(Self.unreadableMark)
                walk.began = page.date ?? now
            }
            let floor = try recoveryFloor(read, walk)
            if page.isUnchanged { return .ended(began: walk.began) }
            let oldest = page.items.map(\.deliveredAt).min()
            walk.newest = (page.items.map(\.deliveredAt) + [walk.newest].compactMap { $0 }).max()
            let isAtFloor = oldest.map { $0 < floor } ?? false
            walk.next = isAtFloor ? nil : page.next
            let fresh = page.items.filter { $0.deliveredAt >= floor }
            var record = Database.LogPage(
                failed: fresh.filter { !$0.isSuccess && Self.concerns($0) },
                arrived: Set(page.items.filter(\.isSuccess).map(\.guid)), walk: walk)
            if walk.next == nil {
                record.tag = isFirst ? page.tag : nil
                let isReached = oldest.map { $0 <= read ?? floor } ?? false
                if !isReached { record.gapSince = try gap(read, walk) }
            }
            try store.record(record, for: claim, at: now)
            world.moment("deliveries.recorded")
            if walk.next == nil { return .ended(began: walk.began) }
        }
        return .interrupted
    }

    /// Nothing older is looked at: it was read before, or Porter's database is younger.
    private func recoveryFloor(_ read: Instant?, _ walk: Database.LogWalk) throws(StoreError) -> Instant {
        let made = try store.madeAt(now, theirs: walk.began)
        return max(made, read?.adding(seconds: -Self.recoveryOverlap) ?? made)
    }

    /// Since when deliveries may be missing from a log that ends before what was read; nil when none are.
    ///
    /// That is so when the last look lies beyond the log's reach, and when the log has lost an entry that it
    /// should still have.
    private func gap(_ read: Instant?, _ walk: Database.LogWalk) throws(StoreError) -> Instant? {
        let made = try store.madeAt(now, theirs: walk.began)
        let told = try logToldUntil() ?? made
        let looked = try store.lastSweep()?.begunAt ?? told
        let reach = Int64(policy.logReach - Self.logMargin) * 1000
        let isTooOld = !(0..<reach).contains(walk.began - max(told, looked))
        let isCut = read.map { (0..<reach).contains(walk.began - $0) } ?? false
        guard isTooOld || isCut else { return nil }
        log(.warning, "GitHub's log does not reach back", ["since": told.iso8601])
        return told
    }

    /// What was delivered by this moment, or not, the log has told, by GitHub's clock; nil before the first look.
    private func logToldUntil() throws(StoreError) -> Instant? {
        (try store.findMark(Self.recoveryMark)?.value).flatMap { Int64($0) }.map(Instant.init(milliseconds:))
    }

    /// Wishes that GitHub itself is looked at for what the log has not told of.
    ///
    /// - Parameter delivered: when one such thing was delivered; nil when none is known.
    private func wantSweep(for delivered: Instant? = nil) throws(StoreError) {
        // Nothing is looked for that is older than the database.
        let told = try logToldUntil() ?? Instant(seconds: 0)
        try store.wantSweep(since: delivered.map { min($0, told) } ?? told, at: now)
    }

    /// The log cannot be read, as of an App without a webhook: GitHub itself is looked at instead.
    private func noteUnreadable(_ error: GitHubError) throws(StoreError) -> Walk {
        if try store.findMark(Self.unreadableMark) == nil {
            log(.warning, "GitHub's log of deliveries cannot be read", ["error": "\(error)"])
            try store.setMark(Self.unreadableMark, to: "", at: now)
        }
        try wantSweep()
        return .unreadable
    }

    /// Whether GitHub has understood and will not do it, so that asking again is of no use.
    static func isRefusal(_ error: GitHubError) -> Bool {
        [.refused, .notFound, .gone, .forbidden].contains(error.code)
    }

    /// Whether Porter would act on it.
    private static func concerns(_ delivery: GitHub.LoggedDelivery) -> Bool {
        switch delivery.event {
        case "issue_comment", "pull_request_review_comment": delivery.action == "created"
        case "pull_request_review": delivery.action == "submitted"
        case "issues": delivery.action == "closed" || delivery.action == "opened"
        case "installation", "installation_repositories", "repository", "github_app_authorization": true
        default: false
        }
    }

    /// Takes in what was noted.
    ///
    /// - Returns: whether nothing is left.
    private func takeMissed(_ claim: JobClaim) throws -> Bool {
        let missed = try store.missedDeliveries(most: Self.recoveryCalls)
        for delivery in missed {
            if try store.findDelivery(delivery.guid) == nil, let payload = try payload(of: delivery, claim),
                try isStillTrue(payload.event)
            {
                world.moment("delivery.recovering")
                let result = try accept(
                    Delivery(
                        guid: delivery.guid, event: delivery.event, action: payload.action, digest: []),
                    payload.event)
                world.moment("delivery.recovered")
                if case .accepted = result {
                    log(
                        .notice, "missed delivery taken in",
                        ["delivery": delivery.guid, "event": delivery.event])
                }
            }
            try store.handleMissed(delivery.guid, for: claim, at: now)
        }
        return missed.count < Self.recoveryCalls
    }

    /// What it said; nil when the log does not show it any more, so that it must be looked for on GitHub itself.
    ///
    /// One that GitHub cannot show, again and again, holds up no other.
    private func payload(
        of delivery: GitHub.LoggedDelivery, _ claim: JobClaim
    ) throws -> GitHub.LoggedPayload? {
        do throws(GitHubError) {
            return try world.github.delivery(delivery)
        } catch {
            if !Self.isRefusal(error) {
                guard error.code == .uncertain,
                    try store.failMissed(delivery.guid, for: claim) >= Self.payloadTries
                else { throw error }
            }
            log(
                .warning, "missed delivery cannot be read from the log",
                ["delivery": delivery.guid, "event": delivery.event, "error": "\(error)"])
            try wantSweep(for: delivery.deliveredAt)
            return nil
        }
    }

    /// Whether an event of the past may still be acted on: an issue that is open again stops nothing.
    private func isStillTrue(_ event: WebhookEvent) throws(GitHubError) -> Bool {
        guard case .issueClosed(let closed) = event else { return true }
        do {
            return try !world.github.issue(closed.repository, closed.issueNumber).isOpen
        } catch {
            guard [.notFound, .gone, .forbidden].contains(error.code) else { throw error }
            return true
        }
    }
}
