import FoundationEssentials

/// A JSON value, for bodies that are put together and taken apart by hand.
///
/// The playground answers what GitHub answers, hundreds of fields that no program here reads; a type a shape
/// would be a second copy of GitHub's description.
enum JSON: Hashable, Sendable {
    case null
    case bool(Bool)
    case int(Int64)
    case double(Double)
    case string(String)
    case array([JSON])
    case object([String: JSON])

    /// Reads a text; nil when it is no JSON.
    static func read(_ data: Data) -> JSON? {
        try? JSONDecoder().decode(JSON.self, from: data)
    }

    /// The text, keys sorted.
    var data: Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(self)) ?? Data("null".utf8)
    }

    /// A member of an object; nil when there is none.
    subscript(key: String) -> JSON? {
        guard case .object(let members) = self else { return nil }
        return members[key]
    }

    /// The string, if it is one.
    var string: String? {
        guard case .string(let value) = self else { return nil }
        return value
    }

    /// The whole number, if it is one.
    var int: Int64? {
        guard case .int(let value) = self else { return nil }
        return value
    }

    /// The truth value, if it is one.
    var bool: Bool? {
        guard case .bool(let value) = self else { return nil }
        return value
    }

    /// The elements, if it is an array.
    var array: [JSON]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }

    /// The members, if it is an object.
    var object: [String: JSON]? {
        guard case .object(let members) = self else { return nil }
        return members
    }

    /// Whether it is `null`.
    var isNull: Bool { self == .null }

    /// An object with the members of both; the right one wins.
    static func + (left: JSON, right: JSON) -> JSON {
        .object((left.object ?? [:]).merging(right.object ?? [:]) { $1 })
    }

    /// The value, or `null` for none.
    static func some(_ value: String?) -> JSON { value.map(JSON.string) ?? .null }

    /// The value, or `null` for none.
    static func some(_ value: Int64?) -> JSON { value.map(JSON.int) ?? .null }

    /// A whole number.
    static func int(_ value: Int) -> JSON { .int(Int64(value)) }

    /// A list of strings.
    static func strings(_ values: some Sequence<String>) -> JSON { .array(values.map(JSON.string)) }
}

extension JSON: Codable {
    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int64.self) {
            self = .int(value)
        } else if let value = try? container.decode(Double.self) {
            self = .double(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([JSON].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: JSON].self))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .int(let value): try container.encode(value)
        case .double(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .array(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }
}

extension JSON: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByStringInterpolation, ExpressibleByArrayLiteral,
    ExpressibleByDictionaryLiteral
{
    init(nilLiteral: ()) { self = .null }
    init(booleanLiteral value: Bool) { self = .bool(value) }
    init(integerLiteral value: Int64) { self = .int(value) }
    init(floatLiteral value: Double) { self = .double(value) }
    init(stringLiteral value: String) { self = .string(value) }
    init(arrayLiteral elements: JSON...) { self = .array(elements) }
    init(dictionaryLiteral elements: (String, JSON)...) {
        self = .object(Dictionary(elements) { $1 })
    }
}
