package import Foundation
package import Testing

/// Recorded answers and payloads of the outside world, which are kept beside the checkout and not in it.
///
/// `PORTER_FIXTURES` names their folder; without it `../shared/fixtures` beside the checkout is taken. Tests
/// that need them begin with the trait ``Testing/Trait/needsFixtures``: where the folder is absent they are
/// skipped, and the run says so.
package enum Fixtures {
    /// The folder, nil where it is absent.
    package static let folder: String? = {
        let named = ProcessInfo.processInfo.environment["PORTER_FIXTURES"]
        let path = named ?? checkout.deletingLastPathComponent().path + "/shared/fixtures"
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
            return path
        }
        FileHandle.standardError.write(
            Data("No fixtures at \(path): the tests that need them are SKIPPED. Set PORTER_FIXTURES.\n".utf8))
        return nil
    }()

    /// The top of the checkout.
    package static let checkout = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// The bytes of a file, by its path below the folder.
    package static func data(_ path: String) throws -> Data {
        let folder = try #require(folder, "the test lacks the trait `.needsFixtures`")
        return try Data(contentsOf: URL(fileURLWithPath: folder + "/" + path))
    }

    /// A file as text.
    package static func text(_ path: String) throws -> String {
        String(decoding: try data(path), as: UTF8.self)
    }

    /// The names in a folder of the fixtures, sorted; empty where the fixtures are absent.
    package static func names(in path: String) -> [String] {
        guard let folder else { return [] }
        return (try? FileManager.default.contentsOfDirectory(atPath: folder + "/" + path))?.sorted() ?? []
    }
}

extension Trait where Self == ConditionTrait {
    /// Skips the test, with a word about it, where the fixtures are absent.
    package static var needsFixtures: ConditionTrait {
        .enabled(if: Fixtures.folder != nil, "the fixtures are absent: set PORTER_FIXTURES")
    }
}
