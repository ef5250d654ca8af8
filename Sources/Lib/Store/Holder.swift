import CLinux
import Foundation
import Synchronization

/// A process's proof of life: it holds a job as long as it holds the lock on a file.
///
/// All processes share one host, so a killed holder is found at once (the kernel drops its lock), and a
/// clock that jumps takes nothing from a living one.
package final class Holder: Sendable {
    /// The file's name, which jobs carry.
    package let name: String
    private let folder: String
    private let descriptor: Int32

    /// Makes the file and locks it.
    ///
    /// - Throws: ``StoreError`` with `.unavailable` when the folder cannot be written.
    init(folder: String) throws(StoreError) {
        self.folder = folder
        mkdir(folder, 0o700)
        while true {
            var random = [UInt8](repeating: 0, count: 16)
            let name = String(getpid()) + "-" + Self.fill(&random)
            let path = folder + "/" + name
            let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else {
                throw StoreError(
                    .unavailable, operation: "make \(path)", message: String(cString: strerror(errno)))
            }
            // Between making and locking it another process may have taken the file for a dead one's.
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0, access(path, F_OK) == 0 {
                self.name = name
                self.descriptor = descriptor
                return
            }
            close(descriptor)
        }
    }

    deinit {
        unlink(folder + "/" + name)
        close(descriptor)
    }

    /// Whether the holder of that name still lives; the file of a dead one is removed.
    func isAlive(_ other: String) -> Bool {
        guard other != name else { return true }
        let path = folder + "/" + other
        let descriptor = open(path, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { return errno != ENOENT }
        defer { close(descriptor) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { return true }
        unlink(path)
        return false
    }

    /// Removes the files of dead holders that nobody has asked about: whoever held no job when it was killed.
    ///
    /// - Parameter most: files that are looked at, at most.
    /// - Returns: how many went.
    func removeDead(most: Int) -> Int {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.filter { $0 != name }.prefix(most).count { !isAlive($0) }
    }

    private static func fill(_ bytes: inout [UInt8]) -> String {
        var generator = SystemRandomNumberGenerator()
        for index in bytes.indices { bytes[index] = UInt8.random(in: 0...255, using: &generator) }
        return bytes.map { String($0, radix: 16) }.joined()
    }
}
