import PlaygroundFace
import Porter
import PorterHTTP

/// Operations on comments under issues and pull requests.
///
/// - SeeAlso: <https://docs.github.com/en/rest/issues/comments>
enum CommentOperations {
    static func show(_ call: Call) throws(Refusal) -> Response {
        .gitHub(try call.world.with { state throws(Refusal) in state.json(try call.comment(state)) })
    }

    static func list(_ call: Call) throws(Refusal) -> Response {
        var since = Instant(milliseconds: 0)
        if let text = call.query["since"] {
            guard let moment = Instant(iso8601: text) else {
                throw .validation("IssueComment", field: "since", code: "invalid")
            }
            since = moment
        }
        let found = try call.world.with { state throws(Refusal) in
            let issue = try call.issue(state)
            return state.comments(issue).filter { $0.updatedAt >= since }.map { state.json($0) }
        }
        return try call.page(found)
    }

    static func create(_ call: Call) throws(Refusal) -> Response {
        let body = try text(call)
        let world = call.world
        return .gitHub(
            try world.with { state throws(Refusal) in
                let issue = try call.issue(state)
                if issue.isLocked { throw Refusal.locked("create comment") }
                let (comment, _) = world.createComment(
                    &state, issue, body, by: call.botID(state), viaApp: true, token: call.credentialID)
                return state.json(comment)
            }, 201)
    }

    static func edit(_ call: Call) throws(Refusal) -> Response {
        let body = try text(call)
        let world = call.world
        return .gitHub(
            try world.with { state throws(Refusal) in
                let comment = try unlocked(call, state, "update comment")
                return state.json(
                    world.editComment(
                        &state, comment, body, by: call.botID(state), token: call.credentialID
                    ).comment)
            })
    }

    static func delete(_ call: Call) throws(Refusal) -> Response {
        let world = call.world
        try world.with { state throws(Refusal) in
            let comment = try call.comment(state)
            world.deleteComment(&state, comment, by: call.botID(state), token: call.credentialID)
        }
        return .nothing
    }

    private static func unlocked(
        _ call: Call, _ state: State, _ what: String
    ) throws(Refusal) -> IssueComment {
        let comment = try call.comment(state)
        let issue = try state.issue(call.repository, comment.issue.number)
        if issue.isLocked { throw .locked(what) }
        return comment
    }

    private static func text(_ call: Call) throws(Refusal) -> String {
        let body = try call.text("body")
        guard !body.trimmed.isEmpty else {
            throw .validation(
                "IssueComment", field: "data", code: "unprocessable", "Body cannot be blank")
        }
        guard body.unicodeScalars.count <= Issue.mostCharacters else {
            throw .validation(
                "IssueComment", field: "data", code: "unprocessable",
                "Body is too long (maximum is \(Issue.mostCharacters) characters)")
        }
        return body
    }
}
