import Glibc
import Porter

/// Writes a file of the worker's own.
func write(_ text: String, to path: String) throws(WorkerFailure) {
    unlink(path)
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    let bytes = Array(text.utf8)
    var sent = 0
    while descriptor >= 0, sent < bytes.count {
        let count = bytes[sent...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        guard count > 0 else { break }
        sent += count
    }
    let number = errno
    if descriptor >= 0 { close(descriptor) }
    guard descriptor >= 0, sent == bytes.count else {
        throw WorkerFailure(
            number == ENOSPC ? .diskFull : .setupFailed,
            "cannot write \(path): \(String(cString: strerror(number)))")
    }
}

/// Whether a file of that name is there, and neither a link nor a folder.
func isPlainFile(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
}
