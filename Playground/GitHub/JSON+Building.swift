import PlaygroundFace

/// What GitHub's answers, hundreds of fields that no program here reads, are put together with.
extension JSON {
    /// A whole number.
    static func int(_ value: Int) -> JSON { .integer(Int64(value)) }

    /// A whole number.
    static func int(_ value: Int64) -> JSON { .integer(value) }

    /// The whole number, if it is one.
    var int: Int64? { integer.map(Int64.init) }

    /// Whether it is `null`.
    var isNull: Bool { self == .null }

    /// The value, or `null` for none.
    static func some(_ value: String?) -> JSON { value.map(JSON.string) ?? .null }

    /// The value, or `null` for none.
    static func some(_ value: Int64?) -> JSON { value.map(JSON.integer) ?? .null }

    /// A list of strings.
    static func strings(_ values: some Sequence<String>) -> JSON { .array(values.map(JSON.string)) }

    /// An object with the members of both; the right one wins.
    static func + (left: JSON, right: JSON) -> JSON {
        .object((left.object ?? [:]).merging(right.object ?? [:]) { $1 })
    }
}
