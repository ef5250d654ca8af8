import Foundation
import GRDB
import Porter
import PorterStore
import PorterTestWorld
import PorterWork

/// Looks at database, issues, branches and machines from outside, and says which promise was broken.
final class Judge {
    /// Passes of the watchdog after which whatever waited for a place must be done.
    static let mostPasses = 12
    /// Passes after which everything is published that waits for nothing.
    static let passes = 2

    /// Passes after which everything is published that GitHub itself had to be searched for.
    static let sweepPasses = 4

    /// The job that keeps what the pages show; nobody waits for it, and the parent does not serve it.
    private static let pictures = JobKind.refresh.rawValue

    /// Whether GitHub's log of deliveries cannot be read.
    var needsSweep = false
    /// Whether caps are so low that tasks wait for others.
    var waitsForPlace = false
    private let store: PorterStore.Database
    private let locker: DatabaseQueue
    private var findings: [String] = []
    private var tasks: [Int64: String] = [:]
    private var accepted: Set<Int64> = []
    /// What was left to do after each pass.
    private var left: [String] = []
    private(set) var moments: [String: Int] = [:]
    private(set) var mostPassesSeen = 0

    init(_ path: String) throws {
        store = try PorterStore.Database(path: path)
        // Porter's own write under load may take a while; nothing is lost by waiting for it.
        var patient = Configuration()
        patient.busyMode = .timeout(30)
        locker = try DatabaseQueue(path: path, configuration: patient)
    }

    func note(_ finding: String) {
        findings.append(finding)
    }

    func noteMoment(_ step: String) {
        moments[step, default: 0] += 1
    }

    /// What a delivery was answered: a repeat names the same task, and nothing starts twice.
    func hear(_ guid: String, _ event: WebhookEvent, _ word: String, _ task: String?) {
        guard case .comment(let comment) = event, comment.action == "created" else { return }
        if word == "accepted", !accepted.insert(comment.commentID).inserted {
            note("comment \(comment.commentID) was accepted twice")
        }
        guard word != "ignored", let task else { return }
        if let first = tasks[comment.commentID], first != task {
            note("comment \(comment.commentID) was answered \(first) and \(task)")
        }
        tasks[comment.commentID] = task
    }

    /// Holds SQLite's lock for so long, as a backup or a stray shell would.
    func lockDatabase(milliseconds: Int) {
        let isLocked = DispatchSemaphore(value: 0)
        let locker = locker
        Thread.detachNewThread {
            do {
                try locker.inTransaction(.immediate) { _ in
                    isLocked.signal()
                    usleep(UInt32(milliseconds) * 1000)
                    return .rollback
                }
            } catch {
                fail("the database cannot be locked: \(error)")
            }
        }
        isLocked.wait()
    }

    /// Whether nothing is left to do after so many passes.
    func isQuiet(_ asked: [People.Asked], after pass: Int, at now: Instant) throws -> Bool {
        if pass == 1 { left = [] }
        let jobs = try locker.read { db in
            try Row.fetchAll(
                db, sql: "SELECT subject, kind, run_at, tries, holder FROM jobs WHERE kind <> ?",
                arguments: [Self.pictures]
            ).map { row in
                let wait = Double(row["run_at"] as Int64 - now.milliseconds) / 1000
                return "\(row["kind"] as String) of \(row["subject"] as String) in \(wait) s after "
                    + "\(row["tries"] as Int) tries\((row["holder"] as String?).map { ", held by \($0)" } ?? "")"
            }
        }
        left.append("after pass \(pass): \(jobs.isEmpty ? "nothing" : jobs.joined(separator: "; "))")
        guard jobs.isEmpty else { return false }
        return try asked.allSatisfy { try store.findTask(comment: $0.comment)?.publishedAt != nil }
    }

