import GRDB
package import Porter
import Synchronization

/// A small fact about the instance: a name, a value, when it was learnt.
package struct Mark: Hashable, Sendable {
    /// Text whose form the mark's name decides.
    package let value: String
    /// When it was learnt.
    package let at: Instant
}

extension Transaction {
    func setMark(_ name: String, to value: String, at now: Instant) throws {
        try run(
            """
            INSERT INTO marks (name, value, at) VALUES (?, ?, ?)
            ON CONFLICT (name) DO UPDATE SET value = excluded.value, at = excluded.at
            """, [name, value, now.milliseconds])
    }
}

extension Database {
    private static let madeMark = "database.made"

    /// When a program first opened the database, by our clock, which it follows; this moment, from now on, in one
    /// that is not marked yet.
    package func madeAt(_ now: Instant) throws(StoreError) -> Instant {
        if let made = try findMark(Self.madeMark) { return made.at }
        return try markOnce(Self.madeMark, "", at: now).at
    }

    /// When a program first opened the database, by GitHub's clock.
    ///
    /// Ours may be wrong by days, then or now. What has passed since does not depend on that, and is counted
    /// back from the first answer that shows GitHub's clock.
    ///
    /// - Parameter theirs: the moment by GitHub's clock; nil when it is not known.
    package func madeAt(_ now: Instant, theirs: Instant?) throws(StoreError) -> Instant {
        let made = try madeAt(now)
        let mark = try findMark(Self.madeMark)
        if let known = (mark?.value).flatMap({ Int64($0) }) { return Instant(milliseconds: known) }
        guard let theirs else { return made }
        let age = max(0, now - made)
        let value = String(theirs.adding(milliseconds: -age).milliseconds)
        let kept = try write("date the database") { transaction in
            try transaction.run(
                "UPDATE marks SET value = ? WHERE name = ? AND value = ''", [value, Self.madeMark])
            return try String.fetchOne(
                transaction.db, sql: "SELECT value FROM marks WHERE name = ?", arguments: [Self.madeMark])
        }
        return Instant(milliseconds: Int64(kept ?? value) ?? made.milliseconds)
    }

    /// Remembers a fact about the instance, in place of the former.
    package func setMark(_ name: String, to value: String, at now: Instant) throws(StoreError) {
        try write("set mark \(name)") { try $0.setMark(name, to: value, at: now) }
    }

    /// Forgets a fact about the instance.
    package func forgetMark(_ name: String) throws(StoreError) {
        guard try findMark(name) != nil else { return }
        try write("forget mark \(name)") { transaction in
            try transaction.run("DELETE FROM marks WHERE name = ?", [name])
        }
    }

    /// What is remembered under the name.
    package func findMark(_ name: String) throws(StoreError) -> Mark? {
        try read("find mark \(name)") { db in
            try Row.fetchOne(db, sql: "SELECT value, at FROM marks WHERE name = ?", arguments: [name])
                .map { Mark(value: $0["value"], at: Instant(milliseconds: $0["at"])) }
        }
    }

    /// The fact under the name, as this process learnt or read it.
    ///
    /// Each delivery asks, so what is known is kept in memory; that it is not known is believed for a second. Facts
    /// hardly ever change, and whoever learns one says so with ``setFact(_:to:at:)``.
    package func findFact(_ name: String) throws(StoreError) -> Mark? {
        if let known = facts.find(name) { return known }
        let found = try findMark(name)
        facts.keep(name, found)
        return found
    }

    /// Says what the fact under the name is; what is known already costs nothing.
    package func setFact(_ name: String, to value: String, at now: Instant) throws(StoreError) {
        guard try findFact(name)?.value != value else { return }
        try setMark(name, to: value, at: now)
        facts.keep(name, Mark(value: value, at: now))
    }

    /// The fact under the name; if there is none yet, this one from now on.
    package func markOnce(_ name: String, _ value: String, at now: Instant) throws(StoreError) -> Mark {
        let fact = try write("set mark \(name)") { transaction in
            try transaction.run(
                "INSERT INTO marks (name, value, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                [name, value, now.milliseconds])
            let row = try Row.fetchOne(
                transaction.db, sql: "SELECT value, at FROM marks WHERE name = ?", arguments: [name])
            return Mark(value: row?["value"] ?? value, at: row.map { Instant(milliseconds: $0["at"]) } ?? now)
        }
        facts.keep(name, fact)
        return fact
    }
}

/// What this process knows of facts that hardly ever change.
final class Facts: Sendable {
    /// How long a fact counts as unknown once it was looked for in vain; another process may learn it.
    static let absence = Duration.seconds(1)

    private struct Known {
        let mark: Mark?
        let at: ContinuousClock.Instant
    }

    private let known = Mutex<[String: Known]>([:])

    /// What is known: nil when it has to be looked up, `.some(nil)` when it was not there a moment ago.
    func find(_ name: String) -> Mark?? {
        guard let known = known.withLock({ $0[name] }) else { return nil }
        guard known.mark == nil, ContinuousClock.now - known.at >= Self.absence else { return known.mark }
        return nil
    }

    func keep(_ name: String, _ mark: Mark?) {
        known.withLock { $0[name] = Known(mark: mark, at: .now) }
    }
}
