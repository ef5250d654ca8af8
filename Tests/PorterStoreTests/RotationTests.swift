import Foundation
import GRDB
import Porter
import PorterTestSupport
import Synchronization
import Testing

@testable import PorterStore

/// Every stored secret can be sealed anew, and nothing is lost on the way.
@Suite struct RotationTests {
    /// Seals by the name of a key; opens under the keys that are there, in the same place only.
    static func sealer(_ keys: String...) -> Sealer {
        Sealer(
            seal: { value, place throws(Sealer.Failure) in
                value.reveal { Array("\(keys[0])|\(place)|\($0)".utf8) }
            },
            open: { sealed, place throws(Sealer.Failure) in
                let text = String(decoding: sealed, as: UTF8.self)
                for key in keys where text.hasPrefix("\(key)|\(place)|") {
                    return Secret(String(text.dropFirst("\(key)|\(place)|".count)))
                }
                throw Sealer.Failure("its key is not there")
            },
            keyID: { String(decoding: $0.prefix { $0 != UInt8(ascii: "|") }, as: UTF8.self) },
            currentKey: keys[0])
    }

    private func fill(_ store: Store, _ count: Int, key: String = "old") throws {
        for number in 0..<count {
            try store.database.saveSecret(
                Secret("value-\(number)"), scope: "user:\(number % 7)", provider: "openai",
                name: "KEY_\(number)", sealer: Self.sealer(key), at: store.start)
        }
    }

    private func values(_ store: Store, _ sealer: Sealer) throws -> Set<Secret> {
        var found: Set<Secret> = []
        try store.database.eachSecret(sealer) { secret, _ in found.insert(secret) }
        return found
    }

