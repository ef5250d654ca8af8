package import Porter
package import PorterStore

/// Why there is no token to call GitHub with as a person.
package enum UserTokenFailure: Error, Sendable {
    /// GitHub wants the person to sign in again.
    case signInAgain
    /// GitHub cannot be asked for a new token now; the words say why.
    case unavailable(String)
    /// The database cannot be used, or a token in it cannot be opened.
    case store(StoreError)
}

extension Work {
    /// Seconds before its end at which an access token is renewed.
    static var renewalMargin: Int { 300 }
    /// Milliseconds between two looks whether another thread or process has renewed a token.
    static var renewalPause: Int32 { 25 }
    /// Looks at most: longer than a renewal can take.
    static var renewalLooks: Int { 1000 }
    /// Tries to store a renewed pair, which exists nowhere else.
    static var storingTries: Int { 5 }

    /// A token with which GitHub can be called as the person.
    ///
    /// One that ends soon is renewed first: by one caller, in one process, at a time. The others wait for it. The
    /// new pair is stored before anybody uses it. If the process dies between GitHub's answer and that, the old
    /// pair is dead at GitHub and the new one unknown: GitHub will refuse the next try, and the person signs in
    /// again, as after any refusal.
    package func userToken(of person: Int64) throws(UserTokenFailure) -> Secret {
        for _ in 0..<Self.renewalLooks {
            let stored = try stored { () throws(StoreError) in try store.findUserTokens(person) }
            guard let stored, let access = stored.accessSealed else { throw .signInAgain }
            let isFresh = stored.accessExpiresAt.map { now.adding(seconds: Self.renewalMargin) < $0 } ?? true
            if isFresh { return try open(access, Database.accessPlace(person)) }
            guard let refresh = stored.refreshSealed else { return try last(access, stored, person) }
            let claim = try self.stored { () throws(StoreError) in
                try store.claimRenewal(person: person, version: stored.version, at: now)
            }
            guard let claim else {
                world.pause(Self.renewalPause)
                continue
            }
            return try renew(claim, refresh, stored, person)
        }
        throw .unavailable("another process has been renewing the token for too long")
    }

    /// The token that nothing can renew, as long as it lives.
    private func last(
        _ access: [UInt8], _ stored: StoredUserTokens, _ person: Int64
    ) throws(UserTokenFailure) -> Secret {
        if let end = stored.accessExpiresAt, end <= now {
            try self.stored { () throws(StoreError) in
                try store.refuseTokens(person: person, version: stored.version, at: now)
            }
            throw .signInAgain
        }
        return try open(access, Database.accessPlace(person))
    }

    private func renew(
        _ claim: RenewalClaim, _ refresh: [UInt8], _ stored: StoredUserTokens, _ person: Int64
    ) throws(UserTokenFailure) -> Secret {
        world.moment("renewal.claimed")
        let tokens: UserGitHub.UserTokens
        do throws(OAuthError) {
            tokens = try world.users.refresh(try openForRenewal(refresh, person))
        } catch {
            log(.notice, "token not renewed", ["person": "\(person)", "error": "\(error)"])
            // Only GitHub's word about this token ends it; an App that is wrongly configured says nothing about it.
            if error.code == .refused, ["bad_refresh_token", "unauthorized"].contains(error.word) {
                try self.stored { () throws(StoreError) in try store.refuseRenewal(claim, at: now) }
                throw .signInAgain
            }
            try self.stored { () throws(StoreError) in try store.releaseRenewal(claim) }
            guard let access = stored.accessSealed, let end = stored.accessExpiresAt, now < end,
                error.code == .unreachable
            else { throw .unavailable(error.description) }
            return try open(access, Database.accessPlace(person))
        }
        world.moment("renewal.answered")
        try keep(tokens, claim, person)
        world.moment("renewal.stored")
        return tokens.access
    }

    /// Stores the pair; it must not be lost to a database that is busy for a moment.
    private func keep(
        _ tokens: UserGitHub.UserTokens, _ claim: RenewalClaim, _ person: Int64
    ) throws(UserTokenFailure) {
        let sealed: SealedUserTokens
        do throws(Sealer.Failure) {
            sealed = try SealedUserTokens(tokens, person: person, sealer: world.sealer)
        } catch {
            throw .unavailable("the new token cannot be sealed: \(error)")
        }
        for tryNumber in 1...Self.storingTries {
            do throws(StoreError) {
                return try store.finishRenewal(claim, sealed, at: now)
            } catch {
                guard error.code != .fenced, tryNumber < Self.storingTries else { throw .store(error) }
                log(.error, "renewed token not stored yet", ["person": "\(person)", "error": "\(error)"])
                world.pause(Self.renewalPause * 10)
            }
        }
    }

    private func openForRenewal(_ sealed: [UInt8], _ person: Int64) throws(OAuthError) -> Secret {
        do throws(Sealer.Failure) {
            return try world.sealer.open(sealed, Database.refreshPlace(person))
        } catch {
            throw OAuthError(.unreachable, message: "the stored token does not open: \(error)")
        }
    }

    private func open(_ sealed: [UInt8], _ place: Sealer.Place) throws(UserTokenFailure) -> Secret {
        do throws(Sealer.Failure) {
            return try world.sealer.open(sealed, place)
        } catch {
            throw .store(StoreError(.corrupt, operation: "open a user token", message: error.description))
        }
    }

    private func stored<T>(_ body: () throws(StoreError) -> T) throws(UserTokenFailure) -> T {
        do throws(StoreError) {
            return try body()
        } catch {
            throw .store(error)
        }
    }

    /// Calls GitHub as the person; a token that GitHub does not take any more is renewed once.
    func asPerson<T>(
        _ person: Int64, _ call: (Secret) throws(GitHubError) -> T
    ) throws -> T {
        let version = try store.findUserTokens(person)?.version
        do {
            return try call(try userToken(of: person))
        } catch let error as GitHubError where error.code == .unauthorized && !error.isSuspension {
            guard let version, let now = try store.findUserTokens(person) else { throw error }
            // Somebody else has renewed it meanwhile; otherwise this is the pair that was refused.
            if now.version == version {
                try store.expireAccess(person: person, version: version, at: self.now)
            }
            return try call(try userToken(of: person))
        }
    }
}
