package import Porter
package import PorterAgents
import PorterCommands
package import PorterStore

/// The rules: which event makes which task, who may run, what happens next, what the issue shows.
///
/// ``Work`` holds the world (``Surroundings``) and the instance's choices (``Policy``); its operations are
/// spread over the files of this module by what they are about:
///
/// - `AcceptWebhook.swift`: a delivery becomes a stored command.
/// - `Admission.swift`, `Answers.swift`: what a command may do, and answers without a task.
/// - `Launching.swift`, `Supervision.swift`: machines, attempts, deadlines, stops.
/// - `Callbacks.swift`: what a worker may say.
/// - `Publication.swift`, `Endings.swift`, `StatusComments.swift`: the pull request and the comments.
/// - `Recovery.swift`, `Sweep.swift`, `SweepLists.swift`: what never arrived, from GitHub's log and from GitHub itself.
/// - `Jobs.swift`, `Pass.swift`: how a job is worked, by `porter-fcgi`'s dispatcher or by the watchdog's pass.
///
/// Nobody calls GitHub or an engine inside a transaction; each outward effect goes through
/// ``perform(_:task:for:find:call:)``.
package struct Work: Sendable {
    /// Everything outside the rules: the database, GitHub, the engine, time and chance.
    package let world: Surroundings
    /// What the instance's operator chose.
    package let policy: Policy
    /// The parser of this instance's commands.
    let parser: CommandParser

    /// The rules in a world, under a policy.
    package init(_ world: Surroundings, _ policy: Policy) {
        self.world = world
        self.policy = policy
        parser = CommandParser(
            mention: policy.mention, agents: world.catalog.names,
            maximumTimeout: policy.limits.taskMaximum)
    }

    var store: Database { world.store }

    /// The moment; whatever is measured by the clock has followed it, if it has just jumped.
    var now: Instant {
        let reading = store.follow(world.clock)
        if let jump = reading.jump, abs(jump) >= Self.loudJump {
            log(.warning, "clock jumped", ["seconds": "\(jump / 1000)"])
        }
        return reading.now
    }

    /// Milliseconds by which a clock must jump for the journal to speak of it.
    private static let loudJump: Int64 = 60_000

    func log(_ level: Journal.Level, _ message: String, _ facts: [String: String] = [:]) {
        world.journal.record(level, message, facts)
    }
}

/// Everything outside the rules.
package struct Surroundings: Sendable {
    /// The one durable truth, shared with the other processes of the host.
    package var store: Database
    /// GitHub as the App.
    package var github: GitHub
    /// The engine of all runs.
    package var machines: Machines
    /// The agents that can be asked for.
    package var catalog: AgentCatalog
    /// The only source of the times that are stored.
    package var clock: Clock
    /// The only source of tokens, ids and jitter.
    package var entropy: Entropy
    /// Encrypts tokens and keys before they rest in the database.
    package var sealer: Sealer
    /// SHA-256 of a token, as the database keeps it.
    package var digest: @Sendable (Secret) -> [UInt8]
    /// Where the operator reads what happened.
    package var journal: Journal
    /// Whether a call to the workers' callback address reaches a running `porter-fcgi` at this moment.
    package var hearsItself: @Sendable () -> Bool
    /// Called at each named moment of an outward effect; the fault tests end the process here.
    package var moment: @Sendable (_ name: String) -> Void

    /// The world.
    package init(
        store: Database, github: GitHub, machines: Machines, catalog: AgentCatalog, clock: Clock,
        entropy: Entropy, sealer: Sealer, digest: @escaping @Sendable (Secret) -> [UInt8],
        journal: Journal, hearsItself: @escaping @Sendable () -> Bool,
        moment: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.store = store
        self.github = github
        self.machines = machines
        self.catalog = catalog
        self.clock = clock
        self.entropy = entropy
        self.sealer = sealer
        self.digest = digest
        self.journal = journal
        self.hearsItself = hearsItself
        self.moment = moment
    }
}
