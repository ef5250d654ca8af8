import FoundationEssentials

/// The files of the checkout that the tests were built from; for tests that hold documents to the code.
package enum Checkout {
    /// The repository's folder.
    package static let root: String = {
        // Tests/Support/Checkout.swift lies three steps below it.
        let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
        return parts.joined(separator: "/")
    }()

    /// Whether there is a file or folder at the path.
    package static func has(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: root + "/" + path)
    }

    /// The file's text.
    package static func text(_ path: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(filePath: root + "/" + path)), as: UTF8.self)
    }

    /// The texts of all files below the folder whose names end so, by path.
    package static func texts(below folder: String, suffix: String) throws -> [String: String] {
        let names = try FileManager.default.subpathsOfDirectory(atPath: root + "/" + folder)
        return try names.filter { $0.hasSuffix(suffix) }.reduce(into: [:]) { texts, name in
            texts[folder + "/" + name] = try text(folder + "/" + name)
        }
    }

    /// The rows of the first table below the heading in a Markdown document, without its head.
    ///
    /// - Parameter heading: the whole line: `## Reasons`.
    /// - Returns: the cells of each row as they are written; empty when there is no such table.
    package static func table(under heading: String, in document: String) -> [[String]] {
        let lines = document.split(separator: "\n", omittingEmptySubsequences: false)
        guard let start = lines.firstIndex(where: { $0 == heading }) else { return [] }
        let rows = lines[lines.index(after: start)...]
            .prefix { !$0.hasPrefix("#") }
            .drop { !$0.hasPrefix("|") }
            .prefix { $0.hasPrefix("|") }
        return rows.dropFirst(2).map(cells)
    }

    /// The cells of `| a | b |`; `\|` is a bar inside a cell.
    private static func cells(_ row: Substring) -> [String] {
        let bar = "\u{0}"
        return row.replacing("\\|", with: bar).split(separator: "|").map { cell in
            let text = cell.drop { $0 == " " }
            return String(text.prefix(text.count - text.reversed().prefix { $0 == " " }.count))
                .replacing(bar, with: "|")
        }
    }
}

extension String {
    /// The words that stand in single backticks, in order.
    package var quotedWords: [String] {
        split(separator: "`", omittingEmptySubsequences: false).enumerated()
            .filter { $0.offset % 2 == 1 }.map { String($0.element) }
    }
}
