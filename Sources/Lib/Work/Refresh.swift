import Porter
package import PorterStore

/// Keeps the picture of GitHub that the pages show: installations, repositories, what is left of GitHub's hour.
///
/// Deliveries change it as things happen; this looks at all of it now and then, for what no delivery told.
extension Work {
    /// Seconds between two looks.
    static var refreshInterval: Int { 600 }
    /// The mark of the last look that came to its end.
    package static var refreshMark: String { "github.refreshed" }

    /// Makes the job when it is time.
    package func ensureRefresh() throws(StoreError) {
        guard world.app.isSetUp else { return }
        if let last = try store.findMark(Self.refreshMark),
            (0..<Int64(Self.refreshInterval) * 1000).contains(now - last.at)
        {
            return
        }
        try store.ensureRefresh(at: now)
    }

    func refresh(_ claim: JobClaim) throws -> JobOutcome {
        guard world.app.isSetUp else { return .done }
        let asked = now
        let installations = try world.administration.installations()
        try store.saveInstallations(installations, asked: asked, at: now)
        var missing = 0
        for installation in installations where !installation.isSuspended {
            guard try serves(installation.account) else { continue }
            do {
                try refresh(installation, asked: now)
            } catch let error as GitHubError {
                // One account's trouble hides nobody else's repositories.
                missing += 1
                log(
                    .warning, "repositories not refreshed",
                    ["installation": "\(installation.id)", "error": "\(error)"])
            }
        }
        try store.setMark(Self.refreshMark, to: missing == 0 ? "done" : "\(missing) missing", at: now)
        return .done
    }

    private func refresh(
        _ installation: GitHub.InstallationDetails, asked: Instant
    ) throws {
        let repositories = try world.administration.repositories(installation.id)
        let limit = try? world.administration.rateLimit(installation.id)
        try store.saveRepositories(
            of: installation.id, repositories, rateLimit: limit, asked: asked, at: now)
    }
}
