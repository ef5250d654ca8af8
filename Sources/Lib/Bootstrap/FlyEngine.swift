import Porter
import PorterHTTP
import PorterMachines
import PorterSettings
import PorterStore
import PorterWork
import Synchronization

/// A Fly app as it is at that moment: the team's, which is the environment's if it gives one, else the one in the
/// settings; or a person's own.
final class FlyEngine: Sendable {
    private struct Access: Equatable {
        let app: String
        let token: Secret?
    }

    private let configuration: Configuration
    private let scope: String
    private let store: Database
    private let sealer: Sealer
    private let transport: Transport
    private let last = Mutex<(access: Access, machines: Machines)?>(nil)

    /// - Parameter scope: `shared` for the team's, `user:<id>` for a person's own.
    init(
        _ configuration: Configuration, scope: String, _ store: Database, _ sealer: Sealer,
        _ transport: Transport
    ) {
        self.configuration = configuration
        self.scope = scope
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
        if scope == "shared", configuration.flyToken != nil || configuration.flyApp != nil {
            return Access(app: configuration.flyApp ?? "", token: configuration.flyToken)
        }
        do throws(StoreError) {
            guard let entry = try store.findFly(scope: scope) else {
                return Access(app: "", token: nil)
            }
            let token = try store.openFlyToken(scope: scope, sealer: sealer)
            if let token { Redactor.shared.watch(token, of: SettingsScope(scope)?.redactorsOwner ?? .team) }
            return Access(app: entry.app, token: token)
        } catch {
            throw MachinesError(.unreachable, operation: operation, message: error.description)
        }
    }
}
