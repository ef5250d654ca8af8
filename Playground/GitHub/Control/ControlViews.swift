import PlaygroundFace
import Porter
import PorterHTTP

/// Looks at everything, for tests and for the pages.
extension Control {
    /// All of the state but the tokens' secrets.
    func showState(_ request: Request, _ address: [String: String], _ body: JSON) throws(Refusal) -> JSON {
        let branches = world.with { state in
            state.repositories.values.map { ($0.id, state.fullName($0)) }
        }.map { id, name in
            (
                String(id),
                JSON.object(
                    Dictionary(world.git.repository(name).branches.map { ($0.name, .string($0.sha)) }) { $1 })
            )
        }
        return world.with { state in
            let repositories = state.repositories.values.sorted { $0.id < $1.id }.map { repository -> JSON in
                let people = repository.collaborators.map { id, level in
                    (state.accounts[id]?.login ?? "ghost", JSON.string(level.rawValue))
                }
                return state.json(repository) + [
                    "collaborators": .object(Dictionary(people) { $1 }),
                    "protected": .strings(repository.protected.sorted()),
                    "branches": Dictionary(branches) { $1 }[String(repository.id)] ?? [:],
                ]
            }
            let issues = state.issues.values.sorted { $0.id < $1.id }.map { issue -> JSON in
                issueView(issue, state)
            }
            return [
                "origin": .string(state.origin), "app": state.json(app: state.app),
                "accounts": .array(state.accounts.keys.sorted().map { state.json(account: $0) }),
                "installations": .array(
                    state.installations.values.sorted { $0.id < $1.id }.map { state.json($0) }),
                "repositories": .array(repositories), "issues": .array(issues),
                "tokens": .array(
                    state.tokens.values.sorted { $0.id < $1.id }.map {
                        state.effect($0) + ["revoked": .bool($0.isRevoked)]
                    }),
                "gists": .array(state.gists.map { state.json($0) }),
                "deliveries": .array(state.deliveries.map { state.json($0) }),
                "webhooks_enabled": .bool(state.isDelivering), "faults": .array(state.faults.map(\.json)),
            ]
        }
    }

    /// The effect log, without its first `from` lines.
    func listEffects(_ request: Request, _ address: [String: String], _ body: JSON) throws(Refusal) -> JSON {
        let first = address["from"].flatMap { Int($0) } ?? 0
        let lines = world.effects.list(from: first)
        return ["effects": .array(lines), "next": .int(first + lines.count)]
    }

    /// `owner`, `repo`, `number`: an issue with its comments and what is linked.
    func issuePage(_ request: Request, _ address: [String: String], _ body: JSON) throws(Refusal) -> JSON {
        try world.with { state throws(Refusal) in issueView(try issue(state, address), state) }
    }

    /// `owner`, `repo`, `number`: a pull request with its commits and files.
    func pullPage(_ request: Request, _ address: [String: String], _ body: JSON) throws(Refusal) -> JSON {
        let (issue, name) = try world.with { state throws(Refusal) -> (Issue, String) in
            let issue = try self.issue(state, address)
            let place = state.repositories[issue.repositoryID].map { state.fullName($0) }
            return (issue, place ?? "")
        }
        guard let pull = issue.pull else { throw .notFound }
        let git = world.git.repository(name)
        let fork = git.mergeBase(pull.baseSHA, pull.headSHA) ?? pull.baseSHA
        let files = git.changes(from: fork, to: pull.headSHA)
        let commits = git.commits(from: pull.baseSHA, to: pull.headSHA, most: CompareOperations.mostCommits)
        let size = git.size(pull)
        return world.with { state in
            issueView(issue, state) + [
                "pull": state.json(pull: issue, size), "files": .array(files.map(\.json)),
                "commits": .array(
                    commits.map {
                        [
                            "sha": .string($0.sha), "message": .string($0.message),
                            "author": .string($0.author.name), "date": .string($0.author.date),
                        ]
                    }),
            ]
        }
    }

    private func issueView(_ issue: Issue, _ state: State) -> JSON {
        let linked = issue.closedBy.compactMap { number -> JSON? in
            let key = IssueKey(repositoryID: issue.repositoryID, number: number)
            return state.issues[key].map { pull in
                [
                    "number": .int(number), "title": .string(pull.title),
                    "state": pull.isOpen ? "open" : "closed",
                    "author": .some(state.accounts[pull.authorID]?.login),
                    "created_at": .string(pull.createdAt.shown),
                ]
            }
        }
        let comments = state.comments(issue).map { comment in
            state.json(comment) + signs(comment.reactions, state)
        }
        let place = state.repositories[issue.repositoryID].map { state.fullName($0) }
        return state.json(issue) + signs(issue.reactions, state) + [
            "repository": .some(place), "comment_list": .array(comments), "linked": .array(linked),
            "deleted": .bool(issue.isDeleted),
        ]
    }

    private func signs(_ reactions: [Reaction], _ state: State) -> JSON {
        [
            "reaction_list": .array(
                reactions.map {
                    ["content": .string($0.content), "by": .some(state.accounts[$0.authorID]?.login)]
                })
        ]
    }
}
