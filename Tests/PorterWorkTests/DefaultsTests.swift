import Porter
import PorterStore
import PorterTestWorld
import Testing

@testable import PorterWork

/// Settings act: which agent, model, limits and keys a command gets that does not say.
@Suite struct DefaultsTests {
    private func world(_ change: (inout Policy) -> Void = { _ in }) throws -> World {
        try World { policy in
            policy.teamKeys = [
                "OPENAI_API_KEY": Secret("team-openai-key"),
                "ANTHROPIC_API_KEY": Secret("team-anthropic-key"),
            ]
            change(&policy)
        }
    }

    private func set(_ name: String, _ json: String, _ scope: SettingsScope, in world: World) throws {
        try world.store.setSetting(name, scope: scope.name, to: json, at: world.now)
    }

    private func admitted(_ text: String, in world: World) throws -> PorterTask {
        let id = try world.ask(text)
        try world.settle()
        return try world.task(id)
    }

    @Test func `without any setting the first usable agent of the catalog runs`() throws {
        #expect(try admitted("@porter fix it", in: world()).agent == "opencode")
    }

    @Test func `the person's default stands over the repository's, and that over the team's`() throws {
        let world = try world()
        try set("default_agent", "\"codex\"", .shared, in: world)
        #expect(try admitted("@porter fix one", in: world).agent == "codex")
        try set("default_agent", "\"claude\"", .repository(42), in: world)
        #expect(try admitted("@porter fix two", in: world).agent == "claude")
        try set("default_agent", "\"opencode\"", .person(1), in: world)
        #expect(try admitted("@porter fix three", in: world).agent == "opencode")
        #expect(try admitted("@porter codex fix four", in: world).agent == "codex")
    }

    @Test func `a default agent that is switched off is refused, not replaced`() throws {
        let world = try world()
        try set("default_agent", "\"codex\"", .person(1), in: world)
        try set("agent.codex.enabled", "false", .shared, in: world)
        #expect(try admitted("@porter fix it", in: world).reason == .agentDisabled)
    }

    @Test func `a model belongs to the agent of the same settings`() throws {
        let world = try world()
        try set("default_agent", "\"codex\"", .person(1), in: world)
        try set("default_model", "\"gpt-person\"", .person(1), in: world)
        try set("default_model", "\"any-team\"", .shared, in: world)
        #expect(try admitted("@porter fix one", in: world).model == "gpt-person")
        #expect(try admitted("@porter codex fix two", in: world).model == "gpt-person")
        #expect(try admitted("@porter claude fix three", in: world).model == nil)
        #expect(try admitted("@porter --model=mine fix four", in: world).model == "mine")
    }

    @Test func `a model without an agent is for commands that name none`() throws {
        let world = try world()
        try set("default_model", "\"any-team\"", .shared, in: world)
        #expect(try admitted("@porter fix one", in: world).model == "any-team")
        #expect(try admitted("@porter claude fix two", in: world).model == nil)
    }

    @Test func `priority, draft, context and time come from the person's settings, then the team's`() throws {
        let world = try world()
        try set("default_priority", "\"low\"", .shared, in: world)
        try set("draft", "true", .shared, in: world)
        try set("context", "\"all\"", .shared, in: world)
        try set("timeout_s", "900", .shared, in: world)
        let first = try admitted("@porter demo fix one", in: world)
        #expect(first.priority == .low)
        #expect(first.isDraft)
        #expect(first.context == "all")
        #expect(first.timeout == 900)
        try set("default_priority", "\"high\"", .person(1), in: world)
        try set("draft", "false", .person(1), in: world)
        try set("timeout_s", "120", .person(1), in: world)
        let second = try admitted("@porter demo fix two", in: world)
        #expect(second.priority == .high)
        #expect(!second.isDraft)
        #expect(second.timeout == 120)
        #expect(
            try admitted("@porter demo --timeout=70s --priority=normal fix three", in: world).timeout == 70)
    }

    @Test func `the team's limits act, and what the operator gave stands over them`() throws {
        let world = try world()
        try set("tasks_per_user", "2", .shared, in: world)
        try set("tasks_total", "7", .shared, in: world)
        try set("stall_timeout_s", "77", .shared, in: world)
        let policy = world.work.policy
        #expect(policy.caps == Caps(perPerson: 2, total: 7))
        #expect(policy.limits.stall == 77)
        world.change { $0.given = ["PORTER_TASKS_PER_USER", "PORTER_TASKS_TOTAL", "PORTER_STALL_TIMEOUT"] }
        #expect(world.work.policy.caps == Caps(perPerson: 5, total: 20))
        #expect(world.work.policy.limits.stall == 300)
    }

    @Test func `the team's guidance is in the agent's prompt, and in no other's`() throws {
        let world = try world()
        try set("agent.codex.guidance", "\"Use tabs.\"", .shared, in: world)
        let codex = try admitted("@porter codex fix one", in: world)
        let claude = try admitted("@porter claude fix two", in: world)
        #expect(try world.store.findPrompt(codex.id)?.text.contains("Use tabs.") == true)
        #expect(try world.store.findPrompt(claude.id)?.text.contains("Use tabs.") == false)
    }

    @Test func `the issue is kept as admission saw it`() throws {
        let world = try world()
        _ = try admitted("@porter demo fix one", in: world)
        let issue = try world.store.findIssue(repository: 42, number: World.issue)
        #expect(issue?.title == "Login is flaky")
        #expect(issue?.isOpen == true)
    }
}

