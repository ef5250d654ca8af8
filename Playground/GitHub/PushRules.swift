import FoundationEssentials
import Glibc
import PorterHTTP

/// What this GitHub refuses of a push, by a hook that all repositories share.
enum PushRules {
    /// Bytes of a file that GitHub takes.
    ///
    /// - SeeAlso: <https://docs.github.com/en/repositories/working-with-files/managing-large-files/about-large-files-on-github>
    static let mostFileBytes = 100 * 1024 * 1024

    /// What the hook has to know.
    static func environment(_ repository: Repository, _ token: Token?, _ git: GitFolder) -> [String: String] {
        let settings = [
            ("core.hooksPath", git.hooks), ("http.receivepack", "true"), ("safe.directory", "*"),
            ("receive.fsckObjects", "true"), ("uploadpack.allowFilter", "true"),
            ("uploadpack.allowReachableSHA1InWant", "true"), ("gc.auto", "0"),
        ]
        var environment = [
            "GIT_CONFIG_COUNT": String(settings.count),
            "PLAYGROUND_PROTECTED": repository.protected.sorted().joined(separator: "\n"),
            "PLAYGROUND_WORKFLOWS": token?.allows("workflows", .write) == true ? "yes" : "no",
            "PLAYGROUND_MOST_BYTES": String(mostFileBytes),
        ]
        for (index, setting) in settings.enumerated() {
            environment["GIT_CONFIG_KEY_\(index)"] = setting.0
            environment["GIT_CONFIG_VALUE_\(index)"] = setting.1
        }
        return environment
    }

    /// The hook, whose marked line on standard error becomes the reason in git's own report.
    static let hook = """
        #!/bin/sh
        # Refuses what GitHub refuses; see PushRules.swift.
        zero=0000000000000000000000000000000000000000
        refuse() {
            echo "\(PushReport.mark)$1" >&2
            exit 1
        }
        while read -r old new ref; do
            branch=${ref#refs/heads/}
            if printf '%s\\n' "$PLAYGROUND_PROTECTED" | grep -Fqx -- "$branch"; then
                echo "error: GH006: Protected branch update failed for $ref." >&2
                echo "error: Changes must be made through a pull request." >&2
                refuse "protected branch hook declined"
            fi
            [ "$new" = "$zero" ] && continue
            big=$(git rev-list --objects "$new" --not --all |
                git cat-file --batch-check='%(objecttype) %(objectsize) %(rest)' |
                awk -v most="$PLAYGROUND_MOST_BYTES" '$1 == "blob" && $2 > most' | head -n 1)
            if [ -n "$big" ]; then
                size=$(printf '%s' "$big" | cut -d ' ' -f 2)
                name=$(printf '%s' "$big" | cut -d ' ' -f 3-)
                echo "error: File $name is $((size / 1048576)).00 MB; this exceeds GitHub's file size limit of 100.00 MB" >&2
                echo "error: GH001: Large files detected. You may want to try Git Large File Storage - https://git-lfs.github.com." >&2
                refuse "pre-receive hook declined"
            fi
            if [ "$PLAYGROUND_WORKFLOWS" = no ]; then
                file=$(git log --format= --name-only --no-renames -m "$new" --not --all -- .github/workflows |
                    grep -m 1 -E '^\\.github/workflows/[^/]+\\.ya?ml$')
                if [ -n "$file" ]; then
                    refuse "refusing to allow a GitHub App to create or update workflow \\`$file\\` without \\`workflows\\` permission"
                fi
            fi
        done

        """
}

/// A change of a reference that a push asks for.
struct PushCommand: Hashable, Sendable {
    let old: String
    let new: String
    let ref: String

    static let zero = String(repeating: "0", count: 40)

    /// The commands at the head of a push.
    ///
    /// - SeeAlso: <https://git-scm.com/docs/pack-protocol#_reference_update_request_and_packfile_transfer>
    static func read(_ body: Data) -> [PushCommand] {
        var commands: [PushCommand] = []
        for line in PacketLines(body) {
            let text = String(decoding: line.prefix { $0 != 0 }, as: UTF8.self).trimmed
            let parts = text.split(separator: " ", maxSplits: 2).map(String.init)
            guard parts.count == 3, parts[0].count == 40, parts[1].count == 40 else { continue }
            commands.append(PushCommand(old: parts[0], new: parts[1], ref: parts[2]))
        }
        return commands
    }
}

/// Git's packet lines up to the first flush.
struct PacketLines: Sequence, IteratorProtocol {
    private(set) var rest: Data

    init(_ data: Data) {
        rest = data
    }

    mutating func next() -> Data? {
        guard rest.count >= 4, let length = Int(String(decoding: rest.prefix(4), as: UTF8.self), radix: 16),
            length > 4, length <= rest.count
        else { return nil }
        let line = Data(rest.dropFirst(4).prefix(length - 4))
        rest = Data(rest.dropFirst(length))
        return line
    }

    /// One line with its length in front.
    static func line(_ data: Data) -> Data {
        let digits = String(data.count + 4, radix: 16)
        return Data((String(repeating: "0", count: 4 - digits.count) + digits).utf8) + data
    }
}

/// Git's report on a push, in which GitHub gives its reason for each reference.
///
/// A hook can only decline; GitHub says why in the report itself. So the hook's marked line is taken out of
/// what is shown, and put where `pre-receive hook declined` stands.
enum PushReport {
    static let mark = "playground-reason: "
    private static let declined = "pre-receive hook declined"

    /// The report with the hook's reason in it, if it gave one.
    static func reworded(_ response: Response) -> Response {
        var lines = PacketLines(response.body)
        var messages = ""
        var report = Data()
        while let line = lines.next() {
            switch line.first {
            case 1: report += line.dropFirst()
            case 2: messages += String(decoding: line.dropFirst(), as: UTF8.self)
            default: return response
            }
        }
        let marked = messages.split(separator: "\n").first { $0.hasPrefix(mark) }
        guard let reason = marked?.dropFirst(mark.count) else { return response }
        let shown = messages.split(separator: "\n").filter { !$0.hasPrefix(mark) }.map { $0 + "\n" }.joined()
        var inner = Data()
        for line in PacketLines(report) {
            let text = String(decoding: line, as: UTF8.self)
            inner += PacketLines.line(Data(text.replacing(declined, with: reason).utf8))
        }
        inner += Data("0000".utf8)
        var body = Data()
        if !shown.isEmpty { body += PacketLines.line(Data([2]) + Data(shown.utf8)) }
        body += PacketLines.line(Data([1]) + inner) + Data("0000".utf8)
        var response = response
        response.body = body
        response.fields["Content-Length"] = nil
        return response
    }
}
