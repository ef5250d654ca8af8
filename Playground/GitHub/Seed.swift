import Porter

/// The world as it begins: ids that tests may rely on.
enum Seed {
    static let team: Int64 = 9919
    static let otherOrganization: Int64 = 9920
    static let hello: Int64 = 1_296_269
    static let other: Int64 = 1_296_270

    /// People, installations, repositories and the first issue.
    static func state(_ options: Options, _ clock: Clock) -> State {
        let start = Instant(iso8601: "2026-01-05T09:00:00Z") ?? clock.now()
        let bot: Int64 = 41_898_282
        let app = App(
            id: options.appID, slug: options.appSlug, clientID: options.clientID, ownerID: team, botID: bot,
            hookID: 5001, createdAt: start)
        var state = State(app: app, clock: clock)
        for (id, login, kind) in [
            (team, "octo-team", .organization), (otherOrganization, "other-org", .organization),
            (583_231, "hubert", .user), (583_232, "mona", .user), (583_233, "rita", .user),
            (583_234, "stan", .user), (583_235, "helper[bot]", .bot), (bot, "\(options.appSlug)[bot]", .bot),
        ] as [(Int64, String, Account.Kind)] {
            _ = state.addAccount(id: id, login, kind)
        }
        state.installations = [
            31: Installation(id: 31, accountID: team, createdAt: start),
            32: Installation(id: 32, accountID: otherOrganization, createdAt: start),
        ]
        state.oauth.organizations = [
            team: OrganizationRules(members: [583_231, 583_232, 583_233]),
            otherOrganization: OrganizationRules(members: [583_231]),
        ]
        state.repositories[hello] = Repository(
            id: hello, ownerID: team, name: "hello",
            collaborators: [583_231: .admin, 583_232: .write, 583_233: .read], createdAt: start,
            pushedAt: start)
        state.repositories[other] = Repository(
            id: other, ownerID: otherOrganization, name: "else", collaborators: [583_231: .admin],
            createdAt: start, pushedAt: start)
        for (id, title, text) in [(hello, title, text), (other, "Nobody serves this", "A quiet place.")] {
            guard let repository = state.repositories[id] else { continue }
            _ = state.addIssue(repository, title, text, author: 583_231, viaApp: false)
        }
        return state
    }

    /// The commits, unless an earlier run has left them.
    static func repositories(_ git: GitFolder) throws(SetupError) {
        if !git.exists("octo-team/hello") {
            try git.create("octo-team/hello", branch: "main", commits)
        }
        if !git.exists("other-org/else") {
            try git.create("other-org/else", branch: "main", [commits[0]])
        }
    }

    private static let title = "Greet people by name"
    private static let text = """
        Right now `greet.py` says "Hello, world!" to everybody.

        It would be nicer if it took a name and greeted that person, and fell back to the world without one. \
        A test for both would be good.
        """

    private static let author = "Hubert <583231+hubert@users.noreply.github.com>"

    private static let commits = [
        SeedCommit(
            message: "Say hello to the world\n", author: author, at: "1767603600 +0000",
            files: [
                "README.md": """
                # hello

                A very small program that greets.

                    python3 greet.py

                The tests run with `python3 -m unittest`.

                """,
                "greet.py": """
                \"\"\"Greets whoever runs it.\"\"\"


                def greeting():
                    return "Hello, world!"


                if __name__ == "__main__":
                    print(greeting())

                """,
            ]),
        SeedCommit(
            message: "Add a test, and a word to agents\n", author: author, at: "1767607200 +0000",
            files: [
                "test_greet.py": """
                import unittest

                from greet import greeting


                class GreetingTests(unittest.TestCase):
                    def test_the_world_is_greeted(self):
                        self.assertEqual(greeting(), "Hello, world!")


                if __name__ == "__main__":
                    unittest.main()

                """,
                "AGENTS.md": """
                # For agents

                - Python 3 only, no dependencies.
                - Every change of behaviour comes with a test in `test_greet.py`.
                - Run `python3 -m unittest` before you finish.

                """,
            ]),
    ]
}
