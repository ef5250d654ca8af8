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
/// - `SignIn.swift`, `UserTokens.swift`, `Rights.swift`, `Admins.swift`: who is let in, and what they see.
/// - `Acting.swift`: what a signed-in person starts and stops.
/// - `SetUp.swift`, `Manifest.swift`: how the App is made.
/// - `Policy.swift`, `Defaults.swift`, `Preferences.swift`, `TeamSettings.swift`, `Keys.swift`: what was chosen, by whom.
/// - `Mirror.swift`, `MirrorReport.swift`: a person's settings in a gist of theirs, for whoever wants that.
/// - `Writers.swift`: whose comments a prompt quotes. `Listening.swift`: whether workers could be heard.
/// - `Steps.swift`, `Cleanup.swift`: effects that happen once, and what a run leaves behind.
/// - `Refresh.swift`: the picture of GitHub that the pages show.
/// - `Jobs.swift`, `Pass.swift`: how a job is worked, by `porter-fcgi`'s dispatcher or by the watchdog's pass.
///
/// Nobody calls GitHub or an engine inside a transaction; each outward effect goes through
/// ``perform(_:task:for:find:call:)``.
///
/// It is a class because closures hold it: as a value its hundred references were counted for each of them.
package final class Work: Sendable {
    /// Everything outside the rules: the database, GitHub, the engine, time and chance.
    package let world: Surroundings
    /// What the instance's operator chose, as it was at start.
    let operatorsPolicy: Policy
    let team: TeamSettings
    /// The parser of this instance's commands.
    let parser: CommandParser

    /// The rules in a world, under a policy.
    package init(_ world: Surroundings, _ policy: Policy) {
        self.world = world
        operatorsPolicy = policy
        team = TeamSettings(over: policy)
        parser = CommandParser(
            mention: policy.mention, agents: world.catalog.names,
            maximumTimeout: policy.limits.taskMaximum)
    }

    /// What the instance's operator chose, with what the team has changed since.
    package var policy: Policy { team.policy(store) }

    var store: Database { world.store }

    /// The moment; whatever is measured by the clock has followed it, if it has just jumped.
    var now: Instant {
        let reading = store.follow(world.clock)
        if let jump = reading.jump, abs(jump) >= Self.loudJump {
            log(.warning, "clock jumped", ["seconds": "\(jump / 1000)"])
        }
        return reading.now
    }

    /// The clock that the faces tell the time by: it has followed every jump.
    package var clock: Clock { Clock(now: { self.now }) }

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
    /// GitHub as the people who signed in see it.
    package var users: UserGitHub
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
    /// Keeps secrets out of what is stored and shown.
    package var redactor: Redactor = .shared
    /// Where the App's credentials come from.
    package var app: AppSource = .fixed(nil)
    /// GitHub about the App itself.
    package var administration: AppAdministration = .none
    /// The engine of a scope's Fly app: of the one that is named, or nil for the one that is set now; nil when runs
    /// are not on Fly.
    package var ownMachines: (@Sendable (_ scope: SettingsScope, _ app: String?) -> Machines)?
    /// Whether a call to the workers' callback address reaches a running `porter-fcgi` at this moment.
    package var hearsItself: @Sendable () -> Bool
    /// Called at each named moment of an outward effect; the fault tests end the process here.
    package var moment: @Sendable (_ name: String) -> Void
    /// Waits for so many milliseconds, on a thread that waits for another's call.
    package var pause: @Sendable (_ milliseconds: Int32) -> Void

    /// The world.
    package init(
        store: Database, github: GitHub, users: UserGitHub = .notSetUp, machines: Machines,
        catalog: AgentCatalog, clock: Clock, entropy: Entropy, sealer: Sealer,
        digest: @escaping @Sendable (Secret) -> [UInt8], journal: Journal,
        hearsItself: @escaping @Sendable () -> Bool,
        moment: @escaping @Sendable (String) -> Void = { _ in },
        pause: @escaping @Sendable (Int32) -> Void = { _ in }
    ) {
        self.store = store
        self.github = github
        self.users = users
        self.machines = machines
        self.catalog = catalog
        self.clock = clock
        self.entropy = entropy
        self.sealer = sealer
        self.digest = digest
        self.journal = journal
        self.hearsItself = hearsItself
        self.moment = moment
        self.pause = pause
    }
}