    /// Everything that is wrong now that all has settled.
    func verdict(
        asked: [People.Asked], answers: [Int64], _ outside: Outside, pushed: [String: [String]], passes: Int
    ) throws -> [String] {
        mostPassesSeen = max(mostPassesSeen, passes)
        let allowed = waitsForPlace ? Self.mostPasses : needsSweep ? Self.sweepPasses : Self.passes
        if passes > allowed {
            note("it took \(passes) passes until everything was published: " + left.joined(separator: " | "))
        }
        for (kind, count) in try store.countJobs() where kind != Self.pictures {
            note("\(count) jobs \(kind) are left")
        }
        let doubled = try locker.read { db in
            try Int64.fetchAll(
                db, sql: "SELECT comment_id FROM tasks GROUP BY comment_id HAVING count(*) > 1")
        }
        for comment in doubled { note("two tasks are of the comment \(comment)") }
        for one in asked { try judge(one, outside, pushed) }
        for comment in answers { try judge(answer: comment, outside) }
        if let doubled = outside.calls["deleteComment"] { note("\(doubled) comments were made twice") }
        findings += outside.findings
        for entry in outside.engine.running { note("machine \(entry.machine.name) still runs") }
        defer { findings = [] }
        return findings
    }

    private func judge(
        _ asked: People.Asked, _ outside: Outside, _ pushed: [String: [String]]
    ) throws {
        guard let task = try store.findTask(comment: asked.comment) else {
            return note("command \(asked.comment) is lost")
        }
        let id = task.id
        func require(_ holds: Bool, _ flaw: @autoclosure () -> String) {
            if !holds { note("\(id.rawValue) of \(asked.comment): \(flaw())") }
        }
        require(task.state.isFinal, "it is \(task.state)")
        require(task.publishedAt != nil, "its ending is not published")
        let events = try store.listEvents(id).map(\.kind)
        let ended = events.count { $0 == "ended" }
        require(ended == 1, "it ended \(ended) times")
        require(try store.liveTokens(id).isEmpty, "tokens of it are still good")
        let seen = outside.github.seen
        let pulls = seen.pulls.filter { $0.draft.head == task.branch }
        require(pulls.count == (task.pullRequestNumber == nil ? 0 : 1), "\(pulls.count) pull requests")
        require(pushed[task.branch, default: []].count <= 1, "its branch was pushed twice")
        if asked.wish == .refused {
            // What the issue is comes before who asks, and whoever may can stop it meanwhile.
            let reasons: [Reason?] = [.notPermitted, .issueClosed, .cancelledByUser]
            require(reasons.contains(task.reason), "a stranger's task ended as \(task.state)")
        }
        if events.contains("suppressed") { return }
        let word = StateWord(task.state, phase: nil).rawValue
        let endings = seen.ours.filter { $0.body.hasSuffix(id.marker(.ending)) }
        require(endings.count == 1, "\(endings.count) endings")
        require(endings.first?.body.hasPrefix("**\(word)**") == true, "the ending does not say \(word)")
        let statuses = seen.ours.filter { $0.body.hasSuffix(id.marker(.status)) }
        // Somebody may have deleted it.
        require(statuses.count <= 1, "\(statuses.count) status comments")
        for status in statuses {
            require(status.body.hasPrefix("**\(word)**"), "the status comment does not say \(word)")
        }
        let last: GitHub.Reaction = task.state == .success ? .rocket : .confused
        require(seen.reactions[asked.comment, default: []].contains(last), "no \(last)")
        guard task.state == .success, task.pullRequestNumber != nil else { return }
        require(task.headSHA == seen.branches[task.branch], "the branch is not what the ending says")
    }

    private func judge(answer comment: Int64, _ outside: Outside) throws {
        guard let command = try store.findCommand(comment: comment) else {
            return note("command \(comment) is lost")
        }
        let replies = outside.github.seen.ours.count { $0.body.hasSuffix("<!-- porter:reply:\(comment) -->") }
        switch command.outcome {
        case nil: note("command \(comment) is not answered")
        case "answered", "refused":
            if replies != 1 { note("command \(comment) has \(replies) answers") }
        default:
            if replies != 0 {
                note("command \(comment) was \(command.outcome ?? "") and has \(replies) answers")
            }
        }
    }

    /// Whether the file itself is sound.
    func checkFile() throws -> [String] {
        try locker.read { db in
            let sound = try String.fetchAll(db, sql: "PRAGMA integrity_check")
            let keys = try Row.fetchAll(db, sql: "PRAGMA foreign_key_check")
            return sound.filter { $0 != "ok" } + keys.map { "foreign key: \($0)" }
        }
    }
}
