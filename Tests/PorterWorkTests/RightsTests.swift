import Porter
import PorterStore
import PorterTestWorld
import Testing

@testable import PorterWork

/// What people see and where they can push: GitHub's word, for minutes.
@Suite struct RightsTests {
    private func signedIn(_ people: [Person] = [World.maria]) throws -> World {
        let world = try World()
        for person in people { try signIn(person, world) }
        return world
    }

    private func signIn(_ person: Person, _ world: World) throws {
        let state = Secret("state-\(person.id)-\(world.users.faults.calls.count)")
        try world.work.beginSignIn(state: state, browser: Secret("b"), returnTo: "/")
        _ = try world.work.finishSignIn(
            SignInAnswer(
                state: state, browser: Secret("b"), code: Secret(world.users.agree(person)), error: nil,
                verifier: Secret("v"), hasRequestedInstallation: false, formerSession: nil, address: nil,
                userAgent: nil))
    }

    private func right(_ person: Person, _ world: World) throws -> Bool? {
        try world.store.findRight(person: person.id, repository: 42)?.canPush
    }

    private func refresh(_ person: Person, _ world: World) throws {
        try world.work.wishForRights(of: person.id)
        try world.settle()
    }

    @Test func `rights are GitHub's, and follow it both ways`() throws {
        let world = try signedIn([World.maria, World.rita])
        #expect(try right(World.maria, world) == true)
        #expect(try right(World.rita, world) == false)

        world.users.change {
            $0.repositories[1] = []
            $0.repositories[3] = [WorldUsers.shop(canPush: true)]
        }
        try refresh(World.maria, world)
        try refresh(World.rita, world)
        #expect(try right(World.maria, world) == nil)
        #expect(try right(World.rita, world) == true)
    }

    @Test func `GitHub's word is fresh for two minutes, usable for ten, and then nothing`() throws {
        let world = try signedIn()
        let at = world.now
        for (seconds, age) in [
            (0, Work.RightsAge.fresh), (119, .fresh), (120, .stale), (599, .stale), (600, .unknown),
            (-1, .unknown),
        ] {
            world.time.set(at.adding(seconds: seconds))
            #expect(world.work.age(ofRightsFrom: at) == age, "\(seconds)")
        }
        #expect(world.work.age(ofRightsFrom: nil) == .unknown)
    }

    @Test func `an outage leaves what was known, and only time takes it away`() throws {
        let world = try signedIn()
        world.users.faults.plant(.unreachable, at: "installations", times: 100)
        try refresh(World.maria, world)
        #expect(try right(World.maria, world) == true)
        world.users.faults.clear()
        try world.live(seconds: 60)
        #expect(try right(World.maria, world) == true)
    }

    @Test func `many wishes make one question`() throws {
        let world = try signedIn()
        let before = world.users.faults.count("installations")
        for _ in 0..<50 { try world.work.wishForRights(of: 1) }
        try world.settle()
        #expect(world.users.faults.count("installations") == before + 1)
    }

    @Test func `an organisation that keeps the person out takes its repositories away`() throws {
        let world = try signedIn()
        world.users.faults.plant(
            .refused("Resource protected by organization SAML enforcement."), at: "repositories")
        try refresh(World.maria, world)
        #expect(try right(World.maria, world) == nil)
    }

    @Test func `installations that are not served give no rights`() throws {
        let world = try signedIn()
        world.change { $0.owners = ["somebody-else"] }
        try refresh(World.maria, world)
        #expect(try right(World.maria, world) == nil)
    }

    private func deliver(_ event: WebhookEvent, _ world: World) throws -> WebhookResult {
        try world.work.accept(
            Delivery(guid: "g-\(event.hashValue)", event: "x", action: nil, digest: [1]), event)
    }

    private func installation(
        _ change: InstallationChange.Change, id: Int64 = 77, account: Person = Person(id: 900, login: "acme")
    ) -> WebhookEvent {
        .installation(InstallationChange(installationID: id, account: account, change: change))
    }

