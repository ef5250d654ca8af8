import Porter
import PorterTestSupport
import Testing

@testable import PorterSettings

/// An environment in which everything that is needed is there.
let good = [
    "PORTER_PUBLIC_URL": "https://porter.example.org",
    "PORTER_SECRET_KEYS": "k1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
]

/// The problems of the good environment with these variables beside it or instead.
func problems(_ changes: [String: String], files: [String: String] = [:]) -> [String] {
    do throws(ConfigurationErrors) {
        _ = try load(changes, files: files)
        return []
    } catch {
        return error.lines
    }
}

func load(
    _ changes: [String: String] = [:], files: [String: String] = [:]
) throws(ConfigurationErrors) -> Configuration {
    try Configuration.load(
        good.merging(changes) { $1 }, readFile: { files[$0] },
        listFolder: { folder in
            files.keys.filter { $0.hasPrefix(folder + "/") }.map { String($0.dropFirst(folder.count + 1)) }
        })
}

@Suite struct ConfigurationTests {
    @Test func `what is not set has the contract's default`() throws {
        let found = try load()
        #expect(found.publicURL == "https://porter.example.org")
        #expect(found.secretKeys == Secret("k1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="))
        #expect(found.app?.id == nil)
        #expect(found.githubURL == "https://github.com")
        #expect(found.githubAPIURL == "https://api.github.com")
        #expect(found.owners == nil && found.admins == nil && found.allowedLogins == nil)
        #expect(found.database == "/var/lib/porter/porter.sqlite")
        #expect(found.fcgiSocket == nil)
        #expect(found.fcgiThreads == 8)
        #expect(found.operatorToken == nil)
        #expect(found.mention == "porter")
        #expect(found.executor == "local")
        #expect(found.runnerSocket == "/run/porter/runner.sock")
        #expect(found.demoAgent == nil)
        #expect(found.flyAPIURL == "https://api.machines.dev/v1")
        #expect(found.flyToken == nil && found.flyApp == nil && found.flyRegion == nil)
        #expect(found.workerImage == nil)
        #expect(found.callbackURL == "https://porter.example.org")
        #expect(found.authorityFile == nil && found.proxy == nil && found.privateHosts.isEmpty)
        #expect(found.taskTimeout == 600)
        #expect(found.taskTimeoutMaximum == 3600)
        #expect(found.stallTimeout == 300)
        #expect(found.grace == 60)
        #expect(found.tasksPerUser == 5)
        #expect(found.tasksTotal == nil)
        #expect(found.retentionDays == 90)
        #expect(found.logLimit == 5 * 1024 * 1024)
        #expect(found.logLevel == "notice")
        #expect(found.teamKeys.isEmpty)
    }

    /// One variable with a good value, and what the configuration then holds.
    struct Value: Sendable {
        let name: String
        let value: String
        let read: @Sendable (Configuration) -> String?
        let expected: String

        init(
            _ name: String, _ value: String, _ expected: String? = nil,
            _ read: @escaping @Sendable (Configuration) -> String?
        ) {
            self.name = name
            self.value = value
            self.read = read
            self.expected = expected ?? value
        }
    }

