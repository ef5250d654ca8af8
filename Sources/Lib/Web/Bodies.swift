import FoundationEssentials
import PorterHTTP

/// Reads JSON bodies, and says in words what is wrong with one.
enum Bodies {
    /// Decodes the body of a person's request, which holds those fields and no other: a name that is written wrong must
    /// not pass for one that was left out.
    ///
    /// - Throws: as the other, and 422 naming a field that is not known.
    static func read<Body: Decodable>(
        _ type: Body.Type, only known: [String], _ exchange: Exchange
    ) throws(Failure) -> Body {
        let given = try read([String: JSON].self, exchange)
        if let name = given.keys.sorted().first(where: { !known.contains($0) }) {
            let names = known.joined(separator: ", ")
            throw .field(
                String(name.prefix(64)),
                "is not known here; there \(known.count == 1 ? "is" : "are") \(names).")
        }
        return try read(type, exchange)
    }

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
