import PlaygroundFace
import Porter
import PorterHTTP

/// Repositories, people and installations, as their owners change them.
extension Control {
    /// Makes a repository of `{owner, name, files?: {path: text}, default_branch?, private?}`; without files it stays empty.
    func createRepository(
        _ request: Request, _ address: [String: String], _ body: JSON
    ) throws(Refusal) -> JSON {
        guard let owner = body["owner"].string else { throw .missing("owner") }
        guard let name = body["name"].string, !name.contains("/"), !name.hasPrefix(".") else {
            throw .missing("name")
        }
        let branch = body["default_branch"].string ?? "main"
        let files = (body["files"].object ?? [:]).compactMapValues(\.string)
        try world.with { state throws(Refusal) in
            guard state.account(owner) != nil else { throw Refusal.notFound }
            guard state.repository(owner, name) == nil else {
                throw Refusal.validation("Repository", field: "name", "name already exists on this account")
            }
        }
        try work {
            () throws(SetupError) in
            guard !world.git.exists("\(owner)/\(name)") else { return }
            let commit = SeedCommit(
                message: "Begin\n", author: "Hubert <583231+hubert@users.noreply.github.com>",
                at: "1767603600 +0000", files: files)
            try world.git.create("\(owner)/\(name)", branch: branch, files.isEmpty ? [] : [commit])
        }
        return try world.with { state throws(Refusal) in
            guard let account = state.account(owner) else { throw Refusal.notFound }
            let repository = Repository(
                id: state.newID(), ownerID: account.id, name: name, defaultBranch: branch,
                isPrivate: body["private"].bool ?? true,
                collaborators: [583_231: .admin, 583_232: .write, 583_233: .read], createdAt: state.now,
                pushedAt: state.now)
            state.repositories[repository.id] = repository
            world.announceRepository(&state, repository, "created", by: 583_231)
            if let installation = state.installation(reaching: repository), installation.picked == nil {
                world.announceReach(&state, installation, added: [repository], by: 583_231)
            }
            return state.json(full: repository)
        }
    }

    /// Changes what is named: `{name?, archived?, protected?: [branch], default_branch?, private?, has_issues?}`.
    func editRepository(_ request: Request, _ address: [String: String], _ body: JSON) throws(Refusal) -> JSON
    {
        let full = "\(address["owner"] ?? "")/\(address["repo"] ?? "")"
        let before = try world.with { state throws(Refusal) in try repository(state, full) }
        if let name = body["name"].string, name != before.name {
            let old = world.with { $0.fullName(before) }
            let new = world.with { "\($0.owner(before))/\(name)" }
            try work { () throws(SetupError) in try world.git.move(old, to: new) }
            world.with { state in
                state.repositories[before.id]?.oldNames.insert(before.name.lowercased())
                state.repositories[before.id]?.oldNames.remove(name.lowercased())
                state.repositories[before.id]?.name = name
                guard let renamed = state.repositories[before.id] else { return }
                world.announceRepository(
                    &state, renamed, "renamed", by: 583_231,
                    ["changes": ["repository": ["name": ["from": .string(before.name)]]]])
            }
        }
        if let branch = body["default_branch"].string {
            try work {
                () throws(SetupError) in
                let name = world.with { $0.fullName(before) }
                try world.git.repository(name).must(["symbolic-ref", "HEAD", "refs/heads/\(branch)"])
            }
        }
        return world.with { state in
            guard var repository = state.repositories[before.id] else { return [:] }
            repository.defaultBranch = body["default_branch"].string ?? repository.defaultBranch
            repository.isPrivate = body["private"].bool ?? repository.isPrivate
            repository.hasIssues = body["has_issues"].bool ?? repository.hasIssues
            if case .array(let names) = body["protected"] {
                repository.protected = Set(names.compactMap(\.string))
            }
            repository.isArchived = body["archived"].bool ?? repository.isArchived
            state.repositories[before.id] = repository
            if repository.isArchived != before.isArchived {
                world.announceRepository(
                    &state, repository, repository.isArchived ? "archived" : "unarchived", by: 583_231)
            }
            return state.json(full: repository)
        }
    }

    /// Deletes the repository; its git repository stays for whoever judges.
    func deleteRepository(
        _ request: Request, _ address: [String: String], _ body: JSON
    ) throws(Refusal) -> JSON {
        let full = "\(address["owner"] ?? "")/\(address["repo"] ?? "")"
        return try world.with { state throws(Refusal) in
            let found = try repository(state, full)
            world.announceRepository(&state, found, "deleted", by: 583_231)
            state.repositories[found.id] = nil
            return [:]
        }
    }

    /// Sets what a person may do: `{repository, login, level}`.
    func setPermission(_ request: Request, _ address: [String: String], _ body: JSON) throws(Refusal) -> JSON
    {
        guard let level = body["level"].string.flatMap(Level.init(rawValue:)) else {
            throw .missing("level")
        }
        return try world.with { state throws(Refusal) in
            let found = try repository(state, body["repository"].string)
            let account = try person(state, body["login"])
            state.repositories[found.id]?.collaborators[account] = level == .none ? nil : level
            return ["repository": .string(state.fullName(found)), "level": .string(level.rawValue)]
        }
    }

    /// Makes an account: `{login, type?, id?}`.
    func createPerson(_ request: Request, _ address: [String: String], _ body: JSON) throws(Refusal) -> JSON {
        guard let login = body["login"].string, !login.isEmpty else { throw .missing("login") }
        guard let kind = Account.Kind(rawValue: body["type"].string ?? "User") else {
            throw .invalid("type", "member of [\"User\", \"Organization\", \"Bot\"]")
        }
        return try world.with { state throws(Refusal) in
            guard state.account(login) == nil else {
                throw Refusal.validation("User", field: "login", code: "already_exists")
            }
            let account = state.addAccount(id: body["id"].int, login, kind)
            return state.json(account: account.id)
        }
    }

    private func work(_ body: () throws(SetupError) -> Void) throws(Refusal) {
        do throws(SetupError) {
            try body()
        } catch {
            throw .unprocessable(error.description)
        }
    }
}

extension World {
    /// A `repository` event.
    func announceRepository(
        _ state: inout State, _ repository: Repository, _ action: String, by actor: Int64, _ more: JSON = [:]
    ) {
        effects.append(
            "repository.\(action)", actor: state.accounts[actor]?.login ?? "ghost",
            ["repository": .string(state.fullName(repository)), "repository_id": .int(repository.id)])
        _ = announce(&state, "repository", action, more, in: repository, by: actor)
    }

    /// An `installation_repositories` event.
    func announceReach(
        _ state: inout State, _ installation: Installation, added: [Repository] = [],
        removed: [Repository] = [], by actor: Int64
    ) {
        let action = removed.isEmpty ? "added" : "removed"
        effects.append(
            "installation_repositories.\(action)", actor: state.accounts[actor]?.login ?? "ghost",
            [
                "installation": .int(installation.id), "added": .array(added.map { .int($0.id) }),
                "removed": .array(removed.map { .int($0.id) }),
            ])
        _ = announce(
            &state, "installation_repositories", action,
            [
                "installation": state.json(installation),
                "repository_selection": installation.picked == nil ? "all" : "selected",
                "repositories_added": .array(added.map { state.json(brief: $0) }),
                "repositories_removed": .array(removed.map { state.json(brief: $0) }), "requester": nil,
            ], in: nil, by: actor, installation: installation)
    }
}
