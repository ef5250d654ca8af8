import GRDB
package import Porter
import Synchronization

/// What may have to be done for a subject: a task, or a command by its comment.
package enum JobKind: String, CaseIterable, Sendable {
    /// Asks GitHub whether the task may run, and freezes its prompt.
    case admit
    /// Answers a command that made no task, or carries it out.
    case answer
    /// Creates the machine of the task's current attempt.
    case launch
    /// Looks after a running task: claims, heartbeats, deadlines, stops.
    case supervise
    /// Looks the reported branch up, opens the pull request, ends the task.
    case publish
    /// Adds the reaction `eyes` to the command.
    case react
    /// Brings the status comment up to date.
    case status
    /// Posts the ending, folds the status comment.
    case ending
    /// Destroys what is left of the task's machines and revokes its tokens.
    case cleanup
    /// Takes in deliveries that never arrived; its subject is ``Database/recoverySubject``.
    case recover
    /// Looks on GitHub itself for commands that no delivery tells of; its subject is ``Database/sweepSubject``.
    case sweep
    /// Looks at the App's installations and repositories; its subject is ``Database/refreshSubject``.
    case refresh
    /// Asks GitHub what a person sees and where they can push; its subject is `person:<id>`.
    case rights
    /// Writes a person's settings into a private gist of theirs; its subject is `person:<id>`.
    case mirror
}

/// A job in somebody's hands.
///
/// The fence rises with each claim; whoever was taken over cannot commit any more.
package struct JobClaim: Hashable, Sendable {
    /// The row's key; never used again for another job.
    package let id: Int64
    /// A task's id, or `comment:<id>` for a command without a task.
    package let subject: String
    /// What is to be done for the subject.
    package let kind: JobKind
    /// How often it was tried before.
    package let tries: Int
    /// Which wish this claim answers; a later wish keeps the job.
    let wanted: Int64
    let holder: String
    let fence: Int64

    /// Refuses the transaction of a claim that was taken over.
    func check(_ transaction: Transaction) throws {
        let isOurs = try Bool.fetchOne(
            transaction.db.cachedStatement(
                sql: "SELECT EXISTS (SELECT 1 FROM jobs WHERE id = ? AND holder = ? AND fence = ?)"),
            arguments: [id, holder, fence])
        guard isOurs == true else {
            throw StoreError(
                .fenced, operation: "commit for job \(kind.rawValue) of \(subject)",
                message: "another holder has it")
        }
    }
}

extension Transaction {
    private static let enqueueJob = StatementText(
        """
        INSERT INTO jobs (subject, kind, run_at) VALUES (?, ?, ?)
        ON CONFLICT (subject, kind) DO UPDATE SET
            run_at = CASE WHEN holder IS NULL THEN min(run_at, excluded.run_at)
                ELSE excluded.run_at END,
            tries = 0,
            wanted = wanted + 1
        """)

    /// Wishes for the job at that moment; a wish for one that is waiting brings it forward, and one that
    /// is being worked on is done once more afterwards.
    func enqueue(_ kind: JobKind, for subject: String, at moment: Instant) throws {
        try statements.run(Self.enqueueJob) {
            $0.add(subject)
            $0.add(kind.rawValue)
            $0.add(moment.milliseconds)
        }
        hasNewWork = true
    }

    /// The same for a task's job.
    func enqueue(_ kind: JobKind, for task: TaskID, at moment: Instant) throws {
        try enqueue(kind, for: task.rawValue, at: moment)
    }

    /// Sees to it that the job is there; one that is there keeps its time and its tries.
    func ensure(_ kind: JobKind, for subject: String, at moment: Instant) throws {
        let made = try run(
            "INSERT INTO jobs (subject, kind, run_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            [subject, kind.rawValue, moment.milliseconds])
        if made == 1 { hasNewWork = true }
    }
}

extension Database {
    /// Wishes for a task's job.
    package func enqueue(_ kind: JobKind, for task: TaskID, at moment: Instant) throws(StoreError) {
        try write("enqueue \(kind.rawValue)") { try $0.enqueue(kind, for: task, at: moment) }
    }

