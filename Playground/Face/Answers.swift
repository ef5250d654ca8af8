import Foundation
package import PorterHTTP

extension Response {
    /// An answer in JSON.
    package static func json(_ status: Int, _ body: JSON, _ fields: Fields = Fields()) -> Response {
        var fields = fields
        fields["Content-Type"] = "application/json"
        return Response(status: status, fields: fields, body: body.data)
    }

    /// An answer in plain text.
    package static func text(_ status: Int, _ text: String) -> Response {
        Response(
            status: status, fields: ["Content-Type": "text/plain; charset=utf-8"], body: Data(text.utf8))
    }
}

extension Request {
    /// What was asked for, without the query, undecoded.
    package var path: String { String(target.prefix { $0 != "?" }) }

    /// The query's pairs in order, decoded.
    package var query: [(name: String, value: String)] {
        let text = target.drop { $0 != "?" }.dropFirst()
        return text.split(separator: "&").map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (Self.decoded(parts[0]), parts.count == 2 ? Self.decoded(parts[1]) : "")
        }
    }

    private static func decoded(_ text: Substring) -> String {
        let spaced = String(text.map { $0 == "+" ? " " : $0 })
        return spaced.removingPercentEncoding ?? spaced
    }
}
