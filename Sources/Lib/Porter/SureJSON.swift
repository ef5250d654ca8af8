package import FoundationEssentials

/// JSON of values that can always be written: texts, whole numbers, and lists and objects of them.
package enum SureJSON {
    /// The value as UTF-8, its fields sorted by name.
    ///
    /// One that cannot be written is a defect of ours; to go on with less would store or send something else.
    package static func data(_ value: some Encodable) -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return try encoder.encode(value)
        } catch {
            preconditionFailure("a \(type(of: value)) that cannot be written: \(error)")
        }
    }

    /// The same as text.
    package static func text(_ value: some Encodable) -> String {
        String(decoding: data(value), as: UTF8.self)
    }
}
