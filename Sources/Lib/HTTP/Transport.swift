/// Sends one request and waits for the whole answer.
///
/// The answer's status is not judged: 404 and 500 are answers. A redirect is an answer too and is never
/// followed here.
package struct Transport: Sendable {
    /// Sends the request within the limits.
    package var send: @Sendable (_ request: Request, _ limits: Limits) throws(TransportError) -> Response

    /// A transport of the closure.
    package init(
        send: @escaping @Sendable (_ request: Request, _ limits: Limits) throws(TransportError) -> Response
    ) {
        self.send = send
    }

    /// How long one call may take and how much it may bring.
    package struct Limits: Hashable, Sendable {
        /// Until the connection stands, TLS included.
        package var connect: Duration
        /// From the first byte of the request to the last of the answer.
        package var total: Duration
        /// The answer's body; more is `.tooLarge`.
        package var maximumBodyBytes: Int

        /// The limits of an ordinary call: 5 s to connect, 20 s in all, 16 MiB.
        package init(
            connect: Duration = .seconds(5), total: Duration = .seconds(20),
            maximumBodyBytes: Int = 16 * 1024 * 1024
        ) {
            self.connect = connect
            self.total = total
            self.maximumBodyBytes = maximumBodyBytes
        }
    }
}

/// A call that brought no whole answer.
package struct TransportError: Error, Equatable, CustomStringConvertible {
    /// What is certain about it.
    package enum Code: Sendable {
        /// The address is not one that this transport may call: scheme, host or form.
        case notAllowed
        /// No connection was made (name, route, TLS): nothing was sent.
        case unreachable
        /// The request may have arrived; no whole answer came back in time or at all.
        case interrupted
        /// The answer was longer than the limit.
        case tooLarge
        /// The program is ending and cut the call.
        case cancelled
    }

    /// What is certain, which decides whether the call may be made again.
    package let code: Code
    /// What the library said; never a header or a body.
    package let message: String

    /// A failure with the library's words.
    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The code and the words.
    package var description: String { "\(code): \(message)" }
}
