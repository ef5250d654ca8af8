import PlaygroundFace
import Porter
import PorterHTTP

/// The lists of everything that was written in a repository.
///
/// - SeeAlso:
///   <https://docs.github.com/en/rest/issues/issues#list-repository-issues>,
///   <https://docs.github.com/en/rest/issues/comments#list-issue-comments-for-a-repository>,
///   <https://docs.github.com/en/rest/pulls/comments#list-review-comments-in-a-repository>,
///   <https://docs.github.com/en/rest/pulls/reviews#list-reviews-for-a-pull-request>
enum ListOperations {
    /// Issues and pull requests; open ones, the newest first, unless the query says otherwise.
    static func issues(_ call: Call) throws(Refusal) -> Response {
        guard call.repository.hasIssues else { throw .issuesDisabled }
        let wanted = try word(call, "state", ["open", "closed", "all"], "Issue") ?? "open"
        let order = try Order(call, "Issue", sorts: ["created", "updated", "comments"], isAscending: false)
        let found = call.world.with { state in
            order.sorted(
                state.issues.values.filter { issue in
                    issue.repositoryID == call.repository.id && !issue.isDeleted
                        && (wanted == "all" || issue.isOpen == (wanted == "open"))
                },
                key: { issue in
                    switch order.sort {
                    case "updated": issue.updatedAt.milliseconds
                    case "comments": Int64(state.comments(issue).count)
                    default: issue.createdAt.milliseconds
                    }
                }, id: { Int64($0.number) }, updatedAt: \.updatedAt
            ).map { state.json($0) }
        }
        return try call.page(found)
    }

    /// Comments under all issues and pull requests.
    static func comments(_ call: Call) throws(Refusal) -> Response {
        let order = try Order(call, "IssueComment", sorts: ["created", "updated"], isAscending: true)
        let found = call.world.with { state in
            order.sorted(
                state.comments.values.filter { $0.issue.repositoryID == call.repository.id },
                key: { (order.sort == "updated" ? $0.updatedAt : $0.createdAt).milliseconds }, id: \.id,
                updatedAt: \.updatedAt
            ).map { state.json($0) }
        }
        return try call.page(found)
    }

    /// Comments on lines of all pull requests.
    static func reviewComments(_ call: Call) throws(Refusal) -> Response {
        let order = try Order(
            call, "PullRequestReviewComment", sorts: ["created", "updated", "created_at"], isAscending: true)
        let found = call.world.with { state in
            order.sorted(
                state.reviewComments.values.filter { $0.issue.repositoryID == call.repository.id },
                key: { (order.sort == "updated" ? $0.updatedAt : $0.createdAt).milliseconds }, id: \.id,
                updatedAt: \.updatedAt
            ).map { state.json($0) }
        }
        return try call.page(found)
    }

    /// The reviews of one pull request, oldest first.
    static func reviews(_ call: Call) throws(Refusal) -> Response {
        let found = try call.world.with { state throws(Refusal) in
            let issue = try call.issue(state)
            guard issue.pull != nil else { throw Refusal.notFound }
            return state.reviews.values.filter { $0.issue == issue.key }.sorted { $0.id < $1.id }
                .map { state.json($0) }
        }
        return try call.page(found)
    }

    /// What the query says of a list's order, and since when.
    private struct Order {
        let sort: String
        let isAscending: Bool
        let since: Instant?

        init(_ call: Call, _ resource: String, sorts: [String], isAscending usual: Bool) throws(Refusal) {
            let sort = try word(call, "sort", sorts, resource)
            self.sort = sort ?? "created"
            let direction = try word(call, "direction", ["asc", "desc"], resource)
            // Of comments the direction counts only beside a sort.
            isAscending = usual && sort == nil ? true : direction.map { $0 == "asc" } ?? usual
            since = try call.query["since"].map { text throws(Refusal) in
                guard let moment = Instant(iso8601: text) else {
                    throw .validation(resource, field: "since", code: "invalid")
                }
                return moment
            }
        }

        func sorted<Item>(
            _ items: [Item], key: (Item) -> Int64, id: (Item) -> Int64, updatedAt: (Item) -> Instant
        ) -> [Item] {
            let found = items.filter { item in since.map { updatedAt(item) >= $0 } ?? true }
                .sorted { (key($0), id($0)) < (key($1), id($1)) }
            return isAscending ? found : found.reversed()
        }
    }

    private static func word(
        _ call: Call, _ name: String, _ known: [String], _ resource: String
    ) throws(Refusal) -> String? {
        guard let given = call.query[name] else { return nil }
        guard known.contains(given) else { throw .validation(resource, field: name, code: "invalid") }
        return given
    }
}