    @Test(arguments: [
        Value("PORTER_PUBLIC_URL", "https://p.example.org:8443/", "https://p.example.org:8443") {
            $0.publicURL
        },
        Value("PORTER_PUBLIC_URL", "http://localhost:8080", nil) { $0.publicURL },
        Value("PORTER_SECRET_KEYS", " k2:x \n", "k2:x") { $0.secretKeys.reveal { $0 } },
        Value("PORTER_GITHUB_URL", "https://ghe.example.org/", "https://ghe.example.org") { $0.githubURL },
        Value("PORTER_GITHUB_API_URL", "https://ghe.example.org/api/v3") { $0.githubAPIURL },
        Value("PORTER_OWNERS", " acme , 583231,, ", "acme|583231") { $0.owners?.joined(separator: "|") },
        Value("PORTER_ADMINS", "anna,bert", "anna|bert") { $0.admins?.joined(separator: "|") },
        Value("PORTER_ALLOWED_LOGINS", "a n n a", "anna") { $0.allowedLogins?.joined(separator: "|") },
        Value("PORTER_DATABASE", "/tmp/x.sqlite") { $0.database },
        Value("PORTER_FCGI_SOCKET", "/run/porter/fcgi.sock") { $0.fcgiSocket },
        Value("PORTER_FCGI_SOCKET", "127.0.0.1:9000") { $0.fcgiSocket },
        Value("PORTER_FCGI_SOCKET", "0.0.0.0:65535") { $0.fcgiSocket },
        Value("PORTER_FCGI_SOCKET", "localhost:1") { $0.fcgiSocket },
        Value("PORTER_FCGI_SOCKET", "/" + String(repeating: "s", count: 106)) { $0.fcgiSocket },
        Value("PORTER_FCGI_THREADS", "256") { "\($0.fcgiThreads)" },
        Value("PORTER_OPERATOR_TOKEN", "op-token\n", "op-token") { $0.operatorToken?.reveal { $0 } },
        Value("PORTER_MENTION", "my-Bot_2") { $0.mention },
        Value("PORTER_EXECUTOR", "fly") { $0.executor },
        Value("PORTER_RUNNER_SOCKET", "/tmp/r.sock") { $0.runnerSocket },
        Value("PORTER_DEMO_AGENT", "/opt/demo") { $0.demoAgent },
        Value("PORTER_FLY_API_URL", "http://127.0.0.1:4280/v1/", "http://127.0.0.1:4280/v1") { $0.flyAPIURL },
        Value("PORTER_FLY_TOKEN", "FlyV1 fm2_x") { $0.flyToken?.reveal { $0 } },
        Value("PORTER_FLY_APP", "porter-runs") { $0.flyApp },
        Value("PORTER_FLY_REGION", "ams,any") { $0.flyRegion },
        Value("PORTER_WORKER_IMAGE", "registry.fly.io/x@sha256:1") { $0.workerImage },
        Value("PORTER_CALLBACK_URL", "http://[::1]:8080") { $0.callbackURL },
        Value("PORTER_HTTPS_PROXY", "http://proxy.example.org:3128") { $0.proxy },
        Value("PORTER_HTTPS_PROXY", "proxy:3128") { $0.proxy },
        Value("PORTER_PRIVATE_HOSTS", "GHE.local, 10.0.0.1", "ghe.local|10.0.0.1") {
            $0.privateHosts.joined(separator: "|")
        },
        Value("PORTER_TASK_TIMEOUT", "1") { "\($0.taskTimeout)" },
        Value("PORTER_TASK_TIMEOUT_MAX", "86400") { "\($0.taskTimeoutMaximum)" },
        Value("PORTER_STALL_TIMEOUT", "1") { "\($0.stallTimeout)" },
        Value("PORTER_GRACE", "30") { "\($0.grace)" },
        Value("PORTER_TASKS_PER_USER", "1") { "\($0.tasksPerUser)" },
        Value("PORTER_TASKS_TOTAL", "1000") { $0.tasksTotal.map { "\($0)" } },
        Value("PORTER_RETENTION_DAYS", "3650") { "\($0.retentionDays)" },
        Value("PORTER_LOG_LIMIT", "5 MiB", "5242880") { "\($0.logLimit)" },
        Value("PORTER_LOG_LIMIT", "1GiB", "1073741824") { "\($0.logLimit)" },
        Value("PORTER_LOG_LIMIT", "64kib", "65536") { "\($0.logLimit)" },
        Value("PORTER_LOG_LIMIT", "1000", "1000") { "\($0.logLimit)" },
        Value("PORTER_LOG_LEVEL", "debug") { $0.logLevel },
        Value("PORTER_INGEST", "poll", "poll") { $0.ingest },
        Value("PORTER_KEY_OPENAI_API_KEY", "sk-1") { $0.teamKeys["OPENAI_API_KEY"]?.reveal { $0 } },
    ])
    func `a good value is taken`(value: Value) throws {
        let found = try load([value.name: value.value])
        #expect(value.read(found) == value.expected, "\(value.name)=\(value.value)")
    }

