import FoundationEssentials
import PorterHTTP

/// A request that is answered with an error: `{"error": …}`, as Fly does.
struct Refusal: Error, Equatable {
    let status: Int
    /// What is wrong, naming the field.
    let words: String
    /// The methods that the route has, with a 405.
    let allowed: String?

    init(_ status: Int, _ words: String, allowed: String? = nil) {
        self.status = status
        self.words = words
        self.allowed = allowed
    }

    /// What a decoder found, in the API's words.
    init(_ error: DecodingError) {
        func path(_ context: DecodingError.Context, _ key: (any CodingKey)? = nil) -> String {
            (context.codingPath + (key.map { [$0] } ?? [])).map(\.stringValue).joined(separator: ".")
        }
        switch error {
        case .typeMismatch(_, let context) where context.codingPath.isEmpty:
            self.init(400, "the body is no JSON object")
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            self.init(422, "\(path(context)) has the wrong type")
        case .keyNotFound(let key, let context): self.init(422, "\(path(context, key)) is missing")
        case .dataCorrupted(let context) where !context.codingPath.isEmpty:
            self.init(422, "\(path(context)) cannot be read")
        default: self.init(400, "the body is no JSON")
        }
    }

    /// The answer.
    var response: Response {
        var response = Response(
            status: status, fields: ["Content-Type": "application/json"],
            body: Data(MachineRecord.encode(["error": words])))
        if let allowed { response.fields["Allow"] = allowed }
        return response
    }
}
