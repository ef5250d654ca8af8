import Foundation
import Porter
import PorterStore
import PorterTestWorld
import Synchronization
import Testing

@testable import PorterWork

/// Users' tokens: renewed in time, once, and never lost but to a crash between answer and disk.
@Suite struct UserTokenTests {
    /// A world in which maria is signed in with a pair that must be renewed.
    private func world(lifetime: Int? = 60) throws -> World {
        let world = try World()
        world.users.change { $0.lifetime = lifetime }
        let state = Secret("state")
        let browser = Secret("browser")
        try world.work.beginSignIn(state: state, browser: browser, returnTo: "/")
        _ = try world.work.finishSignIn(
            SignInAnswer(
                state: state, browser: browser, code: Secret(world.users.agree(World.maria)), error: nil,
                verifier: Secret("v"), hasRequestedInstallation: false, formerSession: nil, address: nil,
                userAgent: nil))
        world.users.change { $0.lifetime = 28_800 }
        return world
    }

    private func token(_ world: World) throws -> String {
        try world.work.userToken(of: World.maria.id).reveal { $0 }
    }

    private func isRefused(_ world: World) throws -> Bool {
        try #require(try world.store.findUserTokens(World.maria.id)).accessSealed == nil
    }

    private func expectSignInAgain(_ world: World, _ location: SourceLocation = #_sourceLocation) {
        let error = #expect(throws: UserTokenFailure.self, sourceLocation: location) { try token(world) }
        guard case .signInAgain? = error else {
            Issue.record("\(String(describing: error))", sourceLocation: location)
            return
        }
    }

    @Test func `a token that lives long enough is used as it is`() throws {
        let world = try world(lifetime: 28_800)
        let first = try token(world)
        world.advance(seconds: 28_800 - 301)
        #expect(try token(world) == first)
        #expect(world.users.seen.renewals == 0)
        world.advance(seconds: 1)
        #expect(try token(world) != first)
        #expect(world.users.seen.renewals == 1)
    }

    @Test func `tokens rest sealed, bound to their person and column`() throws {
        let world = try world()
        let stored = try #require(try world.store.findUserTokens(World.maria.id))
        let (access, refresh) = (stored.accessSealed ?? [], stored.refreshSealed ?? [])
        for sealed in [access, refresh] {
            #expect(!String(decoding: sealed, as: UTF8.self).contains("canary"))
        }
        let sealer = World.sealer
        #expect(throws: Sealer.Failure.self) { try sealer.open(access, Database.refreshPlace(1)) }
        #expect(throws: Sealer.Failure.self) { try sealer.open(access, Database.accessPlace(2)) }
        #expect(throws: Never.self) { try sealer.open(access, Database.accessPlace(1)) }
    }

    @Test func `of 100 at once over two processes one renews, and none is refused`() throws {
        let world = try world()
        // Another process has the file open under a holder of its own.
        let other = try Database(path: world.folder + "/porter.sqlite")
        var surroundings = world.work.world
        surroundings.store = other
        let works = [world.work, Work(surroundings, world.work.policy)]
        let got = Mutex<[String]>([])
        let failures = Mutex<[String]>([])

        DispatchQueue.concurrentPerform(iterations: 100) { number in
            do throws(UserTokenFailure) {
                let token = try works[number % 2].userToken(of: World.maria.id).reveal { $0 }
                got.withLock { $0.append(token) }
            } catch {
                failures.withLock { $0.append("\(error)") }
            }
        }

        #expect(failures.withLock { $0 } == [])
        #expect(got.withLock { $0.count } == 100)
        #expect(Set(got.withLock { $0 }).count == 1)
        #expect(world.users.seen.renewals == 1)
        #expect(world.users.faults.count("refresh") == 1)
    }

