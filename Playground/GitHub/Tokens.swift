import PlaygroundFace
import Porter
import PorterCrypto

/// An installation token, as it was given out.
struct Token: Sendable {
    /// Its name in the effect log, which never holds the token itself.
    let id: Int64
    let installationID: Int64
    /// The repositories it was narrowed to; nil stands for all of the installation's.
    let repositories: Set<Int64>?
    let permissions: [String: String]
    var expiresAt: Instant
    var isRevoked = false

    /// Seconds that a token lives.
    static let lifetime = 3600
    /// Repositories that one can be narrowed to.
    static let mostRepositories = 500

    /// `ghs_` and 36 letters and digits that nobody can foresee.
    static func newSecret() -> String {
        let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
        return "ghs_" + String(SecureRandom.bytes(36).map { alphabet[Int($0) % alphabet.count] })
    }

    /// Whether it allows that.
    func allows(_ permission: String, _ access: Access) -> Bool {
        switch permissions[permission] {
        case "admin", "write": true
        case "read": access == .read
        default: false
        }
    }
}

/// Reading or changing.
enum Access: String, Sendable {
    case read
    case write
}

extension State {
    /// The token, if it is one that is good now.
    func token(_ secret: String) -> Token? {
        guard let token = tokens[secret], !token.isRevoked, token.expiresAt > clock.now(),
            let installation = installations[token.installationID], installation.suspendedAt == nil
        else { return nil }
        return token
    }

    /// Whether the token reaches the repository.
    func reaches(_ token: Token, _ repository: Repository) -> Bool {
        guard let installation = installations[token.installationID], reaches(installation, repository)
        else { return false }
        return token.repositories.map { $0.contains(repository.id) } ?? true
    }

    /// What the effect log says of a token.
    func effect(_ token: Token) -> JSON {
        [
            "token": .int(token.id), "installation": .int(token.installationID),
            "repositories": token.repositories.map { .array($0.sorted().map(JSON.int)) } ?? "all",
            "permissions": permissions(token.permissions), "expires_at": .string(token.expiresAt.shown),
        ]
    }

    /// Makes a token that is narrowed as asked.
    ///
    /// - SeeAlso: <https://docs.github.com/en/rest/apps/apps#create-an-installation-access-token-for-an-app>
    mutating func makeToken(
        _ installation: Installation, _ asked: JSON
    ) throws(Refusal) -> (secret: String, token: Token) {
        let permissions = try narrowed(installation.permissions, asked["permissions"])
        let repositories = try narrowed(installation, asked)
        let token = Token(
            id: newID(), installationID: installation.id, repositories: repositories,
            permissions: permissions, expiresAt: now.adding(seconds: Token.lifetime))
        let secret = Token.newSecret()
        tokens[secret] = token
        return (secret, token)
    }

    private func narrowed(
        _ granted: [String: String], _ asked: JSON
    ) throws(Refusal) -> [String: String] {
        guard !asked.isNull else { return granted }
        guard let asked = asked.object else { throw .invalid("permissions", "object") }
        var permissions = ["metadata": "read"]
        for (name, level) in asked {
            guard let has = granted[name] else {
                throw .unprocessable("The permissions requested are not granted to this installation.")
            }
            guard let level = level.string, ["read", "write", "admin"].contains(level) else {
                throw .invalid("permissions/\(name)", "member of [\"read\", \"write\"]")
            }
            guard level == has || level == "read" else {
                throw .unprocessable(
                    "The level of access for permissions requested are not granted to this installation.")
            }
            permissions[name] = level
        }
        return permissions
    }

    private func narrowed(_ installation: Installation, _ asked: JSON) throws(Refusal) -> Set<Int64>? {
        let known = repositories(of: installation)
        var found: Set<Int64>?
        if !asked["repository_ids"].isNull {
            guard case .array(let ids) = asked["repository_ids"] else {
                throw .invalid("repository_ids", "array")
            }
            let reached = Set(known.map(\.id))
            guard ids.allSatisfy({ $0.int.map(reached.contains) ?? false }) else { throw .unreachable }
            found = Set(ids.compactMap(\.int))
        }
        if !asked["repositories"].isNull {
            guard case .array(let names) = asked["repositories"] else {
                throw .invalid("repositories", "array")
            }
            var ids: Set<Int64> = []
            for name in names {
                guard
                    let repository = known.first(where: { $0.name.lowercased() == name.string?.lowercased() })
                else { throw .unreachable }
                ids.insert(repository.id)
            }
            found = (found ?? []).union(ids)
        }
        // An empty list is no narrowing: GitHub takes it as not said.
        guard let found, !found.isEmpty else { return nil }
        guard found.count <= Token.mostRepositories else {
            throw .unprocessable("A token can be narrowed to \(Token.mostRepositories) repositories at most.")
        }
        return found
    }
}

extension Refusal {
    fileprivate static let unreachable = Refusal.unprocessable(
        "There is at least one repository that does not exist or is not accessible to the parent installation."
    )
}