    @Test(arguments: [InstallationChange.Change.deleted, .suspended])
    func `an installation that goes takes everybody's rights along at once`(
        change: InstallationChange.Change
    ) throws {
        let world = try signedIn([World.maria, World.rita])
        #expect(try deliver(installation(change), world) == .accepted(nil))

        #expect(try right(World.maria, world) == nil)
        #expect(try right(World.rita, world) == nil)
        #expect(try world.store.installationState(77) == (change == .deleted ? "deleted" : "suspended"))
        let isGone = try world.store.findRepository(owner: "acme", name: "shop") == nil
        #expect(isGone == (change == .deleted))
    }

    @Test func `a deleted installation does not come back by a late delivery`() throws {
        let world = try signedIn()
        _ = try deliver(installation(.deleted), world)
        _ = try deliver(installation(.created), world)
        #expect(try world.store.installationState(77) == "deleted")
    }

    @Test func `an installation brings its repositories along`() throws {
        let world = try signedIn()
        var news = InstallationChange(
            installationID: 79, account: Person(id: 900, login: "acme"), change: .created)
        news.repositories = [
            RepositoryChange(
                repository: RepositoryRef(installationID: 79, id: 43, owner: "acme", name: "new"),
                owner: Person(id: 900, login: "acme"))
        ]
        #expect(try deliver(.installation(news), world) == .accepted(nil))
        #expect(try world.store.findRepository(owner: "acme", name: "new")?.id == 43)
    }

    @Test func `another account's installation is known and gets nothing`() throws {
        let world = try signedIn()
        let event = installation(.created, id: 88, account: Person(id: 950, login: "other"))
        #expect(try deliver(event, world) == .ignored)
        #expect(try deliver(event, world) == .ignored)
        #expect(try world.store.installationState(88) == "active")
    }

    @Test func `a repository that is renamed keeps its rights, one that goes away loses them`() throws {
        let world = try signedIn()
        func change(_ name: String, owner: Person, isRemoved: Bool = false) -> WebhookEvent {
            .repositories([
                RepositoryChange(
                    repository: RepositoryRef(installationID: 77, id: 42, owner: owner.login, name: name),
                    owner: owner, isRemoved: isRemoved)
            ])
        }
        let acme = Person(id: 900, login: "acme")
        _ = try deliver(change("store", owner: acme), world)
        #expect(try right(World.maria, world) == true)
        #expect(try world.store.findRepository(owner: "acme", name: "store")?.id == 42)
        #expect(try world.store.findRepository(owner: "acme", name: "shop") == nil)

        // Transferred to somebody who is not served.
        #expect(
            try deliver(change("store", owner: Person(id: 950, login: "other")), world) == .accepted(nil))
        #expect(try right(World.maria, world) == nil)
        #expect(try world.store.findRepository(owner: "other", name: "store") == nil)
    }

    @Test func `an authorisation that is taken back ends sessions and tokens of that person only`() throws {
        let world = try signedIn([World.maria, World.wim])
        try world.store.setSetting("x", scope: "user:1", to: "1", at: world.now)
        #expect(try deliver(.authorizationRevoked(World.maria), world) == .accepted(nil))

        #expect(try world.store.listSessions(person: 1, at: world.now).isEmpty)
        #expect(try world.store.findUserTokens(1) == nil)
        #expect(try right(World.maria, world) == nil)
        #expect(try world.store.findSetting("x", scope: "user:1") == "1")
        #expect(try world.store.listSessions(person: 2, at: world.now).count == 1)
        #expect(try world.store.findUserTokens(2) != nil)
        let entry = try world.store.listAudit(AuditFilter(limit: 1)).first?.entry
        #expect(entry?.action == "authorization.revoked")
        #expect(entry?.actorID == 1)
        // A question that waits for the person finds nobody to ask.
        try refresh(World.maria, world)
        try signIn(World.maria, world)
        #expect(try right(World.maria, world) == true)
    }
}

/// What the issue is called that a task from the pages opens.
@Suite struct IssueTitleTests {
    @Test func `a title is cut at a word's end`() {
        let long = String(repeating: "word ", count: 60)
        #expect(Work.title(of: long).count <= Work.longestTitle)
        #expect(Work.title(of: long).hasSuffix("word…"))
        #expect(Work.title(of: String(repeating: "x", count: 500)).count == Work.longestTitle)
        #expect(Work.title(of: " \n\n  a \t b ") == "a b")
    }
}
