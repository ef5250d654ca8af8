import FoundationEssentials
import Porter
import PorterProcess

/// Looks through what is about to be pushed for what must not be.
struct Inspection: Sendable {
    /// Bytes of a file that GitHub takes at most.
    ///
    /// - SeeAlso: <https://docs.github.com/en/repositories/working-with-files/managing-large-files/about-large-files-on-github>
    static let maximumFile = 104_857_600
    /// Bytes of objects that are looked through at most; more cannot be pushed unseen.
    static let maximumChanges = 2_147_483_648
    /// Bytes of the objects' and files' names at most.
    static let maximumNames = 67_108_864
    /// Characters of a value from which it counts as a secret that can be told apart from ordinary words.
    static let minimumSecret = 12

    let workspace: Workspace
    /// Every form in which a secret of this run may stand in a file.
    private let forms: [[UInt8]]
    private let most: Int

    init(workspace: Workspace, secrets: [String], most: Int = maximumChanges) {
        self.workspace = workspace
        self.most = most
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
        let listing = try workspace.run(
            ["-C", workspace.repository, "ls-tree", "-r", "-l", "-z", head], .internal, limit,
            mostOutput: Self.maximumNames
        ).output
        try checkSizes(listing)
        var search = SecretSearch(forms)
        // A path may hold a secret that no single tree holds: it has slashes.
        listing.withUnsafeBytes { search.read($0) }
        try checkObjects(base, head, limit, &search)
        if search.hasFound { throw WorkerFailure(.secretInChanges, "") }
    }

    /// Reads all that the push would bring, as it is: commits with every header, trees, files.
    ///
    /// A diff would not do: there is none of a merge, and it has its own marks between two lines.
    private func checkObjects(
        _ base: String, _ head: String, _ limit: TimeLimit, _ search: inout SecretSearch
    ) throws(WorkerFailure) {
        let objects = try workspace.run(
            ["-C", workspace.repository, "rev-list", "--objects", "\(base)..\(head)"], .internal, limit,
            mostOutput: Self.maximumNames
        ).output
        // Each line is an object and its path, and comes back before the object's content.
        var reader = workspace.git.command(
            ["-C", workspace.repository, "cat-file", "--buffer", "--batch=%(objectname) %(rest)"],
            in: workspace.root)
        reader.input = objects
        let time = try limit.left()
        let read = try workspace.attempt { () throws(ProcessError) in
            try reader.run(timeout: time, mostOutput: most) { search.read($0) }
        }
        if read.wasTimedOut { throw limit.failure }
        if search.hasFound { return }
        if read.wasTooLong { throw WorkerFailure(.tooLarge, "The changes are larger than \(most) bytes.") }
        guard read.isGood else { throw WorkerFailure(.internal, read.lastError) }
    }

    private func checkSizes(_ listing: [UInt8]) throws(WorkerFailure) {
        for entry in listing.split(separator: 0) {
            let fields = entry.prefix { $0 != 9 }.split(separator: 32)
            guard let size = fields.last.flatMap({ Int(String(decoding: $0, as: UTF8.self)) }),
                size > Self.maximumFile
            else { continue }
            let name = String(decoding: entry.drop { $0 != 9 }.dropFirst(), as: UTF8.self)
            throw WorkerFailure(.tooLarge, "`\(name)` has \(size) bytes; GitHub takes \(Self.maximumFile).")
        }
    }
}
