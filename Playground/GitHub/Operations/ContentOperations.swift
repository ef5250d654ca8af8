import PlaygroundFace
import FoundationEssentials
import Porter
import PorterHTTP

/// Files and folders of a repository.
///
/// - SeeAlso: <https://docs.github.com/en/rest/repos/contents#get-repository-content>
enum ContentOperations {
    /// Bytes of a file that is given in JSON; more has to be asked for raw.
    static let mostInJSON = 1_048_576

    /// Something in a folder.
    private struct Entry {
        let type: String
        let sha: String
        let size: Int
        let path: String

        var name: String { path.split(separator: "/").last.map(String.init) ?? path }
    }

    static func show(_ call: Call) throws(Refusal) -> Response {
        let git = call.git
        let wanted = call.query["ref"] ?? call.repository.defaultBranch
        if git.isEmpty { throw Refusal(status: 404, message: "This repository is empty.") }
        guard let commit = git.commit(wanted) else {
            throw Refusal(status: 404, message: "No commit found for the ref \(wanted)")
        }
        let path = (call.parameters["path"] ?? "").split(separator: "/").joined(separator: "/")
        guard !path.isEmpty, let entry = entries(git, commit, path, isFolder: false).first else {
            guard path.isEmpty else { throw .notFound }
            return folder(call, entries(git, commit, "", isFolder: true))
        }
        if entry.type == "dir" { return folder(call, entries(git, commit, path, isFolder: true)) }
        guard let bytes = git.run(["cat-file", "blob", entry.sha]) else { throw .notFound }
        if MediaType.isRaw(call.request.fields["Accept"]) {
            return Response(
                status: 200, fields: ["Content-Type": "application/vnd.github.raw+json; charset=utf-8"],
                body: bytes)
        }
        let isSmall = bytes.count <= mostInJSON
        let content = isSmall ? lines(bytes.base64EncodedString()) : ""
        return .gitHub(
            json(entry, call) + [
                "encoding": isSmall ? "base64" : "none", "content": .string(content),
            ])
    }

    /// GitHub breaks base 64 into lines of 60 characters.
    private static func lines(_ text: String) -> String {
        var rest = text[...]
        var lines = ""
        while !rest.isEmpty {
            lines += rest.prefix(60) + "\n"
            rest = rest.dropFirst(60)
        }
        return lines
    }

    private static func folder(_ call: Call, _ entries: [Entry]) -> Response {
        .gitHub(.array(entries.map { json($0, call) }))
    }

    private static func entries(
        _ git: GitRepository, _ commit: String, _ path: String, isFolder: Bool
    ) -> [Entry] {
        var arguments = ["ls-tree", "-z", "-l", "--full-tree", commit]
        if !path.isEmpty { arguments += ["--", isFolder ? path + "/" : path] }
        guard let output = git.run(arguments) else { return [] }
        return output.split(separator: 0).compactMap { record in
            let parts = String(decoding: record, as: UTF8.self).split(separator: "\t", maxSplits: 1)
            guard parts.count == 2 else { return nil }
            let fields = parts[0].split(separator: " ")
            guard fields.count == 4 else { return nil }
            let type =
                switch (fields[0], fields[1]) {
                case ("120000", _): "symlink"
                case (_, "tree"): "dir"
                case (_, "commit"): "submodule"
                default: "file"
                }
            return Entry(
                type: type, sha: String(fields[2]), size: Int(fields[3]) ?? 0, path: String(parts[1]))
        }
    }

    private static func json(_ entry: Entry, _ call: Call) -> JSON {
        call.world.with { state in
            let full = state.fullName(call.repository)
            let branch = call.query["ref"] ?? call.repository.defaultBranch
            let url = "\(state.api)/repos/\(full)/contents/\(entry.path)?ref=\(branch)"
            let kind = entry.type == "dir" ? "tree" : "blob"
            let page = "\(state.origin)/\(full)/\(kind)/\(branch)/\(entry.path)"
            let git = "\(state.api)/repos/\(full)/git/\(kind)s/\(entry.sha)"
            let raw = "\(state.origin)/\(full)/raw/\(branch)/\(entry.path)"
            return [
                "type": .string(entry.type), "size": .int(entry.size), "name": .string(entry.name),
                "path": .string(entry.path), "sha": .string(entry.sha), "url": .string(url),
                "git_url": .string(git), "html_url": .string(page),
                "download_url": entry.type == "file" ? .string(raw) : .null,
                "_links": ["self": .string(url), "git": .string(git), "html": .string(page)],
            ]
        }
    }
}
