import Porter
import PorterAgents
import PorterPrompt
import PorterStore

extension Work {
    /// Comments of the issue that the prompt looks at, at most.
    static var mostComments: Int { 300 }

    /// Asks GitHub whether the task may run, and freezes its prompt.
    func admit(_ task: PorterTask, _ claim: JobClaim) throws -> JobOutcome {
        guard task.state == .queued, task.admittedAt == nil else { return .done }
        let github = world.github
        try learnOwner(try github.app())

        guard let repository = try reachable(task.repository) else {
            return try refuse(task, .installationSuspended, claim)
        }
        try learn(repository, task)
        guard try serves(repository.owner) else {
            let ending = Ending(.failed, reason: .repositoryNotEnabled)
            _ = try store.endSilently(task, ending, publishedAt: nil, for: claim, at: now)
            return .done
        }
        if try isSuspended(task.repository.installationID) {
            return try refuse(task, .installationSuspended, claim)
        }
        if repository.isArchived { return try refuse(task, .repositoryArchived, claim) }
        if try store.isSwitchedOff(repository: task.repository.id) {
            return try refuse(task, .repositoryNotEnabled, claim)
        }

        let here = task.repository.following(repository)
        let issue = try github.issue(here, task.issueNumber)
        try store.saveIssue(repository: here.id, issue, at: now)
        if !issue.isOpen { return try refuse(task, .issueClosed, claim) }
        if issue.isLocked { return try refuse(task, .issueLocked, claim) }

        guard try mayCommand(task.author, in: here) else { return try refuseStranger(task, claim) }
        try store.recordRetry(task, for: claim, at: now)

        let base = task.baseBranch ?? repository.defaultBranch
        guard try github.branchHead(here, base) != nil else {
            return try refuse(task, .baseBranchMissing, detail: base, claim)
        }

        let defaults = try defaults(for: task.author, in: here)
        let agent: AgentDefinition
        switch try chooseAgent(task, defaults) {
        case .success(let chosen): agent = chosen
        case .failure(let refusal): return try refuse(task, refusal.reason, detail: refusal.detail, claim)
        }
        guard try hasEngine(for: task.author) else { return try refuse(task, .flyNotConfigured, claim) }

        let comments = try github.comments(here, task.issueNumber, Self.mostComments)
        var input = PromptInput(
            repository: here.fullName, issueNumber: task.issueNumber, title: task.issueTitle,
            body: task.issueBody,
            comments: comments, commandID: task.lastCommentID, commandedAt: task.createdAt,
            context: task.context, writers: writers(among: comments, for: task, in: here),
            guide: try github.file(here, "AGENTS.md", base),
            instructions: task.instructions, branch: task.branch, base: base,
            nonce: world.entropy.bytes(8).hexadecimal)
        input.guidance = try guidance(for: agent.name)
        let prompt = PromptBuilder.build(input)
        var admission = Admission(
            agent: agent.name, baseBranch: base, prompt: prompt.text, omissions: prompt.omissions)
        admission.model = defaults.model(for: agent.name, wasNamed: task.agent != nil)
        if try store.admit(task.id, admission, for: claim, at: now) {
            log(.notice, "task admitted", ["task.id": task.id.rawValue, "agent": agent.name])
        }
        return .done
    }

    /// Whether there is an engine for the person's runs: the team's, or their own.
    private func hasEngine(for person: Person) throws(StoreError) -> Bool {
        let policy = policy
        if policy.engine.isConfigured { return true }
        guard policy.hasWorkerImage else { return false }
        return try ownEngine(of: person) != nil
    }

    /// Whether the installation is suspended or gone.
    ///
    /// What deliveries said of it may have come out of order: GitHub is asked before it is believed.
    func isSuspended(_ installation: Int64) throws -> Bool {
        let state = try store.installationState(installation)
        guard state == "suspended" || state == "deleted" else { return false }
        do throws(GitHubError) {
            return try world.github.installation(installation).isSuspended
        } catch {
            guard [.notFound, .forbidden, .gone].contains(error.code) else { throw error }
            return true
        }
    }

    /// The repository as GitHub shows it now; nil when the App does not reach it any more.
    func reachable(_ repository: RepositoryRef) throws(GitHubError) -> GitHub.Repository? {
        do {
            return try world.github.repository(repository)
        } catch {
            guard [.notFound, .forbidden, .gone].contains(error.code) else { throw error }
            return nil
        }
    }

    /// Whether the person could push to the repository, and may use this Porter.
    func mayCommand(_ person: Person, in repository: RepositoryRef) throws -> Bool {
        guard try isAllowed(person) else { return false }
        return try world.github.permission(repository, person.login).allowsPush(by: person)
    }

