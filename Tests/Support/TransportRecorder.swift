package import PorterHTTP
import Synchronization

/// Stands in for the network: answers each request by a closure and keeps what was asked.
package final class TransportRecorder: Sendable {
    /// Answers one request; the number counts from 0.
    package typealias Answer =
        @Sendable (_ request: Request, _ number: Int) throws(TransportError) -> Response

    private let answer: Answer
    private let seen = Mutex<[Request]>([])

    /// A recorder that answers so.
    package init(_ answer: @escaping Answer) {
        self.answer = answer
    }

    /// What was asked so far, in order.
    package var requests: [Request] { seen.withLock { $0 } }

    /// The transport that a client gets.
    package var transport: Transport {
        Transport { request, _ throws(TransportError) in
            let number = self.seen.withLock { seen in
                seen.append(request)
                return seen.count - 1
            }
            return try self.answer(request, number)
        }
    }
}
