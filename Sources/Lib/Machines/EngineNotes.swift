import FoundationEssentials
import Porter
package import PorterHTTP

/// What `porter-runner` says about itself: the limits that it cannot hold, each in a sentence for the operator.
package enum EngineNotes {
    private struct About: Decodable {
        let warnings: [String]?
    }

    /// Asks the runner; Fly's answer to the same address holds no warnings.
    ///
    /// - Parameters:
    ///   - baseURL: without a slash at its end.
    ///   - app: `local` for the runner.
    /// - Returns: the warnings, none when all limits hold; nil when there was no answer to read.
    package static func ask(transport: Transport, baseURL: String, app: String) -> [String]? {
        let request = Request(
            method: "GET", target: "\(baseURL)/apps/\(app)",
            fields: ["Accept": "application/json", "User-Agent": "Porter/\(Porter.version)"])
        guard let response = try? transport.send(request, MachinesClient.limits), response.status == 200,
            let about = try? JSONDecoder().decode(About.self, from: response.body)
        else { return nil }
        return about.warnings ?? []
    }
}
