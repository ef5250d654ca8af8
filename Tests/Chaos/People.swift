import Porter
import PorterTestWorld

/// The people on the issues, and GitHub's deliveries of what they say: doubled, out of order, late, lost.
final class People {
    /// A command that somebody wrote, and what must become of it.
    struct Asked {
        enum Wish { case run, refused }

        let comment: Int64
        let issue: Int
        let wish: Wish
        var isDeleted = false
    }

    private struct Parcel {
        let guid: String
        let event: WebhookEvent
        let action: String
        var triesLeft: Int
        /// Whether it once was answered.
        var hasArrived = false
        /// It is lost on the way: only GitHub's log knows of it.
        let isLost: Bool
        var isOnItsWay = false
    }

    private unowned let season: Season
    private(set) var asked: [Asked] = []
    /// Comments that ask for an answer, not a task.
    private(set) var answers: [Int64] = []
    private var parcels: [Parcel] = []
    private var nextComment: Int64 = 100
    private var nextParcel = 0
    private static let issues = [7, 8, 9]

    init(_ season: Season) {
        self.season = season
        season.outside.github.change { state in
            for issue in Self.issues {
                state.issues[issue] = GitHub.Issue(
                    number: issue, title: "Login is flaky", isOpen: true, isLocked: false,
                    isPullRequest: false)
                state.contents.append(
                    GitHub.Content(
                        id: CommandID(.opening, Int64(issue)), issueNumber: issue,
                        url: "https://github.example",
                        body: "It fails each Monday.", author: World.maria, createdAt: Harness.start,
                        updatedAt: Harness.start,
                        issue: GitHub.IssueFacts(title: "Login is flaky", isPullRequest: false, closedAt: nil)
                    ))
            }
        }
    }

    /// The list of issues shows that something happened there.
    private func touch(_ issue: Int, isOpen: Bool? = nil) {
        let now = season.outside.real
        season.outside.github.change { state in
            guard let index = state.contents.firstIndex(where: { $0.id == CommandID(.opening, Int64(issue)) })
            else { return }
            state.contents[index].updatedAt = now
            guard let isOpen else { return }
            state.issues[issue]?.isOpen = isOpen
            state.contents[index].issue?.closedAt = isOpen ? nil : now
        }
    }

    /// Somebody asks for something at the start of a round.
    func gather() {
        for issue in Self.issues { touch(issue, isOpen: true) }
        for _ in 0..<(1 + season.draw { $0.below(4) }) { ask() }
    }

    /// Somebody says or does something in the middle of it all.
    func act() {
        switch season.draw({ $0.below(12) }) {
        case 0...2: ask()
        case 3...4: say(World.wim, "@porter stop", wish: nil)
        case 5: say(World.wim, "@porter help", wish: nil)
        case 6: say(World.wim, "@porter status", wish: nil)
        case 7: say(World.maria, "@porter stop at once", wish: nil)
        case 8: close()
        case 9: changeComment()
        case 10: deleteStatus()
        default: say(World.maria, "thank you", wish: nil)
        }
    }

    private func ask() {
        if season.draw({ $0.permille(120) }) {
            say(World.rita, "@porter demo fix it", wish: .refused)
        } else {
            let who = season.draw { $0.permille(500) } ? World.maria : World.wim
            say(who, "@porter demo fix it", wish: .run)
        }
    }

    private func say(_ who: Person, _ text: String, wish: Asked.Wish?) {
        nextComment += 1
        let issue = Self.issues[season.draw { $0.below(Self.issues.count) }]
        var event = World.event(text, by: who, comment: nextComment, issue: issue)
        event.createdAt = season.outside.real
        season.outside.github.change { state in
            state.contents.append(
                GitHub.Content(
                    id: event.commandID, issueNumber: issue, url: event.commentURL, body: text, author: who,
                    createdAt: season.outside.real, updatedAt: season.outside.real))
        }
        touch(issue)
        if let wish {
            asked.append(Asked(comment: nextComment, issue: issue, wish: wish))
        } else if text.hasPrefix("@porter") {
            answers.append(nextComment)
        }
        post(.comment(event), "created")
    }

