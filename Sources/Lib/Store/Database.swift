import CLinux
import CSQLite
import Dispatch
import Foundation
import GRDB
package import Porter
import Synchronization

/// Porter's one durable truth: a SQLite file in WAL mode with `synchronous=FULL`.
///
/// Each noun has its file (`Tasks.swift`, `Attempts.swift`, `Jobs.swift`, …) that extends ``Database``
/// with its operations; one operation is one transaction. Writes of concurrent callers are committed
/// together (``GroupCommit``). Several processes may share the file.
///
/// - SeeAlso: <https://www.sqlite.org/wal.html>, <https://www.sqlite.org/pragma.html#pragma_synchronous>
package final class Database: Sendable {
    /// The file's path.
    package let path: String
    /// Who we are among the processes that hold jobs.
    package let holder: Holder
    private let pool: DatabasePool
    private let commits: GroupCommit
    /// What keeps the write-ahead log short.
    let checkpoints: Checkpoints
    /// The clock as this process last saw it.
    let clockDifference = Mutex<KnownClock?>(nil)
    /// Claims that could not be given back when their work failed.
    let unreturned = Mutex<[JobClaim]>([])
    private let wakers = Wakers()
    let facts = Facts()
    let recent = RecentSettings()

    /// Milliseconds that a connection waits for another's lock.
    package static let busyTimeout = 5000

    /// Connections that read at once.
    static let readers = 6
    /// Kibibytes of pages that each connection keeps; the system's cache has the rest.
    static let cache = 1024

    /// SQLite's own count of the memory that it uses takes a lock of the whole process at each allocation.
    private static let countsNoMemory = porter_sqlite_counts_no_memory() == SQLITE_OK

    /// Opens the file, makes it when there is none, and brings its schema up to date.
    ///
    /// - Throws: ``StoreError`` with `.newer` when a newer Porter has migrated it, `.unavailable` when it
    ///   cannot be opened or written.
    package convenience init(path: String) throws(StoreError) {
        try self.init(path: path, bounds: Checkpoints.Bounds())
    }

    /// The same with other bounds for its write-ahead log.
    init(path: String, bounds: Checkpoints.Bounds) throws(StoreError) {
        self.path = path
        _ = Self.countsNoMemory
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
                try SyncGuard.watch(db)
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
            checkpoints = try Checkpoints(path: path, pool: pool, bounds: bounds)
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
        commits = GroupCommit(pool, checkpoints, whenWorkArrives: wakers.wake)
    }

    deinit {
        commits.close()
    }

    /// Calls the closure after each commit that made a job due; for the dispatcher's clock.
    package func whenWorkArrives(_ wake: @escaping @Sendable () -> Void) {
        wakers.add(wake)
    }

    /// The value of `PRAGMA synchronous` on the writing connection; 2 is `FULL`.
    package func synchronousMode() throws(StoreError) -> Int {
        do {
            return try pool.writeWithoutTransaction { try Int.fetchOne($0, sql: "PRAGMA synchronous") ?? -1 }
        } catch {
            throw StoreError(error, operation: "read a pragma")
        }
    }

    /// Bytes of the write-ahead log that are in use, as of the last commit of this process.
    package var logBytes: Int { checkpoints.bytes }

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

    /// Writes in a transaction that is shared with whoever waits at the same moment, and waits for the disk.
    ///
    /// - Parameters:
    ///   - claim: the job on whose behalf this is done; a claim that was taken over commits nothing.
    ///   - body: may run twice, if something that shared its transaction failed; so it changes nothing but the
    ///     database.
    @discardableResult
    func write<T>(
        _ operation: String, for claim: JobClaim? = nil, _ body: @escaping (Transaction) throws -> T
    ) throws(StoreError) -> T {
        try checkpoints.admit()
        let isDone = DispatchSemaphore(value: 0)
        var result: T?
        var failure: (any Error)?
        commits.add(
            Pending(
                work: { transaction in
                    if let claim { try claim.check(transaction) }
                    result = try body(transaction)
                },
                then: { error in
                    failure = error
                    isDone.signal()
                }))
        isDone.wait()
        if let failure { throw StoreError(failure, operation: operation) }
        guard let result else { throw Self.givenUp(operation) }
        return result
    }

    /// Writes as ``write(_:for:_:)`` does, without waiting for it.
    ///
    /// - Parameter then: called with the outcome on the thread that commits; it must not wait for anything.
    func write<T>(
        _ operation: String, _ body: @escaping @Sendable (Transaction) throws -> T,
        then: @escaping @Sendable (Result<T, StoreError>) -> Void
    ) {
        do throws(StoreError) {
            try checkpoints.admit()
        } catch {
            return then(.failure(error))
        }
        var result: T?
        commits.add(
            Pending(
                work: { result = try body($0) },
                then: { error in
                    if let error { return then(.failure(StoreError(error, operation: operation))) }
                    then(result.map { .success($0) } ?? .failure(Self.givenUp(operation)))
                }))
    }

    private static func givenUp(_ operation: String) -> StoreError {
        StoreError(.unavailable, operation: operation, message: "the commit was given up")
    }

    /// Writes that wait for the next commit.
    var waitingWrites: Int { commits.waitingWrites }
}

/// Who wants to know that a job became due.
private final class Wakers: Sendable {
    private let closures = Mutex<[@Sendable () -> Void]>([])

    func add(_ closure: @escaping @Sendable () -> Void) {
        closures.withLock { $0.append(closure) }
    }

    @Sendable func wake() {
        for closure in closures.withLock({ $0 }) { closure() }
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
