import PlaygroundFace
import Porter
import PorterHTTP

/// Operations on branches and references.
enum BranchOperations {
    /// - SeeAlso: <https://docs.github.com/en/rest/git/refs#get-a-reference>
    static func reference(_ call: Call) throws(Refusal) -> Response {
        let git = call.git
        if git.isEmpty { throw .emptyRepository }
        let name = call.parameters["ref"] ?? ""
        guard name.hasPrefix("heads/") || name.hasPrefix("tags/"),
            let sha = git.text(["rev-parse", "-q", "--verify", "--end-of-options", "refs/\(name)"])
        else { throw .notFound }
        let type = git.text(["cat-file", "-t", sha]) ?? "commit"
        return .gitHub(
            call.world.with { state in
                let parent = "\(state.api)/repos/\(state.fullName(call.repository))/git"
                return [
                    "ref": "refs/\(name)", "node_id": .string("REF_" + sha), "url": "\(parent)/refs/\(name)",
                    "object": [
                        "sha": .string(sha), "type": .string(type), "url": "\(parent)/\(type)s/\(sha)",
                    ],
                ]
            })
    }

    /// - SeeAlso: <https://docs.github.com/en/rest/branches/branches#get-a-branch>
    static func show(_ call: Call) throws(Refusal) -> Response {
        let name = call.parameters["branch"] ?? ""
        guard let sha = call.git.head(name), let commit = call.git.show(sha) else {
            throw Refusal(status: 404, message: "Branch not found")
        }
        let isProtected = call.repository.protected.contains(name)
        return .gitHub(
            call.world.with { state in
                let full = state.fullName(call.repository)
                let url = "\(state.api)/repos/\(full)/branches/\(Target.encoded(name))"
                return [
                    "name": .string(name), "commit": state.json(commit, call.repository),
                    "_links": ["self": .string(url), "html": "\(state.origin)/\(full)/tree/\(name)"],
                    "protected": .bool(isProtected), "protection": ["enabled": .bool(isProtected)],
                    "protection_url": "\(url)/protection",
                ]
            })
    }
}
