import Foundation
import PlaygroundFace

/// Fly's OpenAPI description, for checking what the face answers.
///
/// Stricter than the description in one way (no property that it does not name) and milder in one (Fly sends
/// null for what is absent).
struct FlyDescription: Sendable {
    /// Where the fixtures lie: `PORTER_FIXTURES`, else beside the checkout.
    static let folder =
        ProcessInfo.processInfo.environment["PORTER_FIXTURES"]
        ?? #filePath.split(separator: "/").dropLast(4).map { "/" + $0 }.joined() + "/shared/fixtures"
    static let file = folder + "/fly-machines-openapi.json"
    /// Whether the description can be had.
    static let isThere = FileManager.default.isReadableFile(atPath: file)

    private let schemas: JSON

    init?() {
        guard let data = FileManager.default.contents(atPath: Self.file), let document = JSON(data) else {
            return nil
        }
        schemas = document["components"]["schemas"]
    }

    /// What is wrong with the value as one of the named schema.
    func problems(_ value: JSON, as name: String) -> [String] {
        check(value, ["$ref": .string("#/components/schemas/" + name)], "")
    }

    private func check(_ value: JSON, _ schema: JSON, _ place: String) -> [String] {
        if let reference = schema["$ref"].string {
            return check(value, schemas[String(reference.split(separator: "/").last ?? "")], place)
        }
        if let part = schema["allOf"].array.first { return check(value, part, place) }
        if value == .null { return [] }
        switch (schema["type"].string, value) {
        case ("string", .string):
            let allowed = schema["enum"].array
            return allowed.isEmpty || allowed.contains(value)
                ? [] : ["\(place): \(value.text) is not allowed"]
        case ("integer", .integer), ("number", .integer), ("number", .number), ("boolean", .bool): return []
        case ("array", .array(let elements)):
            return elements.enumerated().flatMap { check($1, schema["items"], "\(place)[\($0)]") }
        case ("object", .object(let members)):
            let properties = schema["properties"].object
            return members.flatMap { name, member -> [String] in
                if let known = properties?[name] { return check(member, known, "\(place).\(name)") }
                if let other = schema["additionalProperties"].object {
                    return check(member, .object(other), "\(place).\(name)")
                }
                return properties == nil ? [] : ["\(place).\(name) is not described"]
            }
        default: return ["\(place): \(value.text) is no \(schema["type"].text)"]
        }
    }
}
