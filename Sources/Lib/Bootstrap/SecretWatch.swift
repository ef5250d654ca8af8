import Glibc
import Porter
import PorterProcess
import PorterStore
import PorterWork
import Synchronization

/// Lets the log's redactor know every secret that rests in the database, also those that other programs store.
final class SecretWatch: Sendable {
    /// Milliseconds between two looks for new ones.
    static let interval: Int32 = 1000

    private let store: Database
    private let sealer: Sealer
    private let version = Atomic<Int64>(-1)

    /// Reads all of them at once.
    init(_ store: Database, _ sealer: Sealer) {
        self.store = store
        self.sealer = sealer
        look()
    }

    /// Looks for new ones as long as the program runs.
    func start() {
        Thread.start {
            while true {
                poll(nil, 0, Self.interval)
                self.look()
            }
        }
    }

    private func look() {
        do throws(StoreError) {
            let now = try store.secretsVersion()
            guard version.exchange(now, ordering: .relaxed) != now else { return }
            var stored: [Secret: Set<Redactor.Owner>] = [:]
            try store.eachSecret(sealer) { secret, owner in
                stored[secret, default: []].insert(SettingsScope(owner).map(\.redactorsOwner) ?? .team)
            }
            Redactor.shared.watch(stored: stored)
        } catch {
            // Read again at the next look; whoever opens a secret meanwhile has it watched as well.
            version.store(-1, ordering: .relaxed)
        }
    }
}