/// The person's own keys, then the team's.
@Suite struct KeysTests {
    private func world() throws -> World {
        try World { $0.teamKeys = ["OPENAI_API_KEY": Secret("operator-openai-key")] }
    }

    private func save(_ name: String, _ value: String, _ scope: String, in world: World) throws {
        try world.store.saveSecret(
            Secret(value), scope: scope, provider: "openai", name: name, sealer: World.sealer, at: world.now)
    }

    @Test func `a person's key stands over the team's, and that over the operator's`() throws {
        let world = try world()
        #expect(try world.work.keys(of: World.maria).owners == ["OPENAI_API_KEY": .environment])
        try save("OPENAI_API_KEY", "team-openai-key", "shared", in: world)
        #expect(try world.work.keys(of: World.maria).owners == ["OPENAI_API_KEY": .team])
        try save("OPENAI_API_KEY", "maria-openai-key", "user:1", in: world)
        #expect(try world.work.keys(of: World.maria).values == ["OPENAI_API_KEY": Secret("maria-openai-key")])
        #expect(try world.work.keys(of: World.wim).owners == ["OPENAI_API_KEY": .team])
    }

    @Test func `whoever has a key of a provider uses none of somebody else's for it`() throws {
        let world = try world()
        try save("OPENAI_BASE_URL", "https://gateway.example", "shared", in: world)
        try save("CODEX_API_KEY", "maria-codex-key", "user:1", in: world)
        let keys = try world.work.keys(of: World.maria)
        #expect(keys.owners == ["CODEX_API_KEY": .person, "OPENAI_BASE_URL": .team])
    }

    @Test func `with an engine of the person's own the team's secrets stay at home`() throws {
        let world = try world()
        try save("OPENAI_API_KEY", "team-openai-key", "shared", in: world)
        #expect(try world.work.keys(of: World.maria, onOwnEngine: true).values.isEmpty)
        try save("OPENAI_API_KEY", "maria-openai-key", "user:1", in: world)
        #expect(try world.work.keys(of: World.maria, onOwnEngine: true).owners == ["OPENAI_API_KEY": .person])
    }

    @Test func `the App's credentials and Fly's token are no keys of agents`() throws {
        let world = try world()
        for provider in [Database.flyProvider, Database.githubProvider] {
            try world.store.saveSecret(
                Secret("not-for-agents"), scope: "shared", provider: provider, name: "token",
                sealer: World.sealer, at: world.now)
        }
        #expect(try world.work.keys(of: World.maria).values.keys.sorted() == ["OPENAI_API_KEY"])
    }

    @Test func `which key was used is in the task's history, without the key`() throws {
        let world = try world()
        try save("OPENAI_API_KEY", "maria-openai-key", "user:1", in: world)
        let id = try world.ask("@porter codex fix it")
        try world.live(until: id)
        let event = try #require(try world.store.listEvents(id).first { $0.kind == "credentials" })
        #expect(event.detail == "OPENAI_API_KEY of maria")
    }

