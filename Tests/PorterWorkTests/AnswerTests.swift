import Porter
import PorterAgents
import PorterStore
import PorterTestWorld
import Testing

@testable import PorterWork

/// What commands without a task are answered, and how endings read.
@Suite struct AnswerTests {
    private func answer(_ text: String, in world: World, comment: Int64 = 9) throws -> String {
        try world.say(text, by: World.wim, comment: comment)
        try world.live(seconds: 10)
        let answers = world.comments(ending: "<!-- porter:reply:\(comment) -->")
        #expect(answers.count == 1)
        return answers.first?.body ?? ""
    }

    @Test(arguments: [
        "help", "status", "stop", "retry", "claud fix it", "nonsense", "help me", "--foo=1 fix",
        "continue", "stop task_01ARZ3NDEKTSV4RRFFQ69G5FAV", "retry task_01ARZ3NDEKTSV4RRFFQ69G5FAV",
    ])
    func `each command without a task gets one answer, with one state word first and its marker last`(
        command: String
    ) throws {
        let world = try World()
        let body = try answer("@porter \(command)", in: world)

        let state = body.boldWords
        #expect(state.count == 1)
        #expect(state.first.flatMap(StateWord.init(rawValue:)) != nil)
        #expect(body.hasSuffix("\n\n<!-- porter:reply:9 -->"))
        #expect(world.github.seen.ours.count == 1)
        #expect(world.engine.all.isEmpty)
        #expect(try world.store.listTasks(TaskFilter(limit: 5)).tasks.isEmpty)
    }

    @Test(arguments: [
        ("stop", Reason.nothingToDo), ("retry", .nothingToDo), ("claud fix it", .unknownAgent),
        ("help me", .badCommand),
    ])
    func `an answer that did nothing says why`(command: String, reason: Reason) throws {
        let world = try World()
        #expect(try answer("@porter \(command)", in: world).contains("`\(reason.rawValue)`"))
    }

    @Test func `status tells of runs and places`() throws {
        let world = try World { $0.caps = Caps(perPerson: 1, total: 1) }
        world.crew.change { $0.hangs = .agent }
        let running = try world.ask()
        world.advance(seconds: 1)
        let waiting = try world.ask()
        try world.live(seconds: 20)

        _ = try world.store.requestStop(running, reason: .cancelledByUser, detail: nil, at: world.now)
        let body = try answer("@porter status", in: world)

        #expect(body.contains("Running: `\(running.rawValue)`, demo, asked to stop"))
        #expect(body.contains("Queued: `\(waiting.rawValue)`, demo, place 1 in the queue"))
        #expect(body.boldWords == ["Queued"])
    }

    @Test func `status is no failure where the latest run failed, and shows what runs, not what came later`()
        throws
    {
        let world = try World()
        world.crew.change { $0.outcome = .failed }
        let failed = try world.ask()
        try world.live(seconds: 60)
        let ended = try answer("@porter status", in: world)
        #expect(
            ended.hasPrefix("**Done** · nothing runs on this issue now.\n\n- Failed: `\(failed.rawValue)`"))

