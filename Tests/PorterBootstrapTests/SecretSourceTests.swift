import Foundation
import PorterProcess
import PorterTestSupport
import Testing

@Suite struct SecretSourceTests {
    private static let canary = "canary-0123456789abcdef"
    private let here: ProgramRun

    init() throws {
        here = try ProgramRun()
    }

    /// A sound key of an App, as PEM.
    private func pem() throws -> String {
        let result = try Command(
            "/usr/bin/openssl", ["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
            environment: [:]
        ).run(timeout: .seconds(60))
        return result.text + "\n"
    }

    private func app(_ pem: String) -> [String: String?] {
        [
            "PORTER_GITHUB_APP_ID": "4242", "PORTER_GITHUB_CLIENT_ID": "Iv1",
            "PORTER_GITHUB_APP_PRIVATE_KEY": pem, "PORTER_GITHUB_CLIENT_SECRET": Self.canary + "-client",
            "PORTER_GITHUB_WEBHOOK_SECRET": Self.canary + "-webhook",
            "PORTER_GITHUB_API_URL": "http://127.0.0.1:1",
        ]
    }

    private func credentials(_ values: [String: String]) throws -> String {
        let folder = here.folder.file("credentials")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for (name, value) in values {
            try Data(value.utf8).write(to: URL(fileURLWithPath: folder + "/" + name))
        }
        return folder
    }

    /// What the operator's token opens, seen through the program as CGI.
    private func status(_ settings: [String: String], token: String) throws -> String {
        let request = [
            "REQUEST_METHOD": "GET", "REQUEST_URI": "/metrics", "HTTP_AUTHORIZATION": "Bearer " + token,
        ]
        let result = try here.run("porter-fcgi", [], settings.merging(request) { $1 })
        #expect(result.code == 0, "\(result.errors)")
        #expect(!result.output.contains(Self.canary) && !result.errors.contains(Self.canary))
        return String(result.output.prefix { $0 != "\r" && $0 != "\r\n" })
    }

    @Test func `a secret reaches the program from its variable, its file or its credential`() throws {
        let file = try here.folder.write(Self.canary + "\n", to: "token")
        let folder = try credentials(["PORTER_OPERATOR_TOKEN": Self.canary + "\n"])
        let sources: [[String: String?]] = [
            ["PORTER_OPERATOR_TOKEN": Self.canary], ["PORTER_OPERATOR_TOKEN_FILE": file],
            ["CREDENTIALS_DIRECTORY": folder],
        ]

        for source in sources {
            let settings = here.settings(source)
            #expect(try status(settings, token: Self.canary) == "Status: 200 OK", "\(source.keys)")
            #expect(try status(settings, token: "other") == "Status: 401 Unauthorized", "\(source.keys)")
        }
        #expect(try status(here.sound, token: Self.canary) == "Status: 401 Unauthorized")
    }

    @Test(arguments: ["PORTER_SECRET_KEYS", "PORTER_OPERATOR_TOKEN", "PORTER_FLY_TOKEN", "PORTER_KEY_X"])
    func `a secret with two sources is a problem that names both`(name: String) throws {
        let file = try here.folder.write(Self.canary, to: "secret")
        let folder = try credentials([name: Self.canary])
        for second in [[name + "_FILE": file], ["CREDENTIALS_DIRECTORY": folder]] {
            let settings = here.settings([name: Self.canary]).merging(second) { $1 }

            let result = try here.run("porterctl", ["tasks"], settings)

            #expect(result.code == 78)
            #expect(result.lines.filter { $0.contains(name) && $0.contains("two sources") }.count == 1)
            #expect(!result.errors.contains(Self.canary))
        }
    }

    @Test func `a file that cannot be read is named`() throws {
        let nowhere = here.folder.file("nowhere")

        let result = try here.run(
            "porterctl", ["tasks"], here.settings(["PORTER_OPERATOR_TOKEN_FILE": nowhere]))

        #expect(result.code == 78)
        #expect(result.lines.count == 1)
        #expect(result.errors.contains("PORTER_OPERATOR_TOKEN_FILE"))
        #expect(result.errors.contains(nowhere))
    }

    @Test func `a private key may come in one line, in a file or as a credential`() throws {
        let pem = try pem()
        let name = "PORTER_GITHUB_APP_PRIVATE_KEY"
        let file = try here.folder.write(pem, to: "key.pem")
        let folder = try credentials([name: pem])
        var forms: [[String: String?]] = [[name: pem], [name: pem.replacing("\n", with: "\\n")]]
        forms.append([name: nil, name + "_FILE": file])
        forms.append([name: nil, "CREDENTIALS_DIRECTORY": folder])

        for form in forms {
            let settings = here.settings(app(pem).merging(form) { $1 })
            let result = try here.run("porterctl", ["tasks"], settings)
            #expect(result.code == 0, "\(form.keys): \(result.errors)")
        }
    }

    @Test(arguments: ["nonsense", "-----BEGIN PRIVATE KEY-----\nQUJD\n-----END PRIVATE KEY-----\n"])
    func `a private key that is none is told without being shown`(pem: String) throws {
        let result = try here.run("porterctl", ["tasks"], here.settings(app(pem)))

        #expect(result.code == 78)
        #expect(result.lines.count == 1)
        #expect(
            result.lines.first
                == "PORTER_GITHUB_APP_PRIVATE_KEY is wrong: it is no unencrypted private key in PEM.")
        #expect(!result.errors.contains("nonsense") && !result.errors.contains("QUJD"))
    }

