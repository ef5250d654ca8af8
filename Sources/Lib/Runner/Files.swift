import Glibc

/// Small files, written whole.
enum Files {
    /// Writes into a file that is there, as the files of the kernel are; false when it refuses.
    static func put(_ text: String, _ path: String) -> Bool {
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        return write(descriptor, bytes, bytes.count) == bytes.count
    }

    /// Replaces the file so that after a power cut there is the old or the new one, whole.
    static func replace(_ path: String, _ bytes: [UInt8], mode: mode_t) throws(RunnerFailure) {
        let new = path + ".new"
        unlink(new)
        let descriptor = open(new, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw RunnerFailure("cannot write \(path)", errno) }
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            sent += count
        }
        let isWhole = sent == bytes.count && fchmod(descriptor, mode) == 0 && fsync(descriptor) == 0
        let number = errno
        close(descriptor)
        guard isWhole, rename(new, path) == 0 else {
            let number = isWhole ? errno : number
            unlink(new)
            throw RunnerFailure("cannot write \(path)", number)
        }
        try synchronize(folder: String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]))
    }

    /// Brings a folder's entries to the disk.
    static func synchronize(folder: String) throws(RunnerFailure) {
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw RunnerFailure("cannot open \(folder)", errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw RunnerFailure("cannot write \(folder)", errno) }
    }
}
