import FoundationEssentials
import Porter
import PorterProcess

/// Looks through what is about to be pushed for what must not be.
struct Inspection: Sendable {
    /// Bytes of a file that GitHub takes at most.
    ///
    /// - SeeAlso: <https://docs.github.com/en/repositories/working-with-files/managing-large-files/about-large-files-on-github>
    static let maximumFile = 104_857_600
    /// Bytes of changes that are looked through at most; more cannot be pushed unseen.
    static let maximumChanges = 134_217_728
    /// Characters of a value from which it counts as a secret that can be told apart from ordinary words.
    static let minimumSecret = 12

    let workspace: Workspace
    /// Every form in which a secret of this run may stand in a file.
    private let forms: [[UInt8]]

    init(workspace: Workspace, secrets: [String]) {
        self.workspace = workspace
        forms = secrets.filter { $0.utf8.count >= Self.minimumSecret }.flatMap { secret in
            let bytes = Array(secret.utf8)
            return [bytes, Array(bytes.hexadecimal.utf8), Array(Data(bytes).base64EncodedString().utf8)]
        }
    }

    /// The values of an agent's environment that are secrets: all but addresses and switches.
    static func secrets(of environment: [String: String]) -> [String] {
        environment.filter { name, _ in
            !["_URL", "_CONTENT", "_REGION", "_MODEL"].contains { name.hasSuffix($0) }
        }.values.sorted()
    }

    /// Refuses changes that hold a secret of this run or a file that is too large.
    func check(from base: String, to head: String, _ limit: TimeLimit) throws(WorkerFailure) {
        try checkSizes(base, head, limit)
        let time = try limit.left()
        let changes = try workspace.attempt { () throws(ProcessError) in
            try workspace.git.run(
                [
                    "-C", workspace.repository, "log", "-p", "--text", "--no-textconv", "--no-ext-diff",
                    "--no-renames", "--format=%B%n%an%n%ae", "\(base)..\(head)",
                ], in: workspace.root, timeout: time, mostOutput: Self.maximumChanges)
        }
        if changes.wasTimedOut { throw limit.failure }
        guard !changes.wasTooLong else {
            throw WorkerFailure(.tooLarge, "The changes are larger than \(Self.maximumChanges) bytes.")
        }
        guard changes.isGood else { throw WorkerFailure(.internal, changes.lastError) }
        if forms.contains(where: { Self.find($0, in: changes.output) }) {
            throw WorkerFailure(.secretInChanges, "")
        }
    }

    private func checkSizes(_ base: String, _ head: String, _ limit: TimeLimit) throws(WorkerFailure) {
        let listing = try workspace.run(
            ["-C", workspace.repository, "ls-tree", "-r", "-l", "-z", head], .internal, limit,
            mostOutput: Self.maximumChanges)
        for entry in listing.output.split(separator: 0) {
            let fields = entry.prefix { $0 != 9 }.split(separator: 32)
            guard let size = fields.last.flatMap({ Int(String(decoding: $0, as: UTF8.self)) }),
                size > Self.maximumFile
            else { continue }
            let name = String(decoding: entry.drop { $0 != 9 }.dropFirst(), as: UTF8.self)
            throw WorkerFailure(.tooLarge, "`\(name)` has \(size) bytes; GitHub takes \(Self.maximumFile).")
        }
    }

    private static func find(_ form: [UInt8], in bytes: [UInt8]) -> Bool {
        Data(bytes).firstRange(of: Data(form)) != nil
    }
}