    /// Sees to it that the task's job is there, without hurrying one that waits for its next try.
    package func ensureJob(_ kind: JobKind, for task: TaskID, at moment: Instant) throws(StoreError) {
        try write("ensure \(kind.rawValue)") { try $0.ensure(kind, for: task.rawValue, at: moment) }
    }

    /// Brings a task's waiting job forward to the moment, or makes it; its tries still count.
    package func hurry(_ kind: JobKind, for task: TaskID, at moment: Instant) throws(StoreError) {
        try write("hurry \(kind.rawValue)") { transaction in
            try transaction.run(
                """
                INSERT INTO jobs (subject, kind, run_at) VALUES (?, ?, ?)
                ON CONFLICT (subject, kind) DO UPDATE SET run_at = min(run_at, excluded.run_at)
                """, [task.rawValue, kind.rawValue, moment.milliseconds])
            transaction.hasNewWork = true
        }
    }

    /// The subject of the one job that looks for what never arrived.
    package static let recoverySubject = "deliveries"

    /// The subject of the one job that looks on GitHub itself.
    package static let sweepSubject = "contents"

    /// Sees to it that the log of deliveries is read at the moment, or soon after a turn that failed.
    package func ensureRecovery(at moment: Instant) throws(StoreError) {
        try ensure(.recover, for: Self.recoverySubject, at: moment)
    }

    /// Sees to it that GitHub itself is looked at, at the moment or soon after a turn that failed.
    package func ensureSweep(at moment: Instant) throws(StoreError) {
        try ensure(.sweep, for: Self.sweepSubject, at: moment)
    }

    private func ensure(
        _ kind: JobKind, for subject: String, at moment: Instant
    ) throws(StoreError) {
        try write("ensure \(kind.rawValue)") { try $0.ensure(kind, for: subject, at: moment) }
    }

    /// The subject of the one job that looks at the App's installations.
    package static let refreshSubject = "github"

    /// Sees to it that the App's installations are looked at, at the moment.
    package func ensureRefresh(at moment: Instant) throws(StoreError) {
        try ensure(.refresh, for: Self.refreshSubject, at: moment)
    }

    /// Takes the job that has been due the longest and whose subject nobody else works on.
    ///
    /// One subject is in one pair of hands at a time, so what is done for a task happens in order.
    package func claimJob(at now: Instant) throws(StoreError) -> JobClaim? {
        try returnClaims()
        let isDue = try read("look for a job") { db in
            try Bool.fetchOne(
                db.cachedStatement(
                    sql: "SELECT EXISTS (SELECT 1 FROM jobs WHERE holder IS NULL AND run_at <= ?)"),
                arguments: [now.milliseconds])
        }
        guard isDue == true else { return nil }
        let me = holder.name
        return try write("claim a job") { transaction in
            let row = try Row.fetchOne(
                transaction.db.cachedStatement(
                    sql: """
                        UPDATE jobs SET holder = ?, fence = fence + 1 WHERE id = (
                            SELECT id FROM jobs WHERE holder IS NULL AND run_at <= ?
                                AND NOT EXISTS (SELECT 1 FROM jobs held
                                    WHERE held.subject = jobs.subject AND held.holder IS NOT NULL)
                            ORDER BY run_at, id LIMIT 1)
                        RETURNING id, subject, kind, tries, wanted, fence
                        """),
                arguments: [me, now.milliseconds])
            guard let row else { return nil }
            guard let kind = JobKind(rawValue: row["kind"]) else {
                throw StoreError(
                    .newer, operation: "claim a job", message: "unknown kind \(row["kind"] as String)")
            }
            return JobClaim(
                id: row["id"], subject: row["subject"], kind: kind, tries: row["tries"],
                wanted: row["wanted"], holder: me, fence: row["fence"])
        }
    }

    /// Gives the job back as soon as the database can be written: with the next claim.
    ///
    /// For a claim whose own end could not be written; while its holder lives nobody else would free it.
    package func giveBack(_ claim: JobClaim) {
        unreturned.withLock { $0.append(claim) }
    }

