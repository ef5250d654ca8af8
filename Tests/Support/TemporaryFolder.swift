import Foundation

/// An empty folder for one test, removed with everything in it when the value goes away.
package final class TemporaryFolder: Sendable {
    /// Its absolute path.
    package let path: String

    /// A new folder below the system's one for temporary things.
    ///
    /// - Parameter mode: who may look into it; nobody else, unless a program under another user must.
    package init(mode: UInt32 = 0o700) throws {
        var template = Array("/tmp/porter-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO)
        }
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        chmod(path, mode)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    /// The path of a thing in it.
    package func file(_ name: String) -> String {
        path + "/" + name
    }

    /// Writes a file into it.
    ///
    /// - Returns: the file's path.
    @discardableResult
    package func write(_ text: String, to name: String, mode: UInt32 = 0o644) throws -> String {
        let path = file(name)
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        chmod(path, mode)
        return path
    }

    /// Lends a new folder to the closure and removes it afterwards.
    package static func use<Result>(_ body: (TemporaryFolder) throws -> Result) throws -> Result {
        let folder = try TemporaryFolder()
        return try withExtendedLifetime(folder) { try body(folder) }
    }
}
