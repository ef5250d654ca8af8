import Porter
import PorterAgents
import PorterSettings
import PorterStore
import PorterWork

/// What `porterctl check` looks at: everything that must be right before the first command can work.
package struct Checkup: Sendable {
    /// One thing that was looked at.
    package struct Finding: Sendable {
        /// What was looked at, one or two words: `database`, `GitHub App`.
        package let name: String
        /// What was seen, or what is wrong and how to mend it.
        package let words: String
        /// Whether it is as it must be; one that is not makes `porterctl check` exit 1.
        package let isGood: Bool
    }

    private let instance: Instance

    /// A check of that instance.
    package init(_ instance: Instance) {
        self.instance = instance
    }

    /// Looks at everything; calls GitHub and the engine once each.
    package func run() -> [Finding] {
        [database, secrets, app, engine] + engineNotes + [agents, watchdog]
    }

    private var database: Finding {
        do throws(StoreError) {
            try instance.store.checkWritable(at: instance.work.world.clock.now())
            // 2 is FULL; anything less loses acknowledged commits at a power cut.
            let isFull = try instance.store.synchronousMode() == 2
            return Finding(
                name: "database",
                words: isFull ? "\(instance.store.path) can be written" : "synchronous is not FULL",
                isGood: isFull)
        } catch {
            return Finding(name: "database", words: "\(error)", isGood: false)
        }
    }

    /// Whether every secret that rests in the database opens with the keys that are configured.
    private var secrets: Finding {
        do throws(StoreError) {
            let closed = try instance.store.closedSecrets(instance.work.world.sealer)
            return Finding(
                name: "secrets",
                words: closed.isEmpty
                    ? "all stored secrets open"
                    : "\(closed.count) stored secrets do not open, such as \(closed[0])",
                isGood: closed.isEmpty)
        } catch {
            return Finding(name: "secrets", words: "\(error)", isGood: false)
        }
    }

    private var app: Finding {
        switch instance.work.world.app.standing() {
        case .missing:
            return Finding(
                name: "GitHub App",
                words:
                    "there is none yet: open the address that `porterctl setup-url` prints, or set the five "
                    + "PORTER_GITHUB_ values", isGood: false)
        case .broken(let words): return Finding(name: "GitHub App", words: words, isGood: false)
        case .ready: break
        }
        do throws(GitHubError) {
            let app = try instance.work.world.github.app()
            return Finding(
                name: "GitHub App", words: "\(app.slug) of \(app.owner.login), acts as \(app.bot.login)",
                isGood: true)
        } catch {
            return Finding(name: "GitHub App", words: "\(error)", isGood: false)
        }
    }

    private var engine: Finding {
        let engine = instance.work.policy.engine
        guard engine.isConfigured else {
            return Finding(
                name: "engine",
                words:
                    "fly lacks PORTER_WORKER_IMAGE, or an app and a token (in the settings, or PORTER_FLY_APP and "
                    + "PORTER_FLY_TOKEN)", isGood: false)
        }
        do throws(MachinesError) {
            let machines = try instance.work.world.machines.list("porter_check", "1", false)
            return Finding(
                name: "engine",
                words: "\(engine.name) answers, \(instance.work.policy.caps.total) runs at once at most",
                isGood: machines.isEmpty)
        } catch {
            let isSilentRunner = engine.name == "local" && error.code == .unreachable
            return Finding(
                name: "engine", words: isSilentRunner ? silentRunner : "\(error)", isGood: false)
        }
    }

    /// Of a unix socket the library says no more than that it is no `localhost`.
    private var silentRunner: String {
        let socket = instance.configuration.runnerSocket
        return
            "nobody answers at \(socket): start porter-runner.service, let this user open the socket, or set "
            + "PORTER_RUNNER_SOCKET to where the runner listens"
    }

    /// What the engine cannot hold is no fault, and yet nothing to keep from the operator.
    private var engineNotes: [Finding] {
        (Machines.notes(instance.configuration) ?? []).map { note in
            Finding(name: "engine, to know", words: note, isGood: true)
        }
    }

    private var agents: Finding {
        let team = (try? instance.store.listSecrets(scope: "shared").map(\.name)) ?? []
        let keys = Set(instance.configuration.teamKeys.keys).union(team)
        let usable = instance.work.world.catalog.agents.filter { $0.isUsable(with: keys) }.map(\.name)
        return Finding(
            name: "agents",
            words: usable.isEmpty
                ? "the team has no key: set one, such as PORTER_KEY_ANTHROPIC_API_KEY"
                : "usable with the team's keys: \(usable.joined(separator: ", "))",
            isGood: !usable.isEmpty)
    }

    private var watchdog: Finding {
        do throws(StoreError) {
            let now = instance.work.world.clock.now()
            guard let pass = try instance.store.findMark(Work.passMark) else {
                return Finding(
                    name: "watchdog", words: "it made no pass yet: start porter-watchdog.timer",
                    isGood: false)
            }
            let age = (now - pass.at) / 1000
            return Finding(
                name: "watchdog", words: "its last pass was \(age) seconds ago", isGood: age < 300)
        } catch {
            return Finding(name: "watchdog", words: "\(error)", isGood: false)
        }
    }
}
