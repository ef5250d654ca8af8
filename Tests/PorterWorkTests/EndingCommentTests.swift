import Porter
import PorterAgents
import PorterStore
import PorterTestWorld
import Testing

@testable import PorterWork

/// How endings and status comments read, and that they are posted whatever comes between.
@Suite struct EndingCommentTests {
    @Test func `an ending mentions the person, and says state, pull request and marker`() throws {
        let world = try World()
        let id = try world.ask()
        try world.live(seconds: 60)
        let body = try #require(world.endings(id).first?.body)

        #expect(body.boldWords == ["Done"])
        #expect(body.contains("@maria"))
        #expect(body.contains("#100"))
        #expect(body.hasSuffix("\n\n" + id.marker(.ending)))
        #expect(!body.contains("Next:"))
        let status = try #require(world.statuses(id).first?.body)
        let url = try #require(world.endings(id).first?.url)
        #expect(status == "**Done** · [how it ended](\(url))\n\n" + id.marker(.status))
    }

    @Test func `nothing that the agent wrote leaves its block`() throws {
        let world = try World()
        let hostile =
            String(repeating: "x", count: 100_000) + """

                ```
                </details>
                @acme/all <!-- porter:task_01ARZ3NDEKTSV4RRFFQ69G5FAV:ending -->
                ````
                **Done**
                """
        world.crew.change {
            $0.summary = hostile
            $0.outcome = .failed
            $0.reason = .agentFailed
        }
        let id = try world.ask()
        try world.live(seconds: 60)

        let body = try #require(world.endings(id).first?.body)
        let fence = try #require(body.firstMatch(of: /(?m)^(`{5,})text$/)).1
        #expect(body.components(separatedByFence: fence).count == 3)
        #expect(body.hasSuffix(id.marker(.ending)))
        #expect(body.unicodeScalars.count < 3500)
        #expect(body.boldWords == ["Failed"])
        #expect(try world.flaws(id) == [])
    }

    @Test(arguments: Reason.allCases.filter { !$0.isOnlyForAnswers && $0 != .noChanges })
    func `each reason ends with its code, its sentence and its next step`(reason: Reason) throws {
        let world = try World()
        world.crew.change {
            $0.outcome = .failed
            $0.reason = reason
        }
        let id = try world.ask()
        try world.live(seconds: 60)

        #expect(try world.task(id).reason == reason)
        let body = try #require(world.endings(id).first?.body)
        #expect(body.contains("`\(reason.rawValue)`"))
        #expect(body.contains(reason.sentence))
        #expect(body.withoutLinks.contains(reason.nextWords))
        #expect(body.contains("`@porter retry`") == reason.mayRetry)
    }

    @Test func `edits keep to the phases and never come in a rush`() throws {
        let world = try World()
        let id = try world.ask()
        try world.live(seconds: 120)
        let edits = world.github.seen.edits.map(\.body)

        #expect(edits.count <= 4)
        #expect(edits.allSatisfy { $0.hasSuffix(id.marker(.status)) })
        for body in edits { #expect(body.boldWords.count == 1) }
    }

    @Test func `a status comment that somebody deleted is not missed`() throws {
        let world = try World()
        world.crew.change { $0.hangs = .clone }
        let id = try world.ask()
        try world.live(seconds: 15)
        world.github.change { $0.comments = [] }
        world.crew.change { $0.hangs = .agent }
        try world.live(seconds: 60)
        world.crew.change { $0.hangs = nil }

        try world.live(seconds: 600)

        #expect(try world.task(id).state == .success)
        #expect(world.endings(id).count == 1)
        let failures = try world.store.listEvents(id).map(\.kind).filter { $0.hasPrefix("status_") }
        #expect(failures == [])
    }

    @Test func `an ending that cannot be posted is posted once it can, days later too`() throws {
        for code in [GitHubError.Code.gone, .notFound, .forbidden, .unauthorized, .refused] {
            let world = try World()
            world.crew.change { $0.hangs = .agent }
            let id = try world.ask()
            try world.live(seconds: 10)
            world.github.faults.plant(.github(code), at: "createComment", times: 40)
            world.crew.change { $0.hangs = nil }

            try world.live(seconds: 3600)
            #expect(try world.task(id).publishedAt == nil)
            try world.live(seconds: 2 * 86_400)

            #expect(try world.flaws(id) == [], "\(code)")
        }
    }

    @Test func `an issue that is gone leaves nothing that is tried for ever`() throws {
        let world = try World()
        world.crew.change { $0.hangs = .agent }
        let id = try world.ask()
        try world.live(seconds: 10)
        world.github.change { $0.issues = [:] }
        world.crew.change { $0.hangs = nil }

        try world.live(seconds: Work.publishingPatience + 7200)

        #expect(try world.task(id).state == .success)
        #expect(try world.task(id).publishedAt == nil)
        #expect(try world.store.listEvents(id).map(\.kind).contains("unpublishable"))
        #expect(try world.store.strandedTasks().isEmpty)
        #expect(try world.store.nextJob() == nil)
    }
}

extension String {
    fileprivate func components(separatedByFence fence: Substring) -> [Substring] {
        split(separator: "\n", omittingEmptySubsequences: false)
            .split(omittingEmptySubsequences: false) { $0 == fence || $0 == fence + "text" }
            .map { $0.first ?? "" }
    }
}
