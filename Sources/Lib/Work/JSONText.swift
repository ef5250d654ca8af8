import FoundationEssentials

/// A text as JSON, the form in which settings rest.
package enum JSONText {
    /// The JSON of a text.
    package static func encoded(_ text: String) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes]
        guard let data = try? encoder.encode(text) else { return "\"\"" }
        return String(decoding: data, as: UTF8.self)
    }

    /// The text of its JSON; nil when it is none.
    package static func decoded(_ json: String) -> String? {
        try? JSONDecoder().decode(String.self, from: Data(json.utf8))
    }
}
