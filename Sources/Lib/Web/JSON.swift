import FoundationEssentials

/// A JSON value that is written as it was built: every named field is there, absent ones as `null`.
enum JSON: Encodable, Sendable {
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
