import Foundation
import Glibc
import PorterHTTP
import Testing

/// The web server's side of one connection.
///
/// - SeeAlso: <https://fastcgi-archives.github.io/FastCGI_Specification.html>
final class FastCGIClient {
    private enum Kind: UInt8 {
        case begin = 1
        case abort
        case end
        case parameters
        case input
        case output
        case errors
    }

    private let descriptor: Int32
    /// What waits to be sent at once.
    private var held: [UInt8]?

    /// Connects to the socket of that path.
    init(_ path: String) throws {
        descriptor = Self.open()
        try #require(
            Self.connects(descriptor, to: path),
            "cannot connect to \(path): \(String(cString: strerror(errno)))")
        var limit = timeval(tv_sec: 30, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    /// Whether somebody listens there; a socket's file is there a moment before.
    static func isListening(at path: String) -> Bool {
        let descriptor = open()
        defer { close(descriptor) }
        return connects(descriptor, to: path)
    }

    private static func open() -> Int32 {
        socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    }

    private static func connects(_ descriptor: Int32, to path: String) -> Bool {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
    }

    deinit {
        leave()
    }

    /// Shuts both directions, as a client does that is gone.
    func leave() {
        shutdown(descriptor, Int32(SHUT_RDWR))
        close(descriptor)
    }

    func begin(keepsConnection: Bool = false) {
        send(.begin, [0, 1, keepsConnection ? 1 : 0, 0, 0, 0, 0, 0])
    }

    func abort() { send(.abort, []) }

    /// Sends the parameters, and their end.
    func parameters(_ values: [(String, String)], isWhole: Bool = true) {
        var bytes: [UInt8] = []
        for (name, value) in values {
            for count in [name.utf8.count, value.utf8.count] {
                if count < 128 {
                    bytes.append(UInt8(count))
                } else {
                    bytes += withUnsafeBytes(of: (UInt32(count) | 1 << 31).bigEndian, Array.init)
                }
            }
            bytes += Array(name.utf8) + Array(value.utf8)
        }
        send(.parameters, bytes)
        if isWhole { send(.parameters, []) }
    }

    /// Sends a piece of the body; an empty one ends it.
    func input(_ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return send(.input, []) }
        for start in stride(from: 0, to: bytes.count, by: 65_528) {
            send(.input, Array(bytes[start..<min(start + 65_528, bytes.count)]))
        }
    }

    /// Sends everything in one piece that the closure sends, as a web server does: it comes together.
    func together(_ sendAll: () -> Void) {
        held = []
        sendAll()
        let bytes = held ?? []
        held = nil
        write(bytes)
    }

    private func send(_ kind: Kind, _ content: [UInt8]) {
        var pieces = [content[...]]
        if content.count > 65_528 {
            pieces = stride(from: 0, to: content.count, by: 65_528).map {
                content[$0..<min($0 + 65_528, content.count)]
            }
        }
        for piece in pieces {
            var record: [UInt8] = [1, kind.rawValue, 0, 1]
            record += [UInt8(piece.count >> 8), UInt8(piece.count & 255), 0, 0] + piece
            if held == nil {
                write(record)
            } else {
                held?.append(contentsOf: record)
            }
        }
    }

    private func write(_ bytes: [UInt8]) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            // The other side has enough: what it answered is still there to be read.
            guard count > 0 else { return }
            sent += count
        }
    }

    /// What came back until the end of the request; nil when the connection ended without it.
    func answer() -> Answer? {
        var output = Data()
        while let head = read(8) {
            let length = Int(head[4]) << 8 | Int(head[5])
            guard let content = read(length + Int(head[6])) else { return nil }
            switch Kind(rawValue: head[1]) {
            case .output: output += content.prefix(length)
            case .end: return Answer(output)
            default: break
            }
        }
        return nil
    }

    /// Reads to the end of what comes.
    ///
    /// - Returns: whether the other side has closed the connection by then, and not only shut its own direction.
    func readsToAClosedEnd() -> Bool {
        while read(1) != nil {}
        var polled = pollfd(fd: descriptor, events: 0, revents: 0)
        return poll(&polled, 1, 0) == 1 && polled.revents & Int16(POLLHUP) != 0
    }

    private func read(_ count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        var received = 0
        while received < count {
            let more = bytes[received...].withUnsafeMutableBytes {
                Glibc.read(descriptor, $0.baseAddress, $0.count)
            }
            guard more > 0 else { return nil }
            received += more
        }
        return bytes
    }

    /// One whole request.
    static func ask(
        _ path: String, _ parameters: [(String, String)], body: [UInt8] = []
    ) throws -> Answer? {
        let client = try FastCGIClient(path)
        client.begin()
        client.parameters(parameters)
        if !body.isEmpty { client.input(body) }
        client.input([])
        return client.answer()
    }
}

/// What a responder wrote.
struct Answer: Equatable {
    let head: [String]
    let body: Data

    init?(_ output: Data) {
        guard let end = output.firstRange(of: Data("\r\n\r\n".utf8)) else { return nil }
        head = String(decoding: output[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
        body = Data(output[end.upperBound...])
    }

    var status: String { head.first ?? "" }
    var text: String { String(decoding: body, as: UTF8.self) }
}
