package import Porter
package import PorterHTTP

extension Machines {
    /// The Machines API of Fly, or of `porter-runner` over its socket.
    ///
    /// - Parameters:
    ///   - baseURL: without a slash at its end, `https://api.machines.dev/v1`.
    ///   - app: Fly's app; `local` for the runner.
    ///   - token: none for the runner.
    package static func live(
        transport: Transport, baseURL: String, app: String, token: Secret?
    ) -> Machines {
        let client = MachinesClient(transport: transport, baseURL: baseURL, app: app, token: token)
        return Machines(
            create: { plan throws(MachinesError) in try client.create(plan) },
            find: { id throws(MachinesError) in try client.find(id) },
            list: { key, value, includeGone throws(MachinesError) in
                try client.list(key, value, includeGone: includeGone)
            },
            destroy: { id throws(MachinesError) in try client.destroy(id) })
    }
}
