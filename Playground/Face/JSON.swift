package import FoundationEssentials

/// JSON of any shape; literals make one: `["type": "text", "count": 2]`.
package enum JSON: Hashable, Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case string(String)
    case array([JSON])
    case object([String: JSON])

    /// Reads JSON; nil when the bytes are none.
    package init?(_ data: Data) {
        guard let value = try? JSONDecoder().decode(JSON.self, from: data) else { return nil }
        self = value
    }

    /// The bytes, on one line, keys sorted.
    package var data: Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Every value of this type can be encoded, but for numbers that are none.
        return (try? encoder.encode(self)) ?? Data("null".utf8)
    }

    /// The text of ``data``.
    package var text: String { String(decoding: data, as: UTF8.self) }

    /// The member of an object; `.null` where there is none.
    package subscript(_ name: String) -> JSON {
        get { object?[name] ?? .null }
        set {
            var members = object ?? [:]
            members[name] = newValue
            self = .object(members)
        }
    }

    /// The members, nil for everything but an object.
    package var object: [String: JSON]? {
        if case .object(let members) = self { members } else { nil }
    }

    /// The elements, none for everything but an array.
    package var array: [JSON] {
        if case .array(let elements) = self { elements } else { [] }
    }

    /// The text of a string.
    package var string: String? {
        if case .string(let text) = self { text } else { nil }
    }

    /// A whole number.
    package var integer: Int? {
        if case .integer(let number) = self { Int(number) } else { nil }
    }

    /// Any number.
    package var double: Double? {
        switch self {
        case .integer(let number): Double(number)
        case .number(let number): number
        default: nil
        }
    }

    /// Truth or falsehood.
    package var bool: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }
}

extension JSON: Codable {
    /// Takes whatever stands there.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int64.self) {
            self = .integer(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([JSON].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: JSON].self))
        }
    }

    /// Writes the value as itself.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .array(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }
}

extension JSON: ExpressibleByStringInterpolation, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByNilLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    /// A string, as Swift writes one.
    package init(stringLiteral value: String) { self = .string(value) }

    /// A whole number.
    package init(integerLiteral value: Int64) { self = .integer(value) }

    /// True or false.
    package init(booleanLiteral value: Bool) { self = .bool(value) }

    /// Null.
    package init(nilLiteral: ()) { self = .null }

    /// An array.
    package init(arrayLiteral elements: JSON...) { self = .array(elements) }

    /// An object; of two members with one name the later counts.
    package init(dictionaryLiteral elements: (String, JSON)...) {
        self = .object(Dictionary(elements, uniquingKeysWith: { $1 }))
    }
}
