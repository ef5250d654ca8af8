import CLinux
import Dispatch
import Foundation
import GRDB
package import Porter
import Synchronization

/// Porter's one durable truth: a SQLite file in WAL mode with `synchronous=FULL`.
///
/// Each noun has its file (`Tasks.swift`, `Attempts.swift`, `Jobs.swift`, …) that extends ``Database``
/// with its operations; one operation is one transaction. Writes of concurrent callers are committed
/// together (group commit): one of them, the leader, takes everybody's waiting work along while the others
/// sleep, and all wait for the one sync. Several processes may share the file.
///
/// - SeeAlso: <https://www.sqlite.org/wal.html>, <https://www.sqlite.org/pragma.html#pragma_synchronous>
package final class Database: Sendable {
    /// The file's path.
    package let path: String
    /// Who we are among the processes that hold jobs.
    package let holder: Holder
    private let pool: DatabasePool
    private let queue = Mutex(CommitQueue())
    /// Claims that could not be given back when their work failed.
    let unreturned = Mutex<[JobClaim]>([])
    private let wakers = Mutex<[@Sendable () -> Void]>([])

    /// Milliseconds that a connection waits for another's lock.
    package static let busyTimeout = 5000

    /// Connections that read at once.
    static let readers = 6
    /// Kibibytes of pages that each connection keeps; the system's cache has the rest.
    static let cache = 1024

    /// Opens the file, makes it when there is none, and brings its schema up to date.
    ///
    /// - Throws: ``StoreError`` with `.newer` when a newer Porter has migrated it, `.unavailable` when it
    ///   cannot be opened or written.
    package init(path: String) throws(StoreError) {
        self.path = path
        do {
            let guardian = try MigrationLock(path: path + "-migrate")
            defer { guardian.release() }
            let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else {
                throw StoreError(
                    .unavailable, operation: "open \(path)", message: String(cString: strerror(errno)))
            }
            close(descriptor)
            var configuration = Configuration()
            configuration.busyMode = .timeout(Double(Self.busyTimeout) / 1000)
            configuration.journalMode = .wal
            configuration.maximumReaderCount = Self.readers
            configuration.prepareDatabase { db in
                try db.execute(sql: "PRAGMA cache_size = -\(Self.cache)")
                // A savepoint's undo is a file otherwise, made and removed at each commit.
                try db.execute(sql: "PRAGMA temp_store = MEMORY")
            }
            configuration.label = "porter"
            pool = try DatabasePool(path: path, configuration: configuration)
            // GRDB's `.wal` sets `synchronous=NORMAL` after `prepareDatabase`, which loses acknowledged
            // commits at a power cut; so it is set again here, on the only writing connection.
            try pool.writeWithoutTransaction { db in
                try db.execute(sql: "PRAGMA synchronous = FULL")
            }
            let migrator = Migrations.migrator
            let isNewer = try pool.read { try migrator.hasBeenSuperseded($0) }
            if isNewer {
                throw StoreError(
                    .newer, operation: "open \(path)",
                    message: "it was made by a newer Porter; install that version or a later one")
            }
            try migrator.migrate(pool)
            holder = try Holder(folder: path + "-holders")
        } catch {
            throw StoreError(error, operation: "open \(path)")
        }
    }

    /// Calls the closure after each commit that made a job due; for the dispatcher's clock.
    package func whenWorkArrives(_ wake: @escaping @Sendable () -> Void) {
        wakers.withLock { $0.append(wake) }
    }

    /// The value of `PRAGMA synchronous` on the writing connection; 2 is `FULL`.
    package func synchronousMode() throws(StoreError) -> Int {
        do {
            return try pool.writeWithoutTransaction { try Int.fetchOne($0, sql: "PRAGMA synchronous") ?? -1 }
        } catch {
            throw StoreError(error, operation: "read a pragma")
        }
    }

    /// Proves that a commit reaches the disk, for `/readyz`.
    package func checkWritable(at now: Instant) throws(StoreError) {
        try setMark("writable", to: now.iso8601, at: now)
    }

    /// Reads in one snapshot.
    func read<T>(_ operation: String, _ body: (GRDB.Database) throws -> T) throws(StoreError) -> T {
        do {
            return try pool.read(body)
        } catch {
            throw StoreError(error, operation: operation)
        }
    }

    /// Writes in a transaction that is shared with whoever waits at the same moment.
    ///
    /// - Parameters:
    ///   - claim: the job on whose behalf this is done; a claim that was taken over commits nothing.
    ///   - body: may run twice, if something that shared its transaction failed; so it changes nothing but the
    ///     database.
    @discardableResult
    func write<T>(
        _ operation: String, for claim: JobClaim? = nil, _ body: @escaping (Transaction) throws -> T
    ) throws(StoreError) -> T {
        var result: T?
        let pending = Pending { transaction in
            if let claim { try claim.check(transaction) }
            result = try body(transaction)
        }
        if queue.withLock({ $0.enter(pending) }) == .follow { pending.turn.wait() }
        // Either somebody took this along, or it is our turn to take along whatever waits.
        if !pending.isDone { lead() }
        if let failure = pending.failure { throw StoreError(failure, operation: operation) }
        guard let result else {
            throw StoreError(.unavailable, operation: operation, message: "the commit was given up")
        }
        return result
    }

    /// Writes that wait for the next commit.
    var waitingWrites: Int { queue.withLock { $0.waiting.count } }

    /// Commits all that waits, then leaves the lead to whoever came meanwhile.
    private func lead() {
        let batch = queue.withLock { $0.takeAll() }
        var hasNewWork = false
        do {
            hasNewWork = try pool.writeWithoutTransaction { db in try Self.commit(batch, db) }
        } catch {
            for pending in batch { pending.failure = error }
        }
        for pending in batch { pending.isDone = true }
        let next = queue.withLock { $0.leave() }
        next?.turn.signal()
        for pending in batch.dropFirst() { pending.turn.signal() }
        if hasNewWork {
            for wake in wakers.withLock({ $0 }) { wake() }
        }
    }

    /// Commits the batch in one transaction.
    ///
    /// Nearly always all of it succeeds. Only if one fails, the others are done again, each behind a savepoint.
    private static func commit(_ batch: [Pending], _ db: GRDB.Database) throws -> Bool {
        do {
            let transaction = Transaction(db)
            try db.inTransaction(.immediate) {
                for pending in batch { try pending.work(transaction) }
                return .commit
            }
            return transaction.hasNewWork
        } catch  where batch.count > 1 && !isOfTheFile(error) {
            return try commitApart(batch, db)
        }
    }

    private static func commitApart(_ batch: [Pending], _ db: GRDB.Database) throws -> Bool {
        let transaction = Transaction(db)
        try db.inTransaction(.immediate) {
            for pending in batch {
                do {
                    try db.inSavepoint {
                        try pending.work(transaction)
                        return .commit
                    }
                } catch {
                    pending.failure = error
                    // A full disk rolls the whole transaction back: nobody's work is in it then.
                    if !db.isInsideTransaction { throw error }
                }
            }
            return .commit
        }
        return transaction.hasNewWork
    }

    /// Whether the failure is the file's and not the work's, so that doing it again helps nobody.
    private static func isOfTheFile(_ error: any Error) -> Bool {
        guard let code = (error as? DatabaseError)?.resultCode else { return false }
        return ![.SQLITE_CONSTRAINT, .SQLITE_MISMATCH, .SQLITE_ERROR].contains(code)
    }
}

