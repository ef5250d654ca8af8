package import FoundationEssentials

/// Base 64 for addresses and JWT: `-` and `_`, without padding.
///
/// - SeeAlso: <https://www.rfc-editor.org/rfc/rfc4648#section-5>
package enum Base64URL {
    /// The bytes in that alphabet.
    package static func encode(_ bytes: some DataProtocol) -> String {
        Data(bytes).base64EncodedString().compactMap { character -> String? in
            switch character {
            case "+": "-"
            case "/": "_"
            case "=": nil
            default: String(character)
            }
        }.joined()
    }
}
