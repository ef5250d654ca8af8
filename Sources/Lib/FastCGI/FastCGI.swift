package import PorterHTTP

/// A FastCGI responder on libfcgi: ``Ingress`` finds the socket, ``Responder`` serves it.
///
/// A request has one thread, unless its answer comes later: then whichever is free sends it. SIGTERM drains:
/// accepting stops, requests in flight finish, unaccepted
/// connections wait in the socket's backlog for the next process.
///
/// - SeeAlso: <https://fastcgi-archives.github.io/FastCGI_Specification.html>
package struct Incoming: Sendable {
    /// Whether the body arrived as it was announced.
    package enum BodyState: Sendable {
        /// All of it.
        case whole
        /// Less than `CONTENT_LENGTH` said.
        case short
        /// More than the responder takes, which was not read.
        case tooLarge
        /// `CONTENT_LENGTH` is no number.
        case unknown
    }

    /// The target is `REQUEST_URI`, undecoded; the fields come from `HTTP_*` and `CONTENT_TYPE`.
    package let request: Request
    /// Whether ``request`` holds the whole body; look here before reading it.
    package let bodyState: BodyState
}

/// The named values of a request's `PARAMS`, as FastCGI and CGI share them.
struct Parameters {
    private let lookUp: (StaticString) -> String?
    private var fields = Fields(reserving: Self.usualFields)
    /// Whether the body's type stands among the fields already, from the parameter of its own.
    private let hasType: Bool

    /// - Parameter lookUp: finds a value that is no header field.
    init(lookUp: @escaping (StaticString) -> String?) {
        self.lookUp = lookUp
        if let type = lookUp("CONTENT_TYPE"), !type.isEmpty { fields.append("Content-Type", type) }
        hasType = !fields.pairs.isEmpty
    }

    /// Fields of nearly every request at most.
    private static let usualFields = 24

    /// Takes the parameter if it is a header field.
    ///
    /// - Parameters:
    ///   - name: `HTTP_X_HUB_SIGNATURE_256`, in UTF-8, for `X-HUB-SIGNATURE-256`.
    ///   - value: asked for only when it is one.
    mutating func add(_ name: UnsafeRawBufferPointer, _ value: @autoclosure () -> String) {
        guard name.starts(with: Self.prefix), !name.elementsEqual(Self.proxy) else { return }
        if hasType, name.elementsEqual(Self.type) { return }
        let bytes = name.dropFirst(Self.prefix.count)
        let field = String(unsafeUninitializedCapacity: bytes.count) { buffer in
            for (index, byte) in bytes.enumerated() {
                buffer[index] = byte == UInt8(ascii: "_") ? UInt8(ascii: "-") : byte
            }
            return bytes.count
        }
        fields.append(field, value())
    }

    /// Begins the names of a request's header fields.
    private static let prefix = Array("HTTP_".utf8)
    /// A client's field `Proxy`, which programs have taken for the environment's `HTTP_PROXY`.
    ///
    /// - SeeAlso: <https://httpoxy.org>
    private static let proxy = Array("HTTP_PROXY".utf8)
    private static let type = Array("HTTP_CONTENT_TYPE".utf8)

    /// Bytes of the body, nil when the value is no number.
    var contentLength: Int? {
        guard let text = lookUp("CONTENT_LENGTH"), !text.isEmpty else { return 0 }
        guard text.utf8.count <= 18, text.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }) else { return nil }
        return Int(text)
    }

    /// The request without its body.
    var head: Request {
        Request(
            method: lookUp("REQUEST_METHOD") ?? "", target: lookUp("REQUEST_URI") ?? "/",
            fields: fields, peer: lookUp("REMOTE_ADDR").flatMap { $0.isEmpty ? nil : $0 })
    }
}

/// The bytes before the body of an answer: `Status`, fields, an empty line.
enum ResponseHead {
    /// Refuses fields that would begin another one: such an answer becomes a plain 500.
    static func bytes(_ response: Response) -> (head: [UInt8], isSound: Bool) {
        guard (200...599).contains(response.status), response.fields.pairs.allSatisfy(isSound) else {
            return (Array("Status: 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n".utf8), false)
        }
        var head: [UInt8] = []
        head.reserveCapacity(expectedBytes)
        func line(_ text: String) {
            head.append(contentsOf: text.utf8)
            head.append(UInt8(ascii: "\r"))
            head.append(UInt8(ascii: "\n"))
        }
        func line(_ name: String, _ value: String) {
            head.append(contentsOf: name.utf8)
            head.append(UInt8(ascii: ":"))
            head.append(UInt8(ascii: " "))
            line(value)
        }
        // No text is put together for it: this runs for each answer.
        head.append(contentsOf: "Status: ".utf8)
        head.append(contentsOf: String(response.status).utf8)
        head.append(UInt8(ascii: " "))
        line(phrase(response.status))
        for pair in response.fields.pairs { line(pair.name, pair.value) }
        if response.fields["Content-Length"] == nil, response.status != 204, response.status != 304 {
            line("Content-Length", String(response.body.count))
        }
        line("")
        return (head, true)
    }

    /// Bytes of nearly every head at most.
    private static let expectedBytes = 256

    private static func isSound(_ pair: Fields.Pair) -> Bool {
        let isName = pair.name.utf8.allSatisfy { $0 > 32 && $0 < 127 && $0 != UInt8(ascii: ":") }
        return !pair.name.isEmpty && isName
            && pair.value.utf8.allSatisfy { $0 >= 32 && $0 != 127 || $0 == 9 }
    }

    /// - SeeAlso: <https://www.iana.org/assignments/http-status-codes/>
    private static func phrase(_ status: Int) -> String {
        switch status {
        case 200: "OK"
        case 201: "Created"
        case 202: "Accepted"
        case 204: "No Content"
        case 302: "Found"
        case 304: "Not Modified"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 409: "Conflict"
        case 412: "Precondition Failed"
        case 413: "Content Too Large"
        case 422: "Unprocessable Content"
        case 429: "Too Many Requests"
        case 500: "Internal Server Error"
        case 503: "Service Unavailable"
        default: "Status"
        }
    }
}
