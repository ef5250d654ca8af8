package import Porter

/// What the operator configured, read once at start.
package struct Configuration: Sendable {
    /// The App's credentials, all or none.
    package typealias App = AppCredentials

    /// Where people and GitHub reach Porter: scheme and authority, no slash at the end.
    package let publicURL: String
    /// `id:base64,…` as it was given; the crypto module parses it.
    package let secretKeys: Secret
    /// Nil when the App is to come from set-up; given, it stands over what set-up has stored.
    package let app: App?
    /// GitHub's pages, without a slash at the end.
    package let githubURL: String
    /// GitHub's REST API, without a slash at the end.
    package let githubAPIURL: String
    /// Logins or ids of the accounts whose installations are served; nil is the App's owner.
    package let owners: [String]?
    /// Logins or ids of the admins; nil is whoever set Porter up.
    package let admins: [String]?
    /// Logins or ids of the people who may use Porter; nil is everybody who can push.
    package let allowedLogins: [String]?
    /// The SQLite file, an absolute path; its `-wal`, `-shm` and `-holders` lie beside it.
    package let database: String
    /// A path or `host:port` to listen at; nil when the socket is inherited.
    package let fcgiSocket: String?
    /// Requests served at once, each on a thread of its own.
    package let fcgiThreads: Int
    /// Opens the operator's routes; nil closes them.
    package let operatorToken: Secret?
    /// The name after `@` or `/` in commands, without either.
    package let mention: String
    /// `webhook` or `poll`.
    package let ingest: String
    /// The engine of all runs: `local` or `fly`.
    package let executor: String
    /// Where `porter-runner` listens, an absolute path; used by the engine `local`.
    package let runnerSocket: String
    /// The program of the agent `demo`, an absolute path; nil when there is no such agent.
    package let demoAgent: String?
    /// Fly's Machines API, version included, without a slash at the end.
    package let flyAPIURL: String
    /// The team's Fly token; runs on Fly need it.
    package let flyToken: Secret?
    /// The Fly app in which machines are made; runs on Fly need it.
    package let flyApp: String?
    /// Where Fly puts machines; nil leaves that to Fly.
    package let flyRegion: String?
    /// The container image with `porter-worker` and the agents; runs on Fly need it.
    package let workerImage: String?
    /// Where machines reach Porter, the public URL unless set; no slash at the end.
    package let callbackURL: String
    /// Certificate authorities in PEM, an absolute path; nil is the system's list.
    package let authorityFile: String?
    /// The proxy of outgoing calls; nil is none, whatever the environment says.
    package let proxy: String?
    /// Host names that may resolve to private addresses; all others may not.
    package let privateHosts: [String]
    /// Seconds that an agent may take unless the command says otherwise.
    package let taskTimeout: Int
    /// Seconds that `--timeout` may ask for at most.
    package let taskTimeoutMaximum: Int
    /// Seconds that an agent may be silent before it is stopped.
    package let stallTimeout: Int
    /// Seconds without a heartbeat after which a worker counts as lost.
    package let grace: Int
    /// Runs of one person at once.
    package let tasksPerUser: Int
    /// Runs of the instance at once; nil lets the engine decide.
    package let tasksTotal: Int?
    /// Days that prompts and logs are kept after their task ended, and deliveries after they came.
    package let retentionDays: Int
    /// Bytes of log kept of one attempt.
    package let logLimit: Int
    /// The least level that is written: `debug` to `error`.
    package let logLevel: String
    /// The team's keys, by the variable that an agent gets.
    package let teamKeys: [String: Secret]
    /// The variables that were given a value: what they say stands over what admins change in the settings.
    package let given: Set<String>
}

/// All that is wrong with a configuration, one line each.
package struct ConfigurationErrors: Error, Equatable {
    /// Each names the variable and how to mend it.
    package let lines: [String]

    /// The problems, one line each.
    package init(lines: [String]) {
        self.lines = lines
    }
}

