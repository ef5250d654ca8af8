/// The small part of the Fly Machines API that Porter uses; `porter-runner` speaks the same.
///
/// The live value is `Machines.live` in the module `PorterMachines`.
///
/// - SeeAlso: <https://fly.io/docs/machines/api/machines-resource/>
package struct Machines: Sendable {
    /// Creates a machine; the engine answers before it has booted.
    ///
    /// A second create under the name of a live machine throws `.nameTaken` with that machine's id.
    package var create: @Sendable (_ plan: MachinePlan) throws(MachinesError) -> Machine
    /// The machine with its events, destroyed ones too; nil when the engine never knew it.
    package var find: @Sendable (_ id: String) throws(MachinesError) -> Machine?
    /// The machines that carry the metadata, those that are gone only if asked for; an empty list is no proof that
    /// there is none.
    package var list:
        @Sendable (_ key: String, _ value: String, _ includeGone: Bool) throws(MachinesError) -> [Machine]
    /// Destroys the machine by force; one that is gone already counts as destroyed.
    package var destroy: @Sendable (_ id: String) throws(MachinesError) -> Void

    /// All operations at once, as the live value and the tests make it.
    package init(
        create: @escaping @Sendable (MachinePlan) throws(MachinesError) -> Machine,
        find: @escaping @Sendable (String) throws(MachinesError) -> Machine?,
        list: @escaping @Sendable (String, String, Bool) throws(MachinesError) -> [Machine],
        destroy: @escaping @Sendable (String) throws(MachinesError) -> Void
    ) {
        self.create = create
        self.find = find
        self.list = list
        self.destroy = destroy
    }
}

/// What a machine is to be.
package struct MachinePlan: Hashable, Sendable {
    /// Unique among live machines: `porter-<task id>-<attempt>`, see ``TaskID/machineName(attempt:)``.
    package var name: String
    /// The worker's container image on Fly; the runner needs one and ignores it.
    package var image: String
    /// Exactly the three variables of `docs/runner.md`.
    package var environment: [String: Secret]
    /// Marks by which it is found again: `porter_task`, `porter_attempt`, `porter_instance`.
    package var metadata: [String: String]
    /// Where Fly is to put it; nil leaves that to Fly.
    package var region: String?
    /// Virtual processors, shared ones on Fly.
    package var cpus: Int
    /// Mebibytes.
    package var memory: Int

    /// A plan with all its parts.
    package init(
        name: String, image: String, environment: [String: Secret], metadata: [String: String],
        region: String?, cpus: Int, memory: Int
    ) {
        self.name = name
        self.image = image
        self.environment = environment
        self.metadata = metadata
        self.region = region
        self.cpus = cpus
        self.memory = memory
    }
}

/// A machine as its engine shows it.
package struct Machine: Hashable, Sendable {
    /// The states that Porter tells apart; a word that it does not know is `.unknown`, never running.
    package enum State: String, Sendable {
        case created
        case starting
        case started
        case stopping
        case stopped
        case destroying
        case destroyed
        case failed
        case unknown
    }

    /// How the machine's process ended.
    package struct Exit: Hashable, Sendable {
        /// The program's exit code; 128 + n for signal n.
        package var code: Int
        /// Whether the engine says that memory ran out.
        package var outOfMemory: Bool
        /// Whether somebody asked for the end, by destroying or stopping it.
        package var wasRequested: Bool
        /// What the engine says about it, for people; empty when it says nothing.
        package var message: String

        /// An end as the engine tells it.
        package init(code: Int, outOfMemory: Bool, wasRequested: Bool, message: String = "") {
            self.code = code
            self.outOfMemory = outOfMemory
            self.wasRequested = wasRequested
            self.message = message
        }
    }

    /// The engine's own id, by which it is asked for.
    package var id: String
    /// The name that the plan gave; empty when the engine does not say.
    package var name: String
    /// Where it is in its life, as of this answer.
    package var state: State
    /// Where Fly put it; nil on the box itself.
    package var region: String?
    /// The marks that the plan gave; empty when the engine does not say.
    package var metadata: [String: String]
    /// When the engine made it, by the engine's clock.
    package var createdAt: Instant?
    /// The newest exit event, nil while the process lives or nothing is known.
    package var exit: Exit?

    /// A machine as the engine answered.
    package init(
        id: String, name: String, state: State, region: String? = nil,
        metadata: [String: String] = [:], createdAt: Instant? = nil, exit: Exit? = nil
    ) {
        self.id = id
        self.name = name
        self.state = state
        self.region = region
        self.metadata = metadata
        self.createdAt = createdAt
        self.exit = exit
    }

    /// Whether nothing of it runs any more, for certain.
    package var isGone: Bool { state == .destroyed }
}

/// A failed call to the Machines API.
package struct MachinesError: Error, Equatable, CustomStringConvertible {
    /// What the caller can do about it.
    package enum Code: Hashable, Sendable {
        /// A live machine has the name; here is its id.
        case nameTaken(id: String)
        /// The region has no room; another region or a later try may.
        case noCapacity
        /// The token was refused; retrying cannot help.
        case unauthorized
        /// The image cannot be had.
        case imageUnavailable
        /// The engine understood and refused; the message says why.
        case refused
        /// No connection was made, so nothing can have happened.
        case unreachable
        /// The request went out, and no whole answer came back: it may have happened.
        case uncertain
    }

    /// What the caller can do about it.
    package let code: Code
    /// What was tried, a verb phrase: `create machine`.
    package let operation: String
    /// The engine's status, absent when no answer arrived.
    package let status: Int?
    /// The engine's own words, or the transport's; never a token.
    package let message: String
    /// The engine's `Fly-Request-Id`.
    package let requestID: String?

    /// A failure of the operation.
    package init(
        _ code: Code, operation: String, status: Int? = nil, message: String = "",
        requestID: String? = nil
    ) {
        self.code = code
        self.operation = operation
        self.status = status
        self.message = message
        self.requestID = requestID
    }

    /// One line: operation, code, status, the engine's words, request id.
    package var description: String {
        var text = "The engine could not \(operation): \(code)"
        if let status { text += " (\(status))" }
        if !message.isEmpty { text += ": \(message)" }
        if let requestID { text += " [request \(requestID)]" }
        return text
    }
}
