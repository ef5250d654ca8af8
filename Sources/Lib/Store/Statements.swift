import CSQLite
import GRDB

/// The text of a statement that runs for every command on its way in.
///
/// It is known by its place in memory, which is found sooner than a text.
final class StatementText: Sendable {
    let sql: String

    init(_ sql: String) {
        self.sql = sql
    }
}

/// Statements that stay prepared on the writing connection and take their values straight from where they are.
///
/// GRDB looks a statement up by its text, makes an array of its values and an object of each row: of what committing
/// a command took the processor, a quarter. For all but the way in that does not matter.
///
/// Like GRDB's own statements they are not run once a failure has rolled the transaction back.
final class Statements {
    private let db: GRDB.Database
    private var prepared: [ObjectIdentifier: Prepared] = [:]

    /// For one connection, used where that is.
    init(_ db: GRDB.Database) {
        self.db = db
    }

    /// Gives all statements back to the connection.
    func forget() {
        prepared = [:]
    }

    /// Runs a statement that answers nothing, in an open transaction.
    func run(_ text: StatementText, _ bind: (inout StatementValues) -> Void) throws {
        _ = try step(text, bind)
    }

    /// Whether the statement answers a row.
    func findsRow(_ text: StatementText, _ bind: (inout StatementValues) -> Void) throws -> Bool {
        try step(text, bind)
    }

    private func step(_ text: StatementText, _ bind: (inout StatementValues) -> Void) throws -> Bool {
        guard db.isInsideTransaction else {
            throw DatabaseError(resultCode: .SQLITE_ABORT, message: "the transaction is over", sql: text.sql)
        }
        let statement = try statement(text)
        var values = StatementValues(statement.pointer)
        // What was bound may be a whole issue's text.
        defer { sqlite3_clear_bindings(statement.pointer) }
        bind(&values)
        try values.check(text)
        let code = sqlite3_step(statement.pointer)
        defer { sqlite3_reset(statement.pointer) }
        switch code {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        default:
            throw DatabaseError(
                resultCode: ResultCode(rawValue: sqlite3_extended_errcode(db.sqliteConnection)),
                message: String(cString: sqlite3_errmsg(db.sqliteConnection)), sql: text.sql)
        }
    }

    private func statement(_ text: StatementText) throws -> Prepared {
        if let known = prepared[ObjectIdentifier(text)] { return known }
        let made = try Prepared(text, db)
        prepared[ObjectIdentifier(text)] = made
        return made
    }
}

/// A statement as SQLite has it.
private struct Prepared {
    /// Keeps what the pointer shows, and the text whose place is its name.
    private let owners: (Statement, StatementText)
    let pointer: OpaquePointer

    init(_ text: StatementText, _ db: GRDB.Database) throws {
        let statement = try db.makeStatement(sql: text.sql)
        owners = (statement, text)
        pointer = statement.sqliteStatement
    }
}

/// The values of a statement, added in the order of its places.
struct StatementValues {
    private let statement: OpaquePointer
    private var count: Int32 = 0
    /// Why a value could not be taken.
    private var failure: Int32?

    fileprivate init(_ statement: OpaquePointer) {
        self.statement = statement
    }

    /// The next value is a number.
    mutating func add(_ number: some FixedWidthInteger) {
        count += 1
        note(sqlite3_bind_int64(statement, count, Int64(number)))
    }

    /// The next value is a number, or NULL.
    mutating func add(_ number: Int64?) {
        guard let number else { return skip() }
        add(number)
    }

    /// The next value is a text, or NULL.
    mutating func add(_ text: String?) {
        guard var text else { return skip() }
        count += 1
        note(text.withUTF8 { porter_sqlite_bind_text(statement, count, $0.baseAddress, $0.count) })
    }

    /// The next value is a blob.
    mutating func add(_ bytes: [UInt8]) {
        count += 1
        note(bytes.withUnsafeBytes { porter_sqlite_bind_blob(statement, count, $0.baseAddress, $0.count) })
    }

    /// Refuses what SQLite could not take, and any other number of values than the statement has places.
    fileprivate func check(_ text: StatementText) throws {
        let places = sqlite3_bind_parameter_count(statement)
        guard let code = failure ?? (count == places ? nil : SQLITE_RANGE) else { return }
        throw DatabaseError(
            resultCode: ResultCode(rawValue: code),
            message: "\(count) values for \(places) places: \(String(cString: sqlite3_errstr(code)))",
            sql: text.sql)
    }

    private mutating func skip() {
        count += 1
    }

    private mutating func note(_ code: Int32) {
        if code != SQLITE_OK { failure = failure ?? code }
    }
}
