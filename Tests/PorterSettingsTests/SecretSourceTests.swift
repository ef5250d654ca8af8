import Porter
import PorterTestSupport
import Testing

@testable import PorterSettings

// "For each secret a `_FILE` twin and a systemd credential of the same name (two sources for one: a
// configuration error)."
@Suite struct SecretSourceTests {
    private static let app = [
        "PORTER_GITHUB_APP_ID": "12", "PORTER_GITHUB_APP_PRIVATE_KEY": "-----BEGIN\\nx\\n-----END",
        "PORTER_GITHUB_CLIENT_ID": "Iv1.x", "PORTER_GITHUB_CLIENT_SECRET": "client-secret",
        "PORTER_GITHUB_WEBHOOK_SECRET": "webhook-secret",
    ]

    private static let secrets = Setting.all.filter { $0.kind == .secret }.map(\.name) + ["PORTER_KEY_X"]

    private func value(of name: String, _ configuration: Configuration) -> Secret? {
        switch name {
        case "PORTER_SECRET_KEYS": configuration.secretKeys
        case "PORTER_GITHUB_APP_PRIVATE_KEY": configuration.app?.privateKey
        case "PORTER_GITHUB_CLIENT_SECRET": configuration.app?.clientSecret
        case "PORTER_GITHUB_WEBHOOK_SECRET": configuration.app?.webhookSecret
        case "PORTER_OPERATOR_TOKEN": configuration.operatorToken
        case "PORTER_FLY_TOKEN": configuration.flyToken
        default: configuration.teamKeys["X"]
        }
    }

    /// The App's other values when the secret is one of its own.
    private func others(_ name: String) -> [String: String] {
        var others = name.hasPrefix("PORTER_GITHUB") ? Self.app : [:]
        others[name] = ""
        return others
    }

    @Test(arguments: secrets)
    func `a secret comes from the variable, its file, or the credential`(name: String) throws {
        var environment = others(name)
        environment[name] = "canary-value"
        #expect(try value(of: name, load(environment)) == Secret("canary-value"))

        environment = others(name)
        environment[name + "_FILE"] = "/etc/secret"
        #expect(
            try value(of: name, load(environment, files: ["/etc/secret": "canary-value\n"]))
                == Secret("canary-value"))

        environment = others(name)
        environment["CREDENTIALS_DIRECTORY"] = "/run/credentials"
        #expect(
            try value(of: name, load(environment, files: ["/run/credentials/\(name)": " canary-value\r\n"]))
                == Secret("canary-value"))
    }

    @Test(arguments: secrets)
    func `two sources for one are an error that names both`(name: String) {
        let file = ["/etc/secret": "canary-one", "/run/credentials/\(name)": "canary-two"]
        let sources = [
            (name, "canary-three"), (name + "_FILE", "/etc/secret"),
            ("CREDENTIALS_DIRECTORY", "/run/credentials"),
        ]
        for left in 0..<3 {
            for right in (left + 1)..<3 {
                var environment = others(name)
                for index in [left, right] { environment[sources[index].0] = sources[index].1 }
                let lines = problems(environment, files: file)
                #expect(lines.contains { $0.hasPrefix(name + " comes from two sources") }, "\(lines)")
                #expect(!lines.joined().contains("canary"))
            }
        }
    }

    @Test(arguments: secrets)
    func `a file that cannot be read is named`(name: String) {
        var environment = others(name)
        environment[name + "_FILE"] = "/nowhere"
        let lines = problems(environment)
        #expect(lines.contains { $0.hasPrefix(name + "_FILE (/nowhere) cannot be read") }, "\(lines)")
    }

    @Test func `a needed secret that is empty in its file is named`() {
        let lines = problems(
            ["PORTER_SECRET_KEYS": "", "PORTER_SECRET_KEYS_FILE": "/etc/keys"], files: ["/etc/keys": "\n"])
        #expect(lines == ["PORTER_SECRET_KEYS is empty."])
    }

    @Test func `the App's five values make an App, with line breaks in its key`() throws {
        let app = try #require(try load(Self.app).app)
        #expect(app.id == "12")
        #expect(app.clientID == "Iv1.x")
        #expect(app.privateKey == Secret("-----BEGIN\nx\n-----END"))
        let plain = try load(Self.app.merging(["PORTER_GITHUB_APP_PRIVATE_KEY": "a\nb"]) { $1 }).app
        #expect(plain?.privateKey == Secret("a\nb"))
    }

    @Test(arguments: app.keys.sorted())
    func `four of the five name the missing one, one of the five names four`(name: String) {
        let four = problems(Self.app.merging([name: ""]) { $1 })
        #expect(four.count == 1 && four.first?.hasPrefix(name + " is missing") == true)
        let one = problems([name: Self.app[name] ?? ""])
        #expect(one.count == 4)
        #expect(!one.contains { $0.hasPrefix(name + " ") })
    }

    @Test func `checks look at the secrets and their findings are named`() {
        let error = #expect(throws: ConfigurationErrors.self) {
            try Configuration.load(
                good.merging(Self.app) { $1 }, readFile: { _ in nil },
                checks: [
                    "PORTER_SECRET_KEYS": { $0.reveal { $0.hasPrefix("k1") } ? "is odd" : nil },
                    "PORTER_GITHUB_APP_PRIVATE_KEY": { $0.reveal { $0.contains("\n") } ? "is odd too" : nil },
                ])
        }
        #expect(
            error?.lines == ["PORTER_SECRET_KEYS is odd.", "PORTER_GITHUB_APP_PRIVATE_KEY is odd too."])
    }

    @Test func `the team's keys are all that begin with the prefix`() throws {
        let found = try load(
            [
                "PORTER_KEY_A": "a", "PORTER_KEY_B_FILE": "/b", "PORTER_KEY_EMPTY": "", "PORTERKEY_C": "c",
                "CREDENTIALS_DIRECTORY": "/run/credentials",
            ],
            files: ["/b": "b\n", "/run/credentials/PORTER_KEY_D": "d", "/run/credentials/OTHER": "o"])
        #expect(found.teamKeys == ["A": Secret("a"), "B": Secret("b"), "D": Secret("d")])
    }

    @Test func `no problem shows a secret`() {
        let lines = problems(
            Self.app.merging([
                "PORTER_GITHUB_APP_ID": "x", "PORTER_PUBLIC_URL": "", "PORTER_OPERATOR_TOKEN": "canary",
                "PORTER_OPERATOR_TOKEN_FILE": "/x", "PORTER_FLY_TOKEN": "canary",
            ]) { $1 }, files: ["/x": "canary"])
        #expect(!lines.isEmpty)
        for secret in ["canary", "client-secret", "webhook-secret", "-----BEGIN"] {
            #expect(!lines.joined().contains(secret))
        }
    }
}
