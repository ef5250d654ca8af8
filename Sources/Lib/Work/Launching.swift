import Porter
import PorterStore

extension Work {
    /// The mark that names this instance on its machines.
    static var instanceMark: String { "instance" }

    /// Starts whatever may start under the caps, the next of the queue first.
    func startQueued() throws(StoreError) {
        while let id = try store.nextInQueue(policy.caps, at: now) {
            guard try store.startNext(id, try newLaunch(id, attempt: 1), policy.caps, at: now) else {
                return
            }
            log(.notice, "task started", ["task.id": id.rawValue])
        }
    }

    /// A machine's token for the attempt, as the database keeps it.
    func newLaunch(_ task: TaskID, attempt: Int) throws(StoreError) -> Launch {
        let token = world.entropy.token()
        let author = try store.findTask(task)?.author
        let account = try author.flatMap { (author) throws(StoreError) in try ownEngine(of: author) }
        let onFly = policy.engine.name == "fly"
        let app = onFly ? try flyApp(of: account.flatMap(SettingsScope.init) ?? .shared)?.name : nil
        do {
            return Launch(
                engine: policy.engine.name, account: account, app: app,
                machineTokenDigest: world.digest(token),
                machineTokenSealed: try world.sealer.seal(token, .machineToken(task, attempt: attempt)))
        } catch {
            throw StoreError(.refused, operation: "seal a token", message: error.description)
        }
    }

    /// The scope of the person's own Fly app, if runs go to Fly and they have one; nil is the team's engine.
    func ownEngine(of person: Person) throws(StoreError) -> String? {
        guard policy.engine.name == "fly", world.ownMachines != nil else { return nil }
        let scope = SettingsScope.person(person.id)
        return try flyApp(of: scope) == nil ? nil : scope.name
    }

    /// The engine of an account: a person's own, or the team's.
    func machines(_ account: String?) -> Machines {
        guard let scope = account.flatMap(SettingsScope.init) else { return world.machines }
        return world.ownMachines?(scope, nil) ?? world.machines
    }

    /// The engine of an attempt's machine: in the app in which it was asked for, whatever the settings name now.
    func machines(of attempt: Attempt) -> Machines {
        guard let app = attempt.app else { return machines(attempt.account) }
        let scope = attempt.account.flatMap(SettingsScope.init) ?? .shared
        return world.ownMachines?(scope, app) ?? world.machines
    }

    /// Creates the machine of the task's current attempt, or finds the one that an earlier call made.
    func launch(_ task: PorterTask, _ claim: JobClaim) throws -> JobOutcome {
        guard task.state == .running, task.stopRequestedAt == nil,
            let attempt = try store.findAttempt(task.id, task.attempt), attempt.machineID == nil,
            attempt.endedAt == nil, let sealed = attempt.machineTokenSealed
        else { return .done }
        let token = try world.sealer.open(sealed, .machineToken(task.id, attempt: attempt.number))
        let instance = try store.markOnce(
            Self.instanceMark, world.entropy.bytes(8).hexadecimal, at: now)
        var engine = policy.engine
        if let scope = attempt.account.flatMap(SettingsScope.init) {
            engine.region = try flyApp(of: scope)?.region
        }
        let plan = MachinePlan(
            name: attempt.machineName, image: engine.image,
            environment: [
                "PORTER_CALLBACK_URL": Secret(policy.callbackURL),
                "PORTER_TASK_ID": Secret(task.id.rawValue), "PORTER_CALLBACK_TOKEN": token,
            ],
            metadata: [
                "porter_task": task.id.rawValue, "porter_attempt": String(attempt.number),
                "porter_instance": instance.value,
            ], region: engine.region, cpus: engine.cpus, memory: engine.memory)
        let machines = machines(of: attempt)
        do {
            let (id, _) = try perform(
                "\(task.id.rawValue)/machine.create/\(attempt.number)", task: task.id, for: claim,
                find: {
                    if let made = try machines.made(for: attempt) { return made.id }
                    // Whoever claimed the task is that machine, whatever a list leaves out.
                    guard try store.findAttempt(task.id, attempt.number)?.claimedAt == nil else {
                        throw MachinesError(
                            .uncertain, operation: "find the machine that claimed the task",
                            message: "no list shows \(plan.name)")
                    }
                    return nil
                },
                call: {
                    do throws(MachinesError) {
                        return try machines.create(plan).id
                    } catch {
                        // A live machine of that name is the one that an earlier call made.
                        guard case .nameTaken(let id) = error.code else { throw error }
                        return id
                    }
                })
            let machine = try machines.find(id) ?? Machine(id: id, name: plan.name, state: .created)
            try store.recordMachine(task.id, attempt.number, machine, for: claim, at: now)
            log(.notice, "machine created", ["task.id": task.id.rawValue, "machine.id": id])
            return .done
        } catch let error as MachinesError {
            return try failLaunch(task, attempt, error, claim)
        }
    }

    /// What the ending will say if no attempt gets further, and whether trying on makes sense.
    private func failLaunch(
        _ task: PorterTask, _ attempt: Attempt, _ error: MachinesError, _ claim: JobClaim
    ) throws -> JobOutcome {
        let onFly = policy.engine.name == "fly"
        let reason: Reason =
            switch error.code {
            case .noCapacity: onFly ? .flyCapacity : .launchFailed
            case .unauthorized: onFly ? .flyAuth : .launchFailed
            case .imageUnavailable: .imageUnavailable
            case .nameTaken, .refused, .unreachable, .uncertain: .launchFailed
            }
        try store.recordLaunchFailure(
            task.id, attempt.number, reason, detail: error.description, for: claim, at: now)
        switch error.code {
        case .unauthorized, .imageUnavailable, .refused:
            // Nothing that waiting would mend.
            let ending = Ending(.failed, reason: reason, detail: error.message)
            _ = try store.end(task, ending, for: claim, at: now)
            return .done
        case .nameTaken, .noCapacity, .unreachable, .uncertain:
            // Supervision replaces the attempt when nobody has claimed it in time.
            throw error
        }
    }
}

extension Machines {
    /// The machine that was made for the attempt; a run may be over before anybody wrote down its machine's id.
    ///
    /// A live one comes before those that are gone.
    func made(for attempt: Attempt) throws(MachinesError) -> Machine? {
        let made = try list("porter_task", attempt.task.rawValue, true).filter {
            $0.name == attempt.machineName
        }
        return made.first { !$0.isGone } ?? made.first
    }
}
