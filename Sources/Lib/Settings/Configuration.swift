package import Porter

/// What the operator configured, read once at start.
package struct Configuration: Sendable {
    /// The App's credentials, all or none.
    package struct App: Sendable {
        package let id: String
        package let privateKey: Secret
        package let clientID: String
        package let clientSecret: Secret
        package let webhookSecret: Secret
    }

    package let publicURL: String
    package let secretKeys: Secret
    package let app: App?
    package let githubURL: String
    package let githubAPIURL: String
    package let owners: [String]?
    package let admins: [String]?
    package let allowedLogins: [String]?
    package let database: String
    package let fcgiSocket: String?
    package let fcgiThreads: Int
    package let operatorToken: Secret?
    package let mention: String
    package let executor: String
    package let runnerSocket: String
    package let demoAgent: String?
    package let flyAPIURL: String
    package let flyToken: Secret?
    package let flyApp: String?
    package let flyRegion: String?
    package let workerImage: String?
    package let callbackURL: String
    package let authorityFile: String?
    package let proxy: String?
    package let privateHosts: [String]
    package let taskTimeout: Int
    package let taskTimeoutMaximum: Int
    package let stallTimeout: Int
    package let grace: Int
    package let tasksPerUser: Int
    package let tasksTotal: Int?
    package let retentionDays: Int
    package let logLimit: Int
    package let logLevel: String
    /// The team's keys, by the variable that an agent gets.
    package let teamKeys: [String: Secret]
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
    ///   - checks: for the secrets of some variables, what is wrong with a value; nil when it is sound.
    package static func load(
        _ environment: [String: String], readFile: @escaping (String) -> String?,
        checks: [String: (Secret) -> String?] = [:]
    ) throws(ConfigurationErrors) -> Configuration {
        var reader = SettingReader(environment: environment, readFile: readFile)
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
            fcgiSocket: reader.text("PORTER_FCGI_SOCKET"),
            fcgiThreads: reader.number("PORTER_FCGI_THREADS") ?? 8,
            operatorToken: reader.secret("PORTER_OPERATOR_TOKEN"), mention: reader.mention(),
            executor: reader.choice("PORTER_EXECUTOR") ?? "local",
            runnerSocket: reader.path("PORTER_RUNNER_SOCKET") ?? "/run/porter/runner.sock",
            demoAgent: reader.path("PORTER_DEMO_AGENT"),
            flyAPIURL: reader.url("PORTER_FLY_API_URL") ?? "https://api.machines.dev/v1",
            flyToken: reader.secret("PORTER_FLY_TOKEN"), flyApp: reader.text("PORTER_FLY_APP"),
            flyRegion: reader.text("PORTER_FLY_REGION"), workerImage: reader.text("PORTER_WORKER_IMAGE"),
            callbackURL: reader.url("PORTER_CALLBACK_URL") ?? publicURL,
            authorityFile: authorityFile, proxy: reader.text("PORTER_HTTPS_PROXY"),
            privateHosts: reader.list("PORTER_PRIVATE_HOSTS") ?? [], taskTimeout: timeout,
            taskTimeoutMaximum: maximum, stallTimeout: reader.number("PORTER_STALL_TIMEOUT") ?? 300,
            grace: reader.number("PORTER_GRACE") ?? 60,
            tasksPerUser: reader.number("PORTER_TASKS_PER_USER") ?? 5,
            tasksTotal: reader.number("PORTER_TASKS_TOTAL"),
            retentionDays: reader.number("PORTER_RETENTION_DAYS") ?? 90,
            logLimit: reader.size("PORTER_LOG_LIMIT") ?? 5 * 1024 * 1024,
            logLevel: reader.choice("PORTER_LOG_LEVEL") ?? "notice", teamKeys: reader.teamKeys())
        _ = reader.choice("PORTER_INGEST")
        if !reader.problems.isEmpty { throw ConfigurationErrors(lines: reader.problems) }
        return configuration
    }
}
