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
        if let problem = JSONGrammar.problem(in: body) { throw Failure(problem) }
        do {
            return try JSONDecoder().decode(type, from: body)
        } catch {
            guard let field = JSONField(error) else {
                throw .body("The body is JSON with a value that cannot be.")
            }
            guard !field.name.isEmpty else { throw .body("The body is not a JSON object.") }
            throw .field(field.name, field.problem)
        }
    }
}

extension Failure {
    fileprivate init(_ problem: JSONGrammar.Problem) {
        switch (problem.field, problem.isJSON) {
        case (let field?, true): self = .field(field, problem.words)
        case (nil, true): self = .body("The body \(problem.words)")
        case (_, false): self = .body("The body is not JSON: \(problem.words)")
        }
    }
}