    @Test func `every sealed column of the schema is known to rotation`() throws {
        let store = try Store()
        let columns = try store.database.read("list columns") { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT m.name AS t, p.name AS c FROM sqlite_master m, pragma_table_info(m.name) p
                    WHERE m.type = 'table' AND p.name LIKE '%sealed'
                    """
            ).map { "\($0["t"] as String).\($0["c"] as String)" }
        }
        #expect(Set(columns) == Set(SealedColumn.all.map { "\($0.table).\($0.column)" }))
    }

    @Test func `the look for live secrets walks nothing that a long history makes longer`() throws {
        let store = try Store()
        for column in SealedColumn.all where column.isSecret {
            let plans = try [true, false].map { isFirst in
                try store.database.read("explain") { db in
                    try Row.fetchAll(
                        db,
                        sql: "EXPLAIN QUERY PLAN "
                            + column.statement(isFirst: isFirst, most: 9, isQuick: true),
                        arguments: StatementArguments(
                            isFirst ? [] : column.keys.map { _ in DatabaseValue.null })
                    ).map { $0["detail"] as String }
                }
            }
            // Of these there are as many as people have keys and sessions.
            if ["secrets", "user_tokens"].contains(column.table) { continue }
            let live = try #require(column.live, "\(column.table).\(column.column)")
            for plan in plans {
                #expect(plan.contains("SCAN \(column.table) USING INDEX \(live.index)"), "\(plan)")
            }
            let isPartial = try store.database.read("look at the index") { db in
                try Bool.fetchOne(
                    db, sql: "SELECT partial FROM pragma_index_list(?) WHERE name = ?",
                    arguments: [column.table, live.index])
            }
            #expect(isPartial == true)
        }
    }

    @Test func `afterwards the new key alone opens everything`() throws {
        let store = try Store()
        try fill(store, 250)

        let report = try store.database.rotateKeys(Self.sealer("new", "old"))

        #expect(report == RotationReport(rotated: 250))
        #expect(try values(store, Self.sealer("new")).count == 250)
        #expect(try store.database.rotateKeys(Self.sealer("new")) == RotationReport(rotated: 0, current: 250))
    }

    @Test func `machines' tokens, claims and GitHub's tokens are sealed anew as well`() throws {
        let store = try Store()
        let (old, both) = (Self.sealer("old"), Self.sealer("new", "old"))
        try store.accept(1)
        let id = Store.id(1)
        let place = Sealer.Place.machineToken(id, attempt: 1)
        try store.run(
            """
            INSERT INTO attempts (task_id, number, machine_name, engine, machine_token_digest, created_at,
                claimed_at, claim_answered_at)
            VALUES ('\(id.rawValue)', 1, 'm', 'local', x'01', 1, 1, 1)
            """)
        let token = try old.seal(Secret("machine-token"), place).asData
        let claim = try old.seal(Secret("claim-answer"), .claim(id, attempt: 1)).asData
        try store.database.write("seal") { transaction in
            try transaction.run(
                "UPDATE attempts SET machine_token_sealed = ?, claim_sealed = ?", [token, claim])
        }
        _ = try store.database.saveToken(
            task: id, attempt: 1, purpose: "clone", expiresAt: store.start, at: store.start
        ) { row in try old.seal(Secret("github-token"), .givenToken(row, of: id)) }

        let report = try store.database.rotateKeys(both)

        #expect(report == RotationReport(rotated: 3))
        #expect(try values(store, Self.sealer("new")) == [Secret("machine-token"), Secret("github-token")])
        let attempt = try #require(try store.database.findAttempt(id, 1))
        let sealed = try #require(attempt.claimSealed)
        #expect(try Self.sealer("new").open(sealed, .claim(id, attempt: 1)) == Secret("claim-answer"))
    }

    @Test func `a rotation that dies at any moment loses nothing, and the next one does the rest`() throws {
        let moments = Mutex<[String]>([])
        let whole = try Store()
        try fill(whole, 230)
        _ = try whole.database.rotateKeys(Self.sealer("new", "old")) { moment in
            moments.withLock { $0.append(moment) }
        }
        let count = moments.withLock { $0.count }
        #expect(count > 6)
        for death in 0..<count {
            let store = try Store()
            try fill(store, 230)
            let passed = Mutex(0)
            // The thread never goes on after its moment, as after a kill.
            let died = DispatchSemaphore(value: 0)
            let database = store.database
            let thread = Thread {
                _ = try? database.rotateKeys(Self.sealer("new", "old")) { _ in
                    let isHere = passed.withLock { passed in
                        defer { passed += 1 }
                        return passed == death
                    }
                    if isHere {
                        died.signal()
                        while true { pause() }
                    }
                }
                died.signal()
            }
            thread.start()
            died.wait()

            #expect(try values(store, Self.sealer("new", "old")).count == 230)
            let rest = try store.another().rotateKeys(Self.sealer("new", "old"))
            #expect(rest.rotated + rest.current == 230)
            #expect(try values(store, Self.sealer("new")).count == 230)
        }
    }

    @Test func `a value that is replaced meanwhile stays as it was replaced`() throws {
        let store = try Store()
        try fill(store, 1)
        let database = store.database

        let report = try database.rotateKeys(Self.sealer("new", "old")) { moment in
            guard moment == "rotate.secrets.writing" else { return }
            try? database.saveSecret(
                Secret("fresher"), scope: "user:0", provider: "openai", name: "KEY_0",
                sealer: Self.sealer("old"), at: store.start)
        }

        #expect(report.rotated == 0)
        #expect(try values(store, Self.sealer("old")) == [Secret("fresher")])
    }

    @Test func `what does not open is told and left as it is`() throws {
        let store = try Store()
        try fill(store, 1, key: "lost")
        try fill(store, 0)

        let report = try store.database.rotateKeys(Self.sealer("new", "old"))

        #expect(report.rotated == 0)
        #expect(report.keysInUse == ["lost"])
        #expect(report.failures.count == 1)
        #expect(report.failures[0].contains("openai/KEY_0 of user:0"))
        #expect(try store.database.closedSecrets(Self.sealer("new")).count == 1)
        #expect(try values(store, Self.sealer("lost")).count == 1)
    }

    @Test func `what bears the current key's name and does not open is told`() throws {
        let store = try Store()
        try fill(store, 3, key: "new")
        var other = Self.sealer("new")
        other = Sealer(
            seal: other.seal,
            open: { _, _ throws(Sealer.Failure) in throw Sealer.Failure("it does not open") },
            keyID: other.keyID, currentKey: "new")
        let report = try store.database.rotateKeys(other)
        #expect(report.failures.count == 3)
        #expect(report.current == 0)
    }

    @Test func `each change of a secret changes the version that other programs watch`() throws {
        let store = try Store()
        var versions = [try store.database.secretsVersion()]
        for value in ["a", "b"] {
            try store.database.saveSecret(
                Secret(value), scope: "shared", provider: "openai", name: "OPENAI_API_KEY",
                sealer: Self.sealer("k"), at: store.start)
            versions.append(try store.database.secretsVersion())
        }
        #expect(Set(versions).count == 3)
    }
}
