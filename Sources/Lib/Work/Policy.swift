package import Porter
package import PorterStore

/// What the instance's operator chose; `docs/operating.md` gives the defaults.
package struct Policy: Sendable {
    /// Where machines reach Porter.
    package var callbackURL: String
    /// The name after `@` or `/` in commands.
    package var mention: String
    /// Logins or ids of the accounts whose installations are served; nil means the App's owner.
    package var owners: [String]?
    /// Logins or ids of the people who may use Porter; nil means all.
    package var allowedLogins: [String]?
    /// Logins or ids of the admins; nil means whoever signed in first with the App's own installation.
    package var admins: [String]?
    /// Where people reach Porter: scheme and authority, no slash at the end.
    package var publicURL = ""
    /// GitHub's pages, without a slash at the end.
    package var githubURL = "https://github.com"
    /// The variables that the operator gave a value: these stand over what the team changes.
    package var given: Set<String> = []
    /// What the environment says of the team's Fly app; nil leaves it to the settings.
    package var givenFly: FlyApp.Given?
    /// Whether Fly machines have an image to run.
    package var hasWorkerImage = false
    /// Whether commands are looked for in GitHub's log all the time, because GitHub cannot reach this box.
    package var isPolling = false
    /// Seconds that GitHub keeps its log of deliveries: three days, or seven on an Enterprise Server.
    ///
    /// - SeeAlso: <https://docs.github.com/en/webhooks/testing-and-troubleshooting-webhooks/viewing-webhook-deliveries>
    package var logReach = 3 * 86_400
    /// Where machines run, for all tasks.
    package var engine: Engine
    /// How many tasks may run at once.
    package var caps: Caps
    /// How long each part of a run may take.
    package var limits: Limits
    /// The team's keys, by the name of the variable that an agent gets.
    package var teamKeys: [String: Secret]
    /// Days that prompts and logs are kept after their task ended, and deliveries after they came.
    package var retentionDays: Int
    /// Bytes of log kept an attempt.
    package var logLimit: Int

    /// Where machines run and what they are like.
    package struct Engine: Sendable {
        /// `local` or `fly`.
        package var name: String
        /// Whether everything is set that the engine needs.
        package var isConfigured: Bool
        /// The worker's container image; a placeholder on the box itself, where the runner ignores it.
        package var image: String
        /// Where Fly puts machines; nil leaves that to Fly.
        package var region: String?
        /// Virtual processors of a machine.
        package var cpus: Int
        /// Mebibytes.
        package var memory: Int

        /// An engine.
        package init(
            name: String, isConfigured: Bool, image: String, region: String?, cpus: Int, memory: Int
        ) {
            self.name = name
            self.isConfigured = isConfigured
            self.image = image
            self.region = region
            self.cpus = cpus
            self.memory = memory
        }
    }

    /// Limits of time, in seconds.
    package struct Limits: Sendable {
        /// Until the clone is there.
        package var clone = 300
        /// What the agent may take unless the command says otherwise.
        package var task = 600
        /// What `--timeout` may ask for at most.
        package var taskMaximum = 3600
        /// From the agent's death to the last push.
        package var saving = 120
        /// Without output of the agent.
        package var stall = 300
        /// From the last heartbeat until a worker counts as stale.
        package var grace = 60
        /// From the launch until an unclaimed machine is replaced.
        package var unclaimed = 300
        /// From the moment at which the worker is told to stop until its machine is destroyed by force.
        package var stop = 15

        /// The defaults.
        package init() {}
    }

    /// Everything at once.
    package init(
        callbackURL: String, mention: String, owners: [String]?,
        allowedLogins: [String]?, engine: Engine, caps: Caps, limits: Limits,
        teamKeys: [String: Secret], retentionDays: Int, logLimit: Int
    ) {
        self.callbackURL = callbackURL
        self.mention = mention
        self.owners = owners
        self.allowedLogins = allowedLogins
        self.engine = engine
        self.caps = caps
        self.limits = limits
        self.teamKeys = teamKeys
        self.retentionDays = retentionDays
        self.logLimit = logLimit
    }

}

extension Work {
    /// Whether an operator's list names the person, by id or login.
    ///
    /// A login means whoever had it when it was first seen here, for good: the id is kept, and neither a later
    /// owner of a freed login nor a rename changes whom it means. Digits alone are an id, never a login.
    func names(_ list: [String], _ person: Person) throws(StoreError) -> Bool {
        for entry in list {
            if entry.utf8.allSatisfy({ (48...57).contains($0) }) {
                if entry == String(person.id) { return true }
                continue
            }
            let name = "login.\(entry.lowercased())"
            var pinned = try store.findFact(name)
            if pinned == nil, entry.lowercased() == person.login.lowercased() {
                pinned = try store.markOnce(name, String(person.id), at: now)
            }
            if pinned?.value == String(person.id) { return true }
        }
        return false
    }
}
