import Foundation
import Porter
import PorterHTTP
import PorterTestSupport
import Synchronization

@testable import PorterWorker

/// Answers a worker's callbacks from a script.
final class FakePorter: Sendable {
    /// Answers the callback of that name; nil is the ordinary answer.
    typealias Script = @Sendable (_ name: String, _ body: [String: Any], _ number: Int) -> Response?

    private let recorder: TransportRecorder

    /// A Porter that answers so; the number counts the calls of one callback from 0.
    init(_ script: @escaping Script = { _, _, _ in nil }) {
        let counts = Mutex<[String: Int]>([:])
        recorder = TransportRecorder { (request, _) throws(TransportError) in
            let name = Self.name(of: request)
            let number = counts.withLock { counts in
                counts[name, default: 0] += 1
                return (counts[name] ?? 1) - 1
            }
            return script(name, Self.body(of: request), number) ?? Self.ordinary(name)
        }
    }

    var callbacks: Callbacks { Callbacks(transport: recorder.transport, address: "http://porter.test") }

    /// The bodies that came for the callback, in order.
    func bodies(_ name: String) -> [[String: Any]] {
        recorder.requests.filter { Self.name(of: $0) == name }.map(Self.body(of:))
    }

    /// Everything that was logged, overlaps left out.
    var log: String {
        var text: [UInt8] = []
        for body in bodies("progress") {
            guard let log = body["log"] as? [String: Any], let offset = log["offset"] as? Int,
                let piece = log["text"] as? String
            else { continue }
            text = text.prefix(offset) + Array(piece.utf8)
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// What was said about the phases, in order.
    var messages: [String] { bodies("progress").compactMap { $0["message"] as? String } }

    static func json(_ status: Int, _ body: String) -> Response {
        Response(status: status, fields: ["Content-Type": "application/json"], body: Data(body.utf8))
    }

    static func page(_ status: Int) -> Response {
        Response(
            status: status, fields: ["Content-Type": "text/html"],
            body: Data("<html><body>\(status)</body></html>".utf8))
    }

    static let goOn = json(200, #"{"continue": true, "reason": null}"#)

    private static func ordinary(_ name: String) -> Response {
        switch name {
        case "progress": goOn
        case "credential": json(200, #"{"username": "x", "token": "ghs_canary0002", "expires_at": ""}"#)
        default: json(200, #"{"status": "stored"}"#)
        }
    }

    private static func name(of request: Request) -> String {
        String(request.target.split(separator: "/").last ?? "")
    }

    private static func body(of request: Request) -> [String: Any] {
        ((try? JSONSerialization.jsonObject(with: request.body)) as? [String: Any]) ?? [:]
    }
}
