import Porter
import PorterTestWorld
import Testing

@testable import PorterStore
@testable import PorterWork

/// Set-up: a token, a state, a code, an App; and a way on from every death in between.
@Suite struct SetUpTests {
    private func world() throws -> World {
        let world = try World()
        world.withoutApp()
        return world
    }

    private func begun(_ world: World) throws -> Secret {
        let token = try #require(try world.work.offerSetUp())
        return try world.work.beginManifest(token: token, owner: "acme")
    }

    private let code = Secret("code-1")

    @Test func `a token leads to a state, a state and a code to a sealed App`() throws {
        let world = try world()
        let state = try begun(world)

        let page = try world.work.convertManifest(code: code, state: state)

        #expect(page == "https://github.example/apps/porter-acme/installations/new")
        let app = try #require(world.work.world.app.credentials)
        #expect(app.id == "5001")
        #expect(app.webhookSecret == Secret("hook-secret-canary"))
        #expect(try world.store.setUpProgress()?.stage == .done)
        #expect(try world.store.findMark(Work.ownerMark)?.value == "900")
    }

    @Test func `a token works once, a newer one ends it, and an hour is its life`() throws {
        let world = try world()
        let first = try #require(try world.work.offerSetUp())
        let second = try #require(try world.work.offerSetUp())
        #expect(throws: SetUpFailure.token) { try world.work.beginManifest(token: first, owner: nil) }
        #expect(throws: SetUpFailure.token) { try world.work.beginManifest(token: Secret(""), owner: nil) }
        _ = try world.work.beginManifest(token: second, owner: nil)
        #expect(throws: SetUpFailure.token) { try world.work.beginManifest(token: second, owner: nil) }
        let third = try #require(try world.work.offerSetUp())
        world.advance(seconds: Work.setUpTokenLife)
        #expect(throws: SetUpFailure.tokenExpired) {
            try world.work.beginManifest(token: third, owner: nil)
        }
    }

    @Test func `a state that is foreign, old, or comes with another code is refused`() throws {
        let world = try world()
        let state = try begun(world)
        #expect(throws: SetUpFailure.state) {
            try world.work.convertManifest(code: code, state: Secret("foreign"))
        }
        world.administration.faults.plant(.unreachable, at: "convert")
        #expect(throws: SetUpFailure.github("no connection")) {
            try world.work.convertManifest(code: code, state: state)
        }
        #expect(throws: SetUpFailure.state) {
            try world.work.convertManifest(code: Secret("other"), state: state)
        }
        world.advance(seconds: Work.setUpStateLife)
        #expect(throws: SetUpFailure.stateExpired) {
            try world.work.convertManifest(code: code, state: state)
        }
        #expect(!world.work.world.app.isSetUp)
    }

    @Test func `once done, nothing of it opens any more`() throws {
        let world = try world()
        let state = try begun(world)
        _ = try world.work.convertManifest(code: code, state: state)
        #expect(try world.work.offerSetUp() == nil)
        #expect(throws: SetUpFailure.finished(installation: nil)) {
            try world.work.beginManifest(token: state, owner: nil)
        }
        let page = "https://github.example/apps/porter-acme/installations/new"
        #expect(throws: SetUpFailure.finished(installation: page)) {
            try world.work.convertManifest(code: code, state: state)
        }
    }

    @Test func `an App from the environment leaves nothing to set up`() throws {
        let world = try World()
        #expect(try world.work.offerSetUp() == nil)
    }

    @Test func `a webhook's secret that GitHub did not make is made here and told to GitHub`() throws {
        let world = try world()
        world.administration.change { $0.hookSecret = nil }
        let state = try begun(world)
        world.administration.faults.plant(.unreachable, at: "setHookSecret")

        _ = try world.work.convertManifest(code: code, state: state)
        #expect(try world.store.setUpProgress()?.stage == .stored)
        let app = try #require(world.work.world.app.credentials)
        #expect(world.administration.seen.presentHookSecret == nil)

        _ = try world.work.pass()
        #expect(world.administration.seen.presentHookSecret == app.webhookSecret)
        #expect(try world.store.setUpProgress()?.stage == .done)
    }

    @Test func `a lost answer is asked for again with the same address`() throws {
        let world = try world()
        let state = try begun(world)
        world.administration.faults.plant(.uncertainBefore, at: "convert")
        #expect(throws: SetUpFailure.self) { try world.work.convertManifest(code: code, state: state) }
        _ = try world.work.convertManifest(code: code, state: state)
        #expect(world.work.world.app.isSetUp)
    }

    @Test func `a code that GitHub has given its answer for is lost, and a new token leads on`() throws {
        let world = try world()
        let state = try begun(world)
        world.administration.faults.plant(.uncertainAfter, at: "convert")
        #expect(throws: SetUpFailure.self) { try world.work.convertManifest(code: code, state: state) }
        #expect(throws: SetUpFailure.code("Not Found")) {
            try world.work.convertManifest(code: code, state: state)
        }
        world.administration.change { $0.codes = ["code-2"] }
        let again = try begun(world)
        _ = try world.work.convertManifest(code: Secret("code-2"), state: again)
        #expect(world.work.world.app.isSetUp)
    }

    /// The named moments of a conversion without a webhook's secret, and whether the App survives a death there.
    @Test(arguments: [
        ("setup.converting", false), ("setup.converted", false), ("setup.stored", true),
        ("setup.hook.calling", true), ("setup.hook.called", true),
    ])
    func `a death at any moment leaves a way on`(moment: String, isStored: Bool) throws {
        let world = try world()
        world.administration.change { $0.hookSecret = nil }
        let state = try begun(world)
        let code = code

        let died = try world.crash(at: moment) {
            _ = try? world.work.convertManifest(code: code, state: state)
        }

        #expect(died)
        #expect(world.work.world.app.isSetUp == isStored)
        if isStored {
            // The next pass tells GitHub what it does not know yet.
            _ = try world.work.pass()
            let app = try #require(world.work.world.app.credentials)
            #expect(world.administration.seen.presentHookSecret == app.webhookSecret)
            #expect(try world.store.setUpProgress()?.stage == .done)
            return
        }
        // The same address goes on as long as GitHub takes the code, and a new token always does.
        let isTaken = world.administration.seen.codes.isEmpty
        if isTaken {
            #expect(throws: SetUpFailure.code("Not Found")) {
                try world.work.convertManifest(code: code, state: state)
            }
            world.administration.change { $0.codes = ["code-2"] }
            _ = try world.work.convertManifest(code: Secret("code-2"), state: begun(world))
        } else {
            _ = try world.work.convertManifest(code: code, state: state)
        }
        #expect(world.work.world.app.isSetUp)
    }

    @Test func `the manifest keeps GitHub's rules`() throws {
        let manifest = AppManifest(
            publicURL: "https://porter.example.org", owner: "an-organisation-with-a-very-long-name-indeed",
            withChecks: false, withGists: false, isPublic: false)
        #expect(manifest.name.count <= 34)
        #expect(manifest.hook_attributes.url == "https://porter.example.org/api/webhooks/github")
        #expect(
            manifest.default_events == [
                "issue_comment", "issues", "pull_request", "pull_request_review",
                "pull_request_review_comment", "repository",
            ])
        #expect(
            manifest.default_permissions == [
                "contents": "write", "issues": "write", "metadata": "read", "pull_requests": "write",
            ])
        let more = AppManifest(
            publicURL: "https://p.example", owner: nil, withChecks: true, withGists: true, isPublic: true)
        #expect(more.default_permissions["checks"] == "read")
        #expect(more.default_permissions["statuses"] == "write")
        #expect(more.default_permissions["gists"] == "write")
    }
}

