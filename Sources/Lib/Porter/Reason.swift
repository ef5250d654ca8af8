/// Why a task ended as it did, or why a command made no task: a closed list (`docs/task-states.md`).
///
/// Each has a sentence for the issue, whose turn it is, the next step in words, and whether `retry` makes
/// sense. The database holds the raw value; the list lives here, not in the schema.
package enum Reason: String, CaseIterable, Sendable {
    case providerKeyMissing = "provider_key_missing"
    case providerAuth = "provider_auth"
    case providerQuota = "provider_quota"
    case providerOverloaded = "provider_overloaded"
    case contextTooLong = "context_too_long"
    case flyNotConfigured = "fly_not_configured"
    case flyAuth = "fly_auth"
    case flyCapacity = "fly_capacity"
    case imageUnavailable = "image_unavailable"
    case launchFailed = "launch_failed"
    case cloneFailed = "clone_failed"
    case baseBranchMissing = "base_branch_missing"
    case agentMissing = "agent_missing"
    case agentDisabled = "agent_disabled"
    case agentFailed = "agent_failed"
    case noChanges = "no_changes"
    case pushRejected = "push_rejected"
    case pushRejectedWorkflow = "push_rejected_workflow"
    case pushRejectedRule = "push_rejected_rule"
    case secretInChanges = "secret_in_changes"
    case tooLarge = "too_large"
    case pullRequestFailed = "pull_request_failed"
    case timeout
    case stalled
    case machineLost = "machine_lost"
    case outOfMemory = "out_of_memory"
    case diskFull = "disk_full"
    case setupFailed = "setup_failed"
    case workerOutdated = "worker_outdated"
    case cancelledByUser = "cancelled_by_user"
    case issueClosed = "issue_closed"
    case issueLocked = "issue_locked"
    case repositoryArchived = "repository_archived"
    case repositoryNotEnabled = "repository_not_enabled"
    case installationSuspended = "installation_suspended"
    case forkPullRequest = "fork_pull_request"
    case notPermitted = "not_permitted"
    case notSignedUp = "not_signed_up"
    case rateLimited = "rate_limited"
    case overBudget = "over_budget"
    case priceUnknown = "price_unknown"
    case `internal`
    // For commands that make no task.
    case unknownAgent = "unknown_agent"
    case badCommand = "bad_command"
    case nothingToDo = "nothing_to_do"

    /// Who can go on from here.
    package enum Turn: String, Sendable {
        /// The person who wrote the command.
        case asker
        /// Somebody with administration rights on the repository or the organisation.
        case maintainer
        /// Who runs this Porter.
        case `operator`
        /// Nobody: it is finished, or time mends it.
        case nobody
    }

    /// Whether the reason belongs to a command that makes no task.
    package var isOnlyForAnswers: Bool {
        switch self {
        case .unknownAgent, .badCommand, .nothingToDo: true
        default: false
        }
    }

    /// The reasons that a worker can know when its run ends so; every other is the server's to find.
    package static func knownToWorkers(_ outcome: Outcome) -> Set<Reason> {
        switch outcome {
        case .success: [.noChanges]
        case .timedOut: [.timeout, .stalled]
        // It repeats what it was told.
        case .cancelled: [.cancelledByUser, .issueClosed]
        case .failed:
            [
                .providerKeyMissing, .providerAuth, .providerQuota, .providerOverloaded, .contextTooLong,
                .cloneFailed, .baseBranchMissing, .setupFailed, .agentMissing, .agentFailed,
                .pushRejected, .pushRejectedWorkflow, .pushRejectedRule, .secretInChanges, .tooLarge,
                .timeout, .stalled, .machineLost, .outOfMemory, .diskFull, .workerOutdated, .internal,
            ]
        }
    }

    /// The reasons for which admission refuses a task only once its author was found to have permission.
    package static let afterPermission: Set<Reason> = [
        .baseBranchMissing, .agentMissing, .agentDisabled, .providerKeyMissing, .notSignedUp,
        .flyNotConfigured,
    ]

    /// What happened, one sentence, for a person who knows GitHub and not Porter's inside.
    package var sentence: String { row.sentence }

    /// Whose turn it is.
    package var turn: Turn { row.turn }

    /// What to do next, in words; for a reason that needs nothing, what to expect.
    package var nextStep: String { row.nextStep }

    /// Whether the same command may do better as it is, once the next step is done.
    package var mayRetry: Bool { row.mayRetry }

    private struct Row {
        let sentence: String
        let turn: Turn
        let nextStep: String
        let mayRetry: Bool

        init(_ sentence: String, _ turn: Turn, _ nextStep: String, retry: Bool = true) {
            self.sentence = sentence
            self.turn = turn
            self.nextStep = nextStep
            mayRetry = retry
        }
    }

    private var row: Row {
        switch self {
        case .providerKeyMissing:
            Row(
                "There is no key for this agent's model provider.", .operator,
                "Add the provider's key in Porter's settings, or ask the operator to add the team's; then retry."
            )
        case .providerAuth:
            Row(
                "The model provider refused the key.", .operator,
                "Replace the key in Porter's settings; then retry.")
        case .providerQuota:
            Row(
                "The model provider says that the account has no credit or quota left.", .operator,
                "Add credit at the provider or use another key; then retry.")
        case .providerOverloaded:
            Row(
                "The model provider was overloaded and did not answer in time.", .asker,
                "Wait a few minutes; then retry.")
        case .contextTooLong:
            Row(
                "The task was longer than the model can read.", .asker,
                "Shorten the instructions, or choose a model with a larger context by `--model=`.",
                retry: false)
        case .flyNotConfigured:
            Row(
                "Runs go to Fly Machines, and Fly is not set up.", .operator,
                "Set the Fly token, app and image in Porter's settings; then retry.")
        case .flyAuth:
            Row(
                "Fly refused the token.", .operator,
                "Replace the Fly token in Porter's settings; then retry.")
        case .flyCapacity:
            Row(
                "Fly has no room for another machine right now.", .asker,
                "Wait a few minutes, or ask the operator for another region; then retry.")
        case .imageUnavailable:
            Row(
                "The worker's image could not be pulled.", .operator,
                "Check `PORTER_WORKER_IMAGE`; then retry.")
        case .launchFailed:
            Row(
                "No machine for the run could be started.", .operator,
                "Look at the engine's log (`porterctl check` names what is missing); then retry.")
        case .cloneFailed:
            Row(
                "The repository could not be cloned.", .maintainer,
                "Check that the App may read the repository's contents; then retry.")
        case .baseBranchMissing:
            Row(
                "The base branch does not exist.", .asker,
                "Name an existing branch by `--base=`.", retry: false)
        case .agentMissing:
            Row(
                "The agent's program is not installed where the run happens.", .operator,
                "Install the agent's command-line program and name its folder in `PORTER_AGENT_PATH`; then retry."
            )
        case .agentDisabled:
            Row(
                "This agent is switched off here.", .asker,
                "Choose another agent, or ask an admin to switch it on.", retry: false)
        case .agentFailed:
            Row(
                "The agent ended with an error.", .asker,
                "Say more precisely what to do, or ask another agent.")
        case .noChanges:
            Row(
                "The agent finished without changing anything.", .asker,
                "If you expected a change, say more precisely what to do.", retry: false)
        case .pushRejected:
            Row(
                "The branch on GitHub does not hold the commits that were made.", .maintainer,
                "Check the repository's rules for branches that begin with `porter/`; then retry.")
        case .pushRejectedWorkflow:
            Row(
                "GitHub refused the push because it changes files under `.github/workflows`.",
                .maintainer,
                "Give the App the permission `workflows`, or ask for the change without those files.",
                retry: false)
        case .pushRejectedRule:
            Row(
                "A rule of the repository refused the push.", .maintainer,
                "Allow the App to push branches that begin with `porter/`; then retry.")
        case .secretInChanges:
            Row(
                "The changes contained a key, so nothing was pushed.", .asker,
                "Replace that key if it may have been seen; then retry.")
        case .tooLarge:
            Row(
                "The changes were larger than may be pushed.", .asker,
                "Ask for a smaller change, or keep generated files out of it.", retry: false)
        case .pullRequestFailed:
            Row(
                "The branch is there, but the pull request could not be opened.", .asker,
                "Open the pull request from the branch by hand.", retry: false)
        case .timeout:
            Row(
                "The run took longer than it may.", .asker,
                "Ask for less, or give it more time by `--timeout=`; then retry.")
        case .stalled:
            Row(
                "The agent said nothing for too long and was stopped.", .asker,
                "If it happens again, ask for less at a time.")
        case .machineLost:
            Row(
                "The machine of the run was lost before the run had ended.", .asker,
                "If it happens again, tell the operator.")
        case .outOfMemory:
            Row(
                "The run used more memory than its machine has.", .operator,
                "Ask for less, or give machines more memory; then retry.")
        case .diskFull:
            Row(
                "The machine's disk was full.", .operator,
                "Make room, or give machines a larger disk; then retry.")
        case .setupFailed:
            Row(
                "The machine could not be prepared for the run.", .operator,
                "Look at the run's log; then retry.")
        case .workerOutdated:
            Row(
                "The worker is of another version than the server.", .operator,
                "Install the same version of both; then retry.")
        case .cancelledByUser:
            Row("The run was stopped on request.", .nobody, "Nothing, unless you want it after all.")
        case .issueClosed:
            Row("The issue was closed.", .nobody, "Reopen the issue; then retry.")
        case .issueLocked:
            Row(
                "The issue is locked, so Porter cannot answer on it.", .maintainer,
                "Unlock the issue; then retry.")
        case .repositoryArchived:
            Row(
                "The repository is archived, so nothing can be pushed.", .maintainer,
                "Unarchive the repository; then retry.")
        case .repositoryNotEnabled:
            Row(
                "Porter is not switched on for this repository.", .maintainer,
                "Ask an admin to switch it on; then retry.")
        case .installationSuspended:
            Row(
                "The App's installation is suspended or gone.", .maintainer,
                "Ask an owner of the organisation to unsuspend the App; then retry.")
        case .forkPullRequest:
            Row(
                "The pull request comes from a fork, where Porter cannot push.", .asker,
                "Ask for the change on an issue, or from a branch of this repository.", retry: false)
        case .notPermitted:
            Row(
                "Only people who can push to this repository can ask Porter for something.", .maintainer,
                "Ask somebody with write access to write the command.", retry: false)
        case .notSignedUp:
            Row(
                "You have not signed in to Porter yet, and the team has no key for this agent.", .asker,
                "Sign in to Porter and add your key, or ask the operator for a team key; then retry.")
        case .rateLimited:
            Row(
                "GitHub asked Porter to slow down for too long.", .nobody, "Wait an hour; then retry.")
        case .overBudget:
            Row("The budget is used up.", .operator, "Ask an admin to raise the budget; then retry.")
        case .priceUnknown:
            Row(
                "A budget is set, and the price of this model is not known.", .operator,
                "Ask an admin to enter the price, or choose another model.")
        case .internal:
            Row(
                "Something inside Porter went wrong.", .operator,
                "If it happens again, tell the operator this task's id.")
        case .unknownAgent:
            Row(
                "There is no agent of that name.", .asker,
                "Write the command again with the name of an agent that there is.", retry: false)
        case .badCommand:
            Row(
                "The command could not be understood.", .asker, "Correct it and write it again.",
                retry: false)
        case .nothingToDo:
            Row(
                "There was nothing to do.", .nobody, "Ask for the `status` to see this issue's runs.",
                retry: false)
        }
    }
}
