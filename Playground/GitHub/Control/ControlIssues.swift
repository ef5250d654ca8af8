import PlaygroundFace
import Porter
import PorterHTTP

/// People's doings on issues and comments.
extension Control {
    /// Comments as a person: `{repository, issue, author, body, via_app?, age_s?, wait?}`.
    func createComment(_ request: Request, _ address: [String: String], _ body: JSON) throws(Refusal) -> JSON
    {
        guard let text = body["body"].string, !text.isEmpty else { throw .missing("body") }
        guard let number = body["issue"].int else { throw .missing("issue") }
        let (json, announced) = try ago(body) { state throws(Refusal) -> (JSON, World.Announced) in
            let place = try repository(state, body["repository"].string)
            let issue = try state.issue(place, Int(number))
            let author = try person(state, body["author"])
            let isBot = author == state.app.botID
            if place.isArchived { throw Refusal.archived }
            guard !issue.isLocked || state.level(author, in: place) >= .write else {
                throw Refusal.locked("create comment")
            }
            let (comment, announced) = world.createComment(
                &state, issue, text, by: author, viaApp: body["via_app"].bool ?? isBot, token: nil)
            return (state.json(comment), announced)
        }
        return result(json, announced, body)
    }

    /// Replaces a comment's text: `{actor?, body, age_s?, wait?}`.
    func editComment(_ request: Request, _ address: [String: String], _ body: JSON) throws(Refusal) -> JSON {
        guard let text = body["body"].string else { throw .missing("body") }
        let (json, announced) = try ago(body) { state throws(Refusal) -> (JSON, World.Announced) in
            let comment = try find(state, address)
            let actor = try person(state, body["actor"])
            let (edited, announced) = world.editComment(&state, comment, text, by: actor, token: nil)
            return (state.json(edited), announced)
        }
        return result(json, announced, body)
    }

    /// Removes a comment: `{actor?, wait?}`.
    func deleteComment(_ request: Request, _ address: [String: String], _ body: JSON) throws(Refusal) -> JSON
    {
        let announced = try world.with { state throws(Refusal) -> World.Announced in
            let comment = try find(state, address)
            let actor = try person(state, body["actor"])
            return world.deleteComment(&state, comment, by: actor, token: nil)
        }
        return result([:], announced, body)
    }

    /// Opens an issue: `{repository, title, body, author?, age_s?, wait?}`.
    func createIssue(_ request: Request, _ address: [String: String], _ body: JSON) throws(Refusal) -> JSON {
        guard let title = body["title"].string else { throw .missing("title") }
        let (json, announced) = try ago(body) { state throws(Refusal) -> (JSON, World.Announced) in
            let place = try repository(state, body["repository"].string)
            let author = try person(state, body["author"])
            let (issue, announced) = world.createIssue(
                &state, place, title, body["body"].string ?? "", by: author,
                viaApp: body["via_app"].bool ?? false, token: nil)
            return (state.json(issue), announced)
        }
        return result(json, announced, body)
    }

    /// Replaces an issue's words: `{title?, body?, actor?, wait?}`.
    func editIssue(_ request: Request, _ address: [String: String], _ body: JSON) throws(Refusal) -> JSON {
        let (json, announced) = try world.with { state throws(Refusal) -> (JSON, World.Announced) in
            let issue = try issue(state, address)
            let actor = try person(state, body["actor"])
            let (edited, announced) = world.editIssue(
                &state, issue, title: body["title"].string ?? issue.title,
                body: body["body"].string ?? issue.body, by: actor, token: nil)
            return (state.json(edited), announced)
        }
        return result(json, announced, body)
    }

    /// Changes an issue by `{actor?, age_s?, wait?}`; the change is `close`, `reopen`, `lock`, `unlock` or `delete`.
    func changeIssue(_ request: Request, _ address: [String: String], _ body: JSON) throws(Refusal) -> JSON {
        let changes: [String: World.IssueChange] = [
            "close": .closed, "reopen": .reopened, "lock": .locked, "unlock": .unlocked, "delete": .deleted,
        ]
        guard let change = changes[address["change"] ?? ""] else { throw .notFound }
        let (json, announced) = try ago(body) { state throws(Refusal) -> (JSON, World.Announced) in
            let issue = try issue(state, address)
            let actor = try person(state, body["actor"])
            let (changed, announced) = world.setIssue(&state, issue, change, by: actor, token: nil)
            return (state.json(changed), announced)
        }
        return result(json, announced, body)
    }

    private func find(_ state: State, _ address: [String: String]) throws(Refusal) -> IssueComment {
        guard let comment = address["id"].flatMap({ Int64($0) }).flatMap({ state.comments[$0] }) else {
            throw .notFound
        }
        return comment
    }
}
