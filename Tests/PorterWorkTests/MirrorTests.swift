import Foundation
import Porter
import PorterStore
import PorterTestWorld
import Testing

@testable import PorterWork

/// The copy of a person's settings in a private gist of theirs.
@Suite struct MirrorTests {
    private static let maria = SettingsScope.person(World.maria.id)
    private static let on = ["gist_mirror": "true"]
    private static let gistCalls: Set<String> = ["listGists", "showGist", "createGist", "editGist"]

    /// A world in which maria is signed in.
    private func world() throws -> World {
        let world = try World()
        let state = Secret("state")
        let browser = Secret("browser")
        try world.work.beginSignIn(state: state, browser: browser, returnTo: "/")
        _ = try world.work.finishSignIn(
            SignInAnswer(
                state: state, browser: browser, code: Secret(world.users.agree(World.maria)), error: nil,
                verifier: Secret("v"), hasRequestedInstallation: false, formerSession: nil, address: nil,
                userAgent: nil))
        return world
    }

    /// Changes maria's settings as the page does.
    private static func set(_ changes: [String: String?], _ world: World) throws {
        _ = try world.store.changeSettings(
            scope: maria.name, changes, expecting: nil, then: Work.mirrorWish(maria), at: world.now)
    }

    private func report(_ world: World) throws -> MirrorReport {
        try world.work.mirrorReport(
            of: World.maria.id, Preferences(try world.store.listSettings(scope: Self.maria.name)))
    }

    private func gists(_ world: World) -> [UserGitHub.Gist] {
        world.users.seen.gists[World.maria.id, default: []]
    }

    private func calls(_ world: World) -> [String] {
        world.users.faults.calls.filter(Self.gistCalls.contains)
    }

    /// What is in the one file, as JSON.
    private func settings(_ gist: UserGitHub.Gist) throws -> [String: Any] {
        #expect(gist.files.keys.sorted() == ["porter-settings.json"])
        let text = try #require(gist.files["porter-settings.json"])
        let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
        #expect(object?.keys.sorted() == ["porter", "settings"])
        return try #require(object?["settings"] as? [String: Any])
    }

    @Test func `off by default, and then no call is made whatever is set`() throws {
        let world = try world()
        try Self.set(["default_agent": "\"codex\"", "draft": "true"], world)
        #expect(try world.store.countJobs() == [:])
        try Self.set(["gist_mirror": "false"], world)
        try world.settle()
        #expect(calls(world) == [])
        #expect(try report(world).state == .off)
        #expect(try report(world).url == nil)
    }

    @Test func `turned on it makes one private gist, and each change of settings edits that one`() throws {
        let world = try world()
        try Self.set(["default_agent": "\"codex\"", "timeout_s": "900"], world)
        try Self.set(Self.on, world)
        #expect(try report(world).state == .waiting)
        try world.settle()

        let first = try #require(gists(world).first)
        #expect(!first.isPublic)
        #expect(first.description == "Porter's settings at https://porter.example, without keys")
        let values = try settings(first)
        #expect(values["default_agent"] as? String == "codex")
        #expect(values["timeout_s"] as? Int == 900)
        #expect(values.keys.sorted() == ["default_agent", "gist_mirror", "timeout_s"])
        #expect(
            try report(world)
                == MirrorReport(
                    state: .written, at: world.now, url: first.url,
                    message: "The gist says what your settings say. No key is in it."))

