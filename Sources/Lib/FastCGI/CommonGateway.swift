import Dispatch
import FoundationEssentials
import Glibc
import PorterHTTP
import Synchronization

extension Responder {
    /// Serves this process's one request by the rules of CGI: the body on descriptor 0, the answer on 1.
    ///
    /// libfcgi does not do this itself.
    ///
    /// - SeeAlso: <https://www.rfc-editor.org/rfc/rfc3875>
    package func serveOnce(environment: [String: String]) {
        var parameters = Parameters { environment["\($0)"] }
        for (name, value) in environment {
            Array(name.utf8).withUnsafeBytes { parameters.add($0, value) }
        }
        var request = parameters.head
        var state = Incoming.BodyState.whole
        if let length = parameters.contentLength {
            if length > maximumBodyBytes {
                state = .tooLarge
            } else {
                request.body = Self.readInput(length)
                if request.body.count < length { state = .short }
            }
        } else {
            state = .unknown
        }
        let isAnswered = DispatchSemaphore(value: 0)
        let answer = Mutex(Response(status: 500))
        handler(Incoming(request: request, bodyState: state)) { response in
            answer.withLock { $0 = response }
            isAnswered.signal()
        }
        isAnswered.wait()
        let response = answer.withLock { $0 }
        let (head, isSound) = ResponseHead.bytes(response)
        var bytes = Data(head)
        if isSound, request.method != "HEAD" { bytes.append(response.body) }
        Self.writeOutput(bytes)
    }

    private static func readInput(_ length: Int) -> Data {
        var body = Data(count: length)
        var received = 0
        body.withUnsafeMutableBytes { buffer in
            while received < length {
                let count = read(0, buffer.baseAddress?.advanced(by: received), length - received)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { break }
                received += count
            }
        }
        return body.prefix(received)
    }

    private static func writeOutput(_ bytes: Data) {
        bytes.withUnsafeBytes { buffer in
            var sent = 0
            while sent < buffer.count {
                let count = write(1, buffer.baseAddress?.advanced(by: sent), buffer.count - sent)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return }
                sent += count
            }
        }
    }
}
