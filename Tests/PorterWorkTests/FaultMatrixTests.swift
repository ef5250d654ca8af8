import Foundation
import Porter
import PorterStore
import PorterTestWorld
import Testing

@testable import PorterWork

/// Every outgoing call x every way in which the wire can fail it: each effect at most once, and in the end exactly
/// once or a visible reason on the issue.
@Suite struct FaultMatrixTests {
    /// A run, with what must happen so that every kind of call is made.
    private enum Plot: CaseIterable {
        case success
        case stopped
        case silent
        case answered
        case missed
        case swept
        /// A comment is there twice, and the later one is deleted.
        case doubled
        /// GitHub has opened the pull request, and its answer is lost.
        case openedUnheard
        /// The database says that the installation is suspended, and GitHub says that it is not.
        case suspendedOnce

        func play(_ world: World) throws -> TaskID {
            if self == .suspendedOnce {
                _ = try world.work.accept(
                    Delivery(guid: "s", event: "installation", action: "suspend", digest: [1]),
                    .installation(
                        InstallationChange(
                            installationID: 77, account: Person(id: 900, login: "acme"), change: .suspended)))
            }
            if [.stopped, .silent].contains(self) { world.crew.change { $0.hangs = .agent } }
            if self == .doubled { double(world) }
            if self == .openedUnheard { world.github.faults.plant(.uncertainAfter, at: "createPullRequest") }
            let id = try world.ask()
            try world.live(seconds: 30)
            switch self {
            case .success, .doubled, .openedUnheard, .suspendedOnce: break
            case .stopped: try world.say("@porter stop", by: World.wim, comment: 9)
            case .silent: world.crew.change { $0.claims = false }
            case .answered: try world.say("@porter help", by: World.wim, comment: 9)
            case .missed:
                try world.miss("@porter help", comment: 9)
                _ = try world.work.pass()
            case .swept:
                sweep(world)
                _ = try world.work.pass()
            }
            try world.live(until: id)
            try world.live(seconds: 60)
            _ = try world.work.pass()
            try world.live(seconds: 1_300)
            return id
        }

        /// The log cannot be read, and a pull request has a review.
        private func sweep(_ world: World) {
            world.github.change { state in
                state.isLogReadable = false
                state.issues[8] = GitHub.Issue(
                    number: 8, title: "Mend it", isOpen: true, isLocked: false, isPullRequest: true)
            }
            world.write("Nice.", .review, id: 10, issue: 8)
            world.write("@porter help", id: 9)
        }

        /// The answer to the first comment is lost, and GitHub has taken it twice.
        private func double(_ world: World) {
            let github = world.github
            github.faults.plant(.uncertainAfter, at: "createComment")
            github.faults.during("createComment") {
                github.faults.during("ownComments") {
                    github.change { state in
                        guard var twin = state.ours.first else { return }
                        twin.id += 1000
                        state.comments.append(twin)
                    }
                }
            }
        }

        var isAnswered: Bool { [.answered, .missed, .swept].contains(self) }
    }

    private struct Case {
        let plot: Plot
        let name: String
        let isEngine: Bool
    }

    /// For each kind of call the first plot that makes it.
    private static func cases() throws -> [Case] {
        var cases: [String: Case] = [:]
        for plot in Plot.allCases {
            let world = try World()
            let id = try plot.play(world)
            #expect(try world.flaws(id) == [], "\(plot)")
            for (faults, isEngine) in [(world.github.faults, false), (world.engine.faults, true)] {
                for name in Set(faults.calls) where cases[name] == nil {
                    cases[name] = Case(plot: plot, name: name, isEngine: isEngine)
                }
            }
        }
        return cases.values.sorted { $0.name < $1.name }
    }

    @Test func `every kind of call that the sources know is made and fails in every way, and all ends well`()
        throws
    {
        let cases = try Self.cases()
        // A new kind of call must come into a plot, or nobody knows what its failure does.
        #expect(Set(cases.filter { !$0.isEngine }.map(\.name)) == OutgoingCall.github)
        #expect(Set(cases.filter(\.isEngine).map(\.name)) == OutgoingCall.engine)

        var tried = 0
        for one in cases {
            for fault in WireFault.allCases {
                for withEffect in fault.effects {
                    try Self.play(one, fault, withEffect: withEffect)
                    tried += 1
                }
            }
        }
        #expect(tried == cases.count * 12)
    }

    private static func play(_ one: Case, _ fault: WireFault, withEffect: Bool) throws {
        let world = try World()
        let faults = one.isEngine ? world.engine.faults : world.github.faults
        guard faults.plant(fault, at: one.name, isEngine: one.isEngine, withEffect: withEffect) else {
            // The client needs nothing of the answer but that there was one.
            #expect(fault == .truncatedJSON, "\(one.name): \(fault) is taken for success")
            return
        }
        let words = "\(one.plot): \(one.name) fails by \(fault)\(withEffect ? ", with its effect" : "")"

        let id = try one.plot.play(world)

        // A token whose answer was lost is known to nobody, Porter included: it can only expire.
        let isLostToken = one.name == "contentsToken" && withEffect
        #expect(
            try world.flaws(id).filter { !isLostToken || $0 != "1 tokens are still good" } == [], "\(words)")
        let task = try world.task(id)
        #expect(task.state == .success || task.reason != nil, "\(words)")
        if let reason = task.reason {
            #expect(world.endings(id).first?.body.contains("`\(reason.rawValue)`") == true, "\(words)")
        }
        #expect(
            world.comments(ending: "<!-- porter:reply:9 -->").count == (one.plot.isAnswered ? 1 : 0),
            "\(words)")
        #expect(world.engine.all.filter { $0.task == id.rawValue }.count <= task.attempt, "\(words)")
        #expect(world.github.seen.reviews.count == (task.pullRequestNumber == nil ? 0 : 1), "\(words)")
        #expect(try world.store.countJobs() == [:], "\(words)")
    }
}
