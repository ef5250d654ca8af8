import FoundationEssentials
import Porter
import PorterHTTP
import PorterStore
import PorterWork

/// A request that is answered with an error: `{"error", "message"}` and whatever belongs to it.
struct Failure: Error {
    let status: Int
    let code: String
    let message: String
    var details: [String: JSON] = [:]
    var fields: Fields = [:]

    /// - Parameter action: where the person can mend it; an address or a path of ours.
    init(_ status: Int, _ code: String, _ message: String, action: String? = nil) {
        self.status = status
        self.code = code
        self.message = message
        if let action { details["action"] = .string(action) }
    }

    static let noRoute = Failure(404, "not_found", "There is no such address.")
    static let noTask = Failure(404, "not_found", "There is no such task.")
    static let tooLarge = Failure(413, "too_large", "The body is larger than this address takes.")

    /// A bearer token is missing or wrong.
    static func unauthorized(_ message: String) -> Failure {
        Failure(401, "unauthorized", message).askingForBearer
    }

    /// A delivery's signature is missing or wrong; no token would help.
    static func unsigned(_ message: String) -> Failure { Failure(401, "unauthorized", message) }

    /// The body is not what the address takes; the message names the field.
    static func body(_ message: String) -> Failure { Failure(400, "bad_request", message) }

    /// A field of the body or the query has a value that cannot be.
    static func field(_ name: String, _ message: String) -> Failure {
        Failure(422, "invalid", "`\(name)` \(message)")
    }

    static func parameter(_ name: String, _ message: String) -> Failure {
        Failure(400, "bad_request", "`\(name)` \(message)")
    }

    init(_ error: StoreError) {
        self.init(503, "unavailable", "The database cannot be used now; try again in a moment.")
        fields["Retry-After"] = "5"
    }

    init(_ error: CallbackFailure) {
        self.init(error.status, error.code, error.message)
        if let expected = error.expected { details["expected"] = .int(Int64(expected)) }
        // Whatever refuses a worker's token is asked for the right one.
        if error.status == 401 { self = askingForBearer }
    }

    /// The same, naming the bearer token as what would help.
    var askingForBearer: Failure {
        var failure = self
        failure.fields["WWW-Authenticate"] = "Bearer"
        return failure
    }

    var response: Response {
        var body = details
        body["error"] = .string(code)
        body["message"] = .string(message)
        var response = Response.json(status, .object(body))
        for pair in fields.pairs { response.fields.append(pair.name, pair.value) }
        return response
    }
}

extension Site {
    /// Uses the database, whose failure is the request's.
    func reading<T>(_ body: () throws(StoreError) -> T) throws(Failure) -> T {
        do throws(StoreError) {
            return try body()
        } catch {
            throw Failure(error)
        }
    }
}

extension Response {
    /// JSON that nobody caches.
    static func json(_ status: Int, _ body: JSON) -> Response {
        json(status, bytes: body.data)
    }

    /// JSON that nobody caches, as it was written.
    static func json(_ status: Int, bytes: Data) -> Response {
        Response(status: status, fields: jsonFields, body: bytes)
    }

    private static let jsonFields: Fields = [
        "Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-store",
    ]
}
