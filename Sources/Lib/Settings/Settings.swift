/// The variables of `docs/operating.md`: one list, from which the parser, the reference and the example come.
package struct Setting: Hashable, Sendable {
    /// What a value looks like.
    package enum Kind: Hashable, Sendable {
        case text
        case secret
        case url
        case list
        case path
        /// A whole number within the bounds.
        case number(ClosedRange<Int>)
        /// Bytes, with `KiB`, `MiB` or `GiB`.
        case size
        case choice([String])
    }

    /// The variable's name; a secret has its `_FILE` twin besides.
    package let name: String
    /// What a value must look like.
    package let kind: Kind
    /// As the reference shows it.
    package let byDefault: String
    /// What it is for, one sentence in Markdown.
    package let help: String

    init(_ name: String, _ kind: Kind, _ byDefault: String, _ help: String) {
        self.name = name
        self.kind = kind
        self.byDefault = byDefault
        self.help = help
    }

    /// All of them, in the order of the reference.
    package static let all: [Setting] = [
        Setting(
            "PORTER_PUBLIC_URL", .url, "needed",
            "Where people and GitHub reach Porter; https, or http for loopback."),
        Setting(
            "PORTER_SECRET_KEYS", .secret, "needed",
            "`id:base64,…`, 32 bytes each; the first encrypts, all decrypt."),
        Setting("PORTER_GITHUB_APP_ID", .text, "from the database", "The App's id."),
        Setting(
            "PORTER_GITHUB_APP_PRIVATE_KEY", .secret, "from the database",
            "The App's private key in PEM; `\\n` may stand for line breaks."),
        Setting("PORTER_GITHUB_CLIENT_ID", .text, "from the database", "The App's client id."),
        Setting("PORTER_GITHUB_CLIENT_SECRET", .secret, "from the database", "The App's client secret."),
        Setting(
            "PORTER_GITHUB_WEBHOOK_SECRET", .secret, "from the database", "What GitHub signs deliveries with."
        ),
        Setting(
            "PORTER_GITHUB_URL", .url, "https://github.com",
            "GitHub's pages; set both for an Enterprise Server."),
        Setting(
            "PORTER_GITHUB_API_URL", .url, "https://api.github.com",
            "GitHub's API; set both for an Enterprise Server."),
        Setting(
            "PORTER_OWNERS", .list, "the App's owner",
            "Logins or ids of the accounts whose installations are served."),
        Setting("PORTER_ADMINS", .list, "who first signed in", "Logins or ids of the admins."),
        Setting("PORTER_ALLOWED_LOGINS", .list, "all", "Logins or ids of the people who may use Porter."),
        Setting("PORTER_DATABASE", .path, "/var/lib/porter/porter.sqlite", "The database file."),
        Setting(
            "PORTER_FCGI_SOCKET", .text, "inherited",
            "A path, or an IPv4 address (or `localhost`) and a port as in `127.0.0.1:9000`, to listen at when no socket is "
                + "inherited."),
        Setting("PORTER_FCGI_THREADS", .number(1...256), "8", "Requests served at once."),
        Setting(
            "PORTER_OPERATOR_TOKEN", .secret, "none",
            "Opens `/metrics`, the details of `/readyz` and the reading task routes."),
        Setting("PORTER_MENTION", .text, "porter", "The name after `@` or `/` in commands."),
        Setting(
            "PORTER_INGEST", .choice(["webhook", "poll"]), "webhook",
            "How commands arrive; `poll`, for boxes that GitHub cannot reach, asks GitHub itself every 20 s."
        ),
        Setting("PORTER_EXECUTOR", .choice(["local", "fly"]), "local", "Where runs happen."),
        Setting("PORTER_RUNNER_SOCKET", .path, "/run/porter/runner.sock", "The socket of `porter-runner`."),
        Setting(
            "PORTER_RUNNER_USER", .text, "nobody", "What machines run as when the runner starts as root."),
        Setting(
            "PORTER_RUNNER_ISOLATION", .choice(["box", "weak"]), "box",
            "How machines are walled in; `weak` accepts a host without user namespaces."),
        Setting(
            "PORTER_WORKER_COMMAND", .path, "porter-worker beside the runner",
            "The worker's program: one absolute path, no arguments."),
        Setting(
            "PORTER_AGENT_PATH", .text, "none",
            "`:`-list of folders, bound read-only into the agent's box and searched first."),
        Setting(
            "PORTER_DEMO_AGENT", .path, "none", "A program that becomes the agent `demo`, which needs no key."
        ),
        Setting("PORTER_FLY_API_URL", .url, "https://api.machines.dev/v1", "Fly's Machines API."),
        Setting("PORTER_FLY_TOKEN", .secret, "none", "The team's Fly token."),
        Setting("PORTER_FLY_APP", .text, "none", "The team's Fly app."),
        Setting("PORTER_FLY_REGION", .text, "none", "Where Fly puts machines."),
        Setting("PORTER_WORKER_IMAGE", .text, "none", "The worker's image."),
        Setting("PORTER_CALLBACK_URL", .url, "the public URL", "Where machines reach Porter."),
        Setting("PORTER_CA_FILE", .path, "none", "Certificate authorities in PEM instead of the system's."),
        Setting(
            "PORTER_HTTPS_PROXY", .text, "none", "A proxy for outgoing calls; none is taken from elsewhere."),
        Setting("PORTER_PRIVATE_HOSTS", .list, "none", "Hosts that may resolve to private addresses."),
        Setting("PORTER_TASK_TIMEOUT", .number(1...86_400), "600", "Seconds that an agent may take."),
        Setting(
            "PORTER_TASK_TIMEOUT_MAX", .number(60...86_400), "3600", "Seconds that `--timeout` may ask for."),
        Setting("PORTER_STALL_TIMEOUT", .number(1...86_400), "300", "Seconds that an agent may be silent."),
        Setting(
            "PORTER_GRACE", .number(30...3600), "60", "Seconds after which a silent worker counts as lost."),
        Setting("PORTER_TASKS_PER_USER", .number(1...1000), "5", "Runs of one person at once."),
        Setting(
            "PORTER_TASKS_TOTAL", .number(1...1000), "what cores and memory bear; Fly: 20",
            "Runs of the instance at once."),
        Setting(
            "PORTER_RETENTION_DAYS", .number(1...3650), "90",
            "Days that prompts, logs and texts of issues are kept."),
        Setting("PORTER_LOG_LIMIT", .size, "5 MiB", "Log kept of one attempt."),
        Setting(
            "PORTER_LOG_LEVEL", .choice(["debug", "info", "notice", "warning", "error"]), "notice",
            "What the log holds."),
    ]

    /// Begins the name of a key of the team: `PORTER_KEY_ANTHROPIC_API_KEY`.
    package static let keyPrefix = "PORTER_KEY_"
}
