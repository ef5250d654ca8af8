import Porter
import PorterSettings
import Testing

/// `PORTER_KEY_<NAME>`: a key of the team, from a variable, a file or a systemd credential.
@Suite struct TeamKeyTests {
    private let needed = [
        "PORTER_PUBLIC_URL": "https://porter.example.org", "PORTER_SECRET_KEYS": "k1:AAAA",
    ]
    private let files = [
        "/keys/openai": "from-file\n", "/run/credentials/PORTER_KEY_ANTHROPIC_API_KEY": "from-systemd\n",
    ]

    private func keys(_ environment: [String: String]) throws -> [String: String] {
        let files = files
        let configuration = try Configuration.load(
            needed.merging(environment) { $1 }, readFile: { files[$0] },
            listFolder: { folder in
                files.keys.filter { $0.hasPrefix(folder + "/") }.map {
                    String($0.dropFirst(folder.count + 1))
                }
            })
        return configuration.teamKeys.mapValues { $0.reveal { $0 } }
    }

    @Test func `a variable and a file's text without its line end are keys`() throws {
        let found = try keys(["PORTER_KEY_A": "from-variable", "PORTER_KEY_B_FILE": "/keys/openai"])
        #expect(found == ["A": "from-variable", "B": "from-file"])
    }

    @Test func `a systemd credential is a key without any variable`() throws {
        let found = try keys(["CREDENTIALS_DIRECTORY": "/run/credentials"])
        #expect(found == ["ANTHROPIC_API_KEY": "from-systemd"])
    }

    @Test func `a key from a variable and a credential is refused, by name`() {
        let error = #expect(throws: ConfigurationErrors.self) {
            try keys(["CREDENTIALS_DIRECTORY": "/run/credentials", "PORTER_KEY_ANTHROPIC_API_KEY": "x"])
        }
        #expect(error?.lines.count == 1)
        #expect(error?.lines.first?.hasPrefix("PORTER_KEY_ANTHROPIC_API_KEY comes from two sources") == true)
    }
}
