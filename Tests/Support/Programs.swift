import Foundation
import Glibc

/// Finds the programs that were built with the tests.
package enum Programs {
    /// The folder that the running test bundle lies in: where the build puts its programs.
    package static let folder: String? = {
        var candidates: [String] = []
        for argument in CommandLine.arguments {
            guard let end = argument.range(of: ".xctest") else { continue }
            candidates.append((String(argument[..<end.upperBound]) as NSString).deletingLastPathComponent)
        }
        if let link = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") {
            candidates.append((link as NSString).deletingLastPathComponent)
        }
        return candidates.first { access($0 + "/porter-fcgi", X_OK) == 0 }
    }()

    /// The absolute path of a program, such as `porter-fcgi`.
    ///
    /// - Throws: ``Missing`` when it was not built.
    package static func path(_ name: String) throws(Missing) -> String {
        guard let folder, access(folder + "/" + name, X_OK) == 0 else { throw Missing(name: name) }
        let path = folder + "/" + name
        guard path.hasPrefix("/") else { return FileManager.default.currentDirectoryPath + "/" + path }
        return path
    }

    /// A program that the tests run was not built beside them.
    package struct Missing: Error, CustomStringConvertible {
        package let name: String
        package var description: String { "\(name) was not built beside the tests: swift build" }
    }
}