    @Test func `every key that is opened is watched for`() throws {
        let world = try world()
        try save("OPENAI_API_KEY", "maria-openai-key", "user:1", in: world)
        _ = try world.work.keys(of: World.maria)
        #expect(world.redactor.redact("x maria-openai-key y") == "x <redacted> y")
    }

    @Test func `who has signed in and has no key is told so, others are asked to sign in`() throws {
        let world = try World()
        try world.store.savePerson(World.wim, at: world.now)
        let maria = try world.ask("@porter codex fix one", by: World.maria)
        let wim = try world.ask("@porter codex fix two", by: World.wim)
        try world.settle()
        #expect(try world.task(maria).reason == .notSignedUp)
        #expect(try world.task(wim).reason == .providerKeyMissing)
    }

    @Test func `a person's own Fly app takes their runs, with their keys alone`() throws {
        let world = try world()
        world.change { $0.engine.name = "fly" }
        world.allowOwnEngines()
        _ = try world.store.saveFly(
            scope: "user:1", token: Secret("fly-canary"), app: "marias-runs", region: "ams",
            sealer: World.sealer,
            audit: AuditEntry(at: world.now, actorID: 1, actorLogin: "maria", action: "a", subject: "s"),
            at: world.now)
        let refused = try world.ask("@porter codex fix one", by: World.maria)
        try world.settle()
        #expect(try world.task(refused).reason == .notSignedUp)

        let id = try world.ask("@porter demo fix two", by: World.maria)
        try world.live(until: id)
        #expect(try world.store.findAttempt(id, 1)?.account == "user:1")
        let other = try world.ask("@porter demo fix three", by: World.wim)
        try world.live(until: other)
        #expect(try world.store.findAttempt(other, 1)?.account == nil)
        #expect(world.askedEngines == ["user:1 marias-runs"])
    }

    @Test func `a machine is looked for in the app in which it was made, whatever app is set meanwhile`()
        throws
    {
        let world = try world()
        world.change {
            $0.engine.name = "fly"
            $0.hasWorkerImage = true
        }
        world.allowOwnEngines()
        world.change { $0.givenFly = FlyApp.Given(app: "old-runs", token: Secret("fly-canary"), region: nil) }
        world.crew.change { $0.hangs = .agent }
        let id = try world.ask("@porter demo fix two", by: World.wim)
        try world.live(seconds: 10)
        #expect(try world.store.findAttempt(id, 1)?.app == "old-runs")

        world.change { $0.givenFly = FlyApp.Given(app: "new-runs", token: Secret("fly-canary"), region: nil) }
        world.forgetEngines()
        try world.live(seconds: 20)

        #expect(try world.task(id).state == .running)
        #expect(world.askedEngines == ["shared old-runs"])
    }

    @Test func `the environment's Fly app stands over the team's, whole, and over nobody's own`() throws {
        let world = try World()
        for scope in ["shared", "user:1"] {
            _ = try world.store.saveFly(
                scope: scope, token: Secret("stored-canary"), app: "stored", region: "ams",
                sealer: World.sealer,
                audit: AuditEntry(at: world.now, actorID: 1, actorLogin: "maria", action: "a", subject: "s"),
                at: world.now)
        }
        func find(_ scope: SettingsScope, _ given: FlyApp.Given?) throws -> FlyApp? {
            try FlyApp.find(scope, given, world.store)
        }
        let given = FlyApp.Given(app: "given", token: Secret("given-canary"), region: nil)
        let shared = try #require(try find(.shared, given))
        #expect(shared.name == "given")
        #expect(shared.region == nil)
        #expect(try shared.token(world.store, World.sealer) == Secret("given-canary"))
        #expect(try find(.person(1), given)?.name == "stored")
        #expect(try find(.person(2), given) == nil)
        let stored = try #require(try find(.shared, FlyApp.Given(app: nil, token: nil, region: "fra")))
        #expect(stored.name == "stored")
        #expect(stored.isComplete)
        #expect(try stored.token(world.store, World.sealer) == Secret("stored-canary"))
        // Half of it in the environment takes nothing from the settings.
        #expect(try find(.shared, FlyApp.Given(app: "given", token: nil, region: nil))?.isComplete == false)
        let token = Secret("given-canary")
        #expect(try find(.shared, FlyApp.Given(app: nil, token: token, region: nil))?.isComplete == false)
    }
}
