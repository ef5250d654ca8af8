import Dispatch
import GRDB
import GRDBSQLite
import PorterProcess
import Synchronization

/// Commits together what several callers ask for.
///
/// One thread takes along whatever waits, commits it with one sync, tells each caller, and looks again. While it
/// waits for the disk the next batch gathers.
final class GroupCommit: Sendable {
    /// Writes that share a transaction at most.
    static let maximumBatch = 256
    /// Milliseconds that a batch waits for a lock at least, however long it has waited for the one before.
    static let shortestPatience = 100

    private let queue = Mutex(Queue())
    /// Signalled when something waits again, and at the end.
    private let arrival = DispatchSemaphore(value: 0)

    private struct Queue {
        var waiting: [Pending] = []
        var isClosed = false
    }

    /// Begins to commit on that pool's writing connection.
    ///
    /// - Parameters:
    ///   - checkpoints: what watches the commits, and must live as long as there are any.
    ///   - whenWorkArrives: called after each commit that made a job due, before any caller is told.
    init(
        _ pool: DatabasePool, _ checkpoints: Checkpoints, whenWorkArrives: @escaping @Sendable () -> Void
    ) {
        Thread.start {
            withExtendedLifetime(checkpoints) { self.run(pool, whenWorkArrives) }
        }
    }

    /// Writes that wait for the next commit.
    var waitingWrites: Int { queue.withLock { $0.waiting.count } }

    /// Takes the write along with the next commit.
    func add(_ pending: Pending) {
        let isFirst = queue.withLock { queue in
            queue.waiting.append(pending)
            return queue.waiting.count == 1
        }
        if isFirst { arrival.signal() }
    }

    /// Ends the thread once nothing waits.
    func close() {
        queue.withLock { $0.isClosed = true }
        arrival.signal()
    }

    private func run(_ pool: DatabasePool, _ whenWorkArrives: () -> Void) {
        var wasLocked = false
        let statements = pool.unsafeReentrantWrite(Statements.init)
        while true {
            arrival.wait()
            while var batch = takeBatch() {
                var hasNewWork = false
                do {
                    hasNewWork = try pool.writeWithoutTransaction { db in
                        // Whoever came while the last batch waited has waited for the same lock.
                        if wasLocked { Self.setPatience(Self.left(for: batch), db) }
                        defer { if wasLocked { Self.setPatience(Database.busyTimeout, db) } }
                        return try Self.commit(batch, Transaction(db, statements))
                    }
                    wasLocked = false
                } catch {
                    wasLocked = (error as? DatabaseError)?.resultCode == .SQLITE_BUSY
                    if wasLocked { batch = giveBack(batch) }
                    for pending in batch { pending.failure = error }
                }
                if hasNewWork { whenWorkArrives() }
                for pending in batch { pending.then(pending.failure) }
            }
            if queue.withLock({ $0.isClosed && $0.waiting.isEmpty }) {
                // On the connection's own queue: a checkpoint may still be at work there.
                pool.unsafeReentrantWrite { _ in statements.forget() }
                return
            }
        }
    }

    /// Puts those back whose time for a lock is not over.
    ///
    /// - Returns: the others.
    private func giveBack(_ batch: [Pending]) -> [Pending] {
        let begin = ContinuousClock.now - .milliseconds(Database.busyTimeout)
        let left = batch.filter { $0.since > begin }
        queue.withLock { $0.waiting.insert(contentsOf: left, at: 0) }
        return batch.filter { $0.since <= begin }
    }

    /// Milliseconds that the longest waiting of the batch still waits for a lock.
    private static func left(for batch: [Pending]) -> Int {
        let waited = batch.map { ContinuousClock.now - $0.since }.max() ?? .zero
        return max(shortestPatience, Database.busyTimeout - Int(waited / .milliseconds(1)))
    }

    private static func setPatience(_ milliseconds: Int, _ db: GRDB.Database) {
        sqlite3_busy_timeout(db.sqliteConnection, Int32(milliseconds))
    }

    private func takeBatch() -> [Pending]? {
        queue.withLock { queue in
            guard !queue.waiting.isEmpty else { return nil }
            guard queue.waiting.count > Self.maximumBatch else {
                defer { queue.waiting = [] }
                return queue.waiting
            }
            defer { queue.waiting.removeFirst(Self.maximumBatch) }
            return Array(queue.waiting.prefix(Self.maximumBatch))
        }
    }

    /// Commits the batch in one transaction.
    ///
    /// Nearly always all of it succeeds. Only if one fails, the others are done again, each behind a savepoint.
    ///
    /// - Returns: whether a job became due.
    private static func commit(_ batch: [Pending], _ transaction: Transaction) throws -> Bool {
        do {
            try transaction.db.inTransaction(.immediate) {
                for pending in batch { try pending.work(transaction) }
                return .commit
            }
            return transaction.hasNewWork
        } catch  where batch.count > 1 && !isOfTheFile(error) {
            return try commitApart(batch, Transaction(transaction.db, transaction.statements))
        }
    }

    private static func commitApart(_ batch: [Pending], _ transaction: Transaction) throws -> Bool {
        let db = transaction.db
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

/// One caller's write while it waits for the commit.
// Safe because no two threads ever touch it at once: its caller makes it and hands it over.
final class Pending: @unchecked Sendable {
    let work: (Transaction) throws -> Void
    /// Told once the transaction is on disk, or why it is not.
    let then: ((any Error)?) -> Void
    /// When it began to wait.
    let since = ContinuousClock.now
    var failure: (any Error)?

    init(work: @escaping (Transaction) throws -> Void, then: @escaping ((any Error)?) -> Void) {
        self.work = work
        self.then = then
    }
}

/// The open transaction: SQLite, and what must happen once it is committed.
final class Transaction {
    let db: GRDB.Database
    /// What the way in runs.
    let statements: Statements
    /// Whether a job became due, so that a dispatcher should look.
    var hasNewWork = false

    init(_ db: GRDB.Database, _ statements: Statements) {
        self.db = db
        self.statements = statements
    }

    /// Runs one statement and says how many rows it changed.
    @discardableResult
    func run(_ sql: String, _ arguments: StatementArguments = StatementArguments()) throws -> Int {
        let statement = try db.cachedStatement(sql: sql)
        try statement.execute(arguments: arguments)
        return db.changesCount
    }
}
