/// Encrypts what must rest in the database, bound to the place where it rests.
///
/// The live value uses AES-256-GCM under `PORTER_SECRET_KEYS`. A sealed value that is moved to another
/// table, column, row or owner does not open.
package struct Sealer: Sendable {
    /// The place that a sealed value belongs to.
    package struct Place: Hashable, Sendable {
        /// The table's name.
        package let table: String
        /// The column's name.
        package let column: String
        /// The row's key, as text.
        package let row: String
        /// Whose it is: a numeric id with its kind, such as `user:583231`, or `instance`.
        package let owner: String

        /// Names the place.
        package init(table: String, column: String, row: String, owner: String) {
            self.table = table
            self.column = column
            self.row = row
            self.owner = owner
        }
    }

    /// A sealed value could not be opened: its key is not configured, or it is not what was sealed here.
    package struct Failure: Error, Equatable, CustomStringConvertible {
        /// What is wrong, without any of the value.
        package let description: String

        /// A failure with its description.
        package init(_ description: String) {
            self.description = description
        }
    }

    /// Seals the value for the place.
    package var seal: @Sendable (_ value: Secret, _ place: Place) throws(Failure) -> [UInt8]

    /// Opens what ``seal`` made for the same place.
    package var open: @Sendable (_ sealed: [UInt8], _ place: Place) throws(Failure) -> Secret

    /// The id of the key that a sealed value names; nil when it is no sealed value.
    package var keyID: @Sendable (_ sealed: [UInt8]) -> String?

    /// The id of the key that ``seal`` uses.
    package var currentKey: String

    /// A sealer of the closures; one without keys of its own seals everything alike.
    package init(
        seal: @escaping @Sendable (_ value: Secret, _ place: Place) throws(Failure) -> [UInt8],
        open: @escaping @Sendable (_ sealed: [UInt8], _ place: Place) throws(Failure) -> Secret,
        keyID: @escaping @Sendable (_ sealed: [UInt8]) -> String? = { _ in "" }, currentKey: String = ""
    ) {
        self.seal = seal
        self.open = open
        self.keyID = keyID
        self.currentKey = currentKey
    }
}
