import Porter
import Testing

@Suite struct EffectsTests {
    @Test(
        arguments: [
            ("write", 7, true), ("admin", 7, true), ("write", nil, true), ("write", 8, false),
            ("admin", 8, false), ("read", 7, false), ("none", 7, false), ("maintain", 7, false),
            ("WRITE", 7, false), ("", nil, false),
        ] as [(String, Int64?, Bool)])
    func `write or admin of this very account may push`(level: String, answered: Int64?, may: Bool) {
        let permission = GitHub.Permission(level: level, userID: answered)
        #expect(permission.allowsPush(by: Person(id: 7, login: "anna")) == may)
    }

    @Test(arguments: [
        Machine.State.created, .starting, .started, .stopping, .stopped, .destroying, .failed, .unknown,
    ])
    func `only a destroyed machine is gone for certain`(state: Machine.State) {
        #expect(!Machine(id: "1", name: "m", state: state).isGone)
        #expect(Machine(id: "1", name: "m", state: .destroyed).isGone)
    }

    @Test func `errors say operation, code, status, words and request in one line`() {
        #expect(
            GitHubError(
                .refused, operation: "create comment", status: 422, message: "Too long", requestID: "A1"
            )
            .description
                == "GitHub could not create comment: refused (422): Too long [request A1]")
        #expect(
            GitHubError(.unreachable, operation: "read issue").description
                == "GitHub could not read issue: unreachable")
        #expect(
            MachinesError(.nameTaken(id: "m1"), operation: "create machine", status: 409, requestID: "F1")
                .description
                == "The engine could not create machine: nameTaken(id: \"m1\") (409) [request F1]")
    }

    @Test func `a silent journal takes anything`() {
        Journal.silent.record(.error, "message", ["key": "value"])
    }
}
