import Dispatch
import GRDB
import GRDBSQLite
import Synchronization

/// Keeps the write-ahead log short, without letting commits wait for it.
///
/// SQLite by itself copies the log into the database inside the commit that made it too long, so that everybody
/// waits who commits then. Here a commit only notices how long the log is; a thread of its own copies it
/// (`PASSIVE`, beside readers and writers), and once little is left takes the writing connection for that rest
/// and lets the log begin anew (`RESTART`). Without the latter a log that is always written to never begins anew.
///
/// A transaction that reads keeps the log from beginning anew. Porter's own last milliseconds. Another program's
/// that stays (a shell, a backup that hangs) lets the log grow until ``Bounds/limit``; then writes are refused,
/// with words that say why, until it is gone.
///
/// - SeeAlso: <https://www.sqlite.org/wal.html#avoiding_excessively_large_wal_files>
final class Checkpoints: Sendable {
    /// Pages of the log, of 4,096 bytes.
    struct Bounds: Hashable, Sendable {
        /// From here on the log is copied: 16 MiB.
        var begin = 4000
        /// What steady load does not pass on a disk that keeps up: 64 MiB.
        ///
        /// The file is cut to this when a log that had grown further begins anew.
        var steady = 16_384
        /// From here on nothing is written: 1 GiB.
        var limit = 262_144
    }

    /// Milliseconds that commits wait at most for readers to let the log begin anew.
    static let patience = 100
    /// Pages that may be left for the moment in which commits wait.
    static let rest = 250
    /// How often what was written meanwhile is copied before commits have to wait for the rest.
    static let rounds = 4
    static let pageBytes = 4096

    private let path: String
    private let pool: DatabasePool
    private let bounds: Bounds
    /// The log's pages as the last commit of this process saw them.
    private let pages = Atomic(0)
    /// Pages from which on it is worth another try.
    private let next: Atomic<Int>
    private let isAtWork = Atomic(false)
    private let thread = DispatchQueue(label: "porter.checkpoints")
    private let reader = Mutex<DatabaseQueue?>(nil)

    /// Watches the pool's commits, which checkpoint nothing themselves from here on.
    init(path: String, pool: DatabasePool, bounds: Bounds) throws {
        self.path = path
        self.pool = pool
        self.bounds = bounds
        next = Atomic(bounds.begin)
        try pool.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA journal_size_limit = \(bounds.steady * Self.pageBytes)")
            // This takes the place of SQLite's own automatic checkpoint. The thread that commits keeps `self`.
            sqlite3_wal_hook(
                db.sqliteConnection,
                { context, _, _, pages in
                    guard let context else { return SQLITE_OK }
                    Unmanaged<Checkpoints>.fromOpaque(context).takeUnretainedValue().notice(Int(pages))
                    return SQLITE_OK
                }, Unmanaged.passUnretained(self).toOpaque())
        }
    }

    /// Bytes of the log that are in use.
    var bytes: Int { pages.load(ordering: .relaxed) * Self.pageBytes }

    /// Refuses a write while the log is as long as it may become.
    func admit() throws(StoreError) {
        guard pages.load(ordering: .relaxed) >= bounds.limit else { return }
        begin()
        let megabytes = bounds.limit * Self.pageBytes / 1_048_576
        throw StoreError(
            .unavailable, operation: "write",
            message: """
                its write-ahead log has reached \(megabytes) MiB, because a program reads \(path) in a \
                transaction that does not end; find it with `fuser \(path)` and end it
                """)
    }

    private func notice(_ count: Int) {
        pages.store(count, ordering: .relaxed)
        if count >= next.load(ordering: .relaxed) { begin() }
    }

    private func begin() {
        guard !isAtWork.exchange(true, ordering: .acquiringAndReleasing) else { return }
        thread.async {
            self.work()
            self.isAtWork.store(false, ordering: .releasing)
        }
    }

    /// Copies what there is, and lets the log begin anew if nobody stands in its way.
    private func work() {
        do {
            for _ in 0..<Self.rounds {
                let (all, copied) = try copy()
                if all - copied <= Self.rest { break }
            }
            try beginAnew()
            pages.store(0, ordering: .relaxed)
            next.store(bounds.begin, ordering: .relaxed)
        } catch {
            // Somebody reads, or another process is at it: again when the log has grown a little.
            next.store(pages.load(ordering: .relaxed) + bounds.begin / 4, ordering: .relaxed)
        }
    }

    private func copy() throws -> (all: Int, copied: Int) {
        let reader = try reader.withLock { reader in
            if let reader { return reader }
            var configuration = Configuration()
            configuration.label = "porter.checkpoints"
            configuration.prepareDatabase(SyncGuard.watch)
            let made = try DatabaseQueue(path: path, configuration: configuration)
            reader = made
            return made
        }
        return try reader.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA synchronous = FULL")
            // Only a connection that has read knows that there is a log.
            _ = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_schema")
            let (all, copied) = try db.checkpoint(.passive)
            return (all, copied)
        }
    }

    private func beginAnew() throws {
        try pool.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA busy_timeout = \(Self.patience)")
            defer { sqlite3_busy_timeout(db.sqliteConnection, Int32(Database.busyTimeout)) }
            try db.checkpoint(.restart)
        }
    }
}
