import FoundationEssentials
import Porter

/// A text as JSON, the form in which settings rest.
package enum JSONText {
    /// The JSON of a text.
    package static func encoded(_ text: String) -> String { SureJSON.text(text) }

    /// The text of its JSON; nil when it is none.
    package static func decoded(_ json: String) -> String? {
        try? JSONDecoder().decode(String.self, from: Data(json.utf8))
    }
}
