import Porter

/// Bytes that one process writes and another of the same program reads.
struct Writer {
    private(set) var bytes: [UInt8] = []

    mutating func put(byte: UInt8) {
        bytes.append(byte)
    }

    mutating func put(word: UInt64) {
        for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(word >> UInt64(shift) & 255)) }
    }

    mutating func put(raw: [UInt8]) {
        put(word: UInt64(raw.count))
        bytes += raw
    }

    /// The values one after the other.
    mutating func put<each Value: Wire>(_ values: repeat each Value) {
        for value in repeat each values { value.put(into: &self) }
    }
}

/// Reads what a ``Writer`` wrote, in the same order.
///
/// Both ends are the same program, so that anything unexpected is a defect and ends it.
struct Reader {
    private let bytes: [UInt8]
    private var next = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    mutating func byte() -> UInt8 {
        defer { next += 1 }
        return bytes[next]
    }

    mutating func word() -> UInt64 {
        (0..<8).reduce(into: 0) { word, _ in word = word << 8 | UInt64(byte()) }
    }

    mutating func raw() -> [UInt8] {
        let count = Int(word())
        defer { next += count }
        return Array(bytes[next..<(next + count)])
    }

    mutating func get<Value: Wire>(_ type: Value.Type = Value.self) -> Value {
        Value(from: &self)
    }
}

/// A value that can cross from one process to another.
protocol Wire: SendableMetatype {
    func put(into writer: inout Writer)
    init(from reader: inout Reader)
}

extension Int64: Wire {
    func put(into writer: inout Writer) { writer.put(word: UInt64(bitPattern: self)) }
    init(from reader: inout Reader) { self.init(bitPattern: reader.word()) }
}

extension Int: Wire {
    func put(into writer: inout Writer) { Int64(self).put(into: &writer) }
    init(from reader: inout Reader) { self.init(Int64(from: &reader)) }
}

extension Bool: Wire {
    func put(into writer: inout Writer) { writer.put(byte: self ? 1 : 0) }
    init(from reader: inout Reader) { self = reader.byte() == 1 }
}

extension String: Wire {
    func put(into writer: inout Writer) { writer.put(raw: Array(utf8)) }
    init(from reader: inout Reader) { self.init(decoding: reader.raw(), as: UTF8.self) }
}

extension UInt8: Wire {
    func put(into writer: inout Writer) { writer.put(byte: self) }
    init(from reader: inout Reader) { self = reader.byte() }
}

extension Optional: Wire where Wrapped: Wire {
    func put(into writer: inout Writer) {
        writer.put(self != nil)
        if let self { self.put(into: &writer) }
    }

    init(from reader: inout Reader) {
        self = reader.get(Bool.self) ? reader.get(Wrapped.self) : nil
    }
}

extension Array: Wire where Element: Wire {
    func put(into writer: inout Writer) {
        writer.put(count)
        for element in self { element.put(into: &writer) }
    }

    init(from reader: inout Reader) {
        self = []
        for _ in 0..<reader.get(Int.self) { append(reader.get()) }
    }
}

extension Dictionary: Wire where Key == String, Value: Wire {
    func put(into writer: inout Writer) {
        writer.put(count)
        for (key, value) in self.sorted(by: { $0.key < $1.key }) { writer.put(key, value) }
    }

    init(from reader: inout Reader) {
        self = [:]
        for _ in 0..<reader.get(Int.self) {
            let key = reader.get(String.self)
            self[key] = reader.get(Value.self)
        }
    }
}

/// Nothing to say.
struct Nothing: Wire {
    init() {}
    init(from reader: inout Reader) {}
    func put(into writer: inout Writer) {}
}
