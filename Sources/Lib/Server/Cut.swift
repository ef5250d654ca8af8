import FlyingFox
import FlyingSocks
import Foundation
package import PorterHTTP

extension PorterHTTP.Response {
    /// Makes a ``Server`` close the connection instead of answering; the client gets no byte.
    package static let cut = Response(status: 0)
}

/// Closes the connection before anything was written.
struct CutBeforeAnswer: WSHandler {
    func makeFrames(for client: AsyncThrowingStream<WSFrame, any Error>) async throws -> AsyncStream<WSFrame>
    {
        throw CancellationError()
    }
}

/// A body that ends too early: its bytes, then the end of the connection.
struct CutBody: AsyncBufferedSequence {
    let bytes: Data

    struct AsyncIterator: AsyncBufferedIteratorProtocol {
        var rest: Data?

        mutating func next() async throws -> UInt8? { throw CancellationError() }

        mutating func nextBuffer(suggested count: Int) async throws -> Data? {
            guard let bytes = rest, !bytes.isEmpty else { throw CancellationError() }
            rest = nil
            return bytes
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(rest: bytes) }
}
