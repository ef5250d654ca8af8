import FoundationEssentials
import Glibc
import Synchronization

/// What happened at a face: kept in memory for whoever asks, and in a file, one JSON line a record.
package final class RecordLog: Sendable {
    /// Records that are kept in memory; the file holds all.
    package static let mostKept = 10_000

    private let kept = Mutex<[JSON]>([])
    private let descriptor: Int32

    /// - Parameter file: nil for memory alone; a file that is there is continued.
    /// - Throws: ``UsageError`` when the file cannot be written.
    package init(file: String?) throws(UsageError) {
        guard let file else {
            descriptor = -1
            return
        }
        descriptor = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw UsageError("cannot write \(file): \(String(cString: strerror(errno)))")
        }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// Adds one record.
    package func append(_ record: JSON) {
        kept.withLock { records in
            if records.count == Self.mostKept { records.removeFirst() }
            records.append(record)
            guard descriptor >= 0 else { return }
            let line = record.data + [10]
            _ = line.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        }
    }

    /// The records in order.
    package var records: [JSON] { kept.withLock { $0 } }
}
