import PlaygroundFace
import FoundationEssentials

/// A commit, as git tells it.
struct GitCommit: Sendable {
    let sha: String
    let tree: String
    let parents: [String]
    let author: Signature
    let committer: Signature
    let message: String

    /// Who and when.
    struct Signature: Sendable {
        let name: String
        let email: String
        let date: String
    }

    fileprivate static let format = "%H%x00%T%x00%P%x00%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI%x00%B%x1e"

    fileprivate static func read(_ text: String) -> [GitCommit] {
        text.split(separator: "\u{1e}").compactMap { record in
            let parts = record.drop { $0 == "\n" }.split(separator: "\0", omittingEmptySubsequences: false)
                .map(String.init)
            guard parts.count == 10 else { return nil }
            return GitCommit(
                sha: parts[0], tree: parts[1], parents: parts[2].split(separator: " ").map(String.init),
                author: Signature(name: parts[3], email: parts[4], date: parts[5]),
                committer: Signature(name: parts[6], email: parts[7], date: parts[8]),
                message: parts[9].trimmed)
        }
    }
}

/// A file that differs between two commits.
struct GitChange: Sendable {
    let path: String
    /// `added`, `removed`, `modified`.
    let status: String
    /// The blob that is there afterwards, or was there before a removal.
    let blob: String
    let additions: Int
    let deletions: Int
    let patch: String?

    var json: JSON {
        [
            "filename": .string(path), "status": .string(status), "additions": .int(additions),
            "deletions": .int(deletions), "changes": .int(additions + deletions), "patch": .some(patch),
        ]
    }
}

extension GitRepository {
    /// The commit itself.
    func show(_ sha: String) -> GitCommit? {
        run(["log", "-1", "--format=" + GitCommit.format, sha]).flatMap {
            GitCommit.read(String(decoding: $0, as: UTF8.self)).first
        }
    }

    /// The commits that the head has and the base has not, oldest first.
    func commits(from base: String, to head: String, most: Int) -> [GitCommit] {
        let arguments = ["log", "--reverse", "--format=" + GitCommit.format, "\(base)..\(head)"]
        guard let output = run(arguments) else { return [] }
        return Array(GitCommit.read(String(decoding: output, as: UTF8.self)).suffix(most))
    }

    /// How many commits the head has and the base has not.
    func count(from base: String, to head: String) -> Int {
        text(["rev-list", "--count", "\(base)..\(head)"]).flatMap { Int($0) } ?? 0
    }

    /// Where both histories parted; nil when they have nothing in common.
    func mergeBase(_ left: String, _ right: String) -> String? {
        text(["merge-base", left, right])
    }

    /// The files that differ between the commits.
    func changes(from base: String, to head: String) -> [GitChange] {
        let raw = records(["diff", "--raw", "-z", "--no-renames", "--no-abbrev", base, head])
        let numbers = records(["diff", "--numstat", "-z", "--no-renames", base, head])
        var counts: [String: (Int, Int)] = [:]
        for record in numbers {
            let parts = record.split(separator: "\t", maxSplits: 2)
            // A binary file has dashes for its numbers.
            if parts.count == 3 { counts[String(parts[2])] = (Int(parts[0]) ?? 0, Int(parts[1]) ?? 0) }
        }
        return stride(from: 0, to: raw.count - 1, by: 2).compactMap { index in
            let fields = raw[index].dropFirst().split(separator: " ")
            guard fields.count == 5 else { return nil }
            let path = raw[index + 1]
            let (additions, deletions) = counts[path] ?? (0, 0)
            let status =
                switch fields[4] {
                case "A": "added"
                case "D": "removed"
                default: "modified"
                }
            return GitChange(
                path: path, status: status, blob: String(fields[4] == "D" ? fields[2] : fields[3]),
                additions: additions, deletions: deletions, patch: patch(base, head, path))
        }
    }

    /// The lines of a file that differ, from the first `@@` on.
    private func patch(_ base: String, _ head: String, _ path: String) -> String? {
        guard let text = text(["diff", "--no-renames", "--no-color", base, head, "--", ":(literal)\(path)"]),
            let start = text.firstRange(of: "\n@@")
        else { return nil }
        return String(text[text.index(after: start.lowerBound)...])
    }

    private func records(_ arguments: [String]) -> [String] {
        guard let output = run(arguments) else { return [] }
        return output.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }
}

extension State {
    /// A commit: `commit`.
    func json(_ commit: GitCommit, _ repository: Repository) -> JSON {
        let parent = "\(api)/repos/\(fullName(repository))"
        let page = "\(origin)/\(fullName(repository))"
        let url = "\(parent)/commits/\(commit.sha)"
        func signature(_ signature: GitCommit.Signature) -> JSON {
            [
                "name": .string(signature.name), "email": .string(signature.email),
                "date": .string(signature.date),
            ]
        }
        return [
            "sha": .string(commit.sha), "node_id": .string("C_" + commit.sha), "url": .string(url),
            "html_url": "\(page)/commit/\(commit.sha)", "comments_url": "\(url)/comments",
            "commit": [
                "url": "\(parent)/git/commits/\(commit.sha)", "author": signature(commit.author),
                "committer": signature(commit.committer), "message": .string(commit.message),
                "comment_count": 0,
                "tree": ["sha": .string(commit.tree), "url": "\(parent)/git/trees/\(commit.tree)"],
            ],
            "author": json(email: commit.author.email), "committer": json(email: commit.committer.email),
            "parents": .array(
                commit.parents.map {
                    [
                        "sha": .string($0), "url": "\(parent)/commits/\($0)",
                        "html_url": "\(page)/commit/\($0)",
                    ]
                }),
        ]
    }

    /// The account that a commit's address belongs to, by its `ID+LOGIN@users.noreply.github.com`.
    private func json(email: String) -> JSON {
        guard let plus = email.firstIndex(of: "+"), email.hasSuffix("@users.noreply.github.com"),
            let id = Int64(email[..<plus])
        else { return .null }
        return json(account: id)
    }
}
