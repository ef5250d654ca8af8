import FoundationEssentials
import PorterSettings
import Testing

/// `systemd/*.env.example` beside the list in the code.
@Suite struct ExampleFileTests {
    /// The names of an example's lines, and whether each is commented out.
    private func variables(_ file: String) throws -> [(name: String, isCommented: Bool)] {
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let text = String(
            decoding: try Data(contentsOf: URL(filePath: "/\(root)/systemd/\(file)")), as: UTF8.self)
        return text.split(separator: "\n").compactMap { line in
            let isCommented = line.hasPrefix("#")
            let assignment = isCommented ? line.dropFirst() : line
            guard let equals = assignment.firstIndex(of: "="), assignment.hasPrefix("PORTER_") else {
                return nil
            }
            return (String(assignment[..<equals]), isCommented)
        }
    }

    @Test func `the example names every setting once, in the order of the reference`() throws {
        let names = try variables("porter.env.example").map(\.name)

        #expect(names.filter { !$0.hasPrefix(Setting.keyPrefix) } == Setting.all.map(\.name))
    }

    @Test func `only what is needed is not commented out`() throws {
        let active = try variables("porter.env.example").filter { !$0.isCommented }.map(\.name)

        #expect(active == Setting.all.filter { $0.byDefault == "needed" }.map(\.name))
    }

    @Test func `the runner's example holds settings only, and no secret`() throws {
        let secrets = Setting.all.filter { $0.kind == .secret }.map(\.name)
        let names = try variables("runner.env.example").map(\.name)

        #expect(names.allSatisfy { name in Setting.all.contains { $0.name == name } })
        #expect(names.allSatisfy { !secrets.contains($0) && !$0.hasPrefix(Setting.keyPrefix) })
    }
}
