package import Porter
import Synchronization

/// A machines engine in memory.
package final class WorldEngine: Sendable {
    /// A machine with the plan that it was made from.
    package struct Entry: Sendable {
        package var machine: Machine
        package var plan: MachinePlan

        /// The machine's token, which its worker claims with.
        package var token: Secret { plan.environment["PORTER_CALLBACK_TOKEN"] ?? Secret("") }
        /// The task that it was made for.
        package var task: String { plan.metadata["porter_task"] ?? "" }
    }

    package let faults = Faults()
    private let entries = Mutex<[Entry]>([])
    private let hiding = Mutex(false)

    /// An engine without machines.
    package init() {}

    /// Every machine that was ever made, oldest first.
    package var all: [Entry] { entries.withLock { $0 } }

    /// The machines that run.
    package var running: [Entry] { all.filter { !$0.machine.isGone } }

    /// Whether lists come back empty whatever runs, as Fly's do for a while now and then.
    package var hidesMachines: Bool {
        get { hiding.withLock { $0 } }
        set { hiding.withLock { $0 = newValue } }
    }

    /// Ends a machine's process as if by itself.
    package func end(_ id: String, code: Int = 0, outOfMemory: Bool = false) {
        finish(id, Machine.Exit(code: code, outOfMemory: outOfMemory, wasRequested: false))
    }

    /// Adds a machine that Porter knows nothing about.
    package func plant(_ machine: Machine) {
        let plan = MachinePlan(
            name: machine.name, image: "", environment: [:], metadata: machine.metadata, region: nil,
            cpus: 1, memory: 1)
        entries.withLock { $0.append(Entry(machine: machine, plan: plan)) }
    }

    private func finish(_ id: String, _ exit: Machine.Exit) {
        entries.withLock { entries in
            guard let index = entries.firstIndex(where: { $0.machine.id == id && !$0.machine.isGone })
            else { return }
            entries[index].machine.state = .destroyed
            entries[index].machine.exit = exit
        }
    }

    private func call<T>(
        _ operation: String, _ effect: (inout [Entry]) throws(MachinesError) -> T
    ) throws(MachinesError) -> T {
        func failure(_ code: MachinesError.Code, _ words: String) -> MachinesError {
            MachinesError(code, operation: operation, message: words)
        }
        let fault = faults.next(operation)
        switch fault {
        case .refused(let words): throw failure(.refused, words)
        case .unreachable: throw failure(.unreachable, "no connection")
        case .uncertainBefore: throw failure(.uncertain, "no answer")
        case .machines(let code): throw failure(code, "planted")
        case .rateLimited, .github, .uncertainAfter, nil: break
        }
        let result = try entries.withLock { (entries) throws(MachinesError) in try effect(&entries) }
        if fault == .uncertainAfter { throw failure(.uncertain, "the answer was lost") }
        return result
    }

    /// The face that the rules see.
    package var face: Machines {
        Machines(
            create: { (plan) throws(MachinesError) in
                try self.call("create") { (entries) throws(MachinesError) in
                    if let live = entries.first(where: { $0.plan.name == plan.name && !$0.machine.isGone }) {
                        throw MachinesError(.nameTaken(id: live.machine.id), operation: "create machine")
                    }
                    let machine = Machine(
                        id: "m\(entries.count + 1)", name: plan.name, state: .started,
                        metadata: plan.metadata)
                    entries.append(Entry(machine: machine, plan: plan))
                    return machine
                }
            },
            find: { (id) throws(MachinesError) in
                try self.call("find") { $0.first { $0.machine.id == id }?.machine }
            },
            list: { (key, value, includeGone) throws(MachinesError) in
                try self.call("list") { entries in
                    if self.hidesMachines { return [] }
                    return entries.map(\.machine).filter {
                        $0.metadata[key] == value && (includeGone || !$0.isGone)
                    }
                }
            },
            destroy: { (id) throws(MachinesError) in
                try self.call("destroy") { entries in
                    guard let index = entries.firstIndex(where: { $0.machine.id == id }),
                        !entries[index].machine.isGone
                    else { return }
                    entries[index].machine.state = .destroyed
                    entries[index].machine.exit = Machine.Exit(
                        code: 137, outOfMemory: false, wasRequested: true)
                }
            })
    }
}
