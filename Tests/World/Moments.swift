import Foundation

/// The moments of outward effects, as the sources name them.
package enum Moments {
    /// What people do on the pages; `SetUpTests`, `UserTokenTests` and `MirrorTests` kill at each of these.
    private static let ofPages = ["setup.", "renewal.", "gist."]

    /// Every moment of a run that the rules name: in words, and for each step of an effect that `Work.perform`
    /// makes.
    ///
    /// The number of an attempt is the first's.
    package static func inSources() throws -> Set<String> {
        try all().filter { name in !ofPages.contains { name.hasPrefix($0) } }
    }

    /// Every moment whose name begins so.
    package static func inSources(beginning prefix: String) throws -> Set<String> {
        try all().filter { $0.hasPrefix(prefix) }
    }

    private static func all() throws -> Set<String> {
        let folder = root + "/Sources/Lib/Work"
        let sources = try FileManager.default.subpathsOfDirectory(atPath: folder)
            .filter { $0.hasSuffix(".swift") }
            .map { String(decoding: try Data(contentsOf: URL(filePath: "\(folder)/\($0)")), as: UTF8.self) }
        let named = sources.flatMap { $0.matches(of: /moment\("([a-z_.]+)"\)/).map { String($0.1) } }
        let steps = Set(
            sources.flatMap {
                $0.matches(of: /moment\("\\\(name\)(\.[a-z]+)"\)/).map { String($0.1) }
            })
        let effects = sources.flatMap { source in
            source.matches(
                of: /"(?:comment:)?\\\([A-Za-z.]+\)\/([a-z_]+(?:\.[a-z_]+)*)(\/\\\([a-z.]+\))?"/
            ).map { match in String(match.1) + (match.2 == nil ? "" : ".1") }
        }
        precondition(steps.count == 4, "intended, calling, called, recorded")
        return Set(named + effects.flatMap { effect in steps.map { effect + $0 } })
    }

    /// The checkout: `Tests/World/Moments.swift` lies three steps below it.
    private static let root = #filePath.split(separator: "/", omittingEmptySubsequences: false)
        .dropLast(3).joined(separator: "/")
}
