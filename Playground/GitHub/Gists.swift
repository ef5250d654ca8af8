import PlaygroundFace
import Porter

/// A person's gist.
struct Gist: Sendable {
    /// 32 hexadecimal digits.
    let id: String
    let ownerID: Int64
    var description: String
    let isPublic: Bool
    /// What is in the files, by name.
    var files: [String: String]
    let createdAt: Instant
    var updatedAt: Instant
}

extension State {
    /// The gists of a person, the newest first.
    func gists(of person: Int64) -> [Gist] { gists.filter { $0.ownerID == person }.reversed() }

    /// A gist: `gist-simple`; in lists without what is in its files.
    func json(_ gist: Gist, withContent: Bool = true) -> JSON {
        let login = accounts[gist.ownerID]?.login ?? "ghost"
        let url = "\(api)/gists/\(gist.id)"
        let page = "\(origin)/gist/\(login)/\(gist.id)"
        let files = gist.files.map { name, text -> (String, JSON) in
            let file: JSON = [
                "filename": .string(name), "type": "application/json", "language": "JSON",
                "raw_url": "\(page)/raw/\(name)", "size": .int(text.utf8.count),
            ]
            return (
                name,
                withContent
                    ? file + ["truncated": false, "content": .string(text), "encoding": "utf-8"] : file
            )
        }
        return [
            "id": .string(gist.id), "node_id": .string("G_" + gist.id), "url": .string(url),
            "html_url": .string(page), "forks_url": "\(url)/forks", "commits_url": "\(url)/commits",
            "comments_url": "\(url)/comments", "git_pull_url": "\(page).git", "git_push_url": "\(page).git",
            "description": .string(gist.description), "public": .bool(gist.isPublic),
            "files": .object(Dictionary(files) { $1 }), "owner": json(account: gist.ownerID), "user": nil,
            "comments": 0, "truncated": false, "created_at": .string(gist.createdAt.shown),
            "updated_at": .string(gist.updatedAt.shown),
        ]
    }
}
