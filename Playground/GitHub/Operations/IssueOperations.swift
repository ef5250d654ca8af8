import PlaygroundFace
import Porter
import PorterHTTP

/// Operations on issues.
///
/// - SeeAlso: <https://docs.github.com/en/rest/issues/issues>
enum IssueOperations {
    static func show(_ call: Call) throws(Refusal) -> Response {
        .gitHub(try call.world.with { state throws(Refusal) in state.json(try call.issue(state)) })
    }

    static func create(_ call: Call) throws(Refusal) -> Response {
        guard call.repository.hasIssues else { throw .issuesDisabled }
        let title = try call.text("title")
        let body = call.body["body"].string ?? ""
        let world = call.world
        return .gitHub(
            try world.with { state throws(Refusal) in
                try check(title, body)
                let (issue, _) = world.createIssue(
                    &state, call.repository, title, body, by: call.botID(state), viaApp: true,
                    token: call.credentialID)
                return state.json(issue)
            }, 201)
    }

    static func edit(_ call: Call) throws(Refusal) -> Response {
        let world = call.world
        return .gitHub(
            try world.with { state throws(Refusal) in
                var issue = try call.issue(state)
                let title = call.body["title"].string
                let body = call.body["body"].string
                let bot = call.botID(state)
                if title != nil || body != nil {
                    try check(title ?? issue.title, body ?? issue.body)
                    issue =
                        world.editIssue(
                            &state, issue, title: title ?? issue.title, body: body ?? issue.body, by: bot,
                            token: call.credentialID
                        ).issue
                }
                switch call.body["state"].string {
                case "closed" where issue.isOpen:
                    issue = world.setIssue(&state, issue, .closed, by: bot, token: call.credentialID).issue
                case "open" where !issue.isOpen:
                    issue = world.setIssue(&state, issue, .reopened, by: bot, token: call.credentialID).issue
                case "open", "closed", nil: break
                default: throw Refusal.validation("Issue", field: "state", code: "invalid")
                }
                return state.json(issue)
            })
    }

    private static func check(_ title: String, _ body: String) throws(Refusal) {
        guard !title.trimmed.isEmpty else {
            throw .validation("Issue", field: "title", code: "missing_field")
        }
        guard body.unicodeScalars.count <= Issue.mostCharacters else {
            throw .validation(
                "Issue", field: "body", "body is too long (maximum is \(Issue.mostCharacters) characters)")
        }
    }
}
