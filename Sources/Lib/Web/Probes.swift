package import Porter
package import PorterHTTP

/// The calls that validation makes: to model providers by HTTP, to Fly by its client.
package struct Probes: Sendable {
    /// Calls a provider's address, as the operator allows calls to the outside.
    package var transport: Transport
    /// Asks Fly for something that needs the app and the token, and costs nothing.
    package var fly: @Sendable (_ app: String, _ token: Secret) throws(MachinesError) -> Void

    /// The calls.
    package init(
        transport: Transport, fly: @escaping @Sendable (String, Secret) throws(MachinesError) -> Void
    ) {
        self.transport = transport
        self.fly = fly
    }

    /// Calls that reach nobody.
    package static let none = Probes(
        transport: Transport { _, _ throws(TransportError) in
            throw TransportError(.unreachable, "there is no outside")
        },
        fly: { _, _ throws(MachinesError) in
            throw MachinesError(.unreachable, operation: "ask Fly", message: "there is no outside")
        })
}
