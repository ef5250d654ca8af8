/// What is wrong with one field of a JSON body.
package struct JSONField: Error, Equatable {
    /// `log.offset`; empty when it is the body itself.
    package let name: String
    /// `is missing.`: what follows the field's name in a sentence.
    package let problem: String

    /// What a decoder found wrong; nil when the bytes are no JSON at all.
    package init?(_ error: any Error) {
        switch error {
        case DecodingError.keyNotFound(let key, let context):
            name = Self.path(context.codingPath + [key])
            problem = "is missing."
        case DecodingError.typeMismatch(let type, let context):
            name = Self.path(context.codingPath)
            problem = "is not \(Self.words(for: type))."
        case DecodingError.valueNotFound(let type, let context):
            name = Self.path(context.codingPath)
            problem = "is null and must be \(Self.words(for: type))."
        case DecodingError.dataCorrupted(let context) where !context.codingPath.isEmpty:
            name = Self.path(context.codingPath)
            problem = "has a value that cannot be."
        default:
            return nil
        }
    }

    private static func path(_ keys: [any CodingKey]) -> String {
        keys.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: ".")
    }

    private static func words(for type: Any.Type) -> String {
        switch type {
        case is String.Type: "text"
        case is Bool.Type: "true or false"
        case is Int.Type, is Int64.Type: "a whole number that can be"
        case is Double.Type: "a number that can be"
        case is any RangeReplaceableCollection.Type: "a list"
        default: "an object"
        }
    }
}

/// A number of a JSON body.
///
/// A number that its type cannot hold (`1.5` or `1e30` for a whole one) is an error of its field, like any other
/// wrong value. Without this the decoder calls the whole body no JSON.
@propertyWrapper package struct JSONNumber<Value: Decodable>: Decodable {
    /// The number.
    package var wrappedValue: Value

    /// A number that is there already.
    package init(wrappedValue: Value) {
        self.wrappedValue = wrappedValue
    }

    /// Reads the number.
    ///
    /// - Throws: `DecodingError` that names the field.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        do {
            wrappedValue = try container.decode(Value.self)
        } catch let error as DecodingError {
            if case .dataCorrupted(let context) = error, context.codingPath.isEmpty {
                throw Self.mismatch(decoder)
            }
            throw error
        } catch {
            throw Self.mismatch(decoder)
        }
    }

    private static func mismatch(_ decoder: any Decoder) -> DecodingError {
        DecodingError.typeMismatch(
            Value.self,
            DecodingError.Context(codingPath: decoder.codingPath, debugDescription: "a number out of range"))
    }
}

extension JSONNumber: Sendable where Value: Sendable {}

extension KeyedDecodingContainer {
    /// Reads a number that may be absent or null.
    package func decode<Value: Decodable>(
        _ type: JSONNumber<Value?>.Type, forKey key: Key
    ) throws -> JSONNumber<Value?> {
        guard let number = try decodeIfPresent(JSONNumber<Value>.self, forKey: key) else {
            return JSONNumber(wrappedValue: nil)
        }
        return JSONNumber<Value?>(wrappedValue: number.wrappedValue)
    }
}
