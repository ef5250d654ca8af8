import Foundation
import GRDB
package import Porter

/// What a rotation found and did.
package struct RotationReport: Equatable, Sendable {
    /// Values that are sealed with the current key now and were not before.
    package var rotated = 0
    /// Values that were sealed with it already.
    package var current = 0
    /// Values that could not be opened: where, and why; never a value.
    package var failures: [String] = []
    /// Ids of keys, other than the current one, that a value is still sealed with.
    package var keysInUse: Set<String> = []

    /// Nothing was found yet.
    package init() {}

    init(rotated: Int, current: Int = 0) {
        self.rotated = rotated
        self.current = current
    }
}

extension Database {
    /// Values that one transaction of a rotation seals anew.
    static let rotationBatch = 100

    /// Seals every sealed value of the database anew with the current key.
    ///
    /// Each value changes in one transaction, from one sealed form to the other, and what is done is known by the
    /// key that a value names: a rotation that is killed loses nothing, and the next one does the rest. It may run
    /// beside the programs, as long as they know both keys.
    ///
    /// - Parameter moment: called before and after each batch is committed; tests end the process there.
    package func rotateKeys(
        _ sealer: Sealer, moment: (String) -> Void = { _ in }
    ) throws(StoreError) -> RotationReport {
        var report = RotationReport()
        for column in SealedColumn.all {
            var last: [DatabaseValue]?
            while true {
                let from = last
                moment("rotate.\(column.table).reading")
                let rows = try read("read sealed values") { db in
                    try column.rows(after: from, most: Self.rotationBatch, db)
                }
                guard let end = rows.last else { break }
                last = column.key(of: end)
                let renewed = renew(rows, column, sealer, &report)
                moment("rotate.\(column.table).writing")
                report.rotated += try replace(renewed, in: column)
                moment("rotate.\(column.table).written")
            }
        }
        return report
    }

    private struct Renewed {
        let key: [DatabaseValue]
        let before: Data
        let after: Data
    }

    private func renew(
        _ rows: [Row], _ column: SealedColumn, _ sealer: Sealer, _ report: inout RotationReport
    ) -> [Renewed] {
        var renewed: [Renewed] = []
        for row in rows {
            let before: Data = row[column.column]
            // A row that was made a moment ago and is sealed in the same transaction never shows like this.
            let id = sealer.keyID([UInt8](before))
            let place = column.place(row)
            do throws(Sealer.Failure) {
                // What bears the current key's name is opened, too: another key may have been given that name.
                let value = try sealer.open([UInt8](before), place)
                guard id != sealer.currentKey else {
                    report.current += 1
                    continue
                }
                let after = try sealer.seal(value, place)
                renewed.append(Renewed(key: column.key(of: row), before: before, after: after.asData))
            } catch {
                report.failures.append("\(place.table) \(place.row) of \(place.owner): \(error)")
                if let id { report.keysInUse.insert(id) }
            }
        }
        return renewed
    }

    /// Writes the new forms over the old ones; a value that somebody has changed meanwhile stays as it is.
    private func replace(_ renewed: [Renewed], in column: SealedColumn) throws(StoreError) -> Int {
        guard !renewed.isEmpty else { return 0 }
        let match = column.keys.map { "\($0) = ?" }.joined(separator: " AND ")
        return try write("rotate keys") { transaction in
            var changed = 0
            for value in renewed {
                let arguments = [value.after.databaseValue] + value.key + [value.before.databaseValue]
                changed += try transaction.run(
                    "UPDATE \(column.table) SET \(column.column) = ? WHERE \(match) AND \(column.column) = ?",
                    StatementArguments(arguments))
            }
            return changed
        }
    }

    /// A number that grows whenever a secret of a person, of the team or of the instance is stored or replaced.
    package func secretsVersion() throws(StoreError) -> Int64 {
        try read("look for new secrets") { db in
            try Int64.fetchOne(
                db.cachedStatement(sql: "SELECT version FROM secrets_version WHERE id = 1")) ?? 0
        }
    }

    /// Opens every secret that rests in the database, for a redactor; what does not open is passed over.
    ///
    /// - Parameter take: gets each with its owner as ``Sealer/Place`` names it.
    package func eachSecret(
        _ sealer: Sealer, _ take: (Secret, _ owner: String) -> Void
    ) throws(StoreError) {
        for column in SealedColumn.all where column.isSecret {
            var last: [DatabaseValue]?
            while true {
                let from = last
                let rows = try read("read sealed values") { db in
                    try column.rows(after: from, most: Self.rotationBatch, isQuick: true, db)
                }
                guard let end = rows.last else { break }
                last = column.key(of: end)
                for row in rows {
                    let sealed: Data = row[column.column]
                    let place = column.place(row)
                    if let secret = try? sealer.open([UInt8](sealed), place) { take(secret, place.owner) }
                }
            }
        }
    }

    /// The secrets that do not open: where, and why; never a value.
    package func closedSecrets(_ sealer: Sealer) throws(StoreError) -> [String] {
        let column = SealedColumn.all[0]
        var closed: [String] = []
        var last: [DatabaseValue]?
        while true {
            let from = last
            let rows = try read("read sealed values") { db in
                try column.rows(after: from, most: Self.rotationBatch, db)
            }
            guard let end = rows.last else { return closed }
            last = column.key(of: end)
            for row in rows {
                let sealed: Data = row[column.column]
                let place = column.place(row)
                do throws(Sealer.Failure) {
                    _ = try sealer.open([UInt8](sealed), place)
                } catch {
                    closed.append("\(place.row) of \(place.owner): \(error)")
                }
            }
        }
    }
}
