import Porter
import PorterHTTP

/// GitHub's JSON, as far as Porter reads it; what may be absent or null is optional.

struct UserJSON: Decodable {
    @JSONNumber var id: Int64
    let login: String?
    let slug: String?

    /// A ghost has no name left.
    var person: Person { Person(id: id, login: login ?? slug ?? "ghost") }
}

struct AppJSON: Decodable {
    let id: Int64
    let slug: String?
    let html_url: String?
    let owner: UserJSON

    /// The App's page ends in its slug, which GitHub does not promise to send.
    var name: String? { slug ?? html_url?.split(separator: "/").last.map(String.init) }
}

struct InstallationJSON: Decodable {
    let id: Int64
    let account: UserJSON?
    /// The account's id.
    let target_id: Int64?
    let suspended_at: String?

    var value: GitHub.Installation {
        GitHub.Installation(
            id: id, account: account?.person ?? Person(id: target_id ?? 0, login: "ghost"),
            isSuspended: suspended_at != nil)
    }
}

struct RepositoryListJSON: Decodable {
    struct Entry: Decodable {
        /// Nil without an owner, which GitHub allows itself here: then there is no address.
        let repository: RepositoryJSON?

        private enum CodingKeys: String, CodingKey {
            case owner
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            let hasOwner = try container.contains(.owner) && !container.decodeNil(forKey: .owner)
            repository = hasOwner ? try RepositoryJSON(from: decoder) : nil
        }
    }

    let repositories: [Entry]
}

struct DeliveryJSON: Decodable {
    let id: Int64
    let guid: String
    let delivered_at: String?
    let status_code: Int?
    let event: String?
    let action: String?

    var value: GitHub.LoggedDelivery {
        GitHub.LoggedDelivery(
            id: id, guid: guid, event: event ?? "", action: action,
            deliveredAt: delivered_at.flatMap(Instant.init(iso8601:)) ?? Instant(milliseconds: 0),
            isSuccess: (200..<300).contains(status_code ?? 0))
    }
}

struct FullDeliveryJSON: Decodable {
    struct Request: Decodable {
        /// Nil when it is not of the form that Porter reads: then there is nothing to act on.
        let payload: Payload?

        private enum CodingKeys: String, CodingKey {
            case payload
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            payload = try? container.decode(Payload.self, forKey: .payload)
        }
    }

    let request: Request
}

struct RepositoryJSON: Decodable {
    let id: Int64
    let owner: UserJSON
    let name: String
    let default_branch: String?
    let archived: Bool?
    let disabled: Bool?
    let clone_url: String?

    var value: GitHub.Repository {
        GitHub.Repository(
            id: id, owner: owner.person, name: name, defaultBranch: default_branch ?? "main",
            isArchived: archived == true || disabled == true, cloneURL: clone_url ?? "")
    }
}

struct IssueJSON: Decodable {
    struct PullMark: Decodable {}

    let number: Int
    let title: String?
    let body: String?
    let state: String?
    let locked: Bool?
    let pull_request: PullMark?

    var value: GitHub.Issue {
        var issue = GitHub.Issue(
            number: number, title: title ?? "", isOpen: state != "closed", isLocked: locked == true,
            isPullRequest: pull_request != nil)
        issue.body = body ?? ""
        return issue
    }
}

struct PermissionJSON: Decodable {
    struct User: Decodable {
        @JSONNumber var id: Int64?
    }

    let permission: String
    let user: User?
}

struct CommentJSON: Decodable {
    struct Author: Decodable {
        @JSONNumber var id: Int64?
        let login: String?
        let type: String?
    }

    struct Through: Decodable {
        @JSONNumber var id: Int64?
    }

    @JSONNumber var id: Int64
    let html_url: String?
    let body: String?
    let user: Author?
    let author_association: String?
    let performed_via_github_app: Through?
    let created_at: String?
    let updated_at: String?

    var value: GitHub.Comment {
        let created = created_at.flatMap(Instant.init(iso8601:)) ?? Instant(milliseconds: 0)
        return GitHub.Comment(
            id: id, url: html_url ?? "", body: body ?? "",
            author: Person(id: user?.id ?? 0, login: user?.login ?? "ghost"),
            association: author_association ?? "NONE",
            isByApp: performed_via_github_app != nil || user?.type == "Bot", createdAt: created,
            updatedAt: updated_at.flatMap(Instant.init(iso8601:)) ?? created)
    }
}

struct ReferenceJSON: Decodable {
    struct Object: Decodable {
        let sha: String
    }

    let object: Object
}

struct ComparisonJSON: Decodable {
    struct File: Decodable {
        let additions: Int?
        let deletions: Int?
    }

    struct Commit: Decodable {
        struct Inner: Decodable {
            let message: String?
        }

        let commit: Inner?
    }

    let total_commits: Int?
    let ahead_by: Int?
    let behind_by: Int?
    let files: [File]?
    let commits: [Commit]?

    var value: GitHub.Comparison {
        let subjects = (commits ?? []).prefix(20).compactMap { commit in
            commit.commit?.message?.split(whereSeparator: \.isNewline).first.map(String.init)
        }
        var value = GitHub.Comparison(
            commits: ahead_by ?? total_commits ?? 0, files: files?.count ?? 0,
            additions: files?.reduce(0) { $0 + ($1.additions ?? 0) } ?? 0,
            deletions: files?.reduce(0) { $0 + ($1.deletions ?? 0) } ?? 0, subjects: subjects)
        value.missing = behind_by
        return value
    }
}

struct PullJSON: Decodable {
    struct Head: Decodable {
        let ref: String?
        let sha: String?
    }

    let number: Int
    let html_url: String?
    let head: Head

    var value: GitHub.PullRequest {
        GitHub.PullRequest(number: number, url: html_url ?? "", headSHA: head.sha ?? "")
    }
}

struct NewPullJSON: Encodable {
    let title: String
    let body: String
    let head: String
    let base: String
    let draft: Bool
}
