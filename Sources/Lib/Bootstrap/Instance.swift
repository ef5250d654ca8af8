import FoundationEssentials
import Glibc
import Logging
package import Porter
import PorterAgents
import PorterCrypto
import PorterGitHub
package import PorterHTTP
import PorterMachines
package import PorterSettings
package import PorterStore
package import PorterWeb
package import PorterWork

/// A program's live values: settings, log, database, GitHub, the engine and the rules over them.
///
/// ``Instance/start(_:)`` reads the settings and opens everything, or ends the program with the right code
/// and all reasons; ``Dispatcher`` works the queue; each program adds its own face.
package struct Instance: Sendable {
    /// What the operator configured, as it was read at start.
    package let configuration: Configuration
    /// Writes to standard error, with the known secrets blotted out.
    package let journal: Journal
    /// The open database, its schema up to date.
    package let store: Database
    /// The rules over the live world and the policy that the settings give.
    package let work: Work
    /// Cuts the calls of this program that are in flight.
    package let cancellation: Cancellation
    /// Calls to the outside, as the operator allows them.
    let outside: Transport
    private let secretWatch: SecretWatch

    /// Reads the settings from the environment and opens everything.
    ///
    /// Ends the program with 78 when settings are wrong, 75 when the database is a newer Porter's, 69 when it
    /// cannot be used.
    package static func start(_ program: Program) -> Instance {
        let environment = ProcessInfo.processInfo.environment
        do throws(ConfigurationErrors) {
            let configuration = try Configuration.load(
                environment, readFile: { readText($0) }, listFolder: { names(in: $0) },
                checks: [
                    "PORTER_SECRET_KEYS": keyRingProblem, "PORTER_GITHUB_APP_PRIVATE_KEY": signerProblem,
                ])
            return Instance(configuration, program)
        } catch {
            for line in error.lines { Say.line(line) }
            ExitCode.configuration.leave()
        }
    }

    private init(_ configuration: Configuration, _ program: Program) {
        self.configuration = configuration
        let level = Logger.Level(rawValue: configuration.logLevel) ?? .notice
        let logger = Logger(label: program.rawValue) { _ in JournalLogHandler(level: level) }
        journal = .logging(logger)
        for secret in configuration.secrets { Redactor.shared.watch(secret) }
        cancellation = Cancellation()
        do throws(StoreError) {
            store = try Database(path: configuration.database)
        } catch {
            Say.line("PORTER_DATABASE: \(error)")
            (error.code == .newer || error.code == .busy ? ExitCode.tryAgain : .unavailable).leave()
        }
        let clock = Clock.system
        do throws(StoreError) {
            // `/readyz` gives a young database time for its first pass.
            _ = try store.madeAt(clock.now())
        } catch {
            journal.record(.warning, "database cannot be written", ["error": "\(error)"])
        }
        let sealer = Sealer.live(configuration)
        let keeper = AppKeeper(configuration.app, store, sealer)
        secretWatch = SecretWatch(store, sealer)
        outside = .outside(configuration, cancellation)
        let live = GitHub.live(configuration, outside, keeper, clock)
        var world = Surroundings(
            store: store, github: live.github, users: .live(configuration, outside, keeper.source, clock),
            machines: .live(configuration, store, sealer, outside, cancellation),
            catalog: .standard(demo: configuration.demoAgent), clock: clock, entropy: .system,
            sealer: sealer,
            digest: { token in
                token.reveal { SHA256.digest(Array($0.utf8)) }
            }, journal: journal, hearsItself: SelfCall(configuration, cancellation).isAnswered,
            pause: { poll(nil, 0, $0) })
        let steps = journal
        world.moment = { steps.record(.debug, "step", ["step.name": $0]) }
        world.app = keeper.source
        world.administration = live.administration
        if configuration.executor == "fly" {
            let outside = outside
            let store = store
            world.ownMachines = { scope, app in
                FlyEngine(configuration, scope: scope, app: app, store, sealer, outside).machines
            }
        }
        work = Work(world, Policy(configuration))
    }

    /// Begins to work the queue, and to look for secrets that other programs store.
    package func startDispatcher() -> Dispatcher {
        secretWatch.start()
        return Dispatcher(work: work, journal: journal)
    }

    /// The site.
    ///
    /// - Parameter watchesApp: whether a thread asks GitHub now and then if it still takes the App's credentials.
    package func makeSite(watchesApp: Bool) -> Site {
        let watch = watchesApp ? AppWatch(work) : nil
        return Site(
            work: work, operatorToken: configuration.operatorToken, clock: work.clock,
            probes: .live(configuration, outside), appProblem: { watch?.problem })
    }

    private static func keyRingProblem(_ secret: Secret) -> String? {
        secret.reveal { text in
            do throws(CryptoError) {
                _ = try KeyRing(parsing: text)
                return nil
            } catch {
                return "is wrong: \(error.description)"
            }
        }
    }

    private static func signerProblem(_ secret: Secret) -> String? {
        secret.reveal { text in
            do throws(CryptoError) {
                _ = try RSASigner(pem: text)
                return nil
            } catch {
                return "is wrong: \(error.description)"
            }
        }
    }

    private static func names(in folder: String) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    }

    /// Bytes of a secret's file at most.
    private static let maximumFile = 1_048_576

    private static func readText(_ path: String) -> String? {
        guard let file = fopen(path, "re") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: maximumFile)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(validating: bytes[..<count], as: UTF8.self)
    }
}

extension Configuration {
    /// Every value that no log may show.
    fileprivate var secrets: [Secret] {
        let app = app.map { [$0.privateKey, $0.clientSecret, $0.webhookSecret] } ?? []
        return [secretKeys] + app + [operatorToken, flyToken].compactMap { $0 } + teamKeys.values
    }
}