/// The picture of GitHub that pages show.
@Suite struct RefreshTests {
    @Test func `a look at GitHub keeps installations, repositories and what is left of the hour`() throws {
        let world = try World()
        _ = try world.work.pass()
        let installation = try #require(try world.store.listInstallations().first)
        #expect(installation.accountType == "Organization")
        #expect(installation.rateLimit?.remaining == 4321)
        let repository = try #require(try world.store.listRepositories(visibleTo: nil).first)
        #expect(repository.reference.fullName == "acme/shop")
        #expect(repository.isEnabled)
    }

    @Test func `what GitHub does not list any more is out of reach, and comes back when it does`() throws {
        let world = try World()
        _ = try world.work.pass()
        let before = world.administration.seen
        world.administration.change { $0.repositories[77] = [] }
        world.advance(seconds: 700)
        _ = try world.work.pass()
        #expect(try world.store.findRepository(42)?.isRemoved == true)
        world.administration.change { $0.repositories = before.repositories }
        world.advance(seconds: 700)
        _ = try world.work.pass()
        #expect(try world.store.findRepository(42)?.isRemoved == false)
        world.administration.change { $0.installations = [] }
        world.advance(seconds: 700)
        _ = try world.work.pass()
        #expect(try world.store.installationState(77) == "deleted")
    }

    @Test func `a look that cannot be stored is no look, and is done again`() throws {
        let world = try World()
        try world.store.write("break") {
            try $0.run(
                """
                CREATE TRIGGER broken BEFORE INSERT ON repositories
                BEGIN SELECT raise(ABORT, 'the disk is full'); END
                """)
        }
        _ = try world.work.pass()
        #expect(try world.store.findMark(Work.refreshMark) == nil)

        try world.store.write("mend") { try $0.run("DROP TRIGGER broken") }
        try world.live(seconds: 60)
        #expect(try world.store.findMark(Work.refreshMark)?.value == "done")
        #expect(try world.store.listRepositories(visibleTo: nil).count == 1)
    }

    @Test func `a repository that is switched off stays so`() throws {
        let world = try World()
        _ = try world.work.pass()
        try world.store.switchRepository(42, on: false, at: world.now)
        world.advance(seconds: 700)
        _ = try world.work.pass()
        #expect(try world.store.findRepository(42)?.isEnabled == false)
    }

    @Test func `one account's trouble hides nobody else's repositories`() throws {
        let world = try World { $0.owners = ["900", "901"] }
        world.administration.change { state in
            var other = state.installations[0]
            other.id = 78
            other.account = Person(id: 901, login: "beta")
            state.installations.insert(other, at: 0)
        }
        world.administration.faults.plant(.github(.forbidden), at: "repositories")
        _ = try world.work.pass()
        #expect(try world.store.listRepositories(visibleTo: nil).count == 1)
        #expect(try world.store.findMark(Work.refreshMark)?.value == "1 missing")
    }
}