        world.crew.change { $0.hangs = .agent }
        let running = try world.ask()
        try world.live(seconds: 20)
        world.advance(seconds: 1)
        let later = try world.ask("@porter claude fix it")
        try world.live(seconds: 20)
        #expect(try world.task(later).state == .failed)
        let body = try answer("@porter status", in: world, comment: 10)
        #expect(body.hasPrefix("**Running** · 1 run not ended yet."))
        #expect(body.contains(running.rawValue))
    }

    @Test func `help tells the agents that can be used from those that cannot`() throws {
        let world = try World { $0.teamKeys = ["OPENAI_API_KEY": Secret("key")] }
        try world.store.setSetting("agent.amp.enabled", scope: "shared", to: "false", at: world.now)
        let body = try answer("@porter help", in: world)
        #expect(body.contains("Agents: `opencode`, `codex`, `demo`."))
        #expect(body.contains("Switched off here or without a key: `claude`, `amp`, `gemini`."))
        #expect(body.contains("`@porter opencode fix the flaky login test`"))
    }

    @Test func `the two readings name an agent that would run`() throws {
        let world = try World { $0.teamKeys = ["GEMINI_API_KEY": Secret("key")] }
        let usable = try world.work.usableAgents(
            for: World.wim,
            in: RepositoryRef(installationID: 77, id: 42, owner: "acme", name: "shop")
        ).map(\.name)
        #expect(usable.last == "demo")
        let first = try #require(usable.first)
        let body = try answer("@porter help\nmore", in: world)
        #expect(body.contains("`@porter \(first) help more`"))
        let alone = try answer("@porter stop it", in: World())
        #expect(alone.contains("`@porter demo stop it`"))
    }

    @Test func `an unknown agent's next step points to nothing that is elsewhere`() throws {
        let body = try answer("@porter claud fix it", in: World())
        #expect(!body.contains("below"))
    }

    // "`retry` alone: its latest ended task, same agent, flags and instructions."

    @Test func `retry makes a task like the latest that ended`() throws {
        let world = try World()
        world.github.change { $0.branches["release"] = "1111111111111111111111111111111111111111" }
        let first = try world.ask(
            "@porter demo --priority=high --timeout=5m --base=release --draft --context=all fix it\nall of it"
        )
        try world.live(seconds: 120)
        let again = try world.ask("@porter retry", by: World.wim)
        try world.live(seconds: 120)

        let (old, new) = (try world.task(first), try world.task(again))
        #expect(new.state == .success)
        #expect(new.agent == old.agent)
        #expect(new.priority == .high)
        #expect(new.timeout == 300)
        #expect(new.baseBranch == "release")
        #expect(new.isDraft && new.context == "all")
        #expect(new.instructions == "fix it\nall of it")
        #expect(new.author == World.wim)
        #expect(new.branch == again.branch)
        #expect(try world.flaws(again) == [])
    }

    @Test func `nobody else's retry runs what a stranger asked for on a closed issue`() throws {
        let world = try World()
        let mine = try world.ask("@porter demo mine", by: World.wim)
        try world.live(seconds: 60)
        world.github.change { $0.issues[7]?.isOpen = false }
        let strangers = try world.ask("@porter demo the stranger's", by: World.rita)
        try world.live(seconds: 60)
        #expect(try world.task(strangers).reason == .issueClosed)
        world.github.change { $0.issues[7]?.isOpen = true }

        let again = try world.ask("@porter retry", by: World.maria)
        #expect(try world.task(again).instructions == "mine")
        #expect(try world.task(mine).instructions == "mine")
        #expect(try answer("@porter retry \(strangers.rawValue)", in: world).contains("`nothing_to_do`"))
    }

    @Test func `what admission refused after it found permission can be retried by others`() throws {
        let world = try World()
        let first = try world.ask("@porter demo --base=later fix it", by: World.wim)
        try world.live(seconds: 60)
        #expect(try world.task(first).reason == .baseBranchMissing)

        let again = try world.ask("@porter retry", by: World.maria)

        #expect(try world.task(again).instructions == "fix it")
    }

    @Test func `retry of a task of another issue is answered, not done`() throws {
        let world = try World()
        world.github.change { state in
            state.issues[8] = GitHub.Issue(
                number: 8, title: "Other", isOpen: true, isLocked: false, isPullRequest: false)
        }
        let other = try world.ask(issue: 8)
        try world.live(seconds: 60)

        #expect(try answer("@porter retry \(other.rawValue)", in: world).contains("`nothing_to_do`"))
    }

    @Test func `retry of what still runs is answered, not done`() throws {
        let world = try World()
        world.crew.change { $0.hangs = .agent }
        let id = try world.ask()
        try world.live(seconds: 20)

        #expect(try answer("@porter retry \(id.rawValue)", in: world).contains("has not ended yet"))
    }

    @Test func `an answer whose call lost its answer is not given twice`() throws {
        for kind in [Faults.Kind.uncertainBefore, .uncertainAfter] {
            let world = try World()
            world.github.faults.plant(kind, at: "createComment")
            try world.say("@porter help", by: World.wim, comment: 9)
            try world.live(seconds: 60)

            #expect(world.comments(ending: "<!-- porter:reply:9 -->").count == 1)
        }
    }

    @Test(arguments: ["repository", "permission", "createComment"])
    func `what GitHub refuses for a while is answered once it does not`(operation: String) throws {
        for code in [GitHubError.Code.forbidden, .notFound] {
            let world = try World()
            world.github.faults.plant(.github(code), at: operation, times: 5)
            try world.say("@porter help", by: World.wim, comment: 9)
            try world.live(seconds: 600)

            #expect(world.comments(ending: "<!-- porter:reply:9 -->").count == 1, "\(code)")
        }
    }

    @Test func `a stop whose repository GitHub does not show for a while stops the run`() throws {
        let world = try World()
        world.crew.change { $0.hangs = .agent }
        let id = try world.ask()
        try world.live(seconds: 10)
        world.github.faults.plant(.github(.notFound), at: "repository", times: 3)
        try world.say("@porter stop", by: World.maria, comment: 9)
        try world.live(seconds: 120)

        #expect(try world.task(id).state == .cancelled)
    }

    @Test(arguments: ["repository", "createComment"])
    func `what GitHub refuses for good is let go quietly in the end`(operation: String) throws {
        let world = try World()
        world.github.faults.plant(.github(.forbidden), at: operation, times: 1000)
        try world.say("@porter help", by: World.wim, comment: 9)
        try world.live(seconds: 60)
        #expect(try world.store.findCommand(comment: 9)?.outcome == nil)

        try world.live(seconds: 7200)

        #expect(try world.store.findCommand(comment: 9)?.outcome == "given_up")
        #expect(try world.store.nextJob() == nil)
        #expect(world.github.faults.count(operation) <= 12)
    }

    @Test(arguments: [GitHubError.Code.forbidden, .notFound])
    func `what is gone by GitHub's own word is let go at once`(code: GitHubError.Code) throws {
        let world = try World()
        for (operation, fault) in [("repository", code), ("createComment", .gone)] {
            let comment: Int64 = operation == "repository" ? 9 : 10
            world.github.faults.plant(.github(fault), at: operation)
            if operation == "repository" {
                // A delivery told of the end, and GitHub still says so.
                _ = try world.work.accept(
                    Delivery(guid: "suspend", event: "installation", action: "suspend", digest: []),
                    .installation(
                        InstallationChange(
                            installationID: 77, account: Person(id: 900, login: "acme"), change: .suspended)))
                world.github.faults.plant(.github(code), at: "installation")
            }
            try world.say("@porter help", by: World.wim, comment: comment)
            try world.settle()
            #expect(try world.store.findCommand(comment: comment)?.outcome == "given_up", "\(operation)")
        }
    }

    @Test func `of two comments with one marker the later goes`() throws {
        let world = try World()
        world.github.faults.plant(.uncertainAfter, at: "createComment")
        try world.say("@porter help", by: World.wim, comment: 9)
        try world.settle()
        world.github.change { state in
            var double = state.comments[0]
            double.id += 100
            state.comments.append(double)
        }
        try world.live(seconds: 60)

        #expect(world.comments(ending: "<!-- porter:reply:9 -->").map(\.id) == [5001])
        #expect(world.github.seen.deleted == [5101])
    }

    @Test func `a status comment whose call lost its answer shows the newest state in the end`() throws {
        let world = try World()
        world.crew.change { $0.hangs = .agent }
        world.github.faults.plant(.uncertainAfter, at: "createComment")
        let id = try world.ask()

        try world.live(seconds: 50)

        #expect(world.statuses(id).count == 1)
        #expect(world.statuses(id).first?.body.hasPrefix("**Running**") == true)
    }

    @Test func `a marker that somebody else wrote is not ours`() throws {
        let world = try World()
        world.github.faults.plant(.uncertainBefore, at: "createComment")
        try world.say("@porter help", by: World.wim, comment: 9)
        try world.settle()
        world.github.change { state in
            state.comments.append(
                GitHub.Comment(
                    id: 1, url: "u", body: "mine <!-- porter:reply:9 -->", author: World.rita,
                    association: "NONE", isByApp: false, createdAt: world.now, updatedAt: world.now))
        }
        try world.live(seconds: 60)

        #expect(world.comments(ending: "<!-- porter:reply:9 -->").count == 1)
    }
}

extension String {
    /// The bold words of the first line.
    var boldWords: [String] {
        let line = split(separator: "\n").first ?? ""
        return line.matches(of: /\*\*([^*]+)\*\*/).map { String($0.1) }
    }
}