    private func returnClaims() throws(StoreError) {
        let claims = unreturned.withLock { $0 }
        guard !claims.isEmpty else { return }
        try write("give jobs back") { transaction in
            for claim in claims {
                try transaction.run(
                    "UPDATE jobs SET holder = NULL WHERE id = ? AND holder = ? AND fence = ?",
                    [claim.id, claim.holder, claim.fence])
            }
        }
        unreturned.withLock { $0.removeAll { claims.contains($0) } }
    }

    /// Ends the job, unless somebody has wished for it again meanwhile: then it is due again.
    package func finishJob(_ claim: JobClaim, at now: Instant) throws(StoreError) {
        try write("finish a job", for: claim) { transaction in
            let deleted = try transaction.run(
                "DELETE FROM jobs WHERE id = ? AND wanted = ?", [claim.id, claim.wanted])
            guard deleted == 0 else { return }
            try transaction.run(
                "UPDATE jobs SET holder = NULL, tries = 0 WHERE id = ?", [claim.id])
            transaction.hasNewWork = true
        }
    }

    /// Gives the job back, to be done at the moment; an earlier wish made meanwhile stands.
    ///
    /// - Parameter failed: whether this counts as a try.
    package func postponeJob(
        _ claim: JobClaim, until moment: Instant, failed: Bool
    ) throws(StoreError) {
        try write("postpone a job", for: claim) { transaction in
            try transaction.run(
                """
                UPDATE jobs SET holder = NULL,
                    run_at = CASE WHEN wanted = ? THEN ? ELSE min(run_at, ?) END,
                    tries = CASE WHEN wanted = ? THEN tries + ? ELSE 0 END
                WHERE id = ?
                """,
                [
                    claim.wanted, moment.milliseconds, moment.milliseconds, claim.wanted,
                    failed ? 1 : 0, claim.id,
                ])
            transaction.hasNewWork = true
        }
    }

    /// Frees the jobs of holders that are dead.
    ///
    /// - Returns: how many jobs were freed.
    @discardableResult
    package func releaseDeadHolders() throws(StoreError) -> Int {
        let names = try read("look for holders") { db in
            try String.fetchAll(db, sql: "SELECT DISTINCT holder FROM jobs WHERE holder IS NOT NULL")
        }
        let dead = names.filter { !holder.isAlive($0) }
        guard !dead.isEmpty else { return 0 }
        return try write("free a dead holder's jobs") { transaction in
            var freed = 0
            for name in dead {
                freed += try transaction.run(
                    "UPDATE jobs SET holder = NULL, fence = fence + 1 WHERE holder = ?", [name])
            }
            transaction.hasNewWork = true
            return freed
        }
    }

    /// Removes the files of processes that ended without doing so themselves; their jobs stay as they are.
    ///
    /// - Parameter most: files that are looked at, at most.
    /// - Returns: how many went.
    @discardableResult
    package func removeDeadHolders(most: Int = 5000) -> Int { holder.removeDead(most: most) }

    /// Gives back what this process still holds, at its orderly end.
    package func releaseOwnJobs() throws(StoreError) {
        let me = holder.name
        try write("give jobs back") { transaction in
            try transaction.run(
                "UPDATE jobs SET holder = NULL, fence = fence + 1 WHERE holder = ?", [me])
        }
    }

    /// When the next job is due, nil when none waits.
    package func nextJob() throws(StoreError) -> Instant? {
        try read("look for the next job") { db in
            try Int64.fetchOne(db, sql: "SELECT min(run_at) FROM jobs WHERE holder IS NULL")
                .map(Instant.init(milliseconds:))
        }
    }

    /// How many jobs wait, by kind; for `/metrics`.
    package func countJobs() throws(StoreError) -> [String: Int] {
        try read("count jobs") { db in
            try Row.fetchAll(db, sql: "SELECT kind, count(*) AS n FROM jobs GROUP BY kind")
                .reduce(into: [:]) { $0[$1["kind"]] = $1["n"] }
        }
    }
}