extension Configuration {
    /// Reads and checks everything, and reports all problems at once.
    ///
    /// - Parameters:
    ///   - environment: the program's environment.
    ///   - readFile: a file's text, nil when it cannot be read.
    ///   - listFolder: the names in a folder, none when it cannot be read.
    ///   - checks: for the secrets of some variables, what is wrong with a value; nil when it is sound.
    package static func load(
        _ environment: [String: String], readFile: @escaping (String) -> String?,
        listFolder: @escaping (String) -> [String] = { _ in [] },
        checks: [String: (Secret) -> String?] = [:]
    ) throws(ConfigurationErrors) -> Configuration {
        var reader = SettingReader(environment: environment, readFile: readFile, listFolder: listFolder)
        let publicURL = reader.url("PORTER_PUBLIC_URL", isOrigin: true, isNeeded: true) ?? ""
        let secretKeys = reader.secret("PORTER_SECRET_KEYS", isNeeded: true) ?? Secret("")
        let app = reader.app()
        let checked = [
            ("PORTER_SECRET_KEYS", secretKeys.isEmpty ? nil : secretKeys),
            ("PORTER_GITHUB_APP_PRIVATE_KEY", app?.privateKey),
        ]
        for (name, secret) in checked {
            if let secret, let problem = checks[name]?(secret) { reader.complain(name, problem) }
        }
        let authorityFile = reader.path("PORTER_CA_FILE")
        if let authorityFile, readFile(authorityFile) == nil {
            reader.complain("PORTER_CA_FILE", "cannot be read: \(authorityFile)")
        }
        let timeout = reader.number("PORTER_TASK_TIMEOUT") ?? 600
        let maximum = reader.number("PORTER_TASK_TIMEOUT_MAX") ?? 3600
        if timeout > maximum {
            reader.complain("PORTER_TASK_TIMEOUT", "is more than PORTER_TASK_TIMEOUT_MAX (\(maximum))")
        }
        let configuration = Configuration(
            publicURL: publicURL, secretKeys: secretKeys, app: app,
            githubURL: reader.url("PORTER_GITHUB_URL") ?? "https://github.com",
            githubAPIURL: reader.url("PORTER_GITHUB_API_URL") ?? "https://api.github.com",
            owners: reader.list("PORTER_OWNERS"), admins: reader.list("PORTER_ADMINS"),
            allowedLogins: reader.list("PORTER_ALLOWED_LOGINS"),
            database: reader.path("PORTER_DATABASE") ?? "/var/lib/porter/porter.sqlite",
            fcgiSocket: reader.socket("PORTER_FCGI_SOCKET"),
            fcgiThreads: reader.number("PORTER_FCGI_THREADS") ?? 8,
            operatorToken: reader.secret("PORTER_OPERATOR_TOKEN"), mention: reader.mention(),
            ingest: reader.choice("PORTER_INGEST") ?? "webhook",
            executor: reader.choice("PORTER_EXECUTOR") ?? "local",
            runnerSocket: reader.path("PORTER_RUNNER_SOCKET") ?? "/run/porter/runner.sock",
            demoAgent: reader.path("PORTER_DEMO_AGENT"),
            flyAPIURL: reader.url("PORTER_FLY_API_URL") ?? "https://api.machines.dev/v1",
            flyToken: reader.secret("PORTER_FLY_TOKEN"), flyApp: reader.text("PORTER_FLY_APP"),
            flyRegion: reader.text("PORTER_FLY_REGION"), workerImage: reader.text("PORTER_WORKER_IMAGE"),
            callbackURL: reader.url("PORTER_CALLBACK_URL") ?? publicURL,
            authorityFile: authorityFile, proxy: reader.proxy("PORTER_HTTPS_PROXY"),
            privateHosts: reader.list("PORTER_PRIVATE_HOSTS")?.map { $0.lowercased() } ?? [],
            taskTimeout: timeout,
            taskTimeoutMaximum: maximum, stallTimeout: reader.number("PORTER_STALL_TIMEOUT") ?? 300,
            grace: reader.number("PORTER_GRACE") ?? 60,
            tasksPerUser: reader.number("PORTER_TASKS_PER_USER") ?? 5,
            tasksTotal: reader.number("PORTER_TASKS_TOTAL"),
            retentionDays: reader.number("PORTER_RETENTION_DAYS") ?? 90,
            logLimit: reader.size("PORTER_LOG_LIMIT") ?? 5 * 1024 * 1024,
            logLevel: reader.choice("PORTER_LOG_LEVEL") ?? "notice", teamKeys: reader.teamKeys(),
            given: Set(environment.filter { !$0.value.isEmpty }.keys))
        if !reader.problems.isEmpty { throw ConfigurationErrors(lines: reader.problems) }
        return configuration
    }
}
