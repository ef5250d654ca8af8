import PlaygroundFace
import Porter

/// The App that is under test.
struct App: Sendable {
    let id: Int64
    let slug: String
    let clientID: String
    let ownerID: Int64
    /// The account `<slug>[bot]`.
    let botID: Int64
    let hookID: Int64
    let createdAt: Instant
    /// The name for people; nil is the slug.
    var name: String?
    /// What this App asks for.
    var asked = App.permissions
    /// The events that this App has subscribed to.
    var heard = App.events
    /// Whether accounts other than its owner's can install it.
    var isPublic = true
    /// Where a person comes after installing it.
    var setupURL: String?
    /// Where sign-in may come back to; nil is anywhere.
    var callbackURLs: [String]?

    /// What the App asks for, and every installation grants.
    static let permissions = [
        "checks": "write", "contents": "write", "issues": "write", "metadata": "read",
        "pull_requests": "write",
    ]
    /// The events that it has subscribed to; those about installations come unasked.
    static let events = [
        "issue_comment", "issues", "pull_request", "pull_request_review", "pull_request_review_comment",
        "repository",
    ]
}

/// An account's installation of the App.
struct Installation: Sendable {
    let id: Int64
    let accountID: Int64
    var permissions = App.permissions
    /// The repositories that were picked; nil stands for all of the account's.
    var picked: Set<Int64>?
    var suspendedAt: Instant?
    let createdAt: Instant
}

extension State {
    /// Whether the installation reaches the repository.
    func reaches(_ installation: Installation, _ repository: Repository) -> Bool {
        installation.accountID == repository.ownerID
            && (installation.picked.map { $0.contains(repository.id) } ?? true)
    }

    /// The installation that reaches the repository.
    func installation(reaching repository: Repository) -> Installation? {
        installations.values.first { reaches($0, repository) }
    }

    /// The repositories that the installation reaches, in the order of their ids.
    func repositories(of installation: Installation) -> [Repository] {
        repositories.values.filter { reaches(installation, $0) }.sorted { $0.id < $1.id }
    }

    /// The App: `integration`.
    func json(app: App, brief: Bool = false) -> JSON {
        let json: JSON = [
            "id": .int(app.id), "slug": .string(app.slug), "client_id": .string(app.clientID),
            "node_id": nodeID("A", app.id), "owner": self.json(account: app.ownerID),
            "name": .string(app.name ?? app.slug), "description": "Under test in the playground",
            "external_url": .string(origin), "html_url": "\(origin)/apps/\(app.slug)",
            "created_at": .string(app.createdAt.shown), "updated_at": .string(app.createdAt.shown),
            "permissions": permissions(app.asked), "events": .strings(app.heard),
        ]
        return brief ? json : json + ["installations_count": .int(installations.count)]
    }

    /// Permissions as an object.
    func permissions(_ permissions: [String: String]) -> JSON {
        .object(permissions.mapValues(JSON.string))
    }

    /// An installation: `installation`.
    func json(_ installation: Installation) -> JSON {
        let account = accounts[installation.accountID]
        let url = "\(api)/app/installations/\(installation.id)"
        let json: JSON = [
            "id": .int(installation.id), "account": self.json(account: installation.accountID),
            "repository_selection": installation.picked == nil ? "all" : "selected",
            "access_tokens_url": "\(url)/access_tokens",
            "repositories_url": "\(api)/installation/repositories",
            "html_url":
                "\(origin)/organizations/\(account?.login ?? "")/settings/installations/\(installation.id)",
            "app_id": .int(app.id), "app_slug": .string(app.slug), "client_id": .string(app.clientID),
            "target_id": .int(installation.accountID), "target_type": .some(account?.kind.rawValue),
        ]
        return json + [
            "permissions": permissions(installation.permissions), "events": .strings(app.heard),
            "created_at": .string(installation.createdAt.shown),
            "updated_at": .string((installation.suspendedAt ?? installation.createdAt).shown),
            "single_file_name": nil, "has_multiple_single_files": false, "single_file_paths": [],
            "suspended_by": installation.suspendedAt == nil ? .null : self.json(account: app.ownerID),
            "suspended_at": .some(installation.suspendedAt?.shown),
        ]
    }
}
