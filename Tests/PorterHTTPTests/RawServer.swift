import Foundation
import Glibc
import Synchronization

/// A server of bare sockets on loopback that does whatever a test wants, threads and all.
final class RawServer: Sendable {
    /// One request as it came.
    struct Received: Sendable {
        /// Request line and header lines.
        let head: String
        let body: Data
        /// The connection's number, from 1.
        let connection: Int

        var line: String { String(head.prefix { !$0.isNewline }) }

        /// The value of a header line, by its lower-case name; nil when there is none.
        func field(_ name: String) -> String? {
            head.split(separator: "\r\n").dropFirst().first { $0.lowercased().hasPrefix(name + ":") }
                .map { $0.dropFirst(name.count + 1).trimmingCharacters(in: .whitespaces) }
        }
    }

    let port: UInt16
    private let listener: Int32
    private let ledger = Ledger()

    /// What happened so far; the connections' threads hold it, not the server.
    private final class Ledger: Sendable {
        let state = Mutex<(received: [Received], connections: Int)>(([], 0))
    }

    /// Listens on a free port of 127.0.0.1, or at the path, and gives every connection to the closure.
    init(at path: String? = nil, _ serve: @escaping @Sendable (Peer) -> Void) throws {
        listener = socket(path == nil ? AF_INET : AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        port = try Self.bind(listener, path)
        let listener = listener
        let ledger = ledger
        Thread.detachNewThread {
            while true {
                let descriptor = accept(listener, nil, nil)
                guard descriptor >= 0 else {
                    // Nobody but this thread closes it: its number might be another server's by then.
                    close(listener)
                    return
                }
                let number = ledger.state.withLock { state in
                    state.connections += 1
                    return state.connections
                }
                Thread.detachNewThread {
                    serve(
                        Peer(descriptor, number) { request in
                            ledger.state.withLock { $0.received.append(request) }
                        })
                    close(descriptor)
                }
            }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
    }

    /// All whole requests so far.
    var received: [Received] { ledger.state.withLock { $0.received } }
    /// Connections that were accepted so far.
    var connections: Int { ledger.state.withLock { $0.connections } }

    /// The address of a path.
    func url(_ path: String = "/") -> String { "http://127.0.0.1:\(port)\(path)" }

    /// A port on which nobody listens.
    static func freePort() throws -> UInt16 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        return try bound(descriptor, &address)
    }

    private static func bind(_ descriptor: Int32, _ path: String?) throws -> UInt16 {
        var port: UInt16 = 0
        if let path {
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix(107)) }
            let result = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    Glibc.bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
            guard result == 0 else { throw POSIXError(.EADDRINUSE) }
        } else {
            var address = sockaddr_in()
            port = try bound(descriptor, &address)
        }
        guard listen(descriptor, 64) == 0 else { throw POSIXError(.EIO) }
        return port
    }

    private static func bound(_ descriptor: Int32, _ address: inout sockaddr_in) throws -> UInt16 {
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard result else { throw POSIXError(.EADDRINUSE) }
        return UInt16(bigEndian: address.sin_port)
    }
}

/// One accepted connection.
final class Peer: Sendable {
    let number: Int
    private let descriptor: Int32
    private let record: @Sendable (RawServer.Received) -> Void
    private let pending = Mutex(Data())

    init(_ descriptor: Int32, _ number: Int, _ record: @escaping @Sendable (RawServer.Received) -> Void) {
        self.descriptor = descriptor
        self.number = number
        self.record = record
    }

    /// Reads one whole request and records it; nil when the other side closed first.
    @discardableResult
    func request() -> RawServer.Received? {
        let end = Data("\r\n\r\n".utf8)
        var data = pending.withLock { $0 }
        while data.firstRange(of: end) == nil {
            guard let more = read() else { return nil }
            data += more
        }
        guard let range = data.firstRange(of: end) else { return nil }
        let head = String(decoding: data[..<range.lowerBound], as: UTF8.self)
        var body = Data(data[range.upperBound...])
        let length =
            head.lowercased().split(separator: "\r\n").first { $0.hasPrefix("content-length:") }
            .flatMap { Int($0.dropFirst(15).trimmingCharacters(in: .whitespaces)) } ?? 0
        while body.count < length {
            guard let more = read() else { return nil }
            body += more
        }
        let rest = body.dropFirst(length)
        pending.withLock { $0 = Data(rest) }
        let request = RawServer.Received(head: head, body: Data(body.prefix(length)), connection: number)
        record(request)
        return request
    }

    /// Waits until the other side closes.
    func waitForEnd() {
        while read() != nil {}
    }

    /// Sends the text as it is.
    func send(_ text: String) {
        send(Data(text.utf8))
    }

    func send(_ data: Data) {
        var rest = data[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    /// Answers with a status and a body of known length.
    func answer(_ status: String = "200 OK", _ fields: [String] = [], _ body: String = "") {
        let lines = ["HTTP/1.1 \(status)"] + fields + ["Content-Length: \(body.utf8.count)", "", body]
        send(lines.joined(separator: "\r\n"))
    }

    /// Makes closing a reset instead of an orderly end.
    func resetOnClose() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }

    private func read() -> Data? {
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = Glibc.read(descriptor, &bytes, bytes.count)
        return count > 0 ? Data(bytes[..<count]) : nil
    }
}
