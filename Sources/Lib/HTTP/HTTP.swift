package import FoundationEssentials

/// HTTP as values: what a program received and answers, and what it sends and gets back.
///
/// ``Request`` and ``Response`` serve both directions. ``Transport`` is the one effect: its live value
/// (``Transport/curl(_:)``) blocks the calling thread until the answer is whole or a limit is over.
package struct Request: Sendable {
    /// `GET`, `POST`, …, upper case.
    package var method: String
    /// Outgoing: the whole URL; received: path and query as the client sent them, undecoded.
    package var target: String
    /// The header; for a received request what CGI passes on, without `Content-Length`.
    package var fields: Fields
    /// The bytes as they travel; empty when there is none.
    package var body: Data
    /// Received: the address that the request came from (`REMOTE_ADDR`); nil when it is not known.
    package var peer: String?

    /// A request, by default without fields and body.
    package init(
        method: String, target: String, fields: Fields = Fields(), body: Data = Data(), peer: String? = nil
    ) {
        self.method = method
        self.target = target
        self.fields = fields
        self.body = body
        self.peer = peer
    }
}

/// An answer.
package struct Response: Sendable {
    /// The code of the status line: 200 to 599 for an answer of ours.
    package var status: Int
    /// The header without the status line.
    package var fields: Fields
    /// The bytes as they travel; empty when there is none.
    package var body: Data

    /// An answer, by default without fields and body.
    package init(status: Int, fields: Fields = Fields(), body: Data = Data()) {
        self.status = status
        self.fields = fields
        self.body = body
    }
}

/// Header fields in order; names compare without regard to case.
package struct Fields: Hashable, Sendable, ExpressibleByDictionaryLiteral {
    /// Name and value pairs as they came.
    package private(set) var pairs: [Pair]

    /// One field.
    package struct Pair: Hashable, Sendable {
        /// The name in the case in which it came or is to be sent.
        package let name: String
        /// The value; line breaks in it are refused where it is written out.
        package let value: String
    }

    /// No fields.
    package init() {
        pairs = []
    }

    /// No fields, with room for so many.
    package init(reserving count: Int) {
        pairs = []
        pairs.reserveCapacity(count)
    }

    /// The fields in the order of the literal; a repeated name is kept twice.
    package init(dictionaryLiteral elements: (String, String)...) {
        pairs = elements.map { Pair(name: $0.0, value: $0.1) }
    }

    /// The first value under the name; setting replaces all, setting nil removes them.
    package subscript(name: String) -> String? {
        get { pairs.first { $0.name.caseInsensitivelyEquals(name) }?.value }
        set {
            pairs.removeAll { $0.name.caseInsensitivelyEquals(name) }
            if let newValue { pairs.append(Pair(name: name, value: newValue)) }
        }
    }

    /// Adds a field beside those of the same name.
    package mutating func append(_ name: String, _ value: String) {
        pairs.append(Pair(name: name, value: value))
    }
}

extension String {
    fileprivate func caseInsensitivelyEquals(_ other: String) -> Bool {
        // Fields are looked up by the dozen for each request: bytes in memory, no iterators.
        let (left, right) = (utf8, other.utf8)
        guard left.count == right.count else { return false }
        return left.withContiguousStorageIfAvailable { left in
            right.withContiguousStorageIfAvailable { right in
                for index in 0..<left.count where left[index] != right[index] {
                    let lower = left[index] | 32
                    guard left[index] ^ right[index] == 32, lower >= 97, lower <= 122 else { return false }
                }
                return true
            }
        } == true
    }
}
