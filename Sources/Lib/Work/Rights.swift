package import Porter
package import PorterStore

extension Work {
    /// Seconds for which GitHub's word about a person's rights is taken without asking again.
    package static var freshRights: Int { 120 }
    /// Seconds after which it is not believed any more, whatever keeps GitHub from answering.
    package static var longestRights: Int { 600 }

    /// How old GitHub's word about a person's rights is.
    package enum RightsAge: Hashable, Sendable {
        case fresh
        /// Still good, and to be asked for again.
        case stale
        /// Never asked for, or too long ago: nobody sees anything by it.
        case unknown
    }

    /// Whether what GitHub said at that moment can be believed now.
    package func age(ofRightsFrom moment: Instant?) -> RightsAge {
        guard let moment else { return .unknown }
        // A clock that was set back makes them lie in the future.
        switch now - moment {
        case 0..<Int64(Self.freshRights) * 1000: return .fresh
        case 0..<Int64(Self.longestRights) * 1000: return .stale
        default: return .unknown
        }
    }

    /// Sees to it that GitHub is asked for the person's rights, by whoever works the queue.
    package func wishForRights(of person: Int64) throws(StoreError) {
        try store.ensureRights(person: person, at: now)
    }

    /// Asks GitHub what the person sees, and keeps it.
    func refreshRights(_ claim: JobClaim) throws -> JobOutcome {
        guard let id = Int64(claim.subject.dropFirst("person:".count)), try store.findPerson(id) != nil else {
            return .done
        }
        do {
            let seen = try asPerson(id) { (token) throws(GitHubError) in
                try rights(token, try world.users.installations(token))
            }
            try store.saveRights(person: id, seen.rights, of: seen.repositories, at: now)
        } catch UserTokenFailure.signInAgain {
            return .done
        } catch let error as GitHubError where error.code == .unauthorized || error.isSuspension {
            // The token is dead and so was its successor: nothing of theirs is shown until they sign in.
            if let stored = try store.findUserTokens(id) {
                try store.refuseTokens(person: id, version: stored.version, at: now)
            }
            log(.notice, "rights refused", ["person": "\(id)", "error": "\(error)"])
        }
        return .done
    }

    /// What a person sees, as GitHub has just said.
    struct SeenRights {
        var rights: [Right] = []
        var repositories: [RepositoryChange] = []
        /// Why something is missing: an organisation that keeps us or the person out.
        var refusal: GitHubError?
    }

    /// Asks what the person sees of the served accounts' installations.
    ///
    /// An installation that GitHub keeps from us, or from the person, adds nothing.
    func rights(
        _ token: Secret, _ visible: UserGitHub.VisibleInstallations
    ) throws(GitHubError) -> SeenRights {
        var seen = SeenRights()
        for installation in visible.list where !installation.isSuspended {
            guard isServed(installation.account) else { continue }
            do throws(GitHubError) {
                for found in try world.users.repositories(token, installation.id) {
                    let repository = found.repository
                    seen.rights.append(Right(repository: repository.id, canPush: found.canPush))
                    seen.repositories.append(
                        RepositoryChange(
                            repository: RepositoryRef(
                                installationID: installation.id, id: repository.id,
                                owner: repository.owner.login, name: repository.name),
                            owner: repository.owner, defaultBranch: repository.defaultBranch,
                            isArchived: repository.isArchived))
                }
            } catch {
                guard [.forbidden, .notFound, .gone].contains(error.code) else { throw error }
                seen.refusal = error
            }
        }
        return seen
    }

    /// Whether the account's installations are served; no, while that cannot be known.
    func isServed(_ account: Person) -> Bool {
        do throws(StoreError) {
            if policy.owners == nil, try store.findMark(Self.ownerMark) == nil { return false }
            return try serves(account)
        } catch {
            log(.warning, "whether an account is served is not known", ["error": "\(error)"])
            return false
        }
    }
}
