import Foundation
import Glibc
import PorterProcess
import PorterTestSupport

/// Runs one of Porter's programs to its end.
struct ProgramRun {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    static let key = "k:" + Data(repeating: 0, count: 32).base64EncodedString()

    /// What every program but the runner and the worker needs, and nothing outside of the folder.
    var sound: [String: String] {
        [
            "PORTER_PUBLIC_URL": "http://127.0.0.1:1", "PORTER_SECRET_KEYS": Self.key,
            "PORTER_DATABASE": folder.file("porter.sqlite"),
            "PORTER_RUNNER_SOCKET": folder.file("runner.sock"),
        ]
    }

    /// The settings with changes; nil removes one.
    func settings(_ changes: [String: String?]) -> [String: String] {
        var settings = sound
        for (name, value) in changes { settings[name] = value }
        return settings
    }

    /// - Parameter asNobody: whether it gives up root before it begins, where the tests run as root.
    func run(
        _ program: String, _ arguments: [String] = [], _ environment: [String: String],
        asNobody: Bool = false
    ) throws -> Result {
        var command = Command(try Programs.path(program), arguments, environment: environment)
        if asNobody, getuid() == 0 {
            command.arguments =
                ["--reuid=65534", "--regid=65534", "--clear-groups", command.program] + arguments
            command.program = "/usr/bin/setpriv"
        }
        let capture = try command.run(timeout: .seconds(60))
        return Result(
            code: capture.ending.code, output: capture.text,
            errors: String(decoding: capture.errors, as: UTF8.self))
    }

    struct Result {
        let code: Int
        let output: String
        let errors: String

        var lines: [String] { errors.split(separator: "\n").map(String.init) }
    }
}