/// Who waits for the next commit, and whether somebody is at work on one.
private struct CommitQueue {
    enum Role {
        /// Take along what waits, now.
        case lead
        /// Sleep until it is done, or until it is your turn to lead.
        case follow
    }

    private(set) var waiting: [Pending] = []
    private var hasLeader = false

    mutating func enter(_ pending: Pending) -> Role {
        waiting.append(pending)
        guard !hasLeader else { return .follow }
        hasLeader = true
        return .lead
    }

    mutating func takeAll() -> [Pending] {
        defer { waiting = [] }
        return waiting
    }

    /// Gives up the lead.
    ///
    /// - Returns: who has it now, and must be woken for it.
    mutating func leave() -> Pending? {
        hasLeader = !waiting.isEmpty
        return waiting.first
    }
}

/// One caller's work while it waits for the commit.
///
/// The leader alone touches it between the caller's entry into the queue and the signal, and the caller alone
/// before and after.
// Safe because no two threads ever touch it at once.
private final class Pending: @unchecked Sendable {
    let work: (Transaction) throws -> Void
    /// Signalled once: when it is done, or when its caller is to lead.
    let turn = DispatchSemaphore(value: 0)
    var failure: (any Error)?
    var isDone = false

    init(work: @escaping (Transaction) throws -> Void) {
        self.work = work
    }
}

/// The open transaction: SQLite, and what must happen once it is committed.
final class Transaction {
    let db: GRDB.Database
    /// Whether a job became due, so that a dispatcher should look.
    var hasNewWork = false

    init(_ db: GRDB.Database) {
        self.db = db
    }

    /// Runs one statement and says how many rows it changed.
    @discardableResult
    func run(_ sql: String, _ arguments: StatementArguments = StatementArguments()) throws -> Int {
        let statement = try db.cachedStatement(sql: sql)
        try statement.execute(arguments: arguments)
        return db.changesCount
    }
}

extension StoreError {
    /// Whatever was thrown inside, in our terms.
    init(_ error: any Error, operation: String) {
        switch error {
        case let error as StoreError:
            self = error
        case let error as DatabaseError:
            let code: Code =
                switch error.resultCode {
                case .SQLITE_BUSY, .SQLITE_LOCKED: .busy
                case .SQLITE_CORRUPT, .SQLITE_NOTADB: .corrupt
                case .SQLITE_CONSTRAINT, .SQLITE_MISMATCH, .SQLITE_ERROR: .refused
                default: .unavailable
                }
            self.init(code, operation: operation, message: error.message ?? "\(error.resultCode)")
        default:
            self.init(.unavailable, operation: operation, message: "\(error)")
        }
    }
}

/// Keeps two processes from migrating the same file at once.
private struct MigrationLock {
    private let descriptor: Int32

    init(path: String) throws {
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw StoreError(
                .unavailable, operation: "open \(path)", message: String(cString: strerror(errno)))
        }
        while flock(descriptor, LOCK_EX) != 0 && errno == EINTR {}
    }

    func release() {
        close(descriptor)
    }
}