    @Test(arguments: [
        "canary", "k:canary", "k:" + Data(repeating: 1, count: 31).base64EncodedString(), "k:", ":",
        "k:" + Data(repeating: 1, count: 33).base64EncodedString(), ",",
    ])
    func `keys of another form are told without being shown`(keys: String) throws {
        let result = try here.run("porterctl", ["tasks"], here.settings(["PORTER_SECRET_KEYS": keys]))

        #expect(result.code == 78)
        #expect(result.lines.count == 1)
        #expect(result.lines.first?.hasPrefix("PORTER_SECRET_KEYS ") == true)
        #expect(!result.errors.contains("canary") && !result.errors.contains("AQEB"))
    }

    @Test func `no program shows a secret, not even when everything is logged`() throws {
        let pem = try pem()
        let secrets: [String: String?] = [
            "PORTER_OPERATOR_TOKEN": Self.canary + "-operator", "PORTER_FLY_TOKEN": Self.canary + "-fly",
            "PORTER_FLY_APP": "app", "PORTER_WORKER_IMAGE": "image", "PORTER_EXECUTOR": "fly",
            "PORTER_FLY_API_URL": "http://127.0.0.1:1", "PORTER_LOG_LEVEL": "debug",
            "PORTER_KEY_ANTHROPIC_API_KEY": Self.canary + "-anthropic",
        ]
        let settings = here.settings(app(pem).merging(secrets) { $1 })
        let pemLine = try #require(pem.split(separator: "\n").dropFirst(3).first)
        let cgi = ["REQUEST_METHOD": "GET", "REQUEST_URI": "/readyz"]
        let runs: [(String, [String], [String: String])] = [
            ("porterctl", ["check"], settings), ("porterctl", ["tasks"], settings),
            ("porter-watchdog", [], settings), ("porter-fcgi", [], settings.merging(cgi) { $1 }),
        ]

        for (program, arguments, environment) in runs {
            let result = try here.run(program, arguments, environment)
            let everything = result.output + result.errors
            for secret in [Self.canary, String(pemLine), ProgramRun.key, String(ProgramRun.key.dropFirst(2))]
            {
                #expect(!everything.contains(secret), "\(program) \(arguments)")
            }
            #expect(result.code == 0 || result.code == 1, "\(program): \(everything)")
        }
    }
}
