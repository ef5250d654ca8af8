import PlaygroundFace
import Porter

/// How far a person's rights in a repository reach.
enum Level: String, Comparable, Sendable {
    case none
    case read
    case triage
    case write
    case maintain
    case admin

    /// What GitHub calls `permission`, which knows four words only.
    var permission: String {
        switch self {
        case .triage: "read"
        case .maintain: "write"
        default: rawValue
        }
    }

    private var rank: Int {
        switch self {
        case .none: 0
        case .read: 1
        case .triage: 2
        case .write: 3
        case .maintain: 4
        case .admin: 5
        }
    }

    static func < (left: Level, right: Level) -> Bool { left.rank < right.rank }
}

/// A repository; its commits are in the bare git repository under its name.
struct Repository: Sendable {
    let id: Int64
    let ownerID: Int64
    var name: String
    var defaultBranch = "main"
    var isPrivate = true
    var isArchived = false
    var hasIssues = true
    /// Branches that nobody pushes to.
    var protected: Set<String> = []
    var collaborators: [Int64: Level] = [:]
    /// Names that lead here since a renaming.
    var oldNames: Set<String> = []
    let createdAt: Instant
    var pushedAt: Instant
    var lastNumber = 0
}

extension State {
    /// The owner's login.
    func owner(_ repository: Repository) -> String { accounts[repository.ownerID]?.login ?? "ghost" }

    /// `owner/name`.
    func fullName(_ repository: Repository) -> String { "\(owner(repository))/\(repository.name)" }

    /// The repository of that name, whatever its case; never by a name it had before.
    func repository(_ owner: String, _ name: String) -> Repository? {
        guard let account = account(owner) else { return nil }
        let wanted = name.lowercased()
        return repositories.values.first {
            $0.ownerID == account.id && $0.name.lowercased() == wanted
        }
    }

    /// The repository that had that name before.
    func renamedRepository(_ owner: String, _ name: String) -> Repository? {
        guard let account = account(owner) else { return nil }
        return repositories.values.first {
            $0.ownerID == account.id && $0.oldNames.contains(name.lowercased())
        }
    }

    /// The repository of that full name.
    func repository(fullName: String) -> Repository? {
        let parts = fullName.split(separator: "/")
        return parts.count == 2 ? repository(String(parts[0]), String(parts[1])) : nil
    }

    /// What the person may do there.
    func level(_ account: Int64, in repository: Repository) -> Level {
        if account == repository.ownerID { return .admin }
        return repository.collaborators[account] ?? (repository.isPrivate ? .none : .read)
    }

    /// How GitHub describes a person's bond to the repository.
    func association(_ account: Int64, in repository: Repository) -> JSON {
        if account == repository.ownerID { return "OWNER" }
        guard let level = repository.collaborators[account], level > .none else { return "NONE" }
        return level >= .write ? "MEMBER" : "COLLABORATOR"
    }

    /// A repository as part of other answers: `repository`.
    func json(_ repository: Repository) -> JSON {
        let name = fullName(repository)
        let url = "\(api)/repos/\(name)"
        let page = "\(origin)/\(name)"
        let open = issues.values.filter { $0.repositoryID == repository.id && $0.isOpen && !$0.isDeleted }
        var json: JSON = [
            "id": .int(repository.id), "node_id": nodeID("R", repository.id),
            "name": .string(repository.name), "full_name": .string(name),
            "owner": self.json(account: repository.ownerID), "private": .bool(repository.isPrivate),
            "html_url": .string(page), "description": "A repository of the playground", "fork": false,
            "url": .string(url), "homepage": nil, "language": nil, "mirror_url": nil, "size": 1,
        ]
        json =
            json + [
                "forks_count": 0, "stargazers_count": 0, "watchers_count": 0, "forks": 0, "watchers": 0,
                "open_issues": .int(open.count), "open_issues_count": .int(open.count), "license": nil,
                "default_branch": .string(repository.defaultBranch), "is_template": false, "topics": [],
                "has_issues": .bool(repository.hasIssues), "has_projects": false, "has_wiki": false,
                "has_pages": false, "has_downloads": true, "has_discussions": false,
            ]
        json =
            json + [
                "archived": .bool(repository.isArchived), "disabled": false, "allow_forking": false,
                "visibility": repository.isPrivate ? "private" : "public",
                "web_commit_signoff_required": false, "pushed_at": .string(repository.pushedAt.shown),
                "created_at": .string(repository.createdAt.shown),
                "updated_at": .string(repository.pushedAt.shown), "custom_properties": [:],
                "clone_url": "\(page).git", "git_url": "git://127.0.0.1/\(name).git",
                "ssh_url": "git@127.0.0.1:\(name).git", "svn_url": .string(page),
            ]
        var addresses: [String: JSON] = [:]
        for (key, rest) in Self.repositoryAddresses { addresses["\(key)_url"] = "\(url)/\(rest)" }
        return json + .object(addresses)
    }

    /// A repository asked for by itself: `full-repository`.
    func json(full repository: Repository) -> JSON {
        json(repository) + ["subscribers_count": 0, "network_count": 0]
    }

    /// A repository as the installation events list it.
    func json(brief repository: Repository) -> JSON {
        [
            "id": .int(repository.id), "node_id": nodeID("R", repository.id),
            "name": .string(repository.name), "full_name": .string(fullName(repository)),
            "private": .bool(repository.isPrivate),
        ]
    }

    private static let repositoryAddresses: [(String, String)] = [
        ("archive", "{archive_format}{/ref}"), ("assignees", "assignees{/user}"),
        ("blobs", "git/blobs{/sha}"), ("branches", "branches{/branch}"),
        ("collaborators", "collaborators{/collaborator}"), ("comments", "comments{/number}"),
        ("commits", "commits{/sha}"), ("compare", "compare/{base}...{head}"),
        ("contents", "contents/{+path}"), ("contributors", "contributors"), ("deployments", "deployments"),
        ("downloads", "downloads"), ("events", "events"), ("forks", "forks"),
        ("git_commits", "git/commits{/sha}"), ("git_refs", "git/refs{/sha}"), ("git_tags", "git/tags{/sha}"),
        ("hooks", "hooks"), ("issue_comment", "issues/comments{/number}"),
        ("issue_events", "issues/events{/number}"), ("issues", "issues{/number}"), ("keys", "keys{/key_id}"),
        ("labels", "labels{/name}"), ("languages", "languages"), ("merges", "merges"),
        ("milestones", "milestones{/number}"),
        ("notifications", "notifications{?since,all,participating}"), ("pulls", "pulls{/number}"),
        ("releases", "releases{/id}"), ("stargazers", "stargazers"), ("statuses", "statuses/{sha}"),
        ("subscribers", "subscribers"), ("subscription", "subscription"), ("tags", "tags"),
        ("teams", "teams"), ("trees", "git/trees{/sha}"),
    ]
}
