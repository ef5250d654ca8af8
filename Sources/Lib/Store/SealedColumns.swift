import Foundation
import GRDB
package import Porter

/// The places at which sealed values rest; whatever seals or opens one takes its place from here.
extension Sealer.Place {
    /// A secret of a scope.
    static func secret(scope: String, provider: String, name: String) -> Sealer.Place {
        Sealer.Place(table: "secrets", column: "sealed", row: "\(provider)/\(name)", owner: scope)
    }

    /// The token of an attempt's machine.
    package static func machineToken(_ task: TaskID, attempt: Int) -> Sealer.Place {
        ofAttempt(task.rawValue, attempt, "machine_token_sealed")
    }

    /// The answer to an attempt's claim.
    package static func claim(_ task: TaskID, attempt: Int) -> Sealer.Place {
        ofAttempt(task.rawValue, attempt, "claim_sealed")
    }

    /// A GitHub token that a worker was given.
    package static func givenToken(_ row: Int64, of task: TaskID) -> Sealer.Place {
        givenToken(row, task.rawValue)
    }

    fileprivate static func ofAttempt(_ task: String, _ attempt: Int, _ column: String) -> Sealer.Place {
        Sealer.Place(table: "attempts", column: column, row: "\(task)/\(attempt)", owner: "task:\(task)")
    }

    fileprivate static func ofPerson(_ id: Int64, _ column: String) -> Sealer.Place {
        Sealer.Place(table: "user_tokens", column: column, row: "\(id)", owner: "user:\(id)")
    }

    fileprivate static func givenToken(_ row: Int64, _ task: String) -> Sealer.Place {
        Sealer.Place(table: "tokens", column: "sealed", row: "\(row)", owner: "task:\(task)")
    }
}

/// A column whose values are sealed, for whatever must look at all of them: rotation and the log's redactor.
///
/// A test holds the list to the schema: a column named `…sealed` that is not here fails it.
struct SealedColumn: Sendable {
    let table: String
    let column: String
    /// The columns of the primary key.
    let keys: [String]
    /// Whether each value is one secret that no log may show; an answer that holds several is not.
    let isSecret: Bool
    /// Where the rows with a value are among those of a long history, whose other rows have none any more.
    let live: (index: String, condition: String)?
    /// The place of a row's value.
    let place: @Sendable (Row) -> Sealer.Place

    init(
        _ table: String, _ column: String, keys: [String], isSecret: Bool = true,
        live: (index: String, condition: String)? = nil, place: @escaping @Sendable (Row) -> Sealer.Place
    ) {
        self.table = table
        self.column = column
        self.keys = keys
        self.isSecret = isSecret
        self.live = live
        self.place = place
    }

    /// All of them.
    static let all: [SealedColumn] = [
        SealedColumn("secrets", "sealed", keys: ["scope", "provider", "name"]) {
            .secret(scope: $0["scope"], provider: $0["provider"], name: $0["name"])
        },
        SealedColumn(
            "attempts", "machine_token_sealed", keys: ["task_id", "number"],
            live: ("attempts_alive", "gone_at IS NULL")
        ) {
            .ofAttempt($0["task_id"], $0["number"], "machine_token_sealed")
        },
        SealedColumn("attempts", "claim_sealed", keys: ["task_id", "number"], isSecret: false) {
            .ofAttempt($0["task_id"], $0["number"], "claim_sealed")
        },
        SealedColumn(
            "tokens", "sealed", keys: ["id", "task_id"], live: ("tokens_live", "revoked_at IS NULL")
        ) {
            .givenToken($0["id"], $0["task_id"])
        },
        SealedColumn("user_tokens", "access_sealed", keys: ["person_id"]) {
            .ofPerson($0["person_id"], "access_sealed")
        },
        SealedColumn("user_tokens", "refresh_sealed", keys: ["person_id"]) {
            .ofPerson($0["person_id"], "refresh_sealed")
        },
    ]

    /// The rows that hold a value after the one whose key is given, in the order of the key.
    ///
    /// - Parameter isQuick: looks where live rows are, for whoever looks often; otherwise at all rows.
    func rows(
        after key: [DatabaseValue]?, most: Int, isQuick: Bool = false, _ db: GRDB.Database
    ) throws -> [Row] {
        try Row.fetchAll(
            db, sql: statement(isFirst: key == nil, most: most, isQuick: isQuick),
            arguments: StatementArguments(key ?? []))
    }

    /// What ``rows(after:most:isQuick:_:)`` asks.
    func statement(isFirst: Bool, most: Int, isQuick: Bool) -> String {
        let list = keys.joined(separator: ", ")
        let marks = keys.map { _ in "?" }.joined(separator: ", ")
        let rest = isFirst ? "" : "AND (\(list)) > (\(marks))"
        let place = isQuick ? live : nil
        return """
            SELECT \(list), \(column) FROM \(table) \(place.map { "INDEXED BY \($0.index)" } ?? "")
            WHERE \(column) IS NOT NULL \(place.map { "AND \($0.condition)" } ?? "") \(rest)
            ORDER BY \(list) LIMIT \(most)
            """
    }

    /// The row's primary key.
    func key(of row: Row) -> [DatabaseValue] {
        keys.map { row[$0] as DatabaseValue }
    }
}