    @Test func `whoever waits gets the pair that another process stores`() throws {
        let world = try world()
        let stored = try #require(try world.store.findUserTokens(World.maria.id))
        let other = try Database(path: world.folder + "/porter.sqlite")
        let claim = try #require(
            try other.claimRenewal(person: World.maria.id, version: stored.version, at: world.now))
        #expect(
            try world.store.claimRenewal(person: World.maria.id, version: stored.version, at: world.now)
                == nil)

        let tokens = UserGitHub.UserTokens(
            access: Secret("theirs"), accessExpiresAt: world.now.adding(seconds: 28_800),
            refresh: Secret("next"), refreshExpiresAt: nil)
        try other.finishRenewal(
            claim, SealedUserTokens(tokens, person: World.maria.id, sealer: World.sealer), at: world.now)

        #expect(try token(world) == "theirs")
        #expect(world.users.faults.count("refresh") == 0)
    }

    /// The moments of a renewal, each of which a process may die at.
    static let moments = ["renewal.claimed", "renewal.answered", "renewal.stored"]

    @Test(arguments: moments)
    func `a death at any moment of a renewal leaves a way on`(moment: String) throws {
        let world = try world()
        let died = try world.crash(at: moment) { _ = try? world.work.userToken(of: World.maria.id) }
        #expect(died)

        switch moment {
        case "renewal.claimed":
            #expect(try token(world).hasPrefix("ghu_"))
            #expect(world.users.seen.renewals == 1)
        case "renewal.answered":
            // The new pair died with the process, and GitHub says so: sign in again, nothing else is lost.
            expectSignInAgain(world)
            #expect(try isRefused(world))
            #expect(try world.store.listSessions(person: World.maria.id, at: world.now).count == 1)
        default:
            #expect(try token(world) == world.users.seen.pairs.last?.access)
            #expect(world.users.seen.renewals == 1)
        }
    }

    @Test func `a claim of a process that hangs is taken over, and it cannot commit any more`() throws {
        let world = try world()
        let stored = try #require(try world.store.findUserTokens(World.maria.id))
        let other = try Database(path: world.folder + "/porter.sqlite")
        let claim = try #require(
            try other.claimRenewal(person: World.maria.id, version: stored.version, at: world.now))
        world.advance(seconds: 60)
        let mine = try token(world)

        let late = UserGitHub.UserTokens(
            access: Secret("late"), accessExpiresAt: nil, refresh: Secret("late"), refreshExpiresAt: nil)
        let sealed = try SealedUserTokens(late, person: World.maria.id, sealer: World.sealer)
        let error = #expect(throws: StoreError.self) { try other.finishRenewal(claim, sealed, at: world.now) }
        #expect(error?.code == .fenced)
        #expect(throws: StoreError.self) { try other.refuseRenewal(claim, at: world.now) }
        #expect(try token(world) == mine)
    }

    @Test func `a refused renewal asks for a new sign-in and loses nothing else`() throws {
        let world = try world()
        try world.store.setSetting("x", scope: "user:1", to: "1", at: world.now)
        world.users.faults.plant(.refused("bad_refresh_token"), at: "refresh")
        expectSignInAgain(world)
        expectSignInAgain(world)

        #expect(world.users.faults.count("refresh") == 1)
        #expect(try world.store.listSessions(person: World.maria.id, at: world.now).count == 1)
        #expect(try world.store.findSetting("x", scope: "user:1") == "1")
    }

    @Test(arguments: ["incorrect_client_credentials", "unknown_client", "not_set_up"])
    func `an App that is wrongly configured costs nobody a token`(word: String) throws {
        let world = try world()
        world.users.faults.plant(.refused(word), at: "refresh")
        #expect(throws: UserTokenFailure.self) { try token(world) }
        #expect(try !isRefused(world))
        #expect(throws: Never.self) { try token(world) }
    }

    @Test func `an outage leaves the token that still lives, and costs nothing`() throws {
        let world = try world(lifetime: 200)
        let first = world.users.seen.pairs.last?.access
        world.users.faults.plant(.unreachable, at: "refresh")
        #expect(try token(world) == first)
        world.users.faults.plant(.uncertainBefore, at: "refresh")
        #expect(throws: UserTokenFailure.self) { try token(world) }
        #expect(throws: Never.self) { try token(world) }
        #expect(world.users.seen.renewals == 1)
    }

    @Test func `a lost answer ends in a new sign-in, since the new pair is known to nobody`() throws {
        let world = try world()
        world.users.faults.plant(.uncertainAfter, at: "refresh")
        #expect(throws: UserTokenFailure.self) { try token(world) }
        expectSignInAgain(world)
    }

    @Test func `tokens that do not end are never renewed`() throws {
        let world = try world(lifetime: nil)
        let first = try token(world)
        world.advance(seconds: 100 * 86_400)
        #expect(try token(world) == first)
        #expect(world.users.faults.count("refresh") == 0)
    }

    @Test func `a token that GitHub refuses before its time is renewed once`() throws {
        let world = try world(lifetime: 28_800)
        world.users.faults.plant(.github(.unauthorized), at: "issue")
        let issue = try world.work.asPerson(World.maria.id) { (token) throws(GitHubError) in
            try world.users.face.issue(
                token, RepositoryRef(installationID: 77, id: 42, owner: "acme", name: "shop"), 7)
        }
        #expect(issue.number == 7)
        #expect(world.users.seen.renewals == 1)
    }
}
