import PorterHTTP

/// The cookies of a request.
///
/// - SeeAlso: <https://www.rfc-editor.org/rfc/rfc6265#section-5.4>
struct Cookies {
    private var values: [String: String] = [:]

    init(_ request: Request) {
        for pair in request.fields.pairs where pair.name.lowercased() == "cookie" {
            for part in pair.value.split(separator: ";") {
                let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                guard sides.count == 2 else { continue }
                let name = sides[0].trimmed
                // Of two with one name the first counts, as the more specific one comes first.
                if values[name] == nil { values[name] = sides[1].trimmed }
            }
        }
    }

    subscript(name: String) -> String? { values[name] }

    /// The field that sets a cookie for this host only, out of scripts' and other sites' reach.
    ///
    /// - Parameter seconds: how long the browser keeps it; 0 makes it forget.
    static func set(_ name: String, _ value: String, seconds: Int) -> String {
        "\(name)=\(value); Path=/; Max-Age=\(seconds); Secure; HttpOnly; SameSite=Lax"
    }
}

extension Substring {
    /// Without spaces and tabs at both ends.
    fileprivate var trimmed: String {
        var text = drop { $0 == " " || $0 == "\t" }
        while text.last == " " || text.last == "\t" { text = text.dropLast() }
        return String(text)
    }
}
