/// An API's published description, as far as contract tests need it.
package struct APIDescription: Sendable {
    private let document: JSONValue

    /// A description from OpenAPI 3 in JSON.
    package init(_ document: JSONValue) {
        self.document = document
    }

    /// One operation: a path template with its method.
    package struct Operation: Sendable {
        /// `GET /repos/{owner}/{repo}`.
        package let name: String
        fileprivate let value: JSONValue
        fileprivate let document: JSONValue
    }

    /// The operation of that template and method.
    package func operation(_ method: String, _ template: String) -> Operation? {
        document["paths"]?[template]?[method.lowercased()]
            .map { Operation(name: "\(method) \(template)", value: $0, document: document) }
    }

    /// Where the target's path and query are not those of the template, else nil.
    ///
    /// A placeholder takes one segment, the last one of `{path}` and `{ref}` as many as there are.
    package static func mismatch(_ target: Substring, _ template: String) -> String? {
        let path = target.prefix { $0 != "?" }.split(separator: "/", omittingEmptySubsequences: false)
        let pattern = template.split(separator: "/", omittingEmptySubsequences: false)
        for (index, part) in pattern.enumerated() {
            if ["{path}", "{ref}"].contains(part), index == pattern.count - 1 { return nil }
            guard index < path.count else { return "\(target) is shorter than \(template)" }
            if part.hasPrefix("{") { continue }
            guard part == path[index] else { return "\(path[index]) stands where \(template) has \(part)" }
        }
        return path.count == pattern.count ? nil : "\(target) is longer than \(template)"
    }
}

extension APIDescription.Operation {
    /// Names that the query may have.
    package var queryNames: Set<String> {
        let parameters = (value["parameters"]?.elements ?? []).map { parameter in
            parameter["$ref"]?.text.flatMap(document.at) ?? parameter
        }
        return Set(parameters.filter { $0["in"] == .string("query") }.compactMap { $0["name"]?.text })
    }

    /// What a body of JSON must look like, nil when the operation takes none.
    package var body: JSONSchema? {
        value["requestBody"]?.at("content")?["application/json"]?["schema"]
            .map { JSONSchema($0, in: document) }
    }

    /// Whether an answer of that status is described.
    package func describes(_ status: Int) -> Bool { value["responses"]?[String(status)] != nil }

    /// The schema of an answer of that status.
    package func answer(_ status: Int) -> JSONSchema? {
        content(status)?["schema"].map { JSONSchema($0, in: document) }
    }

    /// The examples of an answer of that status, by name.
    package func examples(_ status: Int) -> [String: JSONValue] {
        (content(status)?["examples"]?.members ?? [:]).compactMapValues { example in
            (example["$ref"]?.text.flatMap(document.at) ?? example)["value"]
        }
    }

    private func content(_ status: Int) -> JSONValue? {
        value["responses"]?[String(status)]?["content"]?["application/json"]
    }
}