    private func post(_ event: WebhookEvent, _ action: String) {
        nextParcel += 1
        let (isLost, repeats) = season.draw { ($0.permille(120), $0.permille(200) ? 1 + $0.below(3) : 0) }
        parcels.append(
            Parcel(
                guid: "guid-\(season.seed)-\(nextParcel)", event: event, action: action,
                triesLeft: 1 + repeats, isLost: isLost))
    }

    private func close() {
        let issue = Self.issues[season.draw { $0.below(Self.issues.count) }]
        touch(issue, isOpen: false)
        let place = RepositoryRef(installationID: 77, id: 42, owner: "acme", name: "shop")
        var event = IssueEvent(
            repository: place, repositoryOwner: Person(id: 900, login: "acme"), issueNumber: issue)
        event.closedAt = season.outside.real
        post(.issueClosed(event), "closed")
    }

    /// A command is edited or deleted after it was written: that starts and stops nothing.
    private func changeComment() {
        guard !asked.isEmpty else { return }
        let index = season.draw { $0.below(asked.count) }
        let isDeleted = season.draw { $0.permille(500) }
        var event = World.event(
            "@porter demo something else", by: World.maria, comment: asked[index].comment,
            issue: asked[index].issue)
        event.action = isDeleted ? "deleted" : "edited"
        post(.comment(event), event.action)
    }

    /// Somebody deletes one of Porter's status comments.
    private func deleteStatus() {
        season.outside.github.change { state in
            guard let victim = state.ours.first(where: { $0.body.hasSuffix(":status -->") }) else { return }
            state.comments.removeAll { $0.id == victim.id }
            state.deleted.append(victim.id)
        }
    }

    /// A parcel, any of them, sets out.
    func deliver() {
        let open = parcels.indices.filter { parcels[$0].triesLeft > 0 && !parcels[$0].isOnItsWay }
        guard !open.isEmpty else { return }
        let index = open[season.draw { $0.below(open.count) }]
        if parcels[index].isLost { return lose(index) }
        guard let responder = season.freeResponder else { return }
        send(index) { arguments, then in
            responder.give(
                .deliver, at: self.season.outside.now, arguments, whenDone: { then($0) },
                whenDead: { then(nil) })
        }
    }

    /// Everything that is still on its way arrives or is lost for good.
    func deliverAll() {
        for index in parcels.indices {
            if parcels[index].isLost, parcels[index].triesLeft > 0 { lose(index) }
            while parcels[index].triesLeft > 0 {
                send(index) { arguments, then in
                    self.season.carryOut(.deliver, arguments) { then($0) }
                }
            }
        }
    }

    private func lose(_ index: Int) {
        log(index, isSuccess: false)
        parcels[index].triesLeft = 0
    }

    private func send(_ index: Int, _ give: (Writer, @escaping (Reader?) -> Void) -> Void) {
        parcels[index].triesLeft -= 1
        parcels[index].isOnItsWay = true
        var arguments = Writer()
        let parcel = parcels[index]
        arguments.put(parcel.guid, String?.some(parcel.action), parcel.event)
        give(arguments) { answer in
            self.parcels[index].isOnItsWay = false
            guard var answer else { return self.log(index, isSuccess: false) }
            let word = answer.get(String.self)
            self.log(index, isSuccess: word != "failed")
            if word == "failed" { return }
            let task = answer.get(String?.self)
            self.season.judge.hear(parcel.guid, parcel.event, word, task)
            self.parcels[index].hasArrived = true
        }
    }

    /// GitHub's own log knows of each try.
    private func log(_ index: Int, isSuccess: Bool) {
        let parcel = parcels[index]
        let event =
            switch parcel.event {
            case .issueClosed: "issues"
            default: "issue_comment"
            }
        season.outside.github.change { state in
            let logged = GitHub.LoggedDelivery(
                id: Int64(state.log.count * 2 + 1), guid: parcel.guid, event: event, action: parcel.action,
                deliveredAt: season.outside.real, isSuccess: isSuccess)
            state.log.append((logged, GitHub.LoggedPayload(event: parcel.event, action: parcel.action)))
        }
    }

    /// The round is over.
    func forget() {
        asked = []
        answers = []
        parcels = []
        // Three days are long over; the log of an old round is of no use.
    }
}
