import Foundation

/// Checks values against the JSON Schema of an API's description, OpenAPI 3.0 and 3.1 alike.
///
/// Small, and honest about it: a keyword that it does not understand is a problem of its own, so that
/// nothing passes because it was overlooked.
package struct JSONSchema: Sendable {
    /// The document that `$ref` points into.
    private let root: JSONValue
    private let schema: JSONValue

    /// A schema that stands in the document.
    package init(_ schema: JSONValue, in root: JSONValue) {
        self.root = root
        self.schema = schema
    }

    /// What only describes.
    private static let annotations: Set<String> = [
        "description", "title", "format", "default", "example", "examples", "deprecated", "readOnly",
        "writeOnly", "discriminator", "externalDocs", "xml", "nullable", "$schema", "$id", "$defs",
        "definitions", "$comment",
    ]

    /// What is wrong with the value, each with its place; empty when it is as described.
    package func problems(_ value: JSONValue) -> [String] {
        problems(value, schema, "$")
    }

    private func problems(_ value: JSONValue, _ schema: JSONValue, _ place: String) -> [String] {
        if case .bool(let allows) = schema { return allows ? [] : ["\(place): nothing is allowed here"] }
        guard case .object(let keywords) = schema else { return ["\(place): the schema is no object"] }
        if value == .null, keywords["nullable"] == .bool(true) { return [] }
        return keywords.sorted { $0.key < $1.key }.flatMap { keyword, rule in
            apply(keyword, rule, keywords, value, place)
        }
    }

    private func apply(
        _ keyword: String, _ rule: JSONValue, _ all: [String: JSONValue], _ value: JSONValue, _ place: String
    ) -> [String] {
        switch keyword {
        case "$ref":
            guard let target = rule.text.flatMap(root.at) else { return ["\(place): \(rule) leads nowhere"] }
            return problems(value, target, place)
        case "type":
            let names = rule.text.map { [$0] } ?? rule.elements.compactMap(\.text)
            return names.contains { Self.isOf($0, value) }
                ? [] : ["\(place): \(value.kind) is not \(names.joined(separator: " or "))"]
        case "enum":
            return rule.elements.contains(value) ? [] : ["\(place): \(value) is not one of the listed values"]
        case "const": return rule == value ? [] : ["\(place): \(value) is not \(rule)"]
        case "allOf": return rule.elements.flatMap { problems(value, $0, place) }
        case "anyOf", "oneOf":
            let found = rule.elements.map { problems(value, $0, place) }
            let fitting = found.filter(\.isEmpty).count
            if keyword == "oneOf", fitting > 1 { return ["\(place): fits \(fitting) of oneOf"] }
            let nearest = found.min { $0.count < $1.count } ?? []
            return fitting > 0 ? [] : ["\(place): fits none of \(keyword)"] + nearest
        case "properties", "required", "additionalProperties":
            return object(keyword, rule, all, value, place)
        case "items":
            return value.elements.enumerated().flatMap { problems($1, rule, "\(place)[\($0)]") }
        case "minItems", "maxItems", "minLength", "maxLength", "minimum", "maximum":
            return bound(keyword, rule, value, place)
        case "pattern":
            guard let pattern = rule.text, let text = value.text else { return [] }
            return text.range(of: pattern, options: .regularExpression) == nil
                ? ["\(place): does not match \(pattern)"] : []
        case _ where Self.annotations.contains(keyword) || keyword.hasPrefix("x-"): return []
        default: return ["\(place): the checker does not know the keyword \(keyword)"]
        }
    }

    private func object(
        _ keyword: String, _ rule: JSONValue, _ all: [String: JSONValue], _ value: JSONValue, _ place: String
    ) -> [String] {
        guard case .object(let members) = value else { return [] }
        switch keyword {
        case "properties":
            return rule.members.sorted { $0.key < $1.key }.flatMap { name, schema in
                members[name].map { problems($0, schema, "\(place).\(name)") } ?? []
            }
        case "required":
            return rule.elements.compactMap(\.text).filter { members[$0] == nil }
                .map { "\(place): \($0) is missing" }
        default:
            let known = all["properties"]?.members ?? [:]
            return members.filter { known[$0.key] == nil }.sorted { $0.key < $1.key }
                .flatMap { problems($1, rule, "\(place).\($0)") }
        }
    }

    private func bound(_ keyword: String, _ rule: JSONValue, _ value: JSONValue, _ place: String) -> [String]
    {
        let size: Double? =
            switch (keyword, value) {
            case ("minItems", .array(let elements)), ("maxItems", .array(let elements)):
                Double(elements.count)
            case ("minLength", .string(let text)), ("maxLength", .string(let text)):
                Double(text.unicodeScalars.count)
            case ("minimum", _), ("maximum", _): value.double
            default: nil
            }
        guard let size, let limit = rule.double else { return [] }
        let isSound = keyword.hasPrefix("min") ? size >= limit : size <= limit
        return isSound ? [] : ["\(place): \(keyword) is \(limit), and it has \(size)"]
    }

    private static func isOf(_ name: String, _ value: JSONValue) -> Bool {
        switch (name, value) {
        case ("null", .null), ("boolean", .bool), ("string", .string), ("array", .array),
            ("object", .object), ("integer", .integer), ("number", .integer), ("number", .number):
            true
        case ("integer", .number(let number)): number == number.rounded()
        default: false
        }
    }
}

extension JSONSchema {
    /// What happens to the members of an object that the schema does not require.
    package enum Thinning: Sendable, CaseIterable {
        /// They are left out.
        case dropped
        /// They are null, and so is all that may be.
        case nulled
    }

    /// The poorest form of the value that the description still allows (or, nulled, that GitHub sends).
    package func thinned(_ value: JSONValue, _ thinning: Thinning) -> JSONValue {
        thin(value, schema, thinning)
    }

    private func thin(_ value: JSONValue, _ schema: JSONValue, _ thinning: Thinning) -> JSONValue {
        if let target = schema["$ref"]?.text.flatMap(root.at) { return thin(value, target, thinning) }
        for keyword in ["anyOf", "oneOf", "allOf"] {
            guard let parts = schema[keyword]?.elements else { continue }
            let fitting = parts.first { problems(value, $0, "$").isEmpty } ?? parts.first
            if let fitting { return thin(value, fitting, thinning) }
        }
        switch value {
        case .array(let elements):
            guard let items = schema["items"] else { return value }
            return .array(elements.map { thin($0, items, thinning) })
        case .object(let members):
            let required = Set((schema["required"]?.elements ?? []).compactMap(\.text))
            var kept: [String: JSONValue] = [:]
            for (name, member) in members {
                guard let schema = schema["properties"]?[name] else { continue }
                if required.contains(name) {
                    let mayBeNull = thinning == .nulled && problems(.null, schema, "$").isEmpty
                    kept[name] = mayBeNull ? .null : thin(member, schema, thinning)
                } else if thinning == .nulled {
                    kept[name] = .null
                }
            }
            return .object(kept)
        default: return value
        }
    }
}

extension JSONValue {
    fileprivate var double: Double? {
        switch self {
        case .integer(let integer): Double(integer)
        case .number(let number): number
        default: nil
        }
    }

    fileprivate var kind: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .integer: "an integer"
        case .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}
