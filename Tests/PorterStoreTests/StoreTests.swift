import Foundation
import GRDB
import Porter
import PorterTestSupport
import Testing

@testable import PorterStore

/// A database in a folder of its own, and a clock that the test moves.
struct Store {
    let folder: TemporaryFolder
    let database: PorterStore.Database
    let start = Instant(seconds: 1_800_000_000)

    init() throws {
        folder = try TemporaryFolder()
        database = try PorterStore.Database(path: folder.file("porter.sqlite"))
    }

    var path: String { folder.file("porter.sqlite") }

    /// The same file through another process's eyes.
    func another() throws -> PorterStore.Database { try PorterStore.Database(path: path) }

    /// Runs SQL past all operations.
    func run(_ sql: String) throws {
        try database.write("run a test's SQL") { try $0.db.execute(sql: sql) }
    }

    func value(_ sql: String) throws -> Int {
        try database.read("read a test's SQL") { try Int.fetchOne($0, sql: sql) ?? -1 }
    }

    static let repository = RepositoryRef(installationID: 77, id: 42, owner: "acme", name: "shop")

    static func id(_ number: Int) -> TaskID {
        TaskID(
            at: Instant(seconds: 1_800_000_000),
            random: (0..<10).map { UInt8(truncatingIfNeeded: number >> (8 * (9 - $0))) })
    }

    /// Accepts a command that makes the task of that number.
    @discardableResult
    func accept(
        _ number: Int, by person: Int64 = 1, issue: Int = 7, priority: Priority = .normal,
        guid: String? = nil, comment: Int64? = nil, at moment: Instant? = nil
    ) throws -> Acceptance {
        try database.accept(
            Delivery(
                guid: guid ?? "guid-\(number)", event: "issue_comment", action: "created", digest: [1]),
            Self.command(number, by: person, issue: issue, priority: priority, comment: comment),
            newID: Self.id(number), executor: "local", at: moment ?? start)
    }

    static func command(
        _ number: Int, by person: Int64 = 1, issue: Int = 7, priority: Priority = .normal,
        comment: Int64? = nil, wish: ArrivedCommand.Wish? = nil
    ) -> ArrivedCommand {
        ArrivedCommand(
            repository: repository, issueNumber: issue, issueTitle: "Title", issueBody: "Body",
            commentID: comment ?? Int64(1000 + number), commentURL: "https://x/\(number)",
            author: Person(id: person, login: "p\(person)"),
            wish: wish
                ?? .run(
                    TaskWish(
                        agent: nil, model: nil, priority: priority, base: nil, timeout: 600,
                        isDraft: false, context: "writers", instructions: "do it")))
    }

    /// Takes the due jobs until the wanted one is in hand; the others are finished.
    func claim(_ kind: JobKind, of number: Int, at moment: Instant? = nil) throws -> JobClaim {
        while let claim = try database.claimJob(at: moment ?? start) {
            if claim.kind == kind, claim.subject == Self.id(number).rawValue { return claim }
            try database.finishJob(claim, at: moment ?? start)
        }
        throw StoreError(.refused, operation: "claim in a test", message: "no job \(kind) of \(number)")
    }

    func admit(_ number: Int, at moment: Instant? = nil) throws {
        let now = moment ?? start
        try database.enqueue(.admit, for: Self.id(number), at: now)
        let claim = try claim(.admit, of: number, at: now)
        let admission = Admission(agent: "demo", baseBranch: "trunk", prompt: "do it", omissions: [])
        guard try database.admit(Self.id(number), admission, for: claim, at: now) else {
            throw StoreError(.refused, operation: "admit in a test", message: "\(number)")
        }
        try database.finishJob(claim, at: now)
    }

    static func launch(_ number: Int, attempt: Int = 1) -> Launch {
        Launch(
            engine: "local", machineTokenDigest: Array("machine-\(number)-\(attempt)".utf8),
            machineTokenSealed: [9])
    }

    /// Starts the task, which must be the next.
    func start(_ number: Int, at moment: Instant? = nil) throws {
        let caps = Caps(perPerson: 100, total: 100)
        guard try database.startNext(Self.id(number), Self.launch(number), caps, at: moment ?? start) else {
            throw StoreError(.refused, operation: "start in a test", message: "\(number)")
        }
    }

    func task(_ number: Int) throws -> PorterTask {
        guard let task = try database.findTask(Self.id(number)) else {
            throw StoreError(.refused, operation: "find in a test", message: "\(number)")
        }
        return task
    }

    func attempt(_ number: Int, _ attempt: Int = 1) throws -> Attempt {
        guard let found = try database.findAttempt(Self.id(number), attempt) else {
            throw StoreError(.refused, operation: "find in a test", message: "\(number)/\(attempt)")
        }
        return found
    }
}
