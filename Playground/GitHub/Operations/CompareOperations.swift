import PlaygroundFace
import Porter
import PorterHTTP

/// What lies between two commits.
///
/// - SeeAlso: <https://docs.github.com/en/rest/commits/commits#compare-two-commits>
enum CompareOperations {
    /// Commits and files in one answer at most.
    static let mostCommits = 250
    static let mostFiles = 300

    static func show(_ call: Call) throws(Refusal) -> Response {
        let names = call.parameters["basehead"] ?? ""
        guard let dots = names.firstRange(of: "...") else { throw .notFound }
        let owner = call.world.with { $0.owner(call.repository) }
        let git = call.git
        guard let base = git.commit(plain(names[..<dots.lowerBound], owner)),
            let head = git.commit(plain(names[dots.upperBound...], owner)),
            let fork = git.mergeBase(base, head), let baseCommit = git.show(base),
            let forkCommit = git.show(fork)
        else { throw .notFound }
        let ahead = git.count(from: base, to: head)
        let behind = git.count(from: head, to: base)
        let commits = git.commits(from: base, to: head, most: mostCommits)
        let files = git.changes(from: fork, to: head).prefix(mostFiles)
        return .gitHub(
            call.world.with { state in
                let full = state.fullName(call.repository)
                let url = "\(state.api)/repos/\(full)/compare/\(names)"
                let page = "\(state.origin)/\(full)/compare/\(names)"
                let json: JSON = [
                    "url": .string(url), "html_url": .string(page), "permalink_url": .string(page),
                    "diff_url": "\(page).diff", "patch_url": "\(page).patch",
                    "base_commit": state.json(baseCommit, call.repository),
                    "merge_base_commit": state.json(forkCommit, call.repository),
                    "status": .string(status(ahead, behind)), "ahead_by": .int(ahead),
                    "behind_by": .int(behind), "total_commits": .int(ahead),
                ]
                return json + [
                    "commits": .array(commits.map { state.json($0, call.repository) }),
                    "files": .array(files.map { state.json($0, at: head, call.repository) }),
                ]
            })
    }

    /// A name without the owner in front of it, which may be this repository's only.
    private static func plain(_ name: Substring, _ owner: String) -> String {
        guard let colon = name.firstIndex(of: ":") else { return String(name) }
        let isOurs = name[..<colon].lowercased() == owner.lowercased()
        return isOurs ? String(name[name.index(after: colon)...]) : ""
    }

    private static func status(_ ahead: Int, _ behind: Int) -> String {
        switch (ahead, behind) {
        case (0, 0): "identical"
        case (_, 0): "ahead"
        case (0, _): "behind"
        default: "diverged"
        }
    }
}

extension State {
    /// A changed file: `diff-entry`.
    func json(_ change: GitChange, at head: String, _ repository: Repository) -> JSON {
        let full = fullName(repository)
        return change.json + [
            "sha": .string(change.blob), "blob_url": "\(origin)/\(full)/blob/\(head)/\(change.path)",
            "raw_url": "\(origin)/\(full)/raw/\(head)/\(change.path)",
            "contents_url": "\(api)/repos/\(full)/contents/\(change.path)?ref=\(head)",
        ]
    }
}
