import Foundation
import Porter
import Testing

@Suite struct ReasonTests {
    /// The list of `docs/task-states.md`.
    private static let contract = """
        provider_key_missing provider_auth provider_quota provider_overloaded context_too_long
        fly_not_configured fly_auth fly_capacity image_unavailable launch_failed clone_failed
        base_branch_missing agent_missing agent_disabled agent_failed no_changes push_rejected
        push_rejected_workflow push_rejected_rule secret_in_changes too_large pull_request_failed timeout
        stalled machine_lost out_of_memory disk_full setup_failed worker_outdated cancelled_by_user
        issue_closed issue_locked repository_archived repository_not_enabled installation_suspended
        fork_pull_request not_permitted not_signed_up rate_limited over_budget price_unknown internal
        unknown_agent bad_command nothing_to_do
        """.split(whereSeparator: \.isWhitespace).map(String.init)

    @Test func `the list is the contract's`() {
        #expect(Reason.allCases.map(\.rawValue) == Self.contract)
    }

    @Test func `three reasons are for commands that make no task`() {
        #expect(Reason.allCases.filter(\.isOnlyForAnswers) == [.unknownAgent, .badCommand, .nothingToDo])
    }

    @Test(arguments: Reason.allCases)
    func `each reason has a sentence and a next step for people`(reason: Reason) {
        for text in [reason.sentence, reason.nextStep] {
            #expect(text.count >= 6 && text.count <= 200)
            #expect(text.hasSuffix("."))
            #expect(text.first?.isUppercase == true)
            #expect(!text.contains("\n") && !text.contains("  "))
        }
        #expect(reason.sentence != reason.nextStep)
        #expect(reason.sentence.dropLast().contains(".") == reason.sentence.contains("`."))
    }

    @Test(arguments: Reason.allCases)
    func `a next step that says to retry is one after which a retry makes sense`(reason: Reason) {
        if reason.nextStep.localizedCaseInsensitiveContains("then retry") { #expect(reason.mayRetry) }
    }

    @Test(arguments: Reason.allCases)
    func `no text names the instance's mention, which is a setting`(reason: Reason) {
        #expect(!(reason.sentence + reason.nextStep).contains("@"))
    }

    @Test func `no two reasons read alike`() {
        #expect(Set(Reason.allCases.map(\.sentence)).count == Reason.allCases.count)
    }

    @Test(arguments: [
        (Reason.notPermitted, Reason.Turn.maintainer, false), (.providerKeyMissing, .operator, true),
        (.noChanges, .asker, false), (.cancelledByUser, .nobody, true), (.timeout, .asker, true),
        (.pullRequestFailed, .asker, false), (.badCommand, .asker, false), (.internal, .operator, true),
        (.repositoryArchived, .maintainer, true), (.unknownAgent, .asker, false),
    ])
    func `whose turn it is and whether a retry makes sense`(
        reason: Reason, turn: Reason.Turn, mayRetry: Bool
    ) {
        #expect(reason.turn == turn)
        #expect(reason.mayRetry == mayRetry)
    }
}
