import FoundationEssentials
import PorterHTTP

/// Reads JSON bodies, and says in words what is wrong with one.
enum Bodies {
    /// Decodes the body.
    ///
    /// - Throws: 400 when it is no JSON object, 422 naming the field that is missing or of another kind.
    static func read<Body: Decodable>(_ type: Body.Type, _ exchange: Exchange) throws(Failure) -> Body {
        guard exchange.isWhole else { throw .body("The body is shorter than its Content-Length.") }
        let body = exchange.request.body
        guard String(validating: body, as: UTF8.self) != nil else {
            throw .body("The body is not UTF-8.")
        }
        do {
            return try JSONDecoder().decode(type, from: body)
        } catch DecodingError.keyNotFound(let key, let context) {
            throw .field(path(context.codingPath + [key]), "is missing.")
        } catch DecodingError.typeMismatch(let type, let context) {
            throw mismatch(context, "is not \(words(for: type)).")
        } catch DecodingError.valueNotFound(let type, let context) {
            throw mismatch(context, "is null and must be \(words(for: type)).")
        } catch DecodingError.dataCorrupted(let context) where !context.codingPath.isEmpty {
            throw .field(path(context.codingPath), "has a value that cannot be.")
        } catch {
            throw .body("The body is not JSON.")
        }
    }

    private static func mismatch(_ context: DecodingError.Context, _ message: String) -> Failure {
        context.codingPath.isEmpty
            ? .body("The body is not a JSON object.") : .field(path(context.codingPath), message)
    }

    private static func path(_ keys: [any CodingKey]) -> String {
        keys.map(\.stringValue).joined(separator: ".")
    }

    private static func words(for type: Any.Type) -> String {
        switch type {
        case is String.Type: "text"
        case is Bool.Type: "true or false"
        case is Int.Type, is Int64.Type: "a whole number"
        case is Double.Type: "a number"
        default: "an object"
        }
    }
}
