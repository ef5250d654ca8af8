import GRDB
import GRDBSQLite
import Synchronization

/// Lets a failed sync of the database cost no page.
///
/// A checkpoint that cannot copy the whole log syncs nothing, and yet counts what it copied as done; the next one
/// syncs for both. If that sync fails, Linux takes all of those pages for clean, and a repeated checkpoint writes only
/// its own again: the others may never reach the disk, while the log that holds them begins anew. So for as long as
/// the database is synced the index of the log says that nothing of it is copied. SQLite puts the true number there
/// when the sync has succeeded; after one that failed, or whose process died, everything is copied again.
///
/// To count less as copied than is copied is always safe; SQLite's own recovery does it.
///
/// - SeeAlso: <https://www.sqlite.org/walformat.html#the_wal_index_file_format>, on `nBackfill`;
///   <https://wiki.postgresql.org/wiki/Fsync_Errors>, on what Linux does.
enum SyncGuard {
    /// Where the index of the log keeps how many frames are copied, and the bytes of its first region.
    private static let copiedFrames = 96
    private static let region: Int32 = 32_768

    /// The system's way to handle database files, and the same with our sync; one of each serves all files.
    // Safe because both are constants once they are here.
    private struct Methods: @unchecked Sendable {
        let system: UnsafePointer<sqlite3_io_methods>
        let guarded: UnsafePointer<sqlite3_io_methods>
    }

    private static let methods = Mutex<Methods?>(nil)

    /// Guards the syncs of this connection's database file.
    ///
    /// - Throws: ``StoreError`` when SQLite handles the file in a way that is not the system's usual one.
    static func watch(_ db: GRDB.Database) throws {
        var pointer: UnsafeMutablePointer<sqlite3_file>?
        let code = sqlite3_file_control(db.sqliteConnection, "main", SQLITE_FCNTL_FILE_POINTER, &pointer)
        guard code == SQLITE_OK, let file = pointer, let own = file.pointee.pMethods else {
            throw StoreError(
                .unavailable, operation: "guard syncs", message: "SQLite shows no file (\(code))")
        }
        let all = methods.withLock { methods in
            if let methods { return methods }
            var copy = own.pointee
            copy.xSync = { SyncGuard.sync($0, $1) }
            let guarded = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 1)
            guarded.initialize(to: copy)
            let made = Methods(system: own, guarded: UnsafePointer(guarded))
            methods = made
            return made
        }
        guard own == all.system || own == all.guarded else {
            throw StoreError(
                .unavailable, operation: "guard syncs", message: "SQLite handles this file in its own way")
        }
        file.pointee.pMethods = all.guarded
    }

    private static func sync(_ file: UnsafeMutablePointer<sqlite3_file>?, _ flags: Int32) -> Int32 {
        guard let all = methods.withLock({ $0 }), let sync = all.system.pointee.xSync else {
            return SQLITE_IOERR
        }
        var index: UnsafeMutableRawPointer?
        // A database that has no log yet gets the index's file a moment before it needs it.
        if let map = all.system.pointee.xShmMap, map(file, 0, region, 0, &index) == SQLITE_OK {
            index?.storeBytes(of: 0, toByteOffset: copiedFrames, as: UInt32.self)
        }
        return sync(file, flags)
    }
}
