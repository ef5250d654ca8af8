import Dispatch
import Foundation
import GRDB
import Porter
import PorterTestSupport
import Synchronization
import Testing

@testable import PorterStore

@Suite struct CheckpointTests {
    /// A database whose log begins anew at 200 pages and may have 2,000.
    private static let small = Checkpoints.Bounds(begin: 200, steady: 1000, limit: 2000)

    private let folder: TemporaryFolder
    private let database: PorterStore.Database
    private let text = String(repeating: "x", count: 8000)

    init() throws {
        folder = try TemporaryFolder()
        database = try PorterStore.Database(path: folder.file("porter.sqlite"), bounds: Self.small)
    }

    private var logBytes: Int {
        var status = stat()
        return stat(folder.file("porter.sqlite-wal"), &status) == 0 ? Int(status.st_size) : 0
    }

    private func write(_ number: Int) throws {
        try database.setMark("m-\(number % 50)", to: "\(number) \(text)", at: Instant(seconds: 1))
    }

    /// Another program's transaction that reads, and stays until the handle is closed.
    private func foreignReader() throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        let reader = try DatabaseQueue(path: folder.file("porter.sqlite"), configuration: configuration)
        try reader.inDatabase { db in
            try db.execute(sql: "BEGIN")
            _ = try Int.fetchOne(db, sql: "SELECT count(*) FROM marks")
        }
        return reader
    }

    @Test func `commits checkpoint nothing themselves`() throws {
        let pages = try database.write("read") { try Int.fetchOne($0.db, sql: "PRAGMA wal_autocheckpoint") }
        #expect(pages == 0)
    }

    @Test func `under steady load from several threads the log stays within its bound`() throws {
        let longest = Mutex(0)
        let failures = Mutex<[String]>([])

        DispatchQueue.concurrentPerform(iterations: 4) { thread in
            for number in 0..<400 {
                do { try write(thread * 1000 + number) } catch { failures.withLock { $0.append("\(error)") } }
                longest.withLock { $0 = max($0, logBytes) }
            }
        }

        #expect(failures.withLock { $0 } == [])
        // 1,600 commits of at least three pages: without a checkpoint the log would have 20 MB.
        #expect(longest.withLock { $0 } <= Self.small.steady * 4200)
        #expect(longest.withLock { $0 } >= Self.small.begin * Checkpoints.pageBytes)
    }

    @Test func `readers that come and go do not keep the log from beginning anew`() throws {
        let isOver = Atomic(false)
        let readers = DispatchGroup()
        for _ in 0..<4 {
            DispatchQueue.global().async(group: readers) {
                while !isOver.load(ordering: .relaxed) { _ = try? database.findMark("m-1") }
            }
        }
        var longest = 0
        for number in 0..<1000 {
            try write(number)
            longest = max(longest, logBytes)
        }
        isOver.store(true, ordering: .relaxed)
        readers.wait()
        #expect(longest <= Self.small.steady * 4200)
    }

    @Test func `a reader that stays stops writes at the limit with words, and they resume when it is gone`()
        throws
    {
        let reader = try foreignReader()
        var written = 0
        var failure: StoreError?
        while failure == nil, written < 5000 {
            do throws(StoreError) {
                try database.setMark("m", to: "\(written) \(text)", at: Instant(seconds: 1))
                written += 1
            } catch {
                failure = error
            }
        }

        #expect(failure?.code == .unavailable)
        #expect(failure?.message.contains("write-ahead log has reached 7 MiB") == true)
        #expect(failure?.message.contains("fuser \(folder.file("porter.sqlite"))") == true)
        #expect(try database.findMark("m")?.value.hasPrefix("\(written - 1) ") == true)
        #expect(logBytes <= (Self.small.limit + 20) * 4200)

        try reader.inDatabase { try $0.execute(sql: "COMMIT") }
        // The log is begun anew beside us; until then writes are refused.
        try #require(eventually { (try? write(1)) != nil }, "writes are refused for ever")
        for number in 0..<50 { try write(number) }
        #expect(logBytes <= Self.small.steady * 4200)
    }

    @Test func `two processes' checkpoints do not get in each other's way`() throws {
        let other = try PorterStore.Database(path: folder.file("porter.sqlite"), bounds: Self.small)
        let failures = Mutex<[String]>([])
        DispatchQueue.concurrentPerform(iterations: 4) { thread in
            for number in 0..<200 {
                do {
                    try (thread % 2 == 0 ? database : other)
                        .setMark("t-\(thread)", to: "\(number) \(text)", at: Instant(seconds: 1))
                } catch {
                    failures.withLock { $0.append("\(error)") }
                }
            }
        }
        #expect(failures.withLock { $0 } == [])
        #expect(logBytes <= Self.small.limit * 4200)
        for thread in 0..<4 { #expect(try other.findMark("t-\(thread)")?.value.hasPrefix("199 ") == true) }
    }
}
