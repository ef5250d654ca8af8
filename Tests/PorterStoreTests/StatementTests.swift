import GRDB
import Porter
import Testing

@testable import PorterStore

/// What runs past GRDB fails as GRDB does.
@Suite struct StatementTests {
    private static let insert = StatementText("INSERT INTO marks (name, value, at) VALUES (?, ?, ?)")
    private static let find = StatementText("SELECT 1 FROM marks WHERE name = ? AND value = ?")

    private static func add(_ name: String, _ value: String?, _ transaction: Transaction) throws {
        try transaction.statements.run(insert) {
            $0.add(name)
            $0.add(value)
            $0.add(1)
        }
    }

    private static func isThere(_ name: String, _ value: String, _ transaction: Transaction) throws -> Bool {
        try transaction.statements.findsRow(find) {
            $0.add(name)
            $0.add(value)
        }
    }

    @Test func `texts are stored as they are, empty or long, and found again`() throws {
        let store = try Store()
        let long = String(repeating: "grüße 🎉 ", count: 10_000)
        try store.database.write("test") { transaction in
            for (name, value) in [("empty", ""), ("long", long), ("", "nameless")] {
                try Self.add(name, value, transaction)
                #expect(try Self.isThere(name, value, transaction))
                #expect(try !Self.isThere(name, value + "x", transaction))
            }
        }
        #expect(
            try store.value("SELECT length(value) FROM marks WHERE name = 'long'")
                == long.unicodeScalars.count)
    }

    @Test func `a value that is missing, or one too many, is refused and not taken from the last run`() throws
    {
        let store = try Store()
        for places in [2, 4] {
            let error = #expect(throws: StoreError.self) {
                try store.database.write("test") { transaction in
                    try Self.add("first \(places)", "a", transaction)
                    try transaction.statements.run(Self.insert) { values in
                        for _ in 0..<places { values.add("x") }
                    }
                }
            }
            #expect(error?.message.contains("values for 3 places") == true)
        }
        #expect(try store.value("SELECT count(*) FROM marks") == 0)
    }

    @Test func `a rule of the schema refuses the write, and those beside it are committed`() throws {
        let store = try Store()
        let error = #expect(throws: StoreError.self) {
            try store.database.write("test") { try Self.add("a", nil, $0) }
        }
        #expect(error?.code == .refused)
        #expect(error?.message.contains("NOT NULL") == true)
        try store.database.write("test") { try Self.add("a", "b", $0) }
        #expect(try store.value("SELECT count(*) FROM marks WHERE name = 'a'") == 1)
    }

    @Test func `nothing is written once the transaction is rolled back`() throws {
        let store = try Store()
        #expect(throws: StoreError.self) {
            try store.database.write("test") { transaction in
                try Self.add("before", "a", transaction)
                try transaction.db.execute(sql: "ROLLBACK")
                try Self.add("after", "a", transaction)
            }
        }
        #expect(try store.value("SELECT count(*) FROM marks") == 0)
    }

    @Test func `a statement goes on after the schema has changed`() throws {
        let store = try Store()
        try store.database.write("test") { try Self.add("a", "b", $0) }
        try store.run("ALTER TABLE marks ADD COLUMN more TEXT")
        try store.database.write("test") { transaction in
            try Self.add("c", "d", transaction)
            #expect(try Self.isThere("c", "d", transaction))
        }
    }
}
