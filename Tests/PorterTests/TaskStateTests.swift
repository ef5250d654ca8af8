import Porter
import Testing

@Suite struct TaskStateTests {
    /// `queued → running → success | failed | timed_out | cancelled`, and `queued → failed | cancelled`.
    private static let allowed: [TaskState: Set<TaskState>] = [
        .queued: [.running, .failed, .cancelled],
        .running: [.success, .failed, .timedOut, .cancelled],
    ]

    @Test(arguments: TaskState.allCases, TaskState.allCases)
    func `exactly the contract's transitions are allowed`(from: TaskState, to: TaskState) {
        #expect(from.mayBecome(to) == (Self.allowed[from]?.contains(to) ?? false))
    }

    @Test func `a final state is one that nothing follows`() {
        for state in TaskState.allCases {
            #expect(state.isFinal == TaskState.allCases.allSatisfy { !state.mayBecome($0) })
        }
    }

    @Test func `states, phases and priorities bear the contract's names`() {
        #expect(
            TaskState.allCases.map(\.rawValue)
                == ["queued", "running", "success", "failed", "timed_out", "cancelled"])
        #expect(
            Phase.allCases.map(\.rawValue) == ["starting", "clone", "setup", "agent", "saving", "publishing"])
        #expect(Priority.allCases.map(\.rawValue) == ["low", "normal", "high"])
    }
}

@Suite struct StateWordTests {
    @Test(
        arguments: [
            (.queued, nil, "Queued"), (.running, nil, "Starting"), (.running, .starting, "Starting"),
            (.running, .clone, "Starting"), (.running, .setup, "Starting"), (.running, .agent, "Running"),
            (.running, .saving, "Saving"), (.running, .publishing, "Publishing"), (.success, nil, "Done"),
            (.success, .publishing, "Done"), (.failed, .agent, "Failed"), (.timedOut, .saving, "Timed out"),
            (.cancelled, nil, "Cancelled"), (.queued, .agent, "Queued"),
        ] as [(TaskState, Phase?, String)])
    func `the bold word follows state and phase`(state: TaskState, phase: Phase?, word: String) {
        #expect(StateWord(state, phase: phase).rawValue == word)
    }

    @Test func `there are nine words`() {
        #expect(
            StateWord.allCases.map(\.rawValue) == [
                "Queued", "Starting", "Running", "Saving", "Publishing", "Done", "Failed", "Timed out",
                "Cancelled",
            ])
    }
}

@Suite struct OutcomeTests {
    @Test(
        arguments: [
            ("success", .success), ("complete", .success), ("failed", .failed), ("cancelled", .cancelled),
            ("timed_out", .timedOut), ("", nil), ("Success", nil), ("running", nil), ("queued", nil),
            ("timedOut", nil), ("completed", nil),
        ] as [(String, TaskState?)])
    func `the worker's word asks for a state`(word: String, state: TaskState?) {
        #expect(Outcome(word: word)?.state == state)
    }
}
