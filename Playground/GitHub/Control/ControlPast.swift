import PlaygroundFace
import Porter
import PorterHTTP

/// Things that happened a while ago, and reviews.
extension Control {
    /// Does something as if it happened so long ago: `{age_s?}`, seconds; its delivery has that age, too.
    func ago<Result: Sendable>(
        _ body: JSON, _ change: (inout State) throws(Refusal) -> Result
    ) throws(Refusal) -> Result {
        let age = body["age_s"].int ?? 0
        guard age >= 0 else { throw .invalid("age_s", "number") }
        return try world.with { state throws(Refusal) in
            state.age = age
            defer { state.age = 0 }
            return try change(&state)
        }
    }

    /// Submits a review as a person: `{repository, pull, author, body, state?, age_s?, wait?}`.
    func submitReview(_ request: Request, _ address: [String: String], _ body: JSON) throws(Refusal) -> JSON {
        let verdict = body["state"].string ?? "COMMENTED"
        guard Review.verdicts.contains(verdict) else { throw .invalid("state", "verdict") }
        let (json, announced) = try ago(body) { state throws(Refusal) -> (JSON, World.Announced) in
            let issue = try pull(state, body)
            let (review, announced) = world.submitReview(
                &state, issue, body["body"].string ?? "", verdict, by: try person(state, body["author"]))
            return (state.json(review), announced)
        }
        return result(json, announced, body)
    }

    /// Comments on a line as a person: `{repository, pull, author, body, path?, age_s?, wait?}`.
    func createReviewComment(
        _ request: Request, _ address: [String: String], _ body: JSON
    ) throws(Refusal) -> JSON {
        guard let text = body["body"].string, !text.isEmpty else { throw .missing("body") }
        let (json, announced) = try ago(body) { state throws(Refusal) -> (JSON, World.Announced) in
            let issue = try pull(state, body)
            let (comment, announced) = world.createReviewComment(
                &state, issue, text, body["path"].string ?? "README.md",
                by: try person(state, body["author"]))
            return (state.json(comment), announced)
        }
        return result(json, announced, body)
    }

    /// Says how far the log of deliveries reaches back: `{reach_s}`, seconds; GitHub's is three days.
    func setLogReach(_ request: Request, _ address: [String: String], _ body: JSON) throws(Refusal) -> JSON {
        guard let reach = body["reach_s"].int, reach >= 0 else { throw .missing("reach_s") }
        world.with { $0.logReach = reach }
        return ["reach_s": .int(reach)]
    }

    private func pull(_ state: State, _ body: JSON) throws(Refusal) -> Issue {
        guard let number = body["pull"].int else { throw .missing("pull") }
        let issue = try state.issue(try repository(state, body["repository"].string), Int(number))
        guard issue.pull != nil else { throw .notFound }
        return issue
    }
}
