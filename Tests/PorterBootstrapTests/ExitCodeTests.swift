import Foundation
import Glibc
import PorterProcess
import PorterTestSupport
import Testing

/// `docs/operating.md`: 0 done; 1 given up, or a check failed; 64 usage; 69 missing; 75 later; 78 settings.
@Suite struct ExitCodeTests {
    /// With how they are called to do something that needs settings.
    private static let calls: [(program: String, arguments: [String])] = [
        ("porter-fcgi", []), ("porter-watchdog", []), ("porterctl", ["tasks"]),
    ]
    private let here: ProgramRun

    init() throws {
        here = try ProgramRun()
    }

    @Test func `a pass over an empty database and an empty list of tasks are done`() throws {
        for (program, arguments) in Self.calls.dropFirst() {
            let result = try here.run(program, arguments, here.sound)
            #expect(result.code == 0, "\(result.errors)")
        }
        let show = try here.run("porterctl", ["show", "task_01J0000000000000000000000A"], here.sound)
        #expect(show.code == 1)
        #expect(show.errors == "porterctl: there is no task task_01J0000000000000000000000A\n")
    }

    @Test func `a check that finds something ends with 1 and names it`() throws {
        let result = try here.run("porterctl", ["check"], here.sound)

        #expect(result.code == 1)
        #expect(result.output.contains("ok      database: "))
        #expect(result.output.contains("PROBLEM GitHub App: there is none yet"))
        let engine = try #require(result.output.split(separator: "\n").first { $0.contains(" engine: ") })
        #expect(
            engine.hasPrefix("PROBLEM engine: nobody answers at \(here.folder.file("runner.sock")): start "))
        #expect(engine.contains("PORTER_RUNNER_SOCKET"))
    }

    @Test(arguments: calls.indices)
    func `settings that are wrong are told all at once, each on its line, with 78`(index: Int) throws {
        let (program, arguments) = Self.calls[index]
        let wrong = [
            "PORTER_PUBLIC_URL": "ftp://x", "PORTER_SECRET_KEYS": "nonsense", "PORTER_DATABASE": "relative",
            "PORTER_FCGI_THREADS": "0", "PORTER_TASK_TIMEOUT": "1h", "PORTER_EXECUTOR": "cloud",
            "PORTER_LOG_LIMIT": "much", "PORTER_MENTION": "a b", "PORTER_LOG_LEVEL": "loud",
            "PORTER_GITHUB_APP_ID": "x", "PORTER_INGEST": "mail", "PORTER_CA_FILE": "/nowhere.pem",
            "PORTER_GITHUB_API_URL": "http://github.example.org", "PORTER_KEY_": "x",
            "PORTER_FCGI_SOCKET": "porter.example.org:9000",
        ]

        let result = try here.run(program, arguments, wrong)

        #expect(result.code == 78)
        #expect(result.output.isEmpty)
        for name in wrong.keys {
            #expect(result.lines.filter { $0.hasPrefix(name + " ") }.count == 1, "\(name)")
        }
        for name in ["APP_PRIVATE_KEY", "CLIENT_ID", "CLIENT_SECRET", "WEBHOOK_SECRET"] {
            #expect(result.lines.filter { $0.hasPrefix("PORTER_GITHUB_\(name) ") }.count == 1, "\(name)")
        }
        #expect(result.lines.count == wrong.count + 4)
        #expect(!result.errors.contains("nonsense"))
    }

    @Test(arguments: calls.indices)
    func `without the needed settings it says which`(index: Int) throws {
        let (program, arguments) = Self.calls[index]

        let result = try here.run(program, arguments, [:])

        #expect(result.code == 78)
        #expect(result.lines.map { $0.prefix { $0 != " " } } == ["PORTER_PUBLIC_URL", "PORTER_SECRET_KEYS"])
    }

    @Test func `a worker tells all that its machine lacks`() throws {
        let nothing = try here.run("porter-worker", [], [:], asNobody: true)
        #expect(nothing.code == 78)
        #expect(nothing.lines.count == 3)
        for name in ["PORTER_CALLBACK_URL", "PORTER_TASK_ID", "PORTER_CALLBACK_TOKEN"] {
            #expect(nothing.lines.filter { $0.contains("\(name) is missing") }.count == 1)
        }

        let wrong = try here.run(
            "porter-worker", [],
            [
                "PORTER_CALLBACK_URL": "ftp://x", "PORTER_TASK_ID": "task_1",
                "PORTER_CALLBACK_TOKEN": "canary-token-1234",
            ], asNobody: true)
        #expect(wrong.code == 78)
        #expect(wrong.lines.count == 2)
        #expect(wrong.errors.contains("PORTER_TASK_ID is no task's id"))
        #expect(wrong.errors.contains("PORTER_CALLBACK_URL is no http address"))
        #expect(!wrong.errors.contains("canary-token-1234"))
    }

    @Test(.enabled(if: getuid() == 0, "it takes root to see that root is refused"))
    func `a worker refuses to be root`() throws {
        let result = try here.run(
            "porter-worker", [],
            [
                "PORTER_CALLBACK_URL": "http://127.0.0.1:1",
                "PORTER_TASK_ID": "task_01J0000000000000000000000A",
                "PORTER_CALLBACK_TOKEN": "canary-token-1234",
            ])

        #expect(result.code == 78)
        #expect(result.errors.contains("root") || result.errors.contains("uid 0"))
        #expect(!result.errors.contains("canary-token-1234"))
    }

    @Test(arguments: calls.indices)
    func `a newer Porter's database is left alone with 75`(index: Int) throws {
        let (program, arguments) = Self.calls[index]
        #expect(try here.run("porterctl", ["tasks"], here.sound).code == 0)
        let sqlite = try Command(
            "/usr/bin/sqlite3",
            [
                here.folder.file("porter.sqlite"),
                "INSERT INTO grdb_migrations VALUES ('2999-01-01 of the future')",
            ], environment: [:]
        ).run(timeout: .seconds(30))
        try #require(sqlite.isGood, "\(sqlite.lastError)")

        let result = try here.run(program, arguments, here.sound)

        #expect(result.code == 75)
        #expect(result.lines.count == 1)
        #expect(result.errors.contains("PORTER_DATABASE"))
        #expect(result.errors.contains("newer Porter"))
    }

    @Test(arguments: calls.indices)
    func `a database that cannot be had ends it with 69`(index: Int) throws {
        let (program, arguments) = Self.calls[index]
        let nowhere = here.folder.file("nowhere/porter.sqlite")
        let text = try here.folder.write("this is no database, but a text of some length", to: "text")

        for path in [nowhere, here.folder.path, text] {
            let result = try here.run(program, arguments, here.settings(["PORTER_DATABASE": path]))
            #expect(result.code == 69, "\(path): \(result.errors)")
            #expect(result.errors.contains("PORTER_DATABASE"), "\(path)")
        }
        #expect(try String(contentsOfFile: text, encoding: .utf8).hasPrefix("this is no database"))
    }
}