    @Test(arguments: [
        ("PORTER_PUBLIC_URL", ""), ("PORTER_PUBLIC_URL", "porter.example.org"),
        ("PORTER_PUBLIC_URL", "http://porter.example.org"), ("PORTER_PUBLIC_URL", "https://"),
        ("PORTER_PUBLIC_URL", "https:///x"), ("PORTER_PUBLIC_URL", "/"),
        ("PORTER_PUBLIC_URL", "https://porter.example.org/path"),
        ("PORTER_PUBLIC_URL", "https://porter.example.org?x"), ("PORTER_PUBLIC_URL", "https://a b"),
        ("PORTER_PUBLIC_URL", "https://user@porter.example.org"), ("PORTER_PUBLIC_URL", "https://pörter.org"),
        ("PORTER_PUBLIC_URL", "https://porter.example.org#x"), ("PORTER_PUBLIC_URL", "ftp://localhost"),
        ("PORTER_PUBLIC_URL", "http://127.0.0.1.evil.org"),
        ("PORTER_PUBLIC_URL", "http://localhost.evil.org"),
        ("PORTER_PUBLIC_URL", "http://10.0.0.1"), ("PORTER_PUBLIC_URL", "http://0.0.0.0"),
        ("PORTER_PUBLIC_URL", "http://127.+1.0.1"), ("PORTER_PUBLIC_URL", "http://[::1]evil.org"),
        ("PORTER_PUBLIC_URL", "http://[::2]"), ("PORTER_PUBLIC_URL", "http://[::1"),
        ("PORTER_PUBLIC_URL", "https://porter.example.org:port"), ("PORTER_PUBLIC_URL", "https://p:65536"),
        ("PORTER_PUBLIC_URL", "https://p:0"), ("PORTER_PUBLIC_URL", "https://p:1:2"),
        ("PORTER_PUBLIC_URL", "https://:443"), ("PORTER_PUBLIC_URL", "https://a\\b"),
        ("PORTER_SECRET_KEYS", ""), ("PORTER_SECRET_KEYS", " \n"),
        ("PORTER_GITHUB_URL", "http://ghe.local"), ("PORTER_GITHUB_API_URL", "api.github.com"),
        ("PORTER_DATABASE", "porter.sqlite"), ("PORTER_DATABASE", "~/porter.sqlite"),
        ("PORTER_FCGI_SOCKET", "porter.sock"), ("PORTER_FCGI_SOCKET", "localhost:x"),
        ("PORTER_FCGI_SOCKET", "localhost:0"), ("PORTER_FCGI_SOCKET", "localhost:65536"),
        ("PORTER_FCGI_SOCKET", ":9000"), ("PORTER_FCGI_SOCKET", "[::1]:9000"),
        ("PORTER_FCGI_SOCKET", "porter.example:9000"), ("PORTER_FCGI_SOCKET", "localhost"),
        ("PORTER_FCGI_SOCKET", "127.0.0.01:9000"), ("PORTER_FCGI_SOCKET", "127.0.0.256:9000"),
        ("PORTER_FCGI_SOCKET", "127.0.1:9000"), ("PORTER_FCGI_SOCKET", "127.0.0.1"),
        ("PORTER_FCGI_SOCKET", "/" + String(repeating: "s", count: 107)),
        ("PORTER_FCGI_THREADS", "0"), ("PORTER_FCGI_THREADS", "257"), ("PORTER_FCGI_THREADS", "eight"),
        ("PORTER_FCGI_THREADS", "-1"), ("PORTER_FCGI_THREADS", "8 "), ("PORTER_FCGI_THREADS", "8.0"),
        ("PORTER_FCGI_THREADS", "+8"), ("PORTER_MENTION", "por ter"), ("PORTER_MENTION", "@porter"),
        ("PORTER_MENTION", "pörter"), ("PORTER_MENTION", String(repeating: "p", count: 40)),
        ("PORTER_INGEST", "push"), ("PORTER_EXECUTOR", "docker"),
        ("PORTER_EXECUTOR", "Fly"),
        ("PORTER_RUNNER_SOCKET", "runner.sock"), ("PORTER_DEMO_AGENT", "demo"),
        ("PORTER_FLY_API_URL", "http://api.machines.dev/v1"), ("PORTER_CALLBACK_URL", "http://porter.local"),
        ("PORTER_CA_FILE", "ca.pem"), ("PORTER_CA_FILE", "/nowhere/ca.pem"),
        ("PORTER_HTTPS_PROXY", "http://"), ("PORTER_HTTPS_PROXY", "a b"),
        ("PORTER_HTTPS_PROXY", "socks4://x"), ("PORTER_TASK_TIMEOUT", "0"), ("PORTER_TASK_TIMEOUT", "10m"),
        ("PORTER_TASK_TIMEOUT", "3601"), ("PORTER_TASK_TIMEOUT_MAX", "86401"),
        ("PORTER_TASK_TIMEOUT_MAX", "59"), ("PORTER_STALL_TIMEOUT", "0"),
        ("PORTER_GRACE", "29"), ("PORTER_TASKS_PER_USER", "0"), ("PORTER_TASKS_TOTAL", "0"),
        ("PORTER_RETENTION_DAYS", "0"), ("PORTER_LOG_LIMIT", "0"), ("PORTER_LOG_LIMIT", "5 MB"),
        ("PORTER_LOG_LIMIT", "-1"), ("PORTER_LOG_LIMIT", "MiB"), ("PORTER_LOG_LIMIT", "1.5MiB"),
        ("PORTER_LOG_LIMIT", "999999999999GiB"), ("PORTER_LOG_LIMIT", "9999999999999"),
        ("PORTER_LOG_LEVEL", "loud"), ("PORTER_LOG_LEVEL", "NOTICE"), ("PORTER_KEY_", "x"),
        ("PORTER_GITHUB_APP_ID", "x"),
    ])
    func `a bad value is named on a line of its own`(name: String, value: String) {
        let lines = problems([name: value]).filter { $0.hasPrefix(name + " ") }
        #expect(lines.count == 1, "\(problems([name: value]))")
        #expect(lines.allSatisfy { $0.hasSuffix(".") && !$0.contains("\n") })
    }

