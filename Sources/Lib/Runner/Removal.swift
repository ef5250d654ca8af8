import CLinux
import Glibc

/// Removes a folder that strangers have written into.
///
/// Links are removed, never followed; folders without rights are opened up; no depth is too deep, because one
/// folder at a time is open. Nothing may move things about meanwhile: every process of the machine is dead.
struct Removal {
    private var folder: Int32
    private var path: [[CChar]] = []

    /// Removes the folder and all that it holds.
    ///
    /// - Returns: whether it is gone.
    static func remove(_ root: String) -> Bool {
        chmod(root, 0o700)
        let folder = open(root, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard folder >= 0 else { return errno == ENOENT }
        var removal = Removal(folder: folder)
        let isEmpty = removal.empty()
        close(removal.folder)
        return rmdir(root) == 0 && isEmpty
    }

    private init(folder: Int32) {
        self.folder = folder
    }

    private mutating func empty() -> Bool {
        while true {
            switch clear() {
            case .folder(let name):
                guard enter(name) else { return false }
            case .failed: return false
            case .empty:
                guard let name = path.popLast() else { return true }
                let parent = porter_open_below(folder, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
                guard parent >= 0 else { return false }
                close(folder)
                folder = parent
                guard unlinkat(folder, name, AT_REMOVEDIR) == 0 else { return false }
            }
        }
    }

    private mutating func enter(_ name: [CChar]) -> Bool {
        let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
        var inner = porter_open_below(folder, name, flags)
        if inner < 0, errno == EACCES, fchmodat(folder, name, 0o700, 0) == 0 {
            inner = porter_open_below(folder, name, flags)
        }
        guard inner >= 0 else { return false }
        fchmod(inner, 0o700)
        close(folder)
        folder = inner
        path.append(name)
        return true
    }

    private enum Clearing {
        case empty
        case folder([CChar])
        case failed
    }

    /// Removes what is no folder, up to the first folder.
    private func clear() -> Clearing {
        let copy = porter_open_below(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0, let stream = fdopendir(copy) else { return .failed }
        defer { closedir(stream) }
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                bytes.prefix { $0 != 0 }.map { CChar(bitPattern: $0) } + [0]
            }
            let dot = CChar(46)
            if name == [dot, 0] || name == [dot, dot, 0] { continue }
            if unlinkat(folder, name, 0) == 0 { continue }
            // A folder gives EISDIR here, or EPERM by the letter of POSIX.
            guard errno == EISDIR || errno == EPERM else { return .failed }
            return .folder(name)
        }
        return .empty
    }
}
