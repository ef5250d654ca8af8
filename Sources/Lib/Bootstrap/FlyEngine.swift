import Porter
import PorterHTTP
import PorterMachines
import PorterSettings
import PorterStore
import PorterWork
import Synchronization

/// A Fly app as it is set at that moment, or the one that machines were made in, opened with the present token.
final class FlyEngine: Sendable {
    private struct Access: Equatable {
        let app: String
        let token: Secret?
    }

    private let configuration: Configuration
    private let scope: SettingsScope
    private let app: String?
    private let store: Database
    private let sealer: Sealer
    private let transport: Transport
    private let last = Mutex<(access: Access, machines: Machines)?>(nil)

    /// - Parameters:
    ///   - scope: the team's, or a person's own.
    ///   - app: in which machines are looked for; nil for the one that is set.
    init(
        _ configuration: Configuration, scope: SettingsScope, app: String? = nil, _ store: Database,
        _ sealer: Sealer, _ transport: Transport
    ) {
        self.configuration = configuration
        self.scope = scope
        self.app = app
        self.store = store
        self.sealer = sealer
        self.transport = transport
    }

    /// The engine, which looks for its app at each call.
    var machines: Machines {
        Machines(
            create: { plan throws(MachinesError) in try self.current("create machine").create(plan) },
            find: { id throws(MachinesError) in try self.current("find machine").find(id) },
            list: { key, value, includeGone throws(MachinesError) in
                try self.current("list machines").list(key, value, includeGone)
            },
            destroy: { id throws(MachinesError) in try self.current("destroy machine").destroy(id) })
    }

    private func current(_ operation: String) throws(MachinesError) -> Machines {
        let access = try access(operation)
        return last.withLock { last in
            if let last, last.access == access { return last.machines }
            let machines = Machines.live(
                transport: transport, baseURL: configuration.flyAPIURL, app: access.app, token: access.token)
            last = (access, machines)
            return machines
        }
    }

    private func access(_ operation: String) throws(MachinesError) -> Access {
        do throws(StoreError) {
            let found = try FlyApp.find(scope, FlyApp.Given(configuration), store)
            let token = try found?.token(store, sealer)
            if let token { Redactor.shared.watch(token, of: scope.redactorsOwner) }
            return Access(app: app ?? found?.name ?? "", token: token)
        } catch {
            throw MachinesError(.unreachable, operation: operation, message: error.description)
        }
    }
}
