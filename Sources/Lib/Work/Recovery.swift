import Porter
package import PorterStore

/// Takes in deliveries that never arrived: Porter was down, the disk full, the way in broken.
///
/// GitHub does not deliver again by itself, but keeps a log of three days. The log is walked from its newest
/// entry back to what was read before; what failed and is not stored is noted, and then taken in from the
/// log's own payload as if it had arrived, oldest first. Each step is durable, so that a walk goes on where a
/// call limit or a death has interrupted it.
extension Work {
    /// Seconds between two looks at the log.
    static var recoveryInterval: Int { 60 }
    /// Seconds between two looks with `PORTER_INGEST=poll`.
    static var pollingInterval: Int { 20 }
    /// Calls of one turn at most, for the log's pages and for payloads each.
    static var recoveryCalls: Int { 50 }
    /// Seconds that a walk reaches back beyond what was read: entries may appear late and out of order.
    static var recoveryOverlap: Int { 600 }
    /// The mark of the last turn that found nothing left to do.
    static var recoveryMark: String { "deliveries.looked" }

    /// Makes the job when it is time.
    package func ensureRecovery() throws(StoreError) {
        guard policy.isSetUp else { return }
        if let last = try store.findMark(Self.recoveryMark),
            (0..<Int64(Self.recoveryInterval) * 1000).contains(now - last.at)
        {
            return
        }
        try store.ensureRecovery(at: now)
    }

    func recover(_ claim: JobClaim) throws -> JobOutcome {
        guard try walkLog(claim), try takeMissed(claim) else { return .again(now.adding(seconds: 1)) }
        try store.setMark(Self.recoveryMark, to: "done", at: now)
        return policy.isPolling ? .again(now.adding(seconds: Self.pollingInterval)) : .done
    }

    /// Walks the log back to what was read before.
    ///
    /// - Returns: whether the walk came to its end.
    private func walkLog(_ claim: JobClaim) throws -> Bool {
        let floor = try recoveryFloor()
        var walk = try store.interruptedWalk() ?? Database.LogWalk(next: nil, newest: floor)
        for _ in 0..<Self.recoveryCalls {
            let page: GitHub.DeliveryPage
            do throws(GitHubError) {
                page = try world.github.deliveries(walk.next)
            } catch {
                // A cursor that the log does not know any more.
                guard walk.next != nil, [.refused, .notFound, .gone].contains(error.code) else { throw error }
                try store.abandonWalk(for: claim)
                return false
            }
            world.moment("deliveries.page")
            walk.newest = page.items.map(\.deliveredAt).max().map { max($0, walk.newest) } ?? walk.newest
            let isAtFloor = page.items.contains { $0.deliveredAt < floor }
            walk.next = isAtFloor ? nil : page.next
            let fresh = page.items.filter { $0.deliveredAt >= floor }
            try store.record(
                Database.LogPage(
                    failed: fresh.filter { !$0.isSuccess && Self.concerns($0) },
                    arrived: Set(page.items.filter(\.isSuccess).map(\.guid)), walk: walk),
                for: claim, at: now)
            world.moment("deliveries.recorded")
            if walk.next == nil { return true }
        }
        return false
    }

    /// Nothing older is looked at: it was read before, or Porter's database is younger.
    private func recoveryFloor() throws(StoreError) -> Instant {
        let made = try store.madeAt(now)
        let read = try store.logReadUntil()?.adding(seconds: -Self.recoveryOverlap)
        return max(made, read ?? made)
    }

    /// Whether Porter would act on it.
    private static func concerns(_ delivery: GitHub.LoggedDelivery) -> Bool {
        switch delivery.event {
        case "issue_comment": delivery.action == "created"
        case "issues": delivery.action == "closed"
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
            if try store.findDelivery(delivery.guid) == nil, let payload = try payload(of: delivery),
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
            try store.forgetMissed(delivery.guid, for: claim)
        }
        return missed.count < Self.recoveryCalls
    }

    /// What it said; nil when the log has dropped it meanwhile.
    private func payload(
        of delivery: GitHub.LoggedDelivery
    ) throws(GitHubError) -> GitHub.LoggedPayload? {
        do {
            return try world.github.delivery(delivery)
        } catch {
            guard error.code == .notFound || error.code == .gone else { throw error }
            log(.warning, "missed delivery is lost", ["delivery": delivery.guid, "event": delivery.event])
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