    @Test func `all problems are told at once`() {
        let lines = problems([
            "PORTER_PUBLIC_URL": "", "PORTER_SECRET_KEYS": "", "PORTER_FCGI_THREADS": "x",
            "PORTER_EXECUTOR": "x", "PORTER_DATABASE": "x", "PORTER_LOG_LIMIT": "x", "PORTER_INGEST": "x",
            "PORTER_GITHUB_APP_ID": "1",
        ])
        let names = lines.map { $0.prefix { $0 != " " } }
        #expect(
            Set(names) == [
                "PORTER_PUBLIC_URL", "PORTER_SECRET_KEYS", "PORTER_FCGI_THREADS", "PORTER_EXECUTOR",
                "PORTER_DATABASE", "PORTER_LOG_LIMIT", "PORTER_INGEST", "PORTER_GITHUB_APP_PRIVATE_KEY",
                "PORTER_GITHUB_CLIENT_ID", "PORTER_GITHUB_CLIENT_SECRET", "PORTER_GITHUB_WEBHOOK_SECRET",
            ])
        #expect(names.count == 11)
    }

    @Test func `http is for loopback alone`() throws {
        for host in ["localhost", "localhost:1", "127.0.0.1", "127.255.1.2:8080", "[::1]", "[::1]:99"] {
            #expect(try load(["PORTER_PUBLIC_URL": "http://\(host)"]).publicURL == "http://\(host)")
        }
    }

    @Test func `every variable of the contract is on the list, once`() {
        let names = """
            PORTER_PUBLIC_URL PORTER_SECRET_KEYS PORTER_GITHUB_APP_ID PORTER_GITHUB_APP_PRIVATE_KEY
            PORTER_GITHUB_CLIENT_ID PORTER_GITHUB_CLIENT_SECRET PORTER_GITHUB_WEBHOOK_SECRET
            PORTER_GITHUB_URL PORTER_GITHUB_API_URL PORTER_OWNERS PORTER_ADMINS PORTER_ALLOWED_LOGINS
            PORTER_DATABASE PORTER_FCGI_SOCKET PORTER_FCGI_THREADS PORTER_OPERATOR_TOKEN PORTER_MENTION
            PORTER_INGEST PORTER_EXECUTOR PORTER_RUNNER_SOCKET PORTER_RUNNER_USER PORTER_WORKER_COMMAND
            PORTER_AGENT_PATH PORTER_DEMO_AGENT PORTER_FLY_API_URL PORTER_FLY_TOKEN PORTER_FLY_APP
            PORTER_FLY_REGION PORTER_WORKER_IMAGE PORTER_CALLBACK_URL PORTER_CA_FILE PORTER_HTTPS_PROXY
            PORTER_PRIVATE_HOSTS PORTER_TASK_TIMEOUT PORTER_TASK_TIMEOUT_MAX PORTER_STALL_TIMEOUT
            PORTER_GRACE PORTER_TASKS_PER_USER PORTER_TASKS_TOTAL PORTER_RETENTION_DAYS PORTER_LOG_LIMIT
            PORTER_LOG_LEVEL
            """.split(whereSeparator: \.isWhitespace).map(String.init)
        // Beside those.
        let own = ["PORTER_RUNNER_ISOLATION"]
        #expect(Setting.all.map(\.name).filter { !own.contains($0) } == names)
        #expect(Setting.all.allSatisfy { !$0.help.isEmpty && !$0.byDefault.isEmpty })
    }
}
