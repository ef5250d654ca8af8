import FoundationEssentials

/// A JSON value that is written as it was built: every named field is there, absent ones as `null`.
enum JSON: Codable, Hashable, Sendable {
    case null
    case bool(Bool)
    case int(Int64)
    case number(Double)
    case string(String)
    case array([JSON])
    case object([String: JSON])

    /// The text, or null.
    static func text(_ value: String?) -> JSON { value.map(JSON.string) ?? .null }

    /// The whole number, or null.
    static func whole(_ value: Int?) -> JSON { value.map { .int(Int64($0)) } ?? .null }

    /// The value as UTF-8, its fields sorted by name.
    var data: Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return try encoder.encode(self)
        } catch {
            // Only a number that is no number cannot be written, and none is ever built.
            preconditionFailure("JSON that cannot be written: \(error)")
        }
    }

    /// Takes whatever stands there.
    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int64.self) {
            self = .int(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try Self.read([JSON].self, container) {
            self = .array(value)
        } else if let value = try Self.read([String: JSON].self, container) {
            self = .object(value)
        } else {
            // `1e999`: JSON, and no number that can be kept.
            throw DecodingError.typeMismatch(
                Double.self,
                DecodingError.Context(
                    codingPath: decoder.codingPath, debugDescription: "a number out of range"))
        }
    }

    /// The list or object that stands there; nil when something else does.
    ///
    /// - Throws: what is wrong within it.
    private static func read<Value: Decodable>(
        _ type: Value.Type, _ container: any SingleValueDecodingContainer
    ) throws -> Value? {
        do {
            return try container.decode(type)
        } catch DecodingError.typeMismatch(_, let context)
            where context.codingPath.count == container.codingPath.count
        {
            return nil
        }
    }

    /// What it is, for a person who is told that it should be something else; long texts are cut.
    var shown: String {
        switch self {
        case .null: "null"
        case .array: "a list"
        case .object: "an object"
        case .string(let text): "\"\(text.prefix(64))\"" + (text.count > 64 ? "…" : "")
        case .bool, .int, .number: String(decoding: data, as: UTF8.self)
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .int(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .array(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }
}
