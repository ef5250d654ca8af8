import Porter
import PorterCrypto
import PorterSettings
import PorterStore
import PorterWork
import Synchronization

/// The App's credentials: the environment's if it gives them, else those that set-up has stored.
///
/// Stored ones are looked up while the program runs, so that every program works with a new App as soon as it is
/// stored, without a restart.
final class AppKeeper: Sendable {
    /// How long stored credentials are used without another look at the database.
    private static let age: Duration = .seconds(2)

    private final class Found: Sendable {
        let until: ContinuousClock.Instant
        let standing: AppSource.Standing
        let signer: RSASigner?

        init(until: ContinuousClock.Instant, standing: AppSource.Standing, signer: RSASigner?) {
            self.until = until
            self.standing = standing
            self.signer = signer
        }
    }

    private let configured: AppCredentials?
    private let store: Database
    private let sealer: Sealer
    private let found = Mutex<Found?>(nil)

    init(_ configured: AppCredentials?, _ store: Database, _ sealer: Sealer) {
        self.configured = configured
        self.store = store
        self.sealer = sealer
    }

    /// Where the rules and the site look.
    var source: AppSource {
        // What the operator has configured holds as long as the program runs: no lock, because each delivery asks.
        if let configured { return AppSource(isFixed: true) { .ready(configured) } }
        return AppSource(isFixed: false) { self.look().standing }
    }

    /// Signs as the App.
    @Sendable func sign(_ message: [UInt8]) throws -> [UInt8] {
        guard let signer = look().signer else { throw NotSetUp() }
        return try signer.sign(message)
    }

    /// The App's number; nil while there is none.
    @Sendable func appID() -> String? {
        if case .ready(let credentials) = look().standing { credentials.id } else { nil }
    }

    private struct NotSetUp: Error, CustomStringConvertible {
        var description: String { "no GitHub App is configured" }
    }

    private func look() -> Found {
        // Each delivery looks: but for when it is read anew, the lock is held only to count a reference.
        let now = ContinuousClock.now
        if let found = found.withLock({ $0 }), now < found.until { return found }
        return found.withLock { found in
            if let found, ContinuousClock.now < found.until { return found }
            let fresh = read()
            found = fresh
            return fresh
        }
    }

    private func read() -> Found {
        if let configured { return ready(configured, until: .now + .seconds(86_400)) }
        do throws(StoreError) {
            let record = try store.openSecret(
                scope: "instance", provider: Database.githubProvider, name: Database.appSecret, sealer: sealer
            )
            // Before set-up each look is a fresh one: the page waits for its end.
            guard let record else { return Found(until: .now, standing: .missing, signer: nil) }
            guard let app = AppRecord(record) else {
                return broken("The stored GitHub App is not readable; remove it, or restore a backup.")
            }
            let found = ready(app.credentials, until: .now + Self.age)
            return found.signer == nil ? broken("The stored private key of the GitHub App is no key.") : found
        } catch {
            return broken("The stored GitHub App cannot be used: \(error.message).")
        }
    }

    private func ready(_ credentials: AppCredentials, until: ContinuousClock.Instant) -> Found {
        for secret in credentials.secrets { Redactor.shared.watch(secret) }
        let signer = credentials.privateKey.reveal { try? RSASigner(pem: $0) }
        return Found(until: until, standing: .ready(credentials), signer: signer)
    }

    private func broken(_ words: String) -> Found {
        Found(until: .now + Self.age, standing: .broken(words), signer: nil)
    }
}
