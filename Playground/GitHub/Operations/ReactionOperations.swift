import PlaygroundFace
import Porter
import PorterHTTP

/// Operations on reactions; one that is there already is answered 200 and not added again.
///
/// - SeeAlso: <https://docs.github.com/en/rest/reactions/reactions>
enum ReactionOperations {
    static func listOnComment(_ call: Call) throws(Refusal) -> Response {
        let found = try call.world.with { state throws(Refusal) in
            try call.comment(state).reactions.map { state.json($0) }
        }
        return try call.page(found)
    }

    static func listOnIssue(_ call: Call) throws(Refusal) -> Response {
        let found = try call.world.with { state throws(Refusal) in
            try call.issue(state).reactions.map { state.json($0) }
        }
        return try call.page(found)
    }

    static func addToComment(_ call: Call) throws(Refusal) -> Response {
        let content = try content(call)
        return try call.world.with { state throws(Refusal) in
            var comment = try call.comment(state)
            let issue = try state.issue(call.repository, comment.issue.number)
            if issue.isLocked { throw Refusal.locked("create reaction") }
            let (reaction, isNew) = add(content, to: &comment.reactions, call, &state)
            state.comments[comment.id] = comment
            if isNew { log(call, state, issue, reaction, ["comment_id": .int(comment.id)]) }
            return .gitHub(state.json(reaction), isNew ? 201 : 200)
        }
    }

    static func addToReviewComment(_ call: Call) throws(Refusal) -> Response {
        let content = try content(call)
        let id = try call.number("comment")
        return try call.world.with { state throws(Refusal) in
            guard var comment = state.reviewComments[id],
                comment.issue.repositoryID == call.repository.id
            else { throw Refusal.notFound }
            let issue = try state.issue(call.repository, comment.issue.number)
            if issue.isLocked { throw Refusal.locked("create reaction") }
            let (reaction, isNew) = add(content, to: &comment.reactions, call, &state)
            state.reviewComments[id] = comment
            if isNew { log(call, state, issue, reaction, ["review_comment_id": .int(id)]) }
            return .gitHub(state.json(reaction), isNew ? 201 : 200)
        }
    }

    static func addToIssue(_ call: Call) throws(Refusal) -> Response {
        let content = try content(call)
        return try call.world.with { state throws(Refusal) in
            var issue = try call.issue(state)
            if issue.isLocked { throw Refusal.locked("create reaction") }
            let (reaction, isNew) = add(content, to: &issue.reactions, call, &state)
            state.issues[issue.key] = issue
            if isNew { log(call, state, issue, reaction, [:]) }
            return .gitHub(state.json(reaction), isNew ? 201 : 200)
        }
    }

    private static func content(_ call: Call) throws(Refusal) -> String {
        let content = try call.text("content")
        guard Reaction.contents.contains(content) else {
            throw .validation("Reaction", field: "content", code: "invalid")
        }
        return content
    }

    private static func add(
        _ content: String, to reactions: inout [Reaction], _ call: Call, _ state: inout State
    ) -> (Reaction, isNew: Bool) {
        let bot = call.botID(state)
        if let there = reactions.first(where: { $0.authorID == bot && $0.content == content }) {
            return (there, false)
        }
        let reaction = Reaction(id: state.newID(), authorID: bot, content: content, createdAt: state.now)
        reactions.append(reaction)
        return (reaction, true)
    }

    private static func log(
        _ call: Call, _ state: State, _ issue: Issue, _ reaction: Reaction, _ more: JSON
    ) {
        call.world.effects.append(
            "reaction.created", actor: state.accounts[reaction.authorID]?.login ?? "ghost",
            state.effect(issue, token: call.token.id)
                + ["content": .string(reaction.content), "reaction_id": .int(reaction.id)] + more)
    }
}
