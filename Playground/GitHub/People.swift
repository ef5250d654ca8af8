import PlaygroundFace
import Porter

/// A person, an organisation or a bot.
struct Account: Hashable, Sendable {
    /// What GitHub calls `type`.
    enum Kind: String, Sendable {
        case user = "User"
        case organization = "Organization"
        case bot = "Bot"
    }

    let id: Int64
    var login: String
    var kind: Kind

    /// The account as a name and a number.
    var person: Person { Person(id: id, login: login) }
}

extension State {
    /// The account of that login, whatever its case.
    func account(_ login: String) -> Account? {
        let wanted = login.lowercased()
        return accounts.values.first { $0.login.lowercased() == wanted }
    }

    /// A new account.
    mutating func addAccount(id: Int64? = nil, _ login: String, _ kind: Account.Kind) -> Account {
        let account = Account(id: id ?? newID(), login: login, kind: kind)
        accounts[account.id] = account
        return account
    }

    /// An account as part of other answers: `simple-user`.
    func json(account id: Int64) -> JSON {
        guard let account = accounts[id] else { return .null }
        // A bot's page is its App's, and its address is encoded.
        let name = account.login.replacing("[", with: "%5B").replacing("]", with: "%5D")
        let page = account.kind == .bot ? "/apps/\(account.login.prefix { $0 != "[" })" : "/\(name)"
        let url = "\(api)/users/\(name)"
        var json: JSON = [
            "login": .string(account.login), "id": .int(account.id), "node_id": nodeID("U", account.id),
            "avatar_url": "\(origin)/_playground/avatars/\(account.id)", "gravatar_id": "",
            "url": .string(url), "html_url": .string(origin + page), "type": .string(account.kind.rawValue),
            "site_admin": false, "user_view_type": "public",
        ]
        for (key, rest) in [
            ("followers", "followers"), ("following", "following{/other_user}"),
            ("gists", "gists{/gist_id}"), ("starred", "starred{/owner}{/repo}"),
            ("subscriptions", "subscriptions"), ("organizations", "orgs"), ("repos", "repos"),
            ("events", "events{/privacy}"), ("received_events", "received_events"),
        ] {
            json = json + ["\(key)_url": "\(url)/\(rest)"]
        }
        return json
    }

    /// An organisation as webhooks show it, null for a person's repository.
    func json(organization id: Int64) -> JSON? {
        guard let account = accounts[id], account.kind == .organization else { return nil }
        let url = "\(api)/orgs/\(account.login)"
        return [
            "login": .string(account.login), "id": .int(account.id), "node_id": nodeID("O", account.id),
            "url": .string(url), "repos_url": "\(url)/repos", "events_url": "\(url)/events",
            "hooks_url": "\(url)/hooks", "issues_url": "\(url)/issues",
            "members_url": "\(url)/members{/member}", "public_members_url": "\(url)/public_members{/member}",
            "avatar_url": "\(origin)/_playground/avatars/\(account.id)", "description": "",
        ]
    }

    /// An account asked for by itself: `public-user`.
    func json(user account: Account) -> JSON {
        json(account: account.id) + [
            "name": .string(account.login), "company": nil, "blog": "", "location": nil, "email": nil,
            "hireable": nil, "bio": nil, "twitter_username": nil, "public_repos": 0, "public_gists": 0,
            "followers": 0, "following": 0, "created_at": "2008-01-14T04:33:35Z",
            "updated_at": "2008-01-14T04:33:35Z",
        ]
    }
}