        try Self.set(["default_agent": nil, "draft": "false"], world)
        try world.settle()
        #expect(gists(world).map(\.id) == [first.id])
        #expect(try settings(gists(world)[0]).keys.sorted() == ["draft", "gist_mirror", "timeout_s"])
        #expect(calls(world) == ["listGists", "createGist", "showGist", "editGist"])
    }

    @Test func `a gist that says it already is not written again`() throws {
        let world = try world()
        try Self.set(Self.on, world)
        try world.settle()
        try Self.set(Self.on, world)
        try world.settle()
        #expect(calls(world) == ["listGists", "createGist", "showGist"])
    }

    @Test func `one of an earlier time is found by its line, and others are left alone`() throws {
        let world = try world()
        let line = world.work.mirrorDescription
        func gist(_ id: String, _ description: String, isPublic: Bool = false) -> UserGitHub.Gist {
            UserGitHub.Gist(
                id: id, url: "https://gist.github.example/\(id)", description: description,
                isPublic: isPublic, files: ["notes.txt": "mine"])
        }
        let others = [gist("1", "Recipes"), gist("2", line, isPublic: true), gist("4", line + "!")]
        world.users.change { $0.gists[World.maria.id] = others + [gist("3", line)] }
        try Self.set(Self.on, world)
        try world.settle()

        #expect(gists(world).count == 4)
        #expect(gists(world).filter { $0.id != "3" } == others)
        #expect(gists(world).last?.files.keys.sorted() == ["notes.txt", "porter-settings.json"])
        #expect(try report(world).url == "https://gist.github.example/3")
    }

    @Test func `one that was deleted or made public is the person's, and the next is a new one`() throws {
        for isDeleted in [true, false] {
            let world = try world()
            try Self.set(Self.on, world)
            try world.settle()
            let first = try #require(gists(world).first)
            let shown = UserGitHub.Gist(
                id: first.id, url: first.url, description: first.description, isPublic: true,
                files: first.files)
            world.users.change { $0.gists[World.maria.id] = isDeleted ? [] : [shown] }
            try Self.set(["draft": "true"], world)
            try world.settle()

            #expect(gists(world).filter { !$0.isPublic }.count == 1)
            #expect(gists(world).filter(\.isPublic) == (isDeleted ? [] : [shown]))
            #expect(try report(world).url == gists(world).last?.url)
        }
    }

    @Test func `never a secret in the content`() throws {
        let world = try world()
        let store = world.store
        let keys = [
            (Self.maria.name, "anthropic", "ANTHROPIC_API_KEY", "sk-canary-of-maria"),
            ("shared", "openai", "OPENAI_API_KEY", "sk-canary-of-the-team"),
        ]
        for (scope, provider, name, value) in keys {
            try store.saveSecret(
                Secret(value), scope: scope, provider: provider, name: name, sealer: World.sealer,
                at: world.now)
        }
        world.redactor.watch(Secret("sk-canary-of-maria"), of: .person(World.maria.id))
        // Put there by some other hand: no setting, and a setting that is a key.
        try store.setSetting("fly_token", scope: Self.maria.name, to: "\"fo1_canary\"", at: world.now)
        try store.setSetting(
            "default_model", scope: Self.maria.name, to: "\"sk-canary-of-maria\"", at: world.now)
        try Self.set(Self.on, world)
        try world.settle()

        let gist = try #require(gists(world).first)
        #expect(try settings(gist)["default_model"] as? String == "<redacted>")
        let everything = gist.description + gist.files.values.joined()
        #expect(!everything.contains("canary"))
        #expect(!everything.contains("token"))
    }

    @Test func `a file over 16 KiB is not sent, and the person is told`() throws {
        #expect(Work.longestMirror == 16_384)
        let world = try world()
        let longest = 16_384 - world.work.mirrorText(Preferences(Self.on), of: 1).utf8.count
        // Its line of the file: indent, name, quotes, comma.
        let model = String(repeating: "m", count: longest - "    \"default_model\": \"\",\n".utf8.count)
        try world.store.setSetting(
            "default_model", scope: Self.maria.name, to: "\"\(model)m\"", at: world.now)
        try Self.set(Self.on, world)
        try world.settle()
        #expect(calls(world) == [])
        #expect(try report(world).state == .failed)
        #expect(try report(world).message.contains("more than 16384 bytes"))

        try Self.set(["default_model": "\"\(model)\""], world)
        try world.settle()
        #expect(gists(world).first?.files["porter-settings.json"]?.utf8.count == 16_384)
        #expect(try report(world).state == .written)
    }

    @Test func `all settings at their longest stay far below the bound`() throws {
        let work = try world().work
        var values = Self.on
        for preference in Preference.all(longestTimeout: 86_400) {
            values[preference.name] =
                switch preference.kind {
                case .agent, .choice, .flag, .number: "\"\(String(repeating: "x", count: 32))\""
                case .model: "\"\(String(repeating: "x", count: 100))\""
                }
        }
        #expect(work.mirrorText(Preferences(values), of: 1).utf8.count < 1024)
    }

    @Test(arguments: [GitHubError.Code.forbidden, .notFound])
    func `a refused permission is told, ends, and disturbs nothing else`(code: GitHubError.Code) throws {
        let world = try world()
        world.users.faults.plant(.github(code), at: "createGist", times: 100)
        try Self.set(Self.on, world)
        try world.settle()

        #expect(calls(world) == ["listGists", "createGist"])
        #expect(try world.store.countJobs() == [:])
        let told = try report(world)
        #expect(told.state == .failed)
        #expect(told.at == world.now)
        #expect(told.message.contains("account permission “Gists”"))
        try world.live(seconds: 3600)
        #expect(world.users.faults.count("createGist") == 1)
        let task = try world.ask()
        try world.live(until: task)
        #expect(try world.task(task).state == .success)

        // Once it is granted, saving again is all that it takes.
        world.users.faults.clear()
        try Self.set(Self.on, world)
        try world.settle()
        #expect(try report(world).state == .written)
        #expect(gists(world).count == 1)
    }

    @Test func `a permission that is taken back later is told too, and the gist stays as it was`() throws {
        let world = try world()
        try Self.set(Self.on, world)
        try world.settle()
        let before = gists(world)
        world.users.change { $0.allowsGists = false }
        try Self.set(["draft": "true"], world)
        try world.settle()
        #expect(gists(world) == before)
        #expect(try report(world).state == .failed)
        #expect(try report(world).url == before.first?.url)
        #expect(try world.store.countJobs() == [:])
    }

    @Test func `a person whose token is dead is asked to sign in again`() throws {
        let world = try world()
        world.users.change { state in
            for index in state.pairs.indices { state.pairs[index].isDead = true }
        }
        try Self.set(Self.on, world)
        try world.settle()
        #expect(try report(world).message.hasPrefix("GitHub wants you to sign in again"))
        #expect(try world.store.countJobs() == [:])
        #expect(gists(world) == [])
    }

    @Test func `an outage is waited for, told meanwhile, and given up after days`() throws {
        let world = try world()
        world.users.faults.plant(.unreachable, at: "listGists", times: 3)
        try Self.set(Self.on, world)
        try world.settle()
        #expect(try report(world).state == .waiting)
        #expect(try report(world).message == "GitHub could not be asked. Porter tries again by itself.")
        try world.live(seconds: 60)
        #expect(try report(world).state == .written)
        #expect(gists(world).count == 1)

        world.users.faults.plant(.unreachable, at: "showGist", times: 1_000_000)
        try Self.set(["draft": "true"], world)
        try world.live(seconds: 3 * 86_400)
        #expect(try report(world).state == .failed)
        #expect(try report(world).message.contains("has stopped trying"))
        #expect(world.users.faults.count("showGist") == 8 * 24)
        #expect(try world.store.countJobs() == [:])
    }

    @Test func `a token that cannot be renewed now is an outage too`() throws {
        let world = try world()
        world.advance(seconds: 28_800)
        world.users.faults.plant(.unreachable, at: "refresh", times: 20)
        try Self.set(Self.on, world)
        try world.live(seconds: 3600)
        #expect(try report(world).state == .waiting)
        try world.live(seconds: 4 * 3600)
        #expect(try report(world).state == .written)
        #expect(gists(world).count == 1)
    }

    @Test(arguments: [Faults.Kind.uncertainBefore, .uncertainAfter, .unreachable])
    func `whatever call loses its answer, there is one gist that says what is set`(kind: Faults.Kind) throws {
        for operation in ["listGists", "createGist", "showGist", "editGist"] {
            let world = try world()
            world.users.faults.plant(kind, at: operation)
            try Self.set(Self.on, world)
            try world.live(seconds: 30)
            try Self.set(["draft": "true"], world)
            try world.live(seconds: 30)

            // What was made all the same is found, and not made again. An edit is, lest a late one undoes it.
            let isDone = kind == .uncertainAfter && operation == "createGist"
            let calls = world.users.faults.count(operation)
            #expect(isDone ? calls == 1 : calls > 1, "\(operation)")
            #expect(gists(world).count == 1, "\(operation)")
            #expect(try settings(gists(world)[0])["draft"] as? Bool == true, "\(operation)")
            #expect(try report(world).state == .written, "\(operation)")
        }
    }

    @Test func `a process that dies at any named moment leaves one gist that says what is set`() throws {
        let moments = try Moments.inSources(beginning: "gist.")
        #expect(
            moments == [
                "gist.create.intended", "gist.create.calling", "gist.create.called", "gist.create.recorded",
                "gist.edit.intended", "gist.edit.calling", "gist.edit.called", "gist.edit.recorded",
            ])
        for moment in moments.sorted() {
            let world = try world()
            let died = try world.crash(at: moment) {
                try? Self.set(Self.on, world)
                try? world.live(seconds: 30)
                try? Self.set(["draft": "true"], world)
                try? world.live(seconds: 30)
            }
            #expect(died, "\(moment) did not come")
            try Self.set(["draft": "true"], world)
            _ = try world.work.pass()
            try world.live(seconds: 60)

            #expect(gists(world).count == 1, "killed at \(moment)")
            #expect(try settings(gists(world)[0])["draft"] as? Bool == true, "killed at \(moment)")
            #expect(try report(world).state == .written, "killed at \(moment)")
            #expect(try world.store.countJobs() == [:], "killed at \(moment)")
        }
    }

    @Test func `turned off it leaves the gist where it is, says so, and never writes it again`() throws {
        let world = try world()
        try Self.set(Self.on, world)
        try world.settle()
        let before = gists(world)
        try Self.set(["gist_mirror": "false"], world)
        try Self.set(["draft": "true"], world)
        try world.settle()

        #expect(gists(world) == before)
        #expect(calls(world) == ["listGists", "createGist"])
        let told = try report(world)
        #expect(told.state == .off)
        #expect(told.url == before.first?.url)
        #expect(told.message.contains("still there"))
    }

    @Test func `what was turned off before the job came to it is not written`() throws {
        let world = try world()
        try Self.set(Self.on, world)
        try Self.set(["gist_mirror": nil], world)
        try world.settle()
        #expect(calls(world) == [])
        #expect(try world.store.countJobs() == [:])
    }

    @Test func `who is forgotten has no gist written any more`() throws {
        let world = try world()
        try Self.set(Self.on, world)
        try world.store.deletePerson(World.maria.id)
        try world.settle()
        #expect(calls(world) == [])
        #expect(try world.store.findMirror(World.maria.id) == nil)
    }

    @Test func `every trouble has words with a next step`() {
        for trouble in MirrorTrouble.allCases {
            #expect(trouble.words.hasSuffix("."))
            #expect(trouble.words.contains("Save and write now") == trouble.isFinal)
        }
    }
}
