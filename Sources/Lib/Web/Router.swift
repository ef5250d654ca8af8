import FoundationEssentials
import PorterHTTP

/// Who may call an address.
enum Door: Sendable {
    /// Anybody; the handler checks what must be checked.
    case open
    /// Whoever has the operator's token.
    case operatorToken
    /// A worker, with the token of its attempt.
    case worker
    /// A signed-in person; what changes something must come from our own pages.
    case person
    /// The same for whoever leaves, though GitHub or the operator would not let them in any more.
    case leaving
    /// The same for an admin; anybody else who is signed in is refused with 403.
    case admin
    /// A signed-in person, or whoever has the operator's token.
    case reader
}

/// One address: its method, its path, who may call it, what it does.
struct Route: Sendable {
    let method: String
    /// Path segments; `{name}` takes one segment of any text but none.
    let path: [String]
    let door: Door
    /// Bytes of a body at most.
    let maximumBody: Int
    let handler: Handler

    /// What a route does.
    enum Handler: Sendable {
        /// Answers before it returns.
        case now(@Sendable (Site, Exchange) throws(Failure) -> Response)
        /// Answers through its last argument, once, before it returns or later from another thread.
        case later(@Sendable (Site, Exchange, @escaping @Sendable (Response) -> Void) throws(Failure) -> Void)
    }

    init(
        _ method: String, _ path: String, _ door: Door, maximumBody: Int = 0,
        _ handle: @escaping @Sendable (Site, Exchange) throws(Failure) -> Response
    ) {
        self.init(method, path, door, maximumBody: maximumBody, .now(handle))
    }

    init(_ method: String, _ path: String, _ door: Door, maximumBody: Int, _ handler: Handler) {
        self.method = method
        self.path = path.split(separator: "/").map(String.init)
        self.door = door
        self.maximumBody = maximumBody
        self.handler = handler
    }

    /// The values of the placeholders if the segments are this path's.
    func match(_ segments: [String]) -> [String: String]? {
        guard segments.count == path.count else { return nil }
        var values: [String: String] = [:]
        for (pattern, segment) in zip(path, segments) {
            if pattern.hasPrefix("{"), !segment.isEmpty {
                values[String(pattern.dropFirst().dropLast())] = segment
            } else if pattern != segment {
                return nil
            }
        }
        return values
    }

    var hasPlaceholder: Bool { path.contains { $0.hasPrefix("{") } }

    /// As the description of the interface writes it: `GET /api/tasks/{id}`.
    var name: String { "\(method) /\(path.joined(separator: "/"))" }
}

/// The table of addresses, made once.
struct Router: Sendable {
    /// A route that fits a path, with the values of the path's placeholders.
    typealias Candidate = (route: Route, values: [String: String])

    let routes: [Route]
    /// What fits a target that is a route's path letter by letter, without placeholders: found without taking
    /// the target apart, and the same that taking it apart would find.
    private let literal: [String: [Candidate]]

    init(_ routes: [Route]) {
        self.routes = routes
        let paths = Set(routes.filter { !$0.hasPlaceholder }.map { "/" + $0.path.joined(separator: "/") })
        literal = Dictionary(
            uniqueKeysWithValues: paths.map { path in
                (path, Self.candidates(routes, path.dropFirst().split(separator: "/").map(String.init)))
            })
    }

    /// The routes of the target's path, whatever their method, and its query.
    ///
    /// - Returns: nil when there is no such address.
    func find(_ target: String) -> (candidates: [Candidate], query: Query)? {
        if let candidates = literal[target] { return (candidates, Query()) }
        guard let target = Target(target) else { return nil }
        let candidates = Self.candidates(routes, target.segments)
        return candidates.isEmpty ? nil : (candidates, target.query)
    }

    private static func candidates(_ routes: [Route], _ segments: [String]) -> [Candidate] {
        routes.compactMap { route in route.match(segments).map { (route, $0) } }
    }
}

/// A request on its way to the handler, with what the router found out.
struct Exchange: Sendable {
    let request: Request
    /// The values of the path's placeholders, decoded.
    let path: [String: String]
    let query: Query
    /// The body arrived as announced.
    let isWhole: Bool
    /// Who is signed in; nil behind doors that do not ask, and for the operator.
    var visitor: Visitor?
}

/// What stands behind the `?` of a target.
struct Query: Sendable {
    private var values: [String: String] = [:]
    /// The first field, as it was sent, whose name or value is not sound.
    private var broken: String?

    /// No field.
    init() {}

    init(_ text: Substring) {
        for pair in text.split(separator: "&") {
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = Self.decode(sides[0])
            if let name, let value = Self.decode(sides.count == 2 ? sides[1] : "") {
                values[name] = value
            } else {
                broken = broken ?? name ?? String(sides[0])
            }
        }
    }

    /// Characters of a broken field's name that an answer repeats.
    private static let maximumName = 64

    /// The fields by name, decoded; of several with one name the last.
    ///
    /// - Throws: 400 naming the field whose escapes are broken or no UTF-8.
    var fields: [String: String] {
        get throws(Failure) {
            guard let broken else { return values }
            throw .parameter(
                String(broken.prefix(Self.maximumName)), "is not UTF-8 with each `%` followed by two digits.")
        }
    }

    private static func decode(_ text: Substring) -> String? {
        String(text.replacing("+", with: " ")).percentDecoded
    }
}

/// The path and query of a request's target.
struct Target {
    let segments: [String]
    let query: Query

    /// Nil when the target is not a path with sound escapes; what is wrong with the query is said later.
    init?(_ target: String) {
        guard target.hasPrefix("/") else { return nil }
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        var segments: [String] = []
        // An empty segment is kept, so that `//` and a slash at the end are other addresses.
        for raw in parts[0].dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            guard let text = String(raw).percentDecoded else { return nil }
            segments.append(text)
        }
        self.segments = segments
        query = parts.count == 2 ? Query(parts[1]) : Query()
    }
}

extension String {
    /// The text with its `%XX` decoded; nil when one is broken or the result is not UTF-8.
    fileprivate var percentDecoded: String? {
        guard utf8.contains(UInt8(ascii: "%")) else { return self }
        var bytes: [UInt8] = []
        var rest = utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst(), let low = rest.popFirst(),
                let first = Character(Unicode.Scalar(high)).hexDigitValue,
                let second = Character(Unicode.Scalar(low)).hexDigitValue
            else { return nil }
            bytes.append(UInt8(first << 4 | second))
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