    /// The agents that the person can use now: switched on, with their keys; the default first.
    ///
    /// None while the keys that are kept cannot be opened: then no run is possible.
    func usableAgents(
        for person: Person, in repository: RepositoryRef
    ) throws(StoreError) -> [AgentDefinition] {
        let names: Set<String>
        do {
            names = Set(try keys(of: person).values.keys)
        } catch {
            guard error.code == .corrupt else { throw error }
            return []
        }
        let preferred = try defaults(for: person, in: repository).agents()
        var usable: [AgentDefinition] = []
        for agent in inOrder(preferred) where agent.isUsable(with: names) {
            if try !isDisabled(agent.name) { usable.append(agent) }
        }
        return usable
    }

    /// The agents of the catalog, those that are preferred first.
    private func inOrder(_ preferred: [String]) -> [AgentDefinition] {
        let first = preferred.compactMap { world.catalog.find($0) }
        return first + world.catalog.agents.filter { agent in !first.contains { $0.name == agent.name } }
    }

    /// A person without permission is answered once an issue, a person and a day.
    static var refusalQuiet: Int { 86_400 }

    private struct Refusal: Error {
        let reason: Reason
        var detail: String?
    }

    /// The agent of a task, whose default comes from the person's, the repository's, the team's settings, else from
    /// the catalog: the first that has its keys.
    ///
    /// A default that is set counts as if the command had named it: when it cannot run, the issue says why.
    private func chooseAgent(
        _ task: PorterTask, _ defaults: Defaults
    ) throws(StoreError) -> Result<AgentDefinition, Refusal> {
        let names: Set<String>
        do {
            names = Set(try keys(of: task.author).values.keys)
        } catch {
            guard error.code == .corrupt else { throw error }
            return .failure(Refusal(reason: .internal))
        }
        if let wanted = task.agent ?? defaults.agents().first {
            guard let agent = world.catalog.find(wanted) else {
                return .failure(Refusal(reason: .agentMissing, detail: wanted))
            }
            if try isDisabled(agent.name) { return .failure(Refusal(reason: .agentDisabled)) }
            guard agent.isUsable(with: names) else {
                return .failure(try missingKey(agent, for: task.author))
            }
            return .success(agent)
        }
        var enabled: [AgentDefinition] = []
        for agent in world.catalog.agents where try !isDisabled(agent.name) { enabled.append(agent) }
        if let agent = enabled.first(where: { $0.isUsable(with: names) }) { return .success(agent) }
        guard let first = enabled.first else { return .failure(Refusal(reason: .agentDisabled)) }
        return .failure(try missingKey(first, for: task.author))
    }

    private func missingKey(
        _ agent: AgentDefinition, for person: Person
    ) throws(StoreError) -> Refusal {
        let wanted = agent.keys.map { $0.joined(separator: " and ") }
        let isKnown = try store.findPerson(person.id) != nil
        return Refusal(
            reason: isKnown ? .providerKeyMissing : .notSignedUp,
            detail: "\(agent.title) needs \(wanted.joined(separator: " or ")).")
    }

    /// Keeps what GitHub says about the repository now.
    private func learn(_ repository: GitHub.Repository, _ task: PorterTask) throws(StoreError) {
        try store.saveRepository(
            RepositoryChange(
                repository: task.repository.following(repository), owner: repository.owner,
                defaultBranch: repository.defaultBranch, isArchived: repository.isArchived), at: now)
    }

    private func refuse(
        _ task: PorterTask, _ reason: Reason, detail: String? = nil, _ claim: JobClaim
    ) throws(StoreError) -> JobOutcome {
        _ = try store.end(task, Ending(.failed, reason: reason, detail: detail), for: claim, at: now)
        log(.notice, "task refused", ["task.id": task.id.rawValue, "reason": reason.rawValue])
        return .done
    }

    private func refuseStranger(_ task: PorterTask, _ claim: JobClaim) throws(StoreError) -> JobOutcome {
        let earlier = try store.earlierRefusal(
            repository: task.repository.id, issue: task.issueNumber, person: task.author.id,
            since: now.adding(seconds: -Self.refusalQuiet), otherThan: task.commentID)
        guard let earlier else { return try refuse(task, .notPermitted, claim) }
        // The refusal that this one repeats is about to be said: its time is ours.
        guard let publishedAt = earlier.publishedAt else {
            return .again(nextLook(since: task.createdAt))
        }
        _ = try store.endSilently(
            task, Ending(.failed, reason: .notPermitted), publishedAt: publishedAt,
            for: claim, at: now)
        return .done
    }
}

extension RepositoryRef {
    /// The same repository under the name that GitHub shows now.
    func following(_ repository: GitHub.Repository) -> RepositoryRef {
        RepositoryRef(
            installationID: installationID, id: id, owner: repository.owner.login,
            name: repository.name)
    }
}
