import PlaygroundFace
import Porter
import PorterCrypto

/// A person's token for the App, as it was given out.
struct UserToken: Sendable {
    /// Its name in the effect log, which never holds the token itself.
    let id: Int64
    let personID: Int64
    let access: String
    let refresh: String
    var accessExpiresAt: Instant
    var refreshExpiresAt: Instant
    /// Whether it was traded for another pair, or taken back.
    var isDead = false

    /// Seconds that an access token lives: eight hours.
    static let accessLifetime = 28_800
    /// Seconds that a refresh token lives: half a year.
    static let refreshLifetime = 15_811_200
}

/// A sign-in that a person has agreed to.
struct AuthorizationCode: Sendable {
    let personID: Int64
    let redirect: String
    let challenge: String?
    let expiresAt: Instant
    var isUsed = false

    /// Seconds that a code lives.
    static let lifetime = 600
}

/// What an organisation asks of people and programs.
struct OrganizationRules: Sendable {
    /// Whether members must pass its single sign-on.
    var needsSingleSignOn = false
    /// Who has passed it.
    var signedOn: Set<Int64> = []
    /// Whether its list of allowed addresses keeps everybody out.
    var refusesAddress = false
    /// Who belongs to it.
    var members: Set<Int64> = []
}

/// Everything about people's tokens.
struct OAuthState: Sendable {
    var codes: [String: AuthorizationCode] = [:]
    /// By access token.
    var tokens: [String: UserToken] = [:]
    var organizations: [Int64: OrganizationRules] = [:]
    /// People whose accounts are suspended.
    var suspended: Set<Int64> = []
    /// Seconds that new access tokens live.
    var accessLifetime = UserToken.accessLifetime
    /// Whether the App has the account permission to write gists, and people have agreed to it.
    var grantsGists = true
    /// Whether new tokens end at all.
    var isExpiring = true
}

extension State {
    /// Letters and digits that nobody can foresee, behind the prefix.
    static func newSecret(_ prefix: String) -> String {
        let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
        return prefix + String(SecureRandom.bytes(36).map { alphabet[Int($0) % alphabet.count] })
    }

    /// A new pair for the person.
    mutating func makeUserToken(_ person: Int64) -> UserToken {
        let token = UserToken(
            id: newID(), personID: person, access: Self.newSecret("ghu_"), refresh: Self.newSecret("ghr_"),
            accessExpiresAt: now.adding(seconds: oauth.isExpiring ? oauth.accessLifetime : 1_000_000_000),
            refreshExpiresAt: now.adding(seconds: UserToken.refreshLifetime))
        oauth.tokens[token.access] = token
        return token
    }

    /// The token, if it is one that is good now.
    func userToken(_ access: String) -> UserToken? {
        guard let token = oauth.tokens[access], !token.isDead, clock.now() < token.accessExpiresAt else {
            return nil
        }
        return token
    }

    /// Takes every token of the person back.
    mutating func forgetTokens(of person: Int64) {
        for (access, token) in oauth.tokens where token.personID == person {
            oauth.tokens[access]?.isDead = true
        }
    }

    /// Whether the person sees the installation: their own, or one that reaches a repository of theirs.
    func isVisible(_ installation: Installation, to person: Int64) -> Bool {
        if installation.accountID == person { return true }
        return repositories(of: installation).contains { isExplicit(person, in: $0) }
    }

    /// Whether somebody gave the person a right there; that everybody can read does not count.
    func isExplicit(_ person: Int64, in repository: Repository) -> Bool {
        repository.ownerID == person || repository.collaborators[person, default: .none] >= .read
    }

    /// Whether the organisation hides itself from the person until they have signed on.
    func hides(_ organization: Int64, from person: Int64) -> Bool {
        guard let rules = oauth.organizations[organization], rules.needsSingleSignOn else { return false }
        return !rules.signedOn.contains(person)
    }
}
