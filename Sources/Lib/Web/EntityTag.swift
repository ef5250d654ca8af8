import FoundationEssentials
import Porter
import PorterCrypto
import PorterHTTP

/// Tags by which a client asks only for what has changed.
///
/// - SeeAlso: <https://www.rfc-editor.org/rfc/rfc9110#section-8.8.3>
enum EntityTag {
    /// A tag that changes with the contents, and with nothing else.
    static func make(_ contents: some Sequence<UInt8>) -> String {
        "\"\(SHA256.digest(Array(contents)).prefix(16).hexadecimal)\""
    }

    /// Whether a condition names the tag: `*`, or a list that holds it.
    static func names(_ condition: String, _ tag: String) -> Bool {
        condition.split(separator: ",").contains { part in
            let text = part.filter { $0 != " " }
            return text == "*" || text == tag || text == "W/" + tag
        }
    }
}

extension Response {
    /// The answer with a tag of its contents; as 304 without them when the client has them already.
    ///
    /// Pages ask for the same every few seconds, and mostly nothing has changed.
    func unlessKnown(to request: Request) -> Response {
        guard status == 200 else { return self }
        let tag = EntityTag.make(body)
        if let condition = request.fields["If-None-Match"], EntityTag.names(condition, tag) {
            return Response(status: 304, fields: ["ETag": tag, "Cache-Control": "no-store"])
        }
        var response = self
        response.fields["ETag"] = tag
        return response
    }
}
